// SPDX-License-Identifier: GPL-2.0-only
/*
 * cost_pipe.c - what the observer costs who does nothing but switch
 *
 * As `perf bench sched pipe` pinned to one CPU: with the observer attached against
 * with an empty program attached, on and off in turn, in pairs. Each half of a pair
 * is made of short pieces of which the lower third stands for the half, so that a
 * neighbour who comes for a moment does not count.
 */
#include <errno.h>
#include <string.h>

#include "tools/bench/bench.h"
#include "tools/bench/meter.h"
#include "tools/bench/pingpong.h"
#include "user/observe/observer.h"

#define PAIRS  20
#define PIECES 9
#define TRIPS  25000 /* a piece; about 50 ms */
#define THIRD  (1.0 / 3)

static int time_half(struct vmadj_bench *bench, double *ret_trip_ns)
{
	struct vmadj_bench_series pieces = { 0 };
	double trip_ns;
	int err = vmadj_bench_sleep_ms(1);

	for (int i = 0; i < PIECES && !err; i++) {
		err = vmadj_bench_pingpong_time(bench->cpu, TRIPS, &trip_ns);
		if (!err)
			vmadj_bench_series_add(&pieces, trip_ns);
	}
	if (!err)
		*ret_trip_ns = vmadj_bench_series_at(&pieces, THIRD);
	return err;
}

static int time_with_empty(struct vmadj_bench *bench, double *ret_trip_ns)
{
	struct vmadj_bench_program empty;
	int err = vmadj_bench_empty_open(&empty);

	if (err)
		return err;
	err = time_half(bench, ret_trip_ns);
	vmadj_bench_program_close(&empty);
	return err;
}

static int time_with_observer(struct vmadj_bench *bench, double *ret_trip_ns)
{
	const struct vmadj_observer_options options = { .mode = VMADJ_MODE_TRACE,
							.self_test = false };
	struct vmadj_observer *observer = NULL;
	int err = vmadj_observer_open(&options, &observer);

	if (err)
		return err;
	err = vmadj_observer_running(observer) ? time_half(bench, ret_trip_ns) : -ENOTSUP;
	vmadj_observer_close(observer);
	return err;
}

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
	struct vmadj_bench_series ratios = { 0 }, trips = { 0 };
	double off = 0, on = 0;
	int err = 0;

	for (int half = 0; half < 2 * PAIRS && !err; half++) {
		/* off on, on off, off on, ... */
		if ((half + 1) / 2 % 2) {
			err = time_with_observer(bench, &on);
		} else {
			err = time_with_empty(bench, &off);
		}
		if (err || half % 2 == 0)
			continue;
		vmadj_bench_series_add(&ratios, on / off);
		vmadj_bench_series_add(&trips, off);
	}
	if (err)
		return vmadj_bench_fail(bench, err, "%s", strerror(-err));
	err = vmadj_bench_report_add(bench->report, &row, &ratios);
	return err ? err : vmadj_bench_report_add(bench->report, &row_off, &trips);
}
