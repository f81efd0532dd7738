/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * scale.h - the groups of measurements behind `make bench-scale`
 *
 * Units:     as named.
 * Errors:    as in bench.h.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tools/bench/bench.h"

int vmadj_bench_scale_vms(struct vmadj_bench *bench);
int vmadj_bench_scale_vcpus(struct vmadj_bench *bench);
int vmadj_bench_scale_churn(struct vmadj_bench *bench);

/* What a daemon holds. */
struct vmadj_bench_held {
	double resident_mib;
	size_t descriptors;
	size_t orphans; /* slots of its maps that are taken for threads which are no more */
};

/** vmadj_bench_held_read() - Return: 0; -ESRCH: it has ended; -errno. */
int vmadj_bench_held_read(pid_t pid, struct vmadj_bench_held *ret_held);
