/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rig.h - the observer's programs beside an empty one, and only chosen processes taken for VMs
 *
 * Without an inventory, so that other VMs of the host weigh nothing in the figures.
 *
 * Units:     ns.
 * Errors:    0 or a negative errno.
 * Ownership: vmadj_bench_rig_close() takes a zeroed or half-open rig.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "user/bench/meter.h"

struct vmadj_observer;

struct vmadj_bench_rig {
	struct vmadj_observer *observer;
	int sched_switch; /* the observer's program */
	int tags;	  /* the observer's map of threads of VMs */
	int stats;	  /* the kernel counts while this is open */
	uint32_t vms;	  /* named so far */
	struct vmadj_bench_program empty, tally;
};

/* One window: how often the observer's program ran and what it cost beyond the empty one. */
struct vmadj_bench_cost {
	double runs;
	double tagged; /* of these, switches from or to a thread of a VM */
	double extra_ns;
};

/** vmadj_bench_rig_open() - Return: 0; -ENOTSUP: the observer cannot run here; -errno. */
int vmadj_bench_rig_open(bool empty_first, struct vmadj_bench_rig *ret_rig);
void vmadj_bench_rig_close(struct vmadj_bench_rig *rig);

/** vmadj_bench_rig_tag() - the process @pid is a VM from now on; Return: 0; -ESRCH; -errno. */
int vmadj_bench_rig_tag(struct vmadj_bench_rig *rig, pid_t pid);

/** vmadj_bench_rig_measure() - what happens in @ms; Return: 0; -EINTR; -errno; -ENODATA: nothing.
 */
int vmadj_bench_rig_measure(struct vmadj_bench_rig *rig, unsigned int ms,
			    struct vmadj_bench_cost *ret_cost);
