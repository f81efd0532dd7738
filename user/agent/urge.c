// SPDX-License-Identifier: GPL-2.0-only
/* urge.c - whether this guest is in distress, so that it must be said at once */
#include "user/agent/urge.h"

/* What is not known has not grown. */
static bool grown(uint64_t from, uint64_t to)
{
	return from != VMADJ_FIGURE_UNKNOWN && to != VMADJ_FIGURE_UNKNOWN && to > from;
}

static double refault_rate(const struct vmadj_urge *urge, const struct vmadj_figures *figures,
			   double now_s)
{
	if (!grown(urge->said.refaults, figures->refaults) || now_s <= urge->at_s)
		return 0;
	return (double)(figures->refaults - urge->said.refaults) / (now_s - urge->at_s);
}

bool vmadj_urge_now(const struct vmadj_urge *urge, const struct vmadj_figures *figures,
		    double now_s)
{
	const struct vmadj_figures *said = &urge->said;

	if (!urge->reported)
		return false;
	return grown(said->alloc_stalls, figures->alloc_stalls) ||
	       grown(said->oom_kills, figures->oom_kills) ||
	       grown(said->swap_in_bytes, figures->swap_in_bytes) ||
	       grown(said->swap_out_bytes, figures->swap_out_bytes) ||
	       refault_rate(urge, figures, now_s) > 2 * urge->refault_rate;
}

void vmadj_urge_reported(struct vmadj_urge *urge, const struct vmadj_figures *figures, double now_s)
{
	urge->refault_rate = urge->reported ? refault_rate(urge, figures, now_s) : 0;
	urge->reported = true;
	urge->at_s = now_s;
	urge->said = *figures;
}
