// SPDX-License-Identifier: GPL-2.0-only
/* figures.c - hit rates, and when how much memory had moved */
#include <math.h>

#include "tools/bench/memory/experiment.h"

#define MOST_OF_IT 0.9
#define LEVEL_S	   5 /* a level is the mean of that */

double vmadj_exp_hit_pct(const struct vmadj_exp_result *result, size_t side, size_t vm,
			 unsigned int from_s, unsigned int to_s)
{
	double pages = 0, hits = 0;

	for (size_t i = 0; i < result->what->n_vms; i++) {
		const struct vmadj_exp_track *track = &result->track[side][i];

		if (vm != VMADJ_EXP_VMS_MAX && vm != i)
			continue;
		pages += track->pages[to_s] - track->pages[from_s];
		hits += track->hits[to_s] - track->hits[from_s];
	}
	return pages > 0 ? 100 * hits / pages : NAN;
}

/* The mean of the LEVEL_S seconds before @end_s. */
static double level_mib(const struct vmadj_exp_track *track, unsigned int end_s)
{
	size_t end = (size_t)end_s * VMADJ_EXP_TICKS_S, n = (size_t)LEVEL_S * VMADJ_EXP_TICKS_S;
	double sum = 0;

	if (n > end)
		n = end;
	for (size_t t = end - n; t < end; t++)
		sum += track->mem_mib[t];
	return n ? sum / (double)n : track->mem_mib[0];
}

double vmadj_exp_moved_mib(const struct vmadj_exp_result *result, size_t side, size_t vm,
			   unsigned int from_s, unsigned int to_s)
{
	const struct vmadj_exp_track *track = &result->track[side][vm];

	return level_mib(track, to_s) - level_mib(track, from_s);
}

double vmadj_exp_moved_s(const struct vmadj_exp_result *result, size_t side, size_t vm,
			 const unsigned int span_s[2], double least_mib)
{
	const struct vmadj_exp_track *track = &result->track[side][vm];
	double moved = vmadj_exp_moved_mib(result, side, vm, span_s[0], span_s[1]);
	double before = level_mib(track, span_s[0]);

	if (least_mib > 0 ? moved < least_mib : moved > least_mib)
		return INFINITY;
	for (size_t t = (size_t)span_s[0] * VMADJ_EXP_TICKS_S;
	     t < (size_t)span_s[1] * VMADJ_EXP_TICKS_S; t++) {
		if ((track->mem_mib[t] - before) / moved >= MOST_OF_IT)
			return (double)t / VMADJ_EXP_TICKS_S - span_s[0];
	}
	return INFINITY;
}

double vmadj_exp_range_mib(const struct vmadj_exp_result *result, size_t side, size_t vm)
{
	const double *mib = result->track[side][vm].mem_mib;
	size_t from = (size_t)result->what->from_s * VMADJ_EXP_TICKS_S;
	double least = mib[from], most = mib[from];

	for (size_t t = from; t < (size_t)result->what->end_s * VMADJ_EXP_TICKS_S; t++) {
		least = fmin(least, mib[t]);
		most = fmax(most, mib[t]);
	}
	return most - least;
}

double vmadj_exp_most_mib(const struct vmadj_exp_result *result, size_t side)
{
	double most = 0;

	for (size_t t = 0; t < (size_t)result->what->end_s * VMADJ_EXP_TICKS_S; t++) {
		double sum = 0;

		for (size_t i = 0; i < result->what->n_vms; i++)
			sum += result->track[side][i].mem_mib[t];
		most = fmax(most, sum);
	}
	return most;
}
