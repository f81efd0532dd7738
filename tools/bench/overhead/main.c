// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - `make bench-overhead`: what observing costs, counted in instructions
 *
 *	bench-overhead [switch] [cache] [ticks]		all of them, or these
 *
 * Prints a table and writes bench/overhead.json in the output folder; with all of them measured,
 * docs/overhead.md and docs/overhead.svg, too.
 * Exit status: 0: all bars hold; 1: one does not; 2: something could not be measured.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tools/bench/overhead/figures.h"

#define BEYOND_EMPTY	25
#define VCPU_OWN	1.2
#define VCPU_WHOLE	1.03
#define VCPU_OF_RUNQLAT 0.93

/* A row of one figure; what could not be measured has been said already. */
static int add(struct vmadj_bench *bench, const struct vmadj_bench_row *row, size_t kernel,
	       double value)
{
	struct vmadj_bench_row named = *row;
	struct vmadj_bench_series series = { 0 };
	char what[160];

	if (isnan(value))
		return 0;
	(void)snprintf(what, sizeof(what), "%s: %s", vmadj_over_kernels[kernel], row->what);
	named.what = what;
	vmadj_bench_series_add(&series, value);
	return vmadj_bench_report_add(bench->report, &named, &series);
}

/* What each tool adds, pass by pass, one row a tool; of nothing the whole. */
static int add_tools(struct vmadj_bench *bench, size_t kernel, enum vmadj_over_row row,
		     const char *name)
{
	const struct vmadj_bench_series *whole = vmadj_over_series(kernel, VMADJ_OVER_NOTHING, row);
	char what[160];
	int err = 0;

	for (size_t i = 0; i < VMADJ_OVER_TOOLS && !err; i++) {
		const struct vmadj_bench_series *passes = vmadj_over_series(kernel, i, row);
		const struct vmadj_bench_row shown = { .what = what, .unit = "instr" };
		struct vmadj_bench_series added = { 0 };

		(void)snprintf(what, sizeof(what), i ? "%s: %s: %s adds" : "%s: %s: %s",
			       vmadj_over_kernels[kernel], name, vmadj_over_tools[i]);
		for (size_t n = 0; n < passes->n && n < whole->n; n++)
			vmadj_bench_series_add(&added, passes->v[n] - (i ? whole->v[n] : 0));
		if (added.n)
			err = vmadj_bench_report_add(bench->report, &shown, &added);
	}
	return err;
}

static int judge_switch(struct vmadj_bench *bench, size_t kernel)
{
	static const struct vmadj_bench_row rows[] = {
		{ "a switch without a vCPU, ours tracing beyond an empty program", "instr",
		  VMADJ_BENCH_AT_MOST, BEYOND_EMPTY, false },
		{ "a switch with a vCPU, ours less an empty program / kmod-trace", "ratio",
		  VMADJ_BENCH_AT_MOST, VCPU_OWN, false },
		{ "a whole switch with a vCPU, ours tracing / kmod-trace", "ratio",
		  VMADJ_BENCH_AT_MOST, VCPU_WHOLE, false },
		{ "a whole switch with a vCPU, ours tracing / runqlat", "ratio",
		  VMADJ_BENCH_AT_MOST, VCPU_OF_RUNQLAT, false },
	};
	double values[VMADJ_OVER_BARS];
	int err = 0;

	vmadj_over_judged(kernel, values);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && !err; i++)
		err = add(bench, &rows[i], kernel, values[i]);
	return err;
}

static int run_switch(struct vmadj_bench *bench)
{
	int err = vmadj_over_run(bench, "2 switch");

	for (size_t kernel = 0; kernel < VMADJ_OVER_KERNELS && !err; kernel++) {
		err = add_tools(bench, kernel, VMADJ_OVER_SWITCH, "a switch without a vCPU");
		if (!err)
			err = add_tools(bench, kernel, VMADJ_OVER_SWITCH_VCPU,
					"a switch with a vCPU");
		if (!err)
			err = add_tools(bench, kernel, VMADJ_OVER_LOAD, "until attached");
		if (!err)
			err = judge_switch(bench, kernel);
	}
	return err;
}

static int run_cache(struct vmadj_bench *bench)
{
	static const char *const names[] = { "a page-cache hit", "a page-cache miss",
					     "a page-cache hit of a VM",
					     "a page-cache miss of a VM" };
	int err = vmadj_over_run(bench, "2 cache");

	for (size_t i = 0; i < VMADJ_OVER_KERNELS * 4 && !err; i++)
		err = add_tools(bench, i / 4, VMADJ_OVER_HIT + i % 4, names[i % 4]);
	return err;
}

static int add_ticks(struct vmadj_bench *bench, size_t kernel)
{
	static const struct vmadj_bench_row judged = {
		"a tick at the most VMs: ours, the dearer mode / kmod-poll", "ratio",
		VMADJ_BENCH_AT_MOST, 1, false
	};
	double values[VMADJ_OVER_BARS];
	char what[128];
	int err = 0;

	for (size_t i = 0; i < (size_t)VMADJ_OVER_COUNTS * VMADJ_OVER_TOOLS && !err; i++) {
		enum vmadj_over_tool tool = i % VMADJ_OVER_TOOLS;
		size_t at = i / VMADJ_OVER_TOOLS;
		const struct vmadj_bench_row tick = { .what = what, .unit = "instr" };
		const struct vmadj_bench_row memory = { .what = what, .unit = "KiB" };

		(void)snprintf(what, sizeof(what), "%u VMs: %s, a tick", vmadj_over_counts[at],
			       vmadj_over_tools[tool]);
		err = add(bench, &tick, kernel,
			  vmadj_over_figure(kernel, tool, VMADJ_OVER_TICK + at));
		(void)snprintf(what, sizeof(what), "%u VMs: %s, memory held", vmadj_over_counts[at],
			       vmadj_over_tools[tool]);
		if (!err)
			err = add(bench, &memory, kernel,
				  vmadj_over_figure(kernel, tool, VMADJ_OVER_MEMORY + at));
	}
	vmadj_over_judged(kernel, values);
	return err ? err : add(bench, &judged, kernel, values[VMADJ_OVER_BARS - 1]);
}

static int run_ticks(struct vmadj_bench *bench)
{
	int err = vmadj_over_run(bench, "1 ticks 1 10 100 1000");

	for (size_t kernel = 0; kernel < VMADJ_OVER_KERNELS && !err; kernel++)
		err = add_ticks(bench, kernel);
	return err;
}

static int write_page(void)
{
	int err = vmadj_over_draw("docs/overhead.svg");

	if (!err)
		err = vmadj_over_write_page("docs/overhead.md");
	if (err)
		(void)fprintf(stderr, "bench: docs/overhead.md: %s\n", strerror(-err));
	return err;
}

int main(int argc, char **argv)
{
	static const struct vmadj_bench_group groups[] = {
		{ "switch", "instructions a context switch", run_switch },
		{ "cache", "instructions a page-cache hit and miss", run_cache },
		{ "ticks", "instructions a tick, at 1 to 1000 VMs", run_ticks },
	};
	static const struct vmadj_bench_suite suite = {
		.name = "overhead",
		.groups = groups,
		.n = sizeof(groups) / sizeof(groups[0]),
	};
	int status = vmadj_bench_main(&suite, argv + 1);

	if (argc == 1 && !vmadj_bench_sleep_ms(0) && write_page())
		return 2;
	return status;
}
