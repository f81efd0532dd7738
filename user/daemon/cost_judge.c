// SPDX-License-Identifier: GPL-2.0-only
/* cost_judge.c - what follows from what observing costs */
#include "user/daemon/cost_judge.h"

#include <math.h>

double vmadj_cost_sum_pct(const struct vmadj_cost_figures *figures)
{
	double sum_pct = 0;

	if (!isnan(figures->programs_pct))
		sum_pct += figures->programs_pct;
	if (!isnan(figures->processes_pct))
		sum_pct += figures->processes_pct;
	return sum_pct;
}

/* What is not known is no reason to give up what only tracing tells. */
static enum vmadj_cost_verdict way_out(const struct vmadj_cost_figures *figures)
{
	if (figures->polls || !(figures->tracing_pct > figures->polling_pct))
		return VMADJ_COST_NO_WAY;
	return figures->must_trace ? VMADJ_COST_MUST_TRACE : VMADJ_COST_FALL_BACK;
}

enum vmadj_cost_verdict vmadj_cost_judge(struct vmadj_cost_judge *judge,
					 const struct vmadj_cost_figures *figures)
{
	enum vmadj_cost_verdict verdict;

	if (!(vmadj_cost_sum_pct(figures) > figures->budget_pct)) {
		*judge = (struct vmadj_cost_judge){ 0 };
		return VMADJ_COST_FINE;
	}
	if (++judge->over < VMADJ_COST_PATIENCE)
		return VMADJ_COST_FINE;
	verdict = way_out(figures);
	if (verdict == judge->said)
		return VMADJ_COST_FINE;
	judge->said = verdict;
	return verdict;
}
