/* SPDX-License-Identifier: GPL-2.0-only */
/* test_memory_watch.c - a balloon that does not move, or moves in vain, is left alone */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "tests/lib/made_guest.h"

#define OVERHEAD (100 * MIB) /* of the made-up emulator */

TestSuite(memory_watch, .timeout = 10);

static bool is_left_alone(const struct vmadj_made *guest)
{
	return vmadj_memory_why_not(&guest->memory) != NULL;
}

static struct vmadj_made stuck_on_its_way(void)
{
	struct vmadj_made guest = vmadj_made_new(100 * MIB);

	vmadj_made_wish(&guest, MADE_MIN);
	guest.stuck = true;
	vmadj_made_until_set(&guest, 3);
	return guest;
}

Test(memory_watch, a_balloon_that_does_not_move_is_set_back)
{
	struct vmadj_made guest = stuck_on_its_way();

	vmadj_made_rests(&guest, 29);
	vmadj_made_look(&guest);
	cr_expect(eq(int, guest.next.act, VMADJ_MEMORY_SET));
	cr_expect(eq(u64, guest.next.target_bytes, MADE_MAX));
	cr_expect(is_left_alone(&guest));
	cr_expect(not(vmadj_memory_in_motion(&guest.memory)));
}

Test(memory_watch, what_was_not_set_back_is_set_back_again)
{
	struct vmadj_made guest = stuck_on_its_way();

	vmadj_made_rests(&guest, 29);
	for (int i = 0; i < 100; i++) {
		guest.now_s += 1;
		/* and nobody tells that it was done */
		guest.next =
			vmadj_memory_see(&guest.memory, guest.now_s, &guest.state, guest.rss, true);
		cr_assert(eq(int, guest.next.act, VMADJ_MEMORY_SET));
		cr_assert(eq(u64, guest.next.target_bytes, MADE_MAX));
		cr_assert(is_left_alone(&guest));
	}
}

Test(memory_watch, it_is_left_alone_twice_as_long_each_time_up_to_an_hour)
{
	static const unsigned int alone_s[] = { 60, 120, 240, 480, 960, 1920, 3600, 3600 };
	struct vmadj_made guest = stuck_on_its_way();

	for (unsigned int i = 0; i < sizeof(alone_s) / sizeof(alone_s[0]); i++) {
		cr_assert(eq(uint, vmadj_made_until_set(&guest, 30), 30), "set back");
		cr_assert(eq(uint, vmadj_made_until_set(&guest, 4000), alone_s[i]), "tried again");
	}
}

Test(memory_watch, once_it_has_arrived_patience_is_new)
{
	struct vmadj_made guest = stuck_on_its_way();

	vmadj_made_looks(&guest, 300);
	guest.stuck = false;
	vmadj_made_looks(&guest, 600);
	cr_assert(eq(u64, vmadj_made_actual(&guest), MADE_MIN));
	cr_expect(not(is_left_alone(&guest)));
	vmadj_made_wish(&guest, MADE_MAX);
	vmadj_made_looks(&guest, 2);
	guest.stuck = true;
	vmadj_made_wish(&guest, MADE_MIN);
	(void)vmadj_made_until_set(&guest, 61);
	(void)vmadj_made_until_set(&guest, 30);
	cr_expect(eq(uint, vmadj_made_until_set(&guest, 4000), 60));
}

Test(memory_watch, who_is_left_alone_is_still_raised)
{
	struct vmadj_made guest = vmadj_made_at(512 * MIB, 100 * MIB);

	vmadj_made_wish(&guest, MADE_MIN);
	guest.stuck = true;
	vmadj_made_looks(&guest, 40);
	cr_assert(is_left_alone(&guest));
	guest.stuck = false;
	guest.used = vmadj_made_actual(&guest);
	vmadj_made_look(&guest);
	cr_expect(gt(u64, vmadj_made_actual(&guest), 512 * MIB));
	vmadj_made_wish(&guest, MADE_MAX);
	vmadj_made_look(&guest);
	cr_expect(eq(u64, vmadj_made_actual(&guest), MADE_MAX));
}

Test(memory_watch, a_trickle_is_no_movement_and_slow_is)
{
	struct vmadj_made slow = stuck_on_its_way(), trickle = stuck_on_its_way();

	for (int i = 0; i < 40; i++) {
		trickle.state.stats.actual_bytes -= 4096;
		slow.state.stats.actual_bytes -= MIB / 2;
		vmadj_made_look(&trickle);
		vmadj_made_look(&slow);
	}
	cr_expect(is_left_alone(&trickle));
	cr_expect(not(is_left_alone(&slow)));
}

/* With deflate-on-oom it takes back what it has given, and never gets there. */
Test(memory_watch, a_balloon_that_goes_up_and_down_is_set_back)
{
	struct vmadj_made guest = stuck_on_its_way();

	for (int i = 0; i < 40 && !is_left_alone(&guest); i++) {
		guest.state.stats.actual_bytes = MADE_MAX - (i % 2) * 8 * MIB;
		vmadj_made_look(&guest);
	}
	cr_assert(is_left_alone(&guest));
	cr_expect(ge(u64, guest.memory.target_bytes, vmadj_made_actual(&guest)));
}

