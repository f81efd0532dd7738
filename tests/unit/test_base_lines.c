/* SPDX-License-Identifier: GPL-2.0-only */
/* test_base_lines.c - static_split, pve_auto and mom_default decide as they are described */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/lib/loaded_policy.h"
#include "tests/lib/made_snapshot.h"

static struct made_snapshot snapshot;

TestSuite(base_lines, .timeout = 30);

/* What was wished for the VM at @i, in MiB; -1: nothing. */
static double wished(const struct vmadj_policy_wishes *wishes, uint32_t i)
{
	const struct vmadj_policy_wish *wish = loaded_policy_wish_for(wishes, snapshot.vm[i].id);

	return wish && wish->knob == VMADJ_KNOB_MEMORY ? wish->value / MADE_MIB : -1;
}

static void see(const struct vmadj_policy_wishes *wishes, double a, double b, double c)
{
	cr_assert(epsilon_eq(dbl, wished(wishes, 0), a, 0.01));
	cr_assert(epsilon_eq(dbl, wished(wishes, 1), b, 0.01));
	cr_assert(epsilon_eq(dbl, wished(wishes, 2), c, 0.01));
}

static const struct vmadj_policy_wishes *tick(const struct loaded_policy *policy, double seconds)
{
	snapshot.head.monotonic_s += seconds;
	return loaded_policy_decide(policy, &snapshot.head);
}

/* --- static_split -------------------------------------------------------- */

Test(base_lines, static_split_shares_by_weight)
{
	struct loaded_policy policy = loaded_policy_open("static_split");

	made_snapshot(&snapshot, 3, 512, 1200);
	snapshot.vm[2].mem_weight = 200;
	see(tick(&policy, 1), 300, 300, 600);
	cr_assert(eq(u32, tick(&policy, 1)->n, 0), "it looks every 10 s");
	made_size(&snapshot.vm[0], 300);
	see(tick(&policy, 9), -1, 300, 600);
}

Test(base_lines, static_split_gives_on_what_one_may_not_have)
{
	struct loaded_policy policy = loaded_policy_open("static_split");

	made_snapshot(&snapshot, 3, 512, 1200);
	snapshot.vm[0].mem_max_bytes = 100 * MADE_MIB;
	see(tick(&policy, 1), 100, 550, 550);
	snapshot.vm[1].mem_min_bytes = 900 * MADE_MIB;
	see(tick(&policy, 10), 100, 900, 200);
	snapshot.vm[2].mem_min_bytes = 400 * MADE_MIB;
	see(tick(&policy, 10), 64, 900, 400);
}

Test(base_lines, static_split_leaves_what_cannot_be_turned)
{
	struct loaded_policy policy = loaded_policy_open("static_split");

	made_snapshot(&snapshot, 3, 512, 1000);
	snapshot.vm[1].knobs = VMADJ_KNOB_CPU;
	see(tick(&policy, 1), 500, -1, 500);
}

Test(base_lines, static_split_does_not_grow_into_what_is_not_known)
{
	struct loaded_policy policy = loaded_policy_open("static_split");

	made_snapshot(&snapshot, 3, 300, 0);
	made_size(&snapshot.vm[0], 600);
	see(tick(&policy, 1), 400, 400, 400);
	/* Who gives goes first: what they have together falls on the way. */
	made_size(&snapshot.vm[0], 500);
	see(tick(&policy, 10), 400, 400, 400);
}

/* --- pve_auto ------------------------------------------------------------ */

Test(base_lines, pve_fills_the_host_by_shares_100_mib_a_cycle)
{
	struct loaded_policy policy = loaded_policy_open("pve_auto");

	/* 80 % of 2000 are 1600, they have 600: 64 and a third of (3 * 136 + 1000) each */
	made_snapshot(&snapshot, 3, 200, 2000);
	see(tick(&policy, 1), 300, 300, 300);
	cr_assert(eq(u32, tick(&policy, 5)->n, 0), "a cycle is 10 s");
	snapshot.vm[0].mem_max_bytes = 250 * MADE_MIB;
	see(tick(&policy, 5), 250, 300, 300);
}

Test(base_lines, pve_leaves_small_differences)
{
	struct loaded_policy policy = loaded_policy_open("pve_auto");

	made_snapshot(&snapshot, 3, 530, 2000);
	see(tick(&policy, 1), -1, -1, -1);
	made_snapshot(&snapshot, 3, 529, 2000);
	see(tick(&policy, 20), 533.33, 533.33, 533.33);
}

Test(base_lines, pve_gives_to_who_has_little_free_first)
{
	struct loaded_policy policy = loaded_policy_open("pve_auto");

	made_snapshot(&snapshot, 3, 200, 2000);
	snapshot.vm[0].guest_free_bytes = 17 * MADE_MIB; /* more than a quarter of 64 */
	snapshot.vm[1].guest_free_bytes = 15 * MADE_MIB;
	see(tick(&policy, 1), -1, 300, 300);
}

