/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bench.h - the groups of measurements behind `make bench`, and what all benchmarks share
 *
 * Each group adds its rows to the report. Figures are ratios or differences
 * taken in one run, with what is compared in turn, so that they carry over to other
 * machines and bear a neighbour who comes and goes.
 *
 * Units:     as named.
 * Errors:    0, or a negative errno with the reason in ret_why when the group could not be
 *            measured here. -EINTR: SIGINT or SIGTERM came.
 * Ownership: a group leaves the host as it found it, also when it fails.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/bench/report.h"
#include "user/bench/timing.h"

struct vmadj_bench {
	struct vmadj_bench_report *report;
	unsigned int cpu;  /* the CPU to load; this process keeps off it where there is another */
	unsigned int cpus; /* of the host */
	char why[256];	   /* why a group could not be measured */
};

struct vmadj_bench_group {
	const char *name;
	const char *what;
	int (*run)(struct vmadj_bench *bench);
};

struct vmadj_bench_suite {
	const char *name; /* of the JSON file */
	const struct vmadj_bench_group *groups;
	size_t n;
	bool stays_off; /* it and its children keep off vmadj_bench.cpu */
};

/** vmadj_bench_main() - all groups, or those that @names has; Return: the exit status */
int vmadj_bench_main(const struct vmadj_bench_suite *suite, char **names);

/* Return: err, so that "return vmadj_bench_fail(bench, -EIO, ...)" reads well. */
int vmadj_bench_fail(struct vmadj_bench *bench, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** vmadj_bench_output() - the path of @name in the output folder; Return: 0; -ENOENT;
 * -ENAMETOOLONG.
 */
int vmadj_bench_output(const char *name, char *ret_path, size_t size);

int vmadj_bench_exact_sched(struct vmadj_bench *bench);
int vmadj_bench_exact_share(struct vmadj_bench *bench);
int vmadj_bench_exact_cache(struct vmadj_bench *bench);
int vmadj_bench_cost_others(struct vmadj_bench *bench);
int vmadj_bench_cost_vcpu(struct vmadj_bench *bench);
int vmadj_bench_cost_pipe(struct vmadj_bench *bench);
int vmadj_bench_rights(struct vmadj_bench *bench);
int vmadj_bench_many(struct vmadj_bench *bench);
