/* SPDX-License-Identifier: GPL-2.0-only */
/* test_memory.c - how a VM's memory gets to where it is wished */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "tests/lib/made_guest.h"

TestSuite(memory, .timeout = 10);

Test(memory, goes_where_it_is_wished)
{
	struct vmadj_made guest = vmadj_made_at(512 * MIB, 100 * MIB);

	vmadj_made_rests(&guest, MADE_LONG_S);
	cr_expect(not(vmadj_memory_in_motion(&guest.memory)));
}

Test(memory, not_below_the_administrators_minimum)
{
	struct vmadj_made guest = vmadj_made_new(10 * MIB);

	vmadj_made_wish(&guest, 1);
	vmadj_made_looks(&guest, MADE_LONG_S);
	cr_assert(eq(u64, vmadj_made_actual(&guest), MADE_MIN));
}

Test(memory, not_below_half_where_no_minimum_is_set)
{
	struct vmadj_made guest = vmadj_made_new(10 * MIB);

	guest.memory.limits.min_bytes = 0;
	vmadj_made_wish(&guest, 1);
	vmadj_made_looks(&guest, MADE_LONG_S);
	cr_assert(eq(u64, vmadj_made_actual(&guest), MADE_MAX / 2));
}

Test(memory, not_below_what_is_used_and_a_reserve)
{
	struct vmadj_made guest = vmadj_made_new(500 * MIB);

	vmadj_made_wish(&guest, MADE_MIN);
	vmadj_made_looks(&guest, MADE_LONG_S);
	cr_expect(ge(u64, vmadj_made_actual(&guest), 500 * MIB + MADE_RESERVE));
	cr_expect(lt(u64, vmadj_made_actual(&guest), 500 * MIB + MADE_RESERVE + MADE_STEP));
	cr_expect(eq(u64, guest.memory.floor_bytes, 500 * MIB + MADE_RESERVE));
}

Test(memory, down_in_steps_each_after_newer_statistics)
{
	struct vmadj_made guest = vmadj_made_new(100 * MIB);
	uint64_t before;

	vmadj_made_wish(&guest, MADE_MIN);
	while (vmadj_made_actual(&guest) > MADE_MIN) {
		before = vmadj_made_actual(&guest);
		cr_assert(eq(int, vmadj_made_until_set(&guest, 3) > 1, before != MADE_MAX),
			  "the first look after a step shows statistics that may be from before");
		cr_assert(le(u64, before - vmadj_made_actual(&guest), MADE_STEP));
	}
}

Test(memory, a_step_is_half_of_what_the_guest_can_spare)
{
	struct vmadj_made guest = vmadj_made_new(100 * MIB);
	uint64_t spare = MADE_MAX - 100 * MIB - MADE_RESERVE;

	guest.memory.limits.step_bytes = 0;
	vmadj_made_wish(&guest, MADE_MIN);
	vmadj_made_until_set(&guest, 3);
	cr_assert(eq(u64, vmadj_made_actual(&guest), MADE_MAX - spare / 2));
	vmadj_made_until_set(&guest, 3);
	cr_assert(eq(u64, vmadj_made_actual(&guest), MADE_MAX - spare / 2 - spare / 4));
}

Test(memory, a_step_is_no_more_than_the_administrator_has_set)
{
	struct vmadj_made guest = vmadj_made_new(100 * MIB);

	guest.memory.limits.step_bytes = 200 * MIB;
	vmadj_made_wish(&guest, MADE_MIN);
	vmadj_made_until_set(&guest, 3);
	cr_assert(eq(u64, vmadj_made_actual(&guest), MADE_MAX - 200 * MIB));
}

/* 100 MiB in 10 s is what others do. */
Test(memory, a_large_guest_gives_most_of_its_memory_within_seconds)
{
	struct vmadj_made guest = vmadj_made_new(100 * MIB);

	guest.memory.limits.step_bytes = 0;
	vmadj_made_wish(&guest, MADE_MIN);
	vmadj_made_looks(&guest, 10);
	cr_assert(le(u64, vmadj_made_actual(&guest), MADE_MIN + 16 * MIB));
}

Test(memory, figures_that_are_not_young_allow_a_small_step_only)
{
	struct vmadj_made guest = vmadj_made_new(100 * MIB);

	guest.memory.limits.step_bytes = 0;
	vmadj_made_looks(&guest, 10);
	guest.silent = true;
	vmadj_made_looks(&guest, 2);
	vmadj_made_wish(&guest, MADE_MIN);
	vmadj_made_until_set(&guest, 1);
	cr_assert(eq(u64, vmadj_made_actual(&guest), MADE_MAX - MADE_RESERVE / 2));
}