Test(memory_watch, on_the_way_up_it_is_told_and_stays_asked_for)
{
	struct vmadj_made guest = vmadj_made_at(512 * MIB, 100 * MIB);

	guest.stuck = true;
	vmadj_made_wish(&guest, MADE_MAX);
	(void)vmadj_made_until_set(&guest, 1);
	vmadj_made_rests(&guest, MADE_LONG_S);
	cr_expect(is_left_alone(&guest));
	cr_expect(eq(u64, guest.memory.target_bytes, MADE_MAX));
}

/* What the host sees of a guest that has touched @touched of what it had at first. */
static uint64_t resident(const struct vmadj_made *guest, uint64_t touched, uint64_t overhead)
{
	uint64_t actual = vmadj_made_actual(guest);

	return overhead + (touched < actual ? touched : actual);
}

struct gain_case {
	uint64_t touched, overhead;
};

ParameterizedTestParameters(memory_watch, no_healthy_guest_is_in_vain)
{
	static struct gain_case cases[] = {
		{ 0, 0 },
		{ 50 * MIB, OVERHEAD }, /* young: nothing comes free at first */
		{ 50 * MIB, 0 },
		{ 800 * MIB, 20 * MIB },
		{ 950 * MIB, OVERHEAD }, /* resident about as much as it has, some untouched */
		{ MADE_MAX, OVERHEAD },
		{ MADE_MAX, 500 * MIB },
	};

	return cr_make_param_array(struct gain_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct gain_case *c, memory_watch, no_healthy_guest_is_in_vain)
{
	struct vmadj_made guest = vmadj_made_new(50 * MIB);

	vmadj_made_wish(&guest, MADE_MIN);
	for (int i = 0; i < MADE_LONG_S; i++) {
		guest.rss = resident(&guest, c->touched, c->overhead);
		vmadj_made_look(&guest);
		cr_assert(not(is_left_alone(&guest)));
	}
	cr_assert(eq(u64, vmadj_made_actual(&guest), MADE_MIN));
}

Test(memory_watch, a_young_guest_that_grows_while_it_shrinks_is_not_in_vain)
{
	struct vmadj_made guest = vmadj_made_new(50 * MIB);

	vmadj_made_wish(&guest, MADE_MIN);
	for (uint64_t i = 0; i < MADE_LONG_S; i++) {
		guest.rss = resident(&guest, 100 * MIB + i * 20 * MIB, OVERHEAD);
		vmadj_made_look(&guest);
		cr_assert(not(is_left_alone(&guest)));
	}
}

/* With a passed-through device all of the guest's memory is resident, and stays. */
Test(memory_watch, what_gains_nothing_is_given_back)
{
	struct vmadj_made guest = vmadj_made_new(50 * MIB);
	uint64_t least = MADE_MAX;

	guest.rss = MADE_MAX + OVERHEAD;
	vmadj_made_wish(&guest, MADE_MIN);
	for (int i = 0; i < MADE_LONG_S && !is_left_alone(&guest); i++) {
		vmadj_made_look(&guest);
		if (vmadj_made_actual(&guest) < least)
			least = vmadj_made_actual(&guest);
	}
	cr_assert(is_left_alone(&guest));
	cr_expect(eq(u64, vmadj_made_actual(&guest), MADE_MAX));
	cr_expect(ge(u64, least, MADE_MAX - 128 * MIB - MADE_STEP), "found out early");
	vmadj_made_rests(&guest, 59);
}

Test(memory_watch, nothing_is_said_of_the_gain_where_rss_is_not_known)
{
	struct vmadj_made guest = vmadj_made_at(MADE_MIN, 50 * MIB);

	cr_expect(not(is_left_alone(&guest)));
}

Test(memory_watch, an_rss_of_before_the_step_is_not_held_against_it)
{
	struct vmadj_made guest = vmadj_made_new(50 * MIB);

	guest.memory.limits.reserve_bytes = 256 * MIB;
	guest.memory.limits.step_bytes = 128 * MIB;
	guest.rss = resident(&guest, 924 * MIB, OVERHEAD);
	vmadj_made_wish(&guest, MADE_MIN);
	for (int i = 0; i < MADE_LONG_S; i++) {
		uint64_t before = resident(&guest, 924 * MIB, OVERHEAD);

		vmadj_made_look(&guest);
		guest.rss = before;
		cr_assert(not(is_left_alone(&guest)));
	}
}

Test(memory_watch, what_was_not_given_back_is_given_back_again)
{
	struct vmadj_made guest = vmadj_made_new(50 * MIB);

	guest.rss = MADE_MAX + OVERHEAD;
	vmadj_made_wish(&guest, MADE_MIN);
	for (int i = 0; i < MADE_LONG_S; i++) {
		guest.now_s += 1;
		guest.state.stats.last_update_s++;
		guest.state.stats.available_bytes = vmadj_made_actual(&guest) - 50 * MIB;
		guest.next =
			vmadj_memory_see(&guest.memory, guest.now_s, &guest.state, guest.rss, true);
		cr_assert(ne(ptr, (void *)guest.next.why, NULL));
		if (guest.next.act != VMADJ_MEMORY_SET || is_left_alone(&guest))
			continue; /* and nobody tells that it was given back */
		vmadj_memory_was_set(&guest.memory, guest.now_s, guest.next.target_bytes);
		guest.state.stats.actual_bytes = guest.next.target_bytes;
	}
	cr_expect(is_left_alone(&guest));
	cr_expect(eq(u64, guest.next.target_bytes, MADE_MAX));
}
