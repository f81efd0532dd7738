/* SPDX-License-Identifier: GPL-2.0-only */
/* guest.c - a guest of which nothing is known, and one that cannot be believed */
#include "user/guest/guest.h"

#include <math.h>

struct vmadj_guest vmadj_guest_unknown(const char *source)
{
	const uint64_t unknown = VMADJ_GUEST_UNKNOWN;

	return (struct vmadj_guest){
		.source = source,
		.age_s = NAN,
		.mem_total_bytes = unknown,
		.mem_free_bytes = unknown,
		.mem_available_bytes = unknown,
		.cached_bytes = unknown,
		.active_file_bytes = unknown,
		.committed_bytes = unknown,
		.refaults = unknown,
		.swap_in_bytes = unknown,
		.swap_out_bytes = unknown,
		.major_faults = unknown,
		.oom_kills = unknown,
		.alloc_stalls = unknown,
		.disk_read_bytes = unknown,
		.mem_psi_some_pct = NAN,
		.cache = { .hit_pct = NAN, .efficiency = NAN },
	};
}

static bool is_more(uint64_t part, uint64_t whole)
{
	/* Unknown is the largest number: as a whole, nothing is more. */
	return part != VMADJ_GUEST_UNKNOWN && part > whole;
}

bool vmadj_guest_contradicts_itself(const struct vmadj_guest *guest)
{
	uint64_t total = guest->mem_total_bytes;

	return is_more(guest->mem_free_bytes, total) ||
	       is_more(guest->mem_available_bytes, total) || is_more(guest->cached_bytes, total) ||
	       is_more(guest->active_file_bytes, total);
}
