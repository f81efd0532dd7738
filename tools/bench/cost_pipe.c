// SPDX-License-Identifier: GPL-2.0-only
/*
 * cost_pipe.c - what the observer costs who does nothing but switch
 *
 * As `perf bench sched pipe` pinned to one CPU: with the observer attached against
 * with an empty program attached, on and off in turn (user/bench/pairs.h).
 */
#include <string.h>

#include "tools/bench/bench.h"
#include "user/bench/pairs.h"

#define PAIRS 20

int vmadj_bench_cost_pipe(struct vmadj_bench *bench)
{
	static const struct vmadj_bench_row row = {
		.what = "pipe ping-pong on one CPU, observer / empty program",
		.unit = "ratio",
		.sense = VMADJ_BENCH_AT_MOST,
		.bar = 1.02,
	};
	static const struct vmadj_bench_row row_off = {
		.what = "  a round trip with the empty program",
		.unit = "ns",
	};
	const struct vmadj_bench_pairs pairs = {
		.off = &vmadj_bench_empty,
		.on = &vmadj_bench_trace,
		.load = vmadj_bench_load_pipe,
		.cpu = bench->cpu,
		.trips = VMADJ_BENCH_TRIPS,
		.n = PAIRS,
	};
	struct vmadj_bench_paired paired;
	int err = vmadj_bench_pairs_measure(&pairs, &paired);

	if (err)
		return vmadj_bench_fail(bench, err, "%s", strerror(-err));
	err = vmadj_bench_report_add(bench->report, &row, &paired.ratios);
	return err ? err : vmadj_bench_report_add(bench->report, &row_off, &paired.off_ns);
}