Test(memory, no_next_step_before_the_last_has_arrived)
{
	struct vmadj_made guest = vmadj_made_new(100 * MIB);

	vmadj_made_wish(&guest, MADE_MIN);
	guest.stuck = true;
	vmadj_made_until_set(&guest, 3);
	cr_expect(vmadj_memory_in_motion(&guest.memory));
	vmadj_made_rests(&guest, 20);
	guest.state.stats.actual_bytes = guest.memory.target_bytes;
	cr_expect(eq(int, vmadj_made_until_set(&guest, 3), 2));
}

Test(memory, up_at_once)
{
	struct vmadj_made guest = vmadj_made_at(MADE_MIN, 100 * MIB);

	vmadj_made_wish(&guest, 900 * MIB);
	vmadj_made_look(&guest);
	cr_assert(eq(int, guest.next.act, VMADJ_MEMORY_SET));
	cr_assert(eq(u64, guest.next.target_bytes, 900 * MIB));
}

Test(memory, up_without_any_statistics)
{
	struct vmadj_made guest = vmadj_made_at(MADE_MIN, 100 * MIB);

	guest.silent = true;
	vmadj_made_looks(&guest, MADE_LONG_S);
	vmadj_made_wish(&guest, UINT64_MAX);
	vmadj_made_look(&guest);
	cr_assert(eq(u64, guest.next.target_bytes, MADE_MAX));
}

Test(memory, wishes_are_clamped_and_it_is_told)
{
	struct vmadj_made guest = vmadj_made_new(100 * MIB);
	uint64_t goal = 0;

	cr_expect(ne(ptr, (void *)vmadj_memory_wish(&guest.memory, MADE_MIN, &goal), NULL));
	cr_expect(eq(u64, goal, VMADJ_BALLOON_UNSET), "never looked at");
	vmadj_made_look(&guest);
	cr_expect(ne(ptr, (void *)vmadj_memory_wish(&guest.memory, 0, &goal), NULL));
	cr_expect(eq(u64, goal, MADE_MIN));
	cr_expect(ne(ptr, (void *)vmadj_memory_wish(&guest.memory, UINT64_MAX, &goal), NULL));
	cr_expect(eq(u64, goal, MADE_MAX));
	cr_expect(eq(ptr, (void *)vmadj_memory_wish(&guest.memory, 600 * MIB, &goal), NULL));
	cr_expect(eq(u64, goal, 600 * MIB));
}

Test(memory, new_limits_bind_with_the_next_look)
{
	struct vmadj_made guest = vmadj_made_at(512 * MIB, 100 * MIB);
	struct vmadj_memory_limits limits = guest.memory.limits;

	limits.min_bytes = 513 * MIB;
	vmadj_memory_limit(&guest.memory, &limits);
	vmadj_made_look(&guest);
	cr_expect(eq(u64, vmadj_made_actual(&guest), 513 * MIB));
	limits.min_bytes = 0;
	limits.max_bytes = 400 * MIB;
	vmadj_memory_limit(&guest.memory, &limits);
	vmadj_made_looks(&guest, MADE_LONG_S);
	cr_expect(eq(u64, vmadj_made_actual(&guest), 400 * MIB));
}

Test(memory, a_guest_that_runs_low_gets_more_again_and_again)
{
	struct vmadj_made guest = vmadj_made_at(512 * MIB, 100 * MIB);
	uint64_t before = vmadj_made_actual(&guest);

	guest.used = vmadj_made_actual(&guest) - MADE_RESERVE / 2 + 1;
	vmadj_made_look(&guest);
	cr_expect(eq(int, guest.next.act, VMADJ_MEMORY_SET));
	cr_expect(ge(u64, vmadj_made_actual(&guest), before + MADE_RESERVE));
	before = vmadj_made_actual(&guest);
	guest.used = vmadj_made_actual(&guest) + 1;
	vmadj_made_look(&guest);
	cr_expect(ge(u64, vmadj_made_actual(&guest), before + MADE_RESERVE));
	guest.used = MADE_MAX;
	vmadj_made_looks(&guest, MADE_LONG_S);
	cr_expect(eq(u64, vmadj_made_actual(&guest), MADE_MAX), "and not more");
}

Test(memory, a_guest_that_runs_low_gets_more_though_nothing_is_wished)
{
	struct vmadj_made guest = vmadj_made_at(512 * MIB, 100 * MIB);

	vmadj_memory_unwish(&guest.memory);
	guest.used = vmadj_made_actual(&guest);
	vmadj_made_until_set(&guest, 1);
	cr_expect(gt(u64, vmadj_made_actual(&guest), 512 * MIB));
}

Test(memory, what_was_never_touched_is_left_alone)
{
	struct vmadj_made guest = vmadj_made_new(511 * MIB);

	guest.state.stats.actual_bytes = 512 * MIB;
	vmadj_made_rests(&guest, MADE_LONG_S);
}

