/* SPDX-License-Identifier: GPL-2.0-only */
/* test_margin.c - P5: the margin follows the cache, and the host's memory bounds all */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/lib/loaded_policy.h"
#include "tests/lib/made_snapshot.h"

static struct made_snapshot snapshot;
static struct loaded_policy policy;

/* Two VMs of 512 MiB, of which 100 are in use: the margins begin with 412. */
static void set_up(void)
{
	policy = loaded_policy_open("margin");
	made_snapshot(&snapshot, 2, 512, 2048);
	for (int i = 0; i < 2; i++) {
		snapshot.vm[i].guest_committed_bytes = 100 * MADE_MIB;
		snapshot.vm[i].guest_cached_bytes = 200 * MADE_MIB;
		snapshot.vm[i].guest_active_file_bytes = 100 * MADE_MIB;
	}
}

TestSuite(margin, .timeout = 30, .init = set_up);

/* A decision after @seconds, in which Cached and Active(file) changed; what vm1 shall have. */
static double after(double seconds, int64_t cached_mib, int64_t active_mib)
{
	const struct vmadj_policy_wish *wish;

	snapshot.head.monotonic_s += seconds;
	snapshot.vm[0].guest_cached_bytes += (uint64_t)cached_mib * MADE_MIB;
	snapshot.vm[0].guest_active_file_bytes += (uint64_t)active_mib * MADE_MIB;
	wish = loaded_policy_wish_for(loaded_policy_decide(&policy, &snapshot.head), "1-1");
	if (wish && wish->knob == VMADJ_KNOB_MEMORY)
		made_size(&snapshot.vm[0], (uint64_t)(wish->value / MADE_MIB));
	return (double)snapshot.vm[0].mem_bytes / MADE_MIB;
}

static void is(double got, double want)
{
	cr_assert(epsilon_eq(dbl, got, want, 0.01));
}

Test(margin, begins_with_what_there_is)
{
	is(after(0, 0, 0), 512);
	is(after(1, 50, 50), 512); /* it is adjusted every 5 s */
}

Test(margin, goes_up_while_the_cache_grows)
{
	(void)after(0, 0, 0);
	is(after(5, 1, 0), 576);
	is(after(5, 0, 1), 640); /* Active(file) alone */
	is(after(1, 0, 0), 640);
	is(after(4, 1, 1), 704);
}

Test(margin, turns_down_when_it_no_longer_grows)
{
	(void)after(0, 0, 0);
	is(after(5, 0, 0), 512); /* only the direction changes */
	is(after(5, 0, 0), 448);
	is(after(5, 1, 0), 384);  /* Active(file) did not shrink */
	is(after(5, 0, -1), 320); /* Cached did not grow */
}

Test(margin, turns_up_when_new_files_push_out_old_ones)
{
	(void)after(0, 0, 0);
	(void)after(5, 0, 0);
	is(after(5, 0, 0), 448);
	is(after(5, 1, -1), 512);
	is(after(5, 1, 0), 576); /* it is UP now */
}

Test(margin, follows_what_is_in_use_every_second)
{
	(void)after(0, 0, 0);
	snapshot.vm[0].guest_committed_bytes = 300 * MADE_MIB;
	is(after(1, 0, 0), 712);
	snapshot.vm[0].guest_committed_bytes = 50 * MADE_MIB;
	is(after(1, 0, 0), 462);
	is(after(0.3, 0, 0), 462);
}

Test(margin, is_never_below_the_least_nor_above_the_maximum)
{
	snapshot.vm[0].mem_max_bytes = 600 * MADE_MIB;
	(void)after(0, 0, 0);
	is(after(5, 1, 1), 576);
	is(after(5, 1, 1), 600);
	is(after(5, 1, 1), 600);
	(void)after(5, 0, 0);
	is(after(5, 0, 0), 536); /* what was too much was not counted */
	for (int i = 0; i < 20; i++)
		(void)after(5, 0, 0);
	is(after(5, 0, 0), 164);
}

Test(margin, is_shared_by_weight_when_all_want_more_than_there_is)
{
	const struct vmadj_policy_wishes *wishes;
	const struct vmadj_policy_wish *wish;

	snapshot.vm[1].mem_weight = 300;
	snapshot.vm[0].guest_committed_bytes = snapshot.vm[1].guest_committed_bytes =
		2000 * MADE_MIB;
	wishes = loaded_policy_decide(&policy, &snapshot.head);
	wish = loaded_policy_wish_for(wishes, "2-1");
	is(wish->value / MADE_MIB, 1536);
	cr_assert(eq(str, (char *)wish->reason,
		     "Committed_AS 2000 MiB + margin 64 MiB (up); its part of 2048 MiB by weight"));
	/* vm1 wants little: the rest is vm2's. */
	snapshot.head.monotonic_s += 1;
	snapshot.vm[0].guest_committed_bytes = 136 * MADE_MIB;
	wishes = loaded_policy_decide(&policy, &snapshot.head);
	is(loaded_policy_wish_for(wishes, "1-1")->value / MADE_MIB, 200);
	is(loaded_policy_wish_for(wishes, "2-1")->value / MADE_MIB, 1848);
}

Test(margin, works_on_what_a_balloon_tells)
{
	const struct vmadj_policy_wish *wish;
	struct vmadj_policy_vm *vm = &snapshot.vm[0];

	vm->guest_committed_bytes = vm->guest_active_file_bytes = VMADJ_UNKNOWN;
	vm->guest_total_bytes = 500 * MADE_MIB;
	vm->guest_available_bytes = 400 * MADE_MIB;
	(void)loaded_policy_decide(&policy, &snapshot.head);
	snapshot.head.monotonic_s += 5;
	vm->guest_cached_bytes += MADE_MIB;
	wish = loaded_policy_wish_for(loaded_policy_decide(&policy, &snapshot.head), "1-1");
	is(wish->value / MADE_MIB, 576);
	cr_assert(eq(str, (char *)wish->reason,
		     "total - available 100 MiB + margin 476 MiB (up); without Active(file)"));
	/* Down, and up again by Cached alone. */
	for (int i = 0; i < 2; i++) {
		snapshot.head.monotonic_s += 5;
		(void)loaded_policy_decide(&policy, &snapshot.head);
	}
	snapshot.head.monotonic_s += 5;
	vm->guest_cached_bytes += MADE_MIB;
	wish = loaded_policy_wish_for(loaded_policy_decide(&policy, &snapshot.head), "1-1");
	is(wish->value / MADE_MIB, 576);
}

Test(margin, leaves_a_guest_that_tells_nothing)
{
	snapshot.vm[0].guest_committed_bytes = VMADJ_UNKNOWN;
	is(after(0, 0, 0), 512);
	is(after(5, 9, 9), 512);
}

Test(margin, does_not_take_what_the_daemon_gives)
{
	(void)after(0, 0, 0);
	made_size(&snapshot.vm[0], 900);
	(void)snprintf(snapshot.vm[0].mem_need, sizeof(snapshot.vm[0].mem_need), "it swaps");
	is(after(1, 0, 0), 900);
	snapshot.vm[0].mem_need[0] = '\0';
	is(after(1, 0, 0), 512);
}
