// SPDX-License-Identifier: GPL-2.0-only
/* rows.c - rows of the report that P2 and P5 have in common */
#include "tools/bench/memory/rows.h"

#include <math.h>
#include <stdio.h>

#define QUICK 0.25 /* of the others' time */
#define NEVER 1000.0

/* Of what works on what one source tells. */
#define TOLD_LEAST  0.95
#define MOVED_LEAST 8.0 /* MiB: a step of either policy */
#define UNDER_MOST  3.0 /* points */

void vmadj_exp_add(struct vmadj_exp_rows *rows, const struct vmadj_bench_row *row, double value)
{
	const struct vmadj_bench_series one = { .n = 1, .v = { value } };
	struct vmadj_bench_row named = *row;
	char what[VMADJ_EXP_WHAT_MAX];

	if (row->sense == VMADJ_BENCH_SHOWN)
		(void)snprintf(what, sizeof(what), "  %s", row->what);
	else
		(void)snprintf(what, sizeof(what), "%s: %s", rows->name, row->what);
	named.what = what;
	if (!rows->err)
		rows->err = vmadj_bench_report_add(rows->bench->report, &named, &one);
}

double vmadj_exp_total_pct(const struct vmadj_exp_result *result, size_t side)
{
	return vmadj_exp_hit_pct(result, side, VMADJ_EXP_VMS_MAX, result->what->from_s,
				 result->what->end_s);
}

void vmadj_exp_more_than(struct vmadj_exp_rows *rows, size_t side, double least_points)
{
	char what[VMADJ_EXP_WHAT_MAX];
	const struct vmadj_bench_row row = { what, "points", VMADJ_BENCH_AT_LEAST, least_points,
					     false };

	(void)snprintf(what, sizeof(what), "total hit rate less %s's",
		       rows->result->side[side]->title);
	vmadj_exp_add(rows, &row,
		      vmadj_exp_total_pct(rows->result, VMADJ_SIDE_OURS) -
			      vmadj_exp_total_pct(rows->result, side));
}

/* Who never gets there is slower than everybody else. */
static double time_ratio(double ours_s, double theirs_s)
{
	if (isinf(ours_s))
		return NEVER;
	return isinf(theirs_s) ? 0 : ours_s / theirs_s;
}

void vmadj_exp_sooner_than(struct vmadj_exp_rows *rows, size_t side, double ours_s, double theirs_s)
{
	char what[VMADJ_EXP_WHAT_MAX];
	const struct vmadj_bench_row row = { what, "ratio", VMADJ_BENCH_AT_MOST, QUICK, false };

	(void)snprintf(what, sizeof(what), "time until memory had moved / %s's",
		       rows->result->side[side]->title);
	vmadj_exp_add(rows, &row, time_ratio(ours_s, theirs_s));
}

void vmadj_exp_show_hits(struct vmadj_exp_rows *rows, size_t side)
{
	const struct vmadj_exp_result *result = rows->result;
	const char *title = result->side[side]->title;
	char what[VMADJ_EXP_WHAT_MAX];
	struct vmadj_bench_row row = { what, "%", VMADJ_BENCH_SHOWN, 0, false };
	double late_ms = 0;

	(void)snprintf(what, sizeof(what), "%s: hit rate of all", title);
	vmadj_exp_add(rows, &row, vmadj_exp_total_pct(result, side));
	for (size_t vm = 0; vm < result->what->n_vms; vm++) {
		(void)snprintf(what, sizeof(what), "%s: of VM%zu", title, vm + 1);
		vmadj_exp_add(rows, &row,
			      vmadj_exp_hit_pct(result, side, vm, result->what->from_s,
						result->what->end_s));
		late_ms = fmax(late_ms, result->track[side][vm].late_ms);
	}
	row.unit = "ms";
	(void)snprintf(what, sizeof(what), "%s: the most that a request came too late", title);
	vmadj_exp_add(rows, &row, late_ms);
}

void vmadj_exp_show_agent(struct vmadj_exp_rows *rows)
{
	const struct vmadj_exp_result *result = rows->result;
	const struct vmadj_bench_row row = { "hit rate as the agents told it, less the truth",
					     "points", VMADJ_BENCH_SHOWN, 0, false };
	double pages = 0, hits = 0;

	for (size_t vm = 0; vm < result->what->n_vms; vm++) {
		pages += result->track[VMADJ_SIDE_OURS][vm].agent_pages;
		hits += result->track[VMADJ_SIDE_OURS][vm].agent_hits;
	}
	if (pages > 0)
		vmadj_exp_add(rows, &row,
			      100 * hits / pages - vmadj_exp_total_pct(result, VMADJ_SIDE_OURS));
}

static void by_source(struct vmadj_exp_rows *rows, size_t side)
{
	const struct vmadj_exp_result *result = rows->result;
	const char *title = result->side[side]->title;
	char what[VMADJ_EXP_WHAT_MAX];
	struct vmadj_bench_row row = { what, "of 1", VMADJ_BENCH_AT_LEAST, TOLD_LEAST, false };
	double told = 1, range_mib = 0;

	for (size_t vm = 0; vm < result->what->n_vms; vm++) {
		told = fmin(told, result->track[side][vm].told);
		range_mib = fmax(range_mib, vmadj_exp_range_mib(result, side, vm));
	}
	(void)snprintf(what, sizeof(what), "%s: samples in which that is said", title);
	vmadj_exp_add(rows, &row, told);
	(void)snprintf(what, sizeof(what), "%s: memory moved", title);
	row.unit = "MiB";
	row.bar = MOVED_LEAST;
	vmadj_exp_add(rows, &row, range_mib);
	(void)snprintf(what, sizeof(what), "%s: total hit rate less the equal split's", title);
	row.unit = "points";
	row.bar = -UNDER_MOST;
	vmadj_exp_add(rows, &row,
		      vmadj_exp_total_pct(result, side) - vmadj_exp_total_pct(result, 0));
}

void vmadj_exp_by_sources(struct vmadj_exp_rows *rows)
{
	for (size_t side = VMADJ_BY_AGENT; side < rows->result->n_sides; side++)
		by_source(rows, side);
	for (size_t side = 0; side < rows->result->n_sides; side++)
		vmadj_exp_show_hits(rows, side);
}