Test(memory, oom_kills_raise)
{
	struct vmadj_made guest = vmadj_made_at(512 * MIB, 100 * MIB);

	guest.state.stats.oom_kills = 1;
	vmadj_made_rests(&guest, 1); /* not told before: it has not risen */
	guest.state.stats.oom_kills = 2;
	vmadj_made_look(&guest);
	cr_expect(eq(u64, vmadj_made_actual(&guest), MADE_MAX));
	guest.state.stats.oom_kills = 1;
	vmadj_made_rests(&guest, 10);
}

Test(memory, swapping_raises_who_has_little_and_holds_who_has_more)
{
	struct vmadj_made guest = vmadj_made_at(512 * MIB, 512 * MIB - MADE_RESERVE);

	guest.state.stats.major_faults = guest.state.stats.swap_in_bytes = 0;
	guest.state.stats.swap_out_bytes = 0;
	vmadj_made_rests(&guest, 1);
	guest.state.stats.swap_in_bytes += 5 * MIB;
	vmadj_made_look(&guest);
	cr_expect(eq(u64, vmadj_made_actual(&guest), MADE_MAX));
	guest.used = 100 * MIB;
	for (int i = 0; i < MADE_LONG_S; i++) {
		guest.state.stats.major_faults += 1000;
		vmadj_made_rests(&guest, 1);
	}
	vmadj_made_looks(&guest, MADE_LONG_S);
	cr_expect(eq(u64, vmadj_made_actual(&guest), 512 * MIB));
}

Test(memory, small_changes_are_not_made)
{
	struct vmadj_made guest = vmadj_made_at(512 * MIB, 100 * MIB);

	vmadj_made_wish(&guest, 512 * MIB + MADE_STEP / 2);
	vmadj_made_rests(&guest, MADE_LONG_S);
	vmadj_made_wish(&guest, 512 * MIB - MADE_STEP / 2);
	vmadj_made_rests(&guest, MADE_LONG_S);
}

Test(memory, from_up_to_down_a_while_passes)
{
	struct vmadj_made guest = vmadj_made_at(512 * MIB, 100 * MIB);

	vmadj_made_wish(&guest, 600 * MIB);
	cr_expect(eq(int, vmadj_made_until_set(&guest, 2), 1), "none from down to up");
	vmadj_made_wish(&guest, MADE_MIN);
	vmadj_made_rests(&guest, 9);
	vmadj_made_until_set(&guest, 2);
}

Test(memory, after_a_need_a_minute_passes)
{
	struct vmadj_made guest = vmadj_made_at(512 * MIB, 100 * MIB);

	guest.used = vmadj_made_actual(&guest);
	vmadj_made_until_set(&guest, 1);
	guest.used = 100 * MIB;
	vmadj_made_rests(&guest, 59);
	vmadj_made_until_set(&guest, 2);
}

Test(memory, not_down_while_enough_others_are)
{
	struct vmadj_made guest = vmadj_made_new(100 * MIB);

	guest.forbidden = true;
	vmadj_made_wish(&guest, MADE_MIN);
	vmadj_made_rests(&guest, MADE_LONG_S);
	guest.forbidden = false;
	vmadj_made_until_set(&guest, 1);
}

Test(memory, what_nobody_wishes_any_more_stops)
{
	struct vmadj_made guest = vmadj_made_new(100 * MIB);

	vmadj_made_wish(&guest, MADE_MIN);
	guest.stuck = true;
	vmadj_made_until_set(&guest, 3);
	vmadj_memory_unwish(&guest.memory);
	vmadj_made_look(&guest);
	cr_expect(eq(u64, guest.next.target_bytes, MADE_MAX));
	cr_expect(not(vmadj_memory_in_motion(&guest.memory)));
	vmadj_made_rests(&guest, MADE_LONG_S);
}

Test(memory, a_maximum_below_what_is_used_does_not_kill)
{
	struct vmadj_made guest = vmadj_made_new(700 * MIB);

	guest.memory.limits.max_bytes = 1;
	vmadj_made_wish(&guest, 0);
	vmadj_made_looks(&guest, MADE_LONG_S);
	cr_expect(eq(u64, vmadj_made_actual(&guest), 700 * MIB + MADE_RESERVE));
}

Test(memory, a_guest_that_grows_meanwhile_is_not_sent_as_far_down)
{
	struct vmadj_made guest = vmadj_made_at(512 * MIB, 100 * MIB);

	vmadj_made_wish(&guest, MADE_MIN);
	guest.stuck = true;
	vmadj_made_until_set(&guest, 3);
	guest.used = 512 * MIB - MADE_RESERVE;
	vmadj_made_look(&guest);
	cr_expect(eq(int, guest.next.act, VMADJ_MEMORY_SET));
	cr_expect(eq(u64, guest.next.target_bytes, 512 * MIB));
}
