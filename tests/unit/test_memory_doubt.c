/* SPDX-License-Identifier: GPL-2.0-only */
/* test_memory_doubt.c - what is not known, not believed or not to be touched never shrinks */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "tests/lib/made_guest.h"

TestSuite(memory_doubt, .timeout = 10);

Test(memory_doubt, statistics_not_newer_than_the_step_allow_no_other)
{
	struct vmadj_made guest = vmadj_made_new(100 * MIB);

	guest.memory.limits.period_s = 10;
	vmadj_made_wish(&guest, MADE_MIN);
	vmadj_made_until_set(&guest, 3);
	guest.silent = true;
	vmadj_made_rests(&guest, 25);
	guest.silent = false;
	vmadj_made_until_set(&guest, 1);
}

enum unknown { NEVER, FIRST, UNSET, ABOVE_TOTAL, ABOVE_ACTUAL, ABOVE_MAX };

ParameterizedTestParameters(memory_doubt, what_is_not_known_never_shrinks)
{
	static enum unknown cases[] = { NEVER, FIRST, UNSET, ABOVE_TOTAL, ABOVE_ACTUAL, ABOVE_MAX };

	return cr_make_param_array(enum unknown, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(enum unknown *which, memory_doubt, what_is_not_known_never_shrinks)
{
	struct vmadj_made guest = vmadj_made_new(100 * MIB);
	struct vmadj_balloon_stats *stats = &guest.state.stats;
	uint64_t goal;

	vmadj_made_look(&guest);
	vmadj_memory_init(&guest.memory, &guest.memory.limits);
	guest.silent = true; /* what it says is written here */
	for (int i = 0; i < MADE_LONG_S; i++) {
		stats->last_update_s += *which != FIRST;
		if (*which == NEVER)
			stats->last_update_s = 0;
		if (*which == UNSET)
			stats->available_bytes = VMADJ_BALLOON_UNSET;
		if (*which == ABOVE_TOTAL)
			stats->total_bytes = stats->available_bytes - 1;
		if (*which == ABOVE_ACTUAL)
			stats->available_bytes =
				MADE_MAX - (stats->actual_bytes = MADE_MAX / 2) + 1;
		if (*which == ABOVE_MAX)
			stats->available_bytes = MADE_MAX + 1;
		vmadj_made_rests(&guest, 1);
		(void)vmadj_memory_wish(&guest.memory, MADE_MIN, &goal);
	}
	cr_expect(eq(u64, guest.memory.floor_bytes, VMADJ_BALLOON_UNSET));
}

Test(memory_doubt, stale_statistics_never_shrink)
{
	struct vmadj_made guest = vmadj_made_new(100 * MIB);

	vmadj_made_looks(&guest, 10);
	guest.silent = true;
	vmadj_made_looks(&guest, 4);
	vmadj_made_wish(&guest, MADE_MIN);
	vmadj_made_rests(&guest, MADE_LONG_S);
	guest.silent = false;
	vmadj_made_until_set(&guest, 3);
}

Test(memory_doubt, a_step_is_taken_back_when_statistics_stop)
{
	struct vmadj_made guest = vmadj_made_new(100 * MIB);
	uint64_t before;

	vmadj_made_wish(&guest, MADE_MIN);
	vmadj_made_looks(&guest, 20);
	vmadj_made_until_set(&guest, 3);
	before = guest.memory.step_from_bytes;
	guest.silent = true;
	vmadj_made_until_set(&guest, 10);
	cr_expect(eq(u64, vmadj_made_actual(&guest), before));
	vmadj_made_rests(&guest, MADE_LONG_S);
}

Test(memory_doubt, statistics_that_stop_later_change_nothing)
{
	struct vmadj_made guest = vmadj_made_at(512 * MIB, 100 * MIB);

	guest.silent = true;
	vmadj_made_rests(&guest, MADE_LONG_S);
}

Test(memory_doubt, nothing_while_paused_or_in_a_job)
{
	struct vmadj_made guest = vmadj_made_at(512 * MIB, 100 * MIB);

	vmadj_made_wish(&guest, MADE_MIN);
	guest.stuck = true;
	vmadj_made_until_set(&guest, 3);
	guest.state.running = false;
	vmadj_made_rests(&guest, MADE_LONG_S);
	guest.state.running = true;
	guest.state.job_active = true;
	vmadj_made_rests(&guest, MADE_LONG_S);
	guest.state.job_active = false;
	vmadj_made_rests(&guest, 29); /* nor was that time in which it should have moved */
	cr_expect(eq(ptr, (void *)vmadj_memory_why_not(&guest.memory), NULL));
}

Test(memory_doubt, nothing_by_a_look_that_failed)
{
	struct vmadj_made guest = vmadj_made_new(100 * MIB);

	vmadj_made_wish(&guest, MADE_MIN);
	cr_expect(eq(int, vmadj_memory_see(&guest.memory, guest.now_s, NULL, guest.rss, true).act,
		     VMADJ_MEMORY_NOTHING));
}

ParameterizedTestParameters(memory_doubt, absurd_actual_is_distrusted)
{
	static uint64_t cases[] = { 0, MADE_MAX + 1, UINT64_MAX - 4096, VMADJ_BALLOON_UNSET };

	return cr_make_param_array(uint64_t, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(uint64_t *absurd, memory_doubt, absurd_actual_is_distrusted)
{
	struct vmadj_made guest = vmadj_made_at(512 * MIB, 100 * MIB);

	vmadj_made_wish(&guest, MADE_MIN);
	guest.state.stats.actual_bytes = *absurd;
	vmadj_made_rests(&guest, 5);
	cr_expect(guest.memory.distrusted);
	cr_expect(ne(ptr, (void *)vmadj_memory_why_not(&guest.memory), NULL));
	guest.state.stats.actual_bytes = 512 * MIB;
	vmadj_made_rests(&guest, 590);
	vmadj_made_looks(&guest, MADE_LONG_S);
	cr_expect(eq(u64, vmadj_made_actual(&guest), MADE_MIN), "sane for ten minutes");
}

Test(memory_doubt, who_is_distrusted_still_gets_more)
{
	struct vmadj_made guest = vmadj_made_at(512 * MIB, 100 * MIB);

	guest.state.stats.actual_bytes = 0;
	vmadj_made_look(&guest);
	guest.state.stats.actual_bytes = 512 * MIB;
	vmadj_made_wish(&guest, MADE_MAX);
	vmadj_made_look(&guest);
	cr_expect(eq(u64, vmadj_made_actual(&guest), MADE_MAX));
}

Test(memory_doubt, what_the_vm_may_have_must_be_known)
{
	struct vmadj_made guest = vmadj_made_new(100 * MIB);

	guest.state.max_bytes = 0;
	vmadj_made_rests(&guest, 3);
	guest.state.max_bytes = VMADJ_BALLOON_UNSET;
	vmadj_made_rests(&guest, 3);
	cr_expect(not(guest.memory.distrusted));
}

/* A paused guest's figures are not told; those of before the pause may then be shown once more. */
Test(memory_doubt, a_pause_makes_nothing_new)
{
	struct vmadj_made guest = vmadj_made_at(512 * MIB, 100 * MIB);
	struct vmadj_balloon_stats before = guest.state.stats;

	vmadj_made_wish(&guest, MADE_MIN);
	guest.silent = true;
	guest.state.running = false;
	guest.state.stats.last_update_s = 0;
	guest.state.stats.actual_bytes = guest.state.stats.available_bytes = VMADJ_BALLOON_UNSET;
	vmadj_made_rests(&guest, 10);
	cr_expect(not(guest.memory.distrusted));
	guest.state.stats = before;
	guest.state.running = true;
	vmadj_made_rests(&guest, 10);
	guest.silent = false;
	vmadj_made_until_set(&guest, 2);
}

/* Figures found at the first look may be of any age. */
Test(memory_doubt, what_was_told_before_the_first_look_counts_for_nothing)
{
	struct vmadj_made guest = vmadj_made_new(100 * MIB);

	guest.state.stats.actual_bytes = MADE_MAX / 2;
	guest.state.stats.total_bytes = MADE_MAX / 2;
	guest.state.stats.oom_kills = 1;
	vmadj_made_look(&guest);
	cr_expect(eq(u64, guest.memory.floor_bytes, VMADJ_BALLOON_UNSET));
	vmadj_made_wish(&guest, MADE_MAX / 2);
	guest.state.stats.oom_kills = 5; /* since when? */
	vmadj_made_rests(&guest, 1);
	cr_expect(eq(u64, guest.memory.floor_bytes, MADE_MIN));
	guest.state.stats.oom_kills = 6;
	cr_expect(eq(uint, vmadj_made_until_set(&guest, 1), 1));
}

Test(memory_doubt, a_time_that_goes_and_comes_back_is_no_news)
{
	struct vmadj_made guest = vmadj_made_new(100 * MIB);
	uint64_t before;

	vmadj_made_looks(&guest, 5);
	vmadj_made_wish(&guest, MADE_MIN);
	(void)vmadj_made_until_set(&guest, 3);
	guest.silent = true;
	before = guest.state.stats.last_update_s;
	for (int i = 0; i < 6; i++) {
		guest.state.stats.last_update_s = i % 2 ? before : 0;
		vmadj_made_rests(&guest, 1);
	}
}
