/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rows.h - rows of the report that P2 and P5 have in common
 *
 * Errors:    the first one stays in "err"; what comes after it does nothing.
 */
#pragma once

#include "tools/bench/memory/experiment.h"
#include "tools/bench/memory/sides.h"

#define VMADJ_EXP_WHAT_MAX 128

struct vmadj_exp_rows {
	struct vmadj_bench *bench;
	const struct vmadj_exp_result *result;
	const char *name; /* of the case */
	int err;
};

/* One figure; @row.what comes behind the name of the case, or in. */
void vmadj_exp_add(struct vmadj_exp_rows *rows, const struct vmadj_bench_row *row, double value);

/* From from_s to end_s of the case, 0..100. */
double vmadj_exp_total_pct(const struct vmadj_exp_result *result, size_t side);

/* Ours against a base line: so many points more of a hit rate; memory moved in a quarter of its
 * time. */
void vmadj_exp_more_than(struct vmadj_exp_rows *rows, size_t side, double least_points);
void vmadj_exp_sooner_than(struct vmadj_exp_rows *rows, size_t side, double ours_s,
			   double theirs_s);

/* Hit rates and lateness of each side. */
void vmadj_exp_show_hits(struct vmadj_exp_rows *rows, size_t side);

/* Each source against the equal split, side 0: who tells, that memory moved, and no harm. */
void vmadj_exp_by_sources(struct vmadj_exp_rows *rows);

/* What ours was told by the agents, less the truth. */
void vmadj_exp_show_agent(struct vmadj_exp_rows *rows);
