/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * switches.h - what a context switch costs more with the observer, from the kernel's own count
 *
 * The observer's program against an empty one on the same event, in both orders (meter.h).
 * Of switches that involve a VM's thread, and those alone: how many there were is counted
 * exactly, and what the other switches of the host cost is known from a window in which
 * the VMs are stopped.
 *
 * Units:     ns, ms as named.
 * Errors:    0 or a negative errno.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "user/bench/series.h"

/* A load that is running: some processes on one CPU, and which of them are VMs. */
struct vmadj_bench_switches {
	const pid_t *pids;
	unsigned int n;
	unsigned int vms; /* so many of them, the first */
	pid_t waiting;	  /* a VM beside them, whose own switches do not count; 0: none */
	bool leaves_time; /* to others, whose switches would count: it is stopped now and then */
	unsigned int rounds, window_ms;
};

/* ns a switch, a value a round. */
struct vmadj_bench_switch_cost {
	struct vmadj_bench_series all;
	struct vmadj_bench_series quiet; /* others did not switch more than the VMs */
};

/**
 * vmadj_bench_switches() - what one of them costs
 *
 * Return: 0; -EBUSY: few rounds were quiet; -EINTR; -ENOTSUP: the observer cannot run here;
 * -ENODATA: the load does not switch; -EPERM: no right to have the kernel count; -errno.
 */
int vmadj_bench_switches(const struct vmadj_bench_switches *load,
			 struct vmadj_bench_switch_cost *ret_cost);
