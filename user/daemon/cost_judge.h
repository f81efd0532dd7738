/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cost_judge.h - what follows from what observing costs: figures in, a decision out
 *
 * Units: per cent of one CPU; NAN: not known.
 */
#pragma once

#include <stdbool.h>

#define VMADJ_COST_PATIENCE 2 /* measurements over the budget in a row, before anything is done */

struct vmadj_cost_figures {
	double budget_pct;    /* INFINITY: none */
	double programs_pct;  /* all BPF programs */
	double tracing_pct;   /* of these, the one at each context switch */
	double processes_pct; /* the daemon's and its helpers' CPU time */
	double polling_pct;   /* what polling would cost instead of tracing */
	bool polls;	      /* already */
	bool must_trace;      /* the configuration says mode = trace */
};

enum vmadj_cost_verdict {
	VMADJ_COST_FINE,       /* or not for long enough, or said already */
	VMADJ_COST_FALL_BACK,  /* to polling */
	VMADJ_COST_MUST_TRACE, /* polling would cost less, but tracing is what was asked for */
	VMADJ_COST_NO_WAY,     /* over the budget, and polling would not help, or is not known to */
};

/* Between two measurements. */
struct vmadj_cost_judge {
	unsigned int over;	      /* measurements over the budget in a row */
	enum vmadj_cost_verdict said; /* since it is over it */
};

/* What is only to be said comes once for each time that the budget is left. */
enum vmadj_cost_verdict vmadj_cost_judge(struct vmadj_cost_judge *judge,
					 const struct vmadj_cost_figures *figures);

/* What is known of the sum. */
double vmadj_cost_sum_pct(const struct vmadj_cost_figures *figures);
