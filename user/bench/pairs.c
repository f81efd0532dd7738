// SPDX-License-Identifier: GPL-2.0-only
/* pairs.c - how long a load takes with this attached, and with that */
#include "user/bench/pairs.h"

#include "user/bench/messages.h"
#include "user/bench/pingpong.h"

#define PIECES 9
#define THIRD  (1.0 / 3)

int vmadj_bench_load_pipe(const struct vmadj_bench_pairs *pairs, double *ret_ns)
{
	struct vmadj_bench_series pieces = { 0 };
	double trip_ns;
	int err = vmadj_bench_sleep_ms(1);

	for (int i = 0; i < PIECES && !err; i++) {
		err = vmadj_bench_pingpong_time(pairs->cpu, pairs->trips, &trip_ns);
		if (!err)
			vmadj_bench_series_add(&pieces, trip_ns);
	}
	if (!err)
		*ret_ns = vmadj_bench_series_at(&pieces, THIRD);
	return err;
}

int vmadj_bench_load_messages(const struct vmadj_bench_pairs *pairs, double *ret_ns)
{
	return vmadj_bench_messages_time(&pairs->cpus, ret_ns);
}

static int time_half(const struct vmadj_bench_pairs *pairs, const struct vmadj_bench_side *side,
		     double *ret_ns)
{
	void *state = NULL;
	int err, closed;

	if (!side->open)
		return pairs->load(pairs, ret_ns);
	err = side->open(pairs, &state);
	if (!err)
		err = pairs->load(pairs, ret_ns);
	closed = side->close(state);
	return err ? err : closed;
}

int vmadj_bench_pairs_measure(const struct vmadj_bench_pairs *pairs,
			      struct vmadj_bench_paired *ret_paired)
{
	struct vmadj_bench_paired paired = { 0 };
	double off_ns = 0, on_ns = 0;
	int err = 0;

	for (unsigned int half = 0; half < 2 * pairs->n && !err; half++) {
		/* off on, on off, off on, ... */
		if ((half + 1) / 2 % 2) {
			err = time_half(pairs, pairs->on, &on_ns);
		} else {
			err = time_half(pairs, pairs->off, &off_ns);
		}
		if (err || half % 2 == 0)
			continue;
		vmadj_bench_series_add(&paired.ratios, on_ns / off_ns);
		vmadj_bench_series_add(&paired.off_ns, off_ns);
		vmadj_bench_series_add(&paired.on_ns, on_ns);
	}
	if (!err)
		*ret_paired = paired;
	return err;
}
