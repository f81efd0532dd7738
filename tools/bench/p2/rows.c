// SPDX-License-Identifier: GPL-2.0-only
/* rows.c - what is judged of a case of P2 */
#include <math.h>
#include <stdio.h>

#include "tools/bench/memory/rows.h"
#include "tools/bench/p2/p2.h"

#define LEAST_MIB 16.0 /* less is not called moved */

/*
 * Where all that could be hit is hit with equal shares already, no policy can have more than
 * another, and two sides that both leave everything as it is differ by up to this.
 */
#define NOTHING_POINTS 0.5

static double vm_pct(const struct vmadj_exp_result *result, size_t side, size_t vm)
{
	return vmadj_exp_hit_pct(result, side, vm, result->what->from_s, result->what->end_s);
}

static void against_split(struct vmadj_exp_rows *rows, const struct vmadj_p2_bars *bars)
{
	double ours = vmadj_exp_total_pct(rows->result, VMADJ_SIDE_OURS);
	double split = vmadj_exp_total_pct(rows->result, VMADJ_SIDE_SPLIT);
	const struct vmadj_bench_row ratio = { "total hit rate / equal split's", "ratio",
					       VMADJ_BENCH_AT_LEAST, bars->least_ratio, false };
	const struct vmadj_bench_row under = { "total hit rate less the equal split's", "points",
					       VMADJ_BENCH_AT_LEAST, -bars->not_under, false };
	const struct vmadj_bench_row within = { "total hit rate, how far from the equal split's",
						"points", VMADJ_BENCH_AT_MOST, bars->within,
						false };
	const struct vmadj_bench_row giver = { "VM1's own hit rate less the equal split's",
					       "points", VMADJ_BENCH_AT_LEAST, -bars->giver_points,
					       false };

	if (bars->least_ratio > 0)
		vmadj_exp_add(rows, &ratio, ours / split);
	if (bars->not_under > 0)
		vmadj_exp_add(rows, &under, ours - split);
	if (bars->within > 0)
		vmadj_exp_add(rows, &within, fabs(ours - split));
	if (bars->giver_points > 0) {
		vmadj_exp_add(rows, &giver,
			      vm_pct(rows->result, VMADJ_SIDE_OURS, 0) -
				      vm_pct(rows->result, VMADJ_SIDE_SPLIT, 0));
	}
}

static double moved_s(const struct vmadj_exp_rows *rows, const struct vmadj_p2_bars *bars,
		      size_t side)
{
	return vmadj_exp_moved_s(rows->result, side, bars->mover, bars->span_s, LEAST_MIB);
}

static void against(struct vmadj_exp_rows *rows, const struct vmadj_p2_bars *bars, size_t side)
{
	double ours_s, theirs_s;

	vmadj_exp_more_than(rows, side, bars->nothing_to_gain ? -NOTHING_POINTS : 0);
	if (!bars->span_s[1])
		return;
	ours_s = moved_s(rows, bars, VMADJ_SIDE_OURS);
	theirs_s = moved_s(rows, bars, side);
	/* Where neither moves anything there is no time to compare; but case 1 is about moving. */
	if (isfinite(ours_s) || isfinite(theirs_s) || bars->least_ratio > 0)
		vmadj_exp_sooner_than(rows, side, ours_s, theirs_s);
}

static void show_moves(struct vmadj_exp_rows *rows, const struct vmadj_p2_bars *bars, size_t side)
{
	const char *title = rows->result->side[side]->title;
	char what[VMADJ_EXP_WHAT_MAX];
	struct vmadj_bench_row row = { what, "MiB", VMADJ_BENCH_SHOWN, 0, false };

	if (!bars->span_s[1])
		return;
	(void)snprintf(what, sizeof(what), "%s: moved to VM%zu", title, bars->mover + 1);
	vmadj_exp_add(rows, &row,
		      vmadj_exp_moved_mib(rows->result, side, bars->mover, bars->span_s[0],
					  bars->span_s[1]));
	row.unit = "s";
	(void)snprintf(what, sizeof(what), "%s: until 90 %% of that had", title);
	vmadj_exp_add(rows, &row, moved_s(rows, bars, side));
}

int vmadj_p2_report(struct vmadj_bench *bench, const struct vmadj_p2_bars *bars,
		    const struct vmadj_exp_result *result)
{
	struct vmadj_exp_rows rows = { .bench = bench, .result = result, .name = bars->name };

	against_split(&rows, bars);
	against(&rows, bars, VMADJ_SIDE_PVE);
	against(&rows, bars, VMADJ_SIDE_MOM);
	for (size_t side = 0; side < result->n_sides; side++) {
		vmadj_exp_show_hits(&rows, side);
		show_moves(&rows, bars, side);
	}
	vmadj_exp_show_agent(&rows);
	return rows.err;
}
