/* SPDX-License-Identifier: GPL-2.0-only */
/* test_guest_balloon.c - what a guest says through its balloon is believed as far as it can be */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <string.h>

#include "user/guest/balloon.h"

#define MIB   (1ULL << 20)
#define MAX   (1024 * MIB)
#define NOW_S 1000000.5

TestSuite(guest_balloon, .timeout = 10);

static struct vmadj_balloon_stats sane(void)
{
	return (struct vmadj_balloon_stats){
		.actual_bytes = 800 * MIB,
		.last_update_s = 999998,
		.total_bytes = 780 * MIB,
		.free_bytes = 300 * MIB,
		.available_bytes = 500 * MIB,
		.cached_bytes = 200 * MIB,
		.swap_in_bytes = 1,
		.swap_out_bytes = 2,
		.major_faults = 3,
		.minor_faults = 4,
		.oom_kills = 5,
		.alloc_stalls = 6,
	};
}

static void unset(struct vmadj_balloon_stats *stats)
{
	memset(stats, 0xff, sizeof(*stats));
}

Test(guest_balloon, figures_are_taken_over)
{
	struct vmadj_balloon_stats stats = sane();
	struct vmadj_guest guest;

	cr_assert(vmadj_guest_from_balloon(&stats, MAX, NOW_S, &guest));
	cr_expect(guest.known);
	cr_expect(eq(str, (char *)guest.source, "balloon"));
	cr_expect(epsilon_eq(dbl, guest.age_s, 2.5, 1e-6));
	cr_expect(eq(u64, guest.mem_total_bytes, 780 * MIB));
	cr_expect(eq(u64, guest.mem_free_bytes, 300 * MIB));
	cr_expect(eq(u64, guest.mem_available_bytes, 500 * MIB));
	cr_expect(eq(u64, guest.cached_bytes, 200 * MIB));
	cr_expect(eq(u64, guest.swap_in_bytes, 1));
	cr_expect(eq(u64, guest.swap_out_bytes, 2));
	cr_expect(eq(u64, guest.major_faults, 3));
	cr_expect(eq(u64, guest.oom_kills, 5));
	cr_expect(eq(u64, guest.alloc_stalls, 6));
	cr_expect(eq(u64, guest.committed_bytes, VMADJ_GUEST_UNKNOWN));
	cr_expect(eq(u64, guest.refaults, VMADJ_GUEST_UNKNOWN));
	cr_expect(eq(u64, guest.active_file_bytes, VMADJ_GUEST_UNKNOWN));
}

Test(guest_balloon, unset_is_unknown_and_the_rest_is_not)
{
	struct vmadj_balloon_stats stats;
	struct vmadj_guest guest;

	unset(&stats);
	stats.last_update_s = 999998;
	stats.free_bytes = 7 * MIB;
	cr_assert(vmadj_guest_from_balloon(&stats, MAX, NOW_S, &guest));
	cr_expect(eq(u64, guest.mem_free_bytes, 7 * MIB));
	cr_expect(eq(u64, guest.mem_total_bytes, VMADJ_GUEST_UNKNOWN));
	cr_expect(eq(u64, guest.mem_available_bytes, VMADJ_GUEST_UNKNOWN));
	cr_expect(eq(u64, guest.major_faults, VMADJ_GUEST_UNKNOWN));
}

Test(guest_balloon, more_than_its_memory_is_unknown)
{
	struct vmadj_balloon_stats stats = sane();
	struct vmadj_guest guest;

	stats.total_bytes = MAX + 1;
	cr_assert(vmadj_guest_from_balloon(&stats, MAX, NOW_S, &guest));
	cr_expect(eq(u64, guest.mem_total_bytes, VMADJ_GUEST_UNKNOWN));
	cr_expect(eq(u64, guest.mem_available_bytes, 500 * MIB));
}

Test(guest_balloon, a_time_in_the_future_is_no_time)
{
	struct vmadj_balloon_stats stats = sane();
	struct vmadj_guest guest;

	stats.last_update_s = 1000001; /* came between the reading of the clock and this one */
	cr_assert(vmadj_guest_from_balloon(&stats, MAX, NOW_S, &guest));
	cr_expect(eq(dbl, guest.age_s, 0));
	stats.last_update_s = 1000003;
	cr_assert(vmadj_guest_from_balloon(&stats, MAX, NOW_S, &guest));
	cr_expect(isnan(guest.age_s));
}

enum wrong { NEVER, NO_TIME, NOTHING, FREE, AVAILABLE, CACHED };

ParameterizedTestParameters(guest_balloon, nothing_is_known)
{
	static enum wrong cases[] = { NEVER, NO_TIME, NOTHING, FREE, AVAILABLE, CACHED };

	return cr_make_param_array(enum wrong, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(enum wrong *which, guest_balloon, nothing_is_known)
{
	struct vmadj_balloon_stats stats = sane();
	struct vmadj_guest guest = { .age_s = 42 };

	switch (*which) {
	case NEVER:
		stats.last_update_s = 0;
		break;
	case NO_TIME:
		stats.last_update_s = VMADJ_BALLOON_UNSET;
		break;
	case NOTHING:
		unset(&stats);
		stats.last_update_s = 999998;
		break;
	case FREE:
		stats.free_bytes = stats.total_bytes + 1;
		break;
	case AVAILABLE:
		stats.available_bytes = stats.total_bytes + 1;
		break;
	case CACHED:
		stats.cached_bytes = stats.total_bytes + 1;
		break;
	}
	cr_expect(not(vmadj_guest_from_balloon(&stats, MAX, NOW_S, &guest)));
	cr_expect(eq(dbl, guest.age_s, 42), "a failed call leaves the result alone");
}