Test(base_lines, pve_takes_from_who_has_much_free_first)
{
	struct loaded_policy policy = loaded_policy_open("pve_auto");

	made_snapshot(&snapshot, 3, 600, 2000); /* 200 too much */
	snapshot.vm[0].guest_free_bytes = 400 * MADE_MIB;
	snapshot.vm[1].guest_free_bytes = 1 * MADE_MIB;
	snapshot.vm[2].guest_free_bytes = 1 * MADE_MIB;
	see(tick(&policy, 1), 500, -1, -1);
	/* Nobody has: then all. */
	snapshot.vm[0].guest_free_bytes = 1 * MADE_MIB;
	see(tick(&policy, 10), 533.33, 533.33, 533.33);
}

Test(base_lines, pve_goes_by_the_machine_where_there_is_no_bound)
{
	struct loaded_policy policy = loaded_policy_open("pve_auto");

	made_snapshot(&snapshot, 3, 600, 0); /* 8192 of 16384 used: 4915 to the goal */
	see(tick(&policy, 1), 700, 700, 700);
	snapshot.head.mem_available_bytes = 100 * MADE_MIB;
	see(tick(&policy, 10), 500, 500, 500);
}

/* --- mom_default ---------------------------------------------------------- */

static void free_of(uint64_t a, uint64_t b, uint64_t c)
{
	snapshot.vm[0].guest_free_bytes = a * MADE_MIB;
	snapshot.vm[1].guest_free_bytes = b * MADE_MIB;
	snapshot.vm[2].guest_free_bytes = c * MADE_MIB;
}

Test(base_lines, mom_grows_by_a_20th_while_the_host_has_enough)
{
	struct loaded_policy policy = loaded_policy_open("mom_default");

	made_snapshot(&snapshot, 3, 400, 2000); /* 40 % free */
	free_of(300, 10, 300);
	snapshot.vm[2].mem_max_bytes = 400 * MADE_MIB;
	see(tick(&policy, 1), 420, 470, -1); /* 390 used and a fifth of 400 */
	cr_assert(eq(u32, tick(&policy, 10)->n, 0), "a period is 15 s");
}

Test(base_lines, mom_shrinks_to_what_is_used_and_a_part_by_pressure)
{
	struct loaded_policy policy = loaded_policy_open("mom_default");

	made_snapshot(&snapshot, 3, 600, 2000); /* 10 % free: guests shall have 10 % free */
	free_of(500, 70, 20);
	see(tick(&policy, 1), 570, 590, -1);
}

Test(base_lines, mom_drives_guests_into_swap_when_it_is_critical)
{
	struct loaded_policy policy = loaded_policy_open("mom_default");

	made_snapshot(&snapshot, 3, 660, 2000); /* 1 % free: -4 % of 660 */
	free_of(500, 0, 6);
	see(tick(&policy, 1), 627, 633.6, 627.6);
}

Test(base_lines, mom_skips_a_400th)
{
	struct loaded_policy policy = loaded_policy_open("mom_default");

	made_snapshot(&snapshot, 3, 600, 2000);
	free_of(61, 62, 500); /* 1 MiB of 600 is too little, 2 are not */
	see(tick(&policy, 1), -1, 598, 570);
}

Test(base_lines, mom_averages_ten_samples)
{
	struct loaded_policy policy = loaded_policy_open("mom_default");

	made_snapshot(&snapshot, 3, 600, 2000);
	free_of(500, 500, 0);
	for (int i = 0; i < 9; i++)
		(void)tick(&policy, 15);
	free_of(500, 500, 620); /* a mean of 62 */
	see(tick(&policy, 15), 570, 570, 598);
	free_of(500, 500, 500);
	for (int i = 0; i < 8; i++)
		(void)tick(&policy, 15);
	see(tick(&policy, 15), 570, 570, 570);
}

Test(base_lines, mom_averages_only_what_is_about_the_same_vms)
{
	struct loaded_policy policy = loaded_policy_open("mom_default");

	made_snapshot(&snapshot, 3, 600, 2000);
	free_of(500, 500, 500);
	snapshot.head.n_vms = 2; /* 40 % free */
	for (int i = 0; i < 5; i++)
		(void)tick(&policy, 15);
	snapshot.head.n_vms = 3;
	see(tick(&policy, 15), 570, 570, 570);
}

Test(base_lines, mom_does_nothing_for_a_guest_that_tells_nothing)
{
	struct loaded_policy policy = loaded_policy_open("mom_default");

	made_snapshot(&snapshot, 3, 600, 2000);
	free_of(500, 500, 500);
	snapshot.vm[1].guest_free_bytes = VMADJ_UNKNOWN;
	see(tick(&policy, 1), 570, -1, 570);
	free_of(500, 500, 500);
	see(tick(&policy, 15), 570, 570, 570);
}
