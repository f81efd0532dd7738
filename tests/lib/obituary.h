/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * obituary.h - the kernel's last word on each thread that ends: what it had used in all
 *
 * The kernel sends it over netlink (taskstats) to whoever has asked before the end. Skips the
 * test where there is no such thing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct vmadj_obituary {
	pid_t tid;
	uint64_t run_ns, wait_ns;
	uint64_t voluntary, involuntary; /* switches, without the very last one */
};

/* From now on. */
void vmadj_obituary_listen(void);

/* Takes what has come; Return: whether there was one of @tid. */
bool vmadj_obituary_of(pid_t tid, struct vmadj_obituary *ret_obituary);
void vmadj_obituary_close(void);
