// SPDX-License-Identifier: GPL-2.0-only
/* agent_rates.c - what a guest's page cache did between its last two reports */
#include "user/guest/agent_rates.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PAGE_BYTES 4096
#define CLOSE_S	   0.1 /* reports that waited for us come at once */

/* P2: hit pages a second / cache pages. */
static double efficiency(uint64_t hit_pages, double elapsed_s, uint64_t cached_bytes)
{
	if (cached_bytes == VMADJ_GUEST_UNKNOWN || cached_bytes < PAGE_BYTES)
		return NAN;
	return (double)hit_pages / elapsed_s / ((double)cached_bytes / PAGE_BYTES);
}

void vmadj_agent_rates_add(struct vmadj_agent_rates *rates, double now_s,
			   struct vmadj_agent_report *report)
{
	struct vmadj_guest_cache *now = &report->guest.cache, *from = &rates->from;
	bool goes_on = rates->known && now->known && !strcmp(rates->agent, report->agent) &&
		       now->accessed_pages >= from->accessed_pages &&
		       now->hit_pages >= from->hit_pages;
	double elapsed_s = now_s - rates->since_s;

	if (goes_on && elapsed_s < CLOSE_S) {
		now->hit_pct = from->hit_pct;
		now->efficiency = from->efficiency;
		return;
	}
	if (goes_on) {
		uint64_t accessed = now->accessed_pages - from->accessed_pages;
		uint64_t hit = now->hit_pages - from->hit_pages;

		/* Misses may be of pages that were read ahead, and counted before. */
		now->hit_pct = accessed ? fmin(100, 100.0 * (double)hit / (double)accessed) : NAN;
		now->efficiency = efficiency(hit, elapsed_s, report->guest.cached_bytes);
	}
	rates->known = now->known;
	rates->since_s = now_s;
	rates->from = *now;
	(void)snprintf(rates->agent, sizeof(rates->agent), "%s", report->agent);
}
