// SPDX-License-Identifier: GPL-2.0-only
/* balloon.c - what a guest says of itself through its balloon, as far as it can be */
#include "user/guest/balloon.h"

#include <math.h>

/* The statistics may be younger than @now_unix_s, which was read at the tick's beginning. */
#define FUTURE_S 2

static uint64_t within(uint64_t bytes, uint64_t max_bytes)
{
	return bytes <= max_bytes ? bytes : VMADJ_GUEST_UNKNOWN;
}

static double age_s(uint64_t last_update_s, double now_unix_s)
{
	double age = now_unix_s - (double)last_update_s;

	return age < -FUTURE_S ? NAN : fmax(age, 0);
}

bool vmadj_guest_from_balloon(const struct vmadj_balloon_stats *stats, uint64_t max_bytes,
			      double now_unix_s, struct vmadj_guest *ret_guest)
{
	struct vmadj_guest guest = vmadj_guest_unknown("balloon");
	uint64_t told;

	if (!stats->last_update_s || stats->last_update_s == VMADJ_BALLOON_UNSET)
		return false;
	guest.known = true;
	guest.age_s = age_s(stats->last_update_s, now_unix_s);
	guest.mem_total_bytes = within(stats->total_bytes, max_bytes);
	guest.mem_free_bytes = within(stats->free_bytes, max_bytes);
	guest.mem_available_bytes = within(stats->available_bytes, max_bytes);
	guest.cached_bytes = within(stats->cached_bytes, max_bytes);
	guest.swap_in_bytes = stats->swap_in_bytes;
	guest.swap_out_bytes = stats->swap_out_bytes;
	guest.major_faults = stats->major_faults;
	guest.oom_kills = stats->oom_kills;
	guest.alloc_stalls = stats->alloc_stalls;
	/* All bits set where nothing is told. */
	told = guest.mem_total_bytes & guest.mem_free_bytes & guest.mem_available_bytes &
	       guest.cached_bytes & guest.swap_in_bytes & guest.swap_out_bytes &
	       guest.major_faults & guest.oom_kills & guest.alloc_stalls;
	if (told == VMADJ_GUEST_UNKNOWN || vmadj_guest_contradicts_itself(&guest))
		return false;
	*ret_guest = guest;
	return true;
}
