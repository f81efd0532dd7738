/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stats.h - let the kernel count how long BPF programs run, while it is asked
 *
 * Turning that on takes CAP_SYS_ADMIN, which the daemon does not keep. So a process of ours
 * (this program again, as "stats-helper") holds it, and nothing else: it turns counting on and off
 * when told so. The kernel stops counting when that process ends, and it ends with us.
 *
 * Errors:    0 or a negative errno.
 * Threads:   that of the event loop.
 * Ownership: vmadj_stats_free() takes NULL and ends the process.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

struct vmadj_stats;

/* @err: 0: it is on; -EPERM: not permitted; the kernel's errno; -EPIPE: the process has ended. */
typedef void (*vmadj_stats_answer)(void *userdata, int err);

/**
 * vmadj_stats_new() - start the process, while the right is still there
 *
 * Return: 0; -ENOMEM; -errno of socketpair(), fork(), sd-event.
 */
int vmadj_stats_new(sd_event *event, vmadj_stats_answer answer, void *userdata,
		    struct vmadj_stats **ret_stats);
void vmadj_stats_free(struct vmadj_stats *stats);

/** vmadj_stats_on() - ask for it; Return: 0: the answer will come; -EPIPE; -errno of send(). */
int vmadj_stats_on(struct vmadj_stats *stats);
void vmadj_stats_off(struct vmadj_stats *stats);

pid_t vmadj_stats_pid(const struct vmadj_stats *stats); /* 0: it has ended */

/* The process's own main: reads from descriptor 3; Return: exit status. */
int vmadj_stats_helper_main(void);

/* Whether the administrator has turned it on for good (kernel.bpf_stats_enabled). */
bool vmadj_stats_always(void);
