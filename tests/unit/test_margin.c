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
		snapshot.vm[i].guest_refaults = 0;
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

Test(margin, goes_up_while_the_cache_grows_by_ever_more)
{
	(void)after(0, 0, 0);
	is(after(5, 25, 0), 576);
	is(after(5, 0, 25), 640); /* Active(file) alone */
	is(after(1, 0, 0), 640);
	is(after(4, 25, 25), 768);
	is(after(5, 25, 0), 1024);
	is(after(5, 25, 0), 1536);
	is(after(5, 25, 0), 1600); /* what there is beside vm2, which does not come down */
}

Test(margin, turns_down_when_it_no_longer_grows)
{
	(void)after(0, 0, 0);
	is(after(5, 24, -24), 512); /* only the direction changes */
	is(after(5, 0, 0), 480);
	is(after(5, 25, 0), 448);  /* Active(file) did not shrink */
	is(after(5, 0, -25), 416); /* Cached did not grow */
}

Test(margin, turns_up_when_new_files_push_out_old_ones)
{
	(void)after(0, 0, 0);
	(void)after(5, 0, 0);
	is(after(5, 0, 0), 480);
	is(after(5, 25, -25), 544);
	is(after(5, 25, 0), 608); /* it is UP now */
}

/* So many MiB are read from disks in that time. */
static double after_reads(double seconds, uint64_t mib)
{
	snapshot.vm[0].guest_disk_read_bytes += mib * MADE_MIB;
	return after(seconds, 0, 0);
}

Test(margin, turns_up_when_much_comes_to_be_read)
{
	snapshot.vm[0].guest_disk_read_bytes = 0;
	(void)after(0, 0, 0);
	(void)after(5, 0, 0);
	is(after_reads(5, 32), 512); /* nor is it smaller */
	is(after_reads(5, 33), 576);
	is(after_reads(5, 33), 640);
}

/* So many MiB are read again in that time. */
static double after_again(double seconds, uint64_t mib)
{
	snapshot.vm[0].guest_refaults += mib * 256;
	return after(seconds, 0, 0);
}

/* 320 MiB down, in 55 s. */
static void goes_down(void)
{
	(void)after(0, 0, 0);
	for (int i = 0; i < 10; i++)
		(void)after(5, 0, 0);
	is(after_again(5, 24), 192);
}

Test(margin, goes_back_when_what_was_dropped_is_read_again)
{
	goes_down();
	is(after_again(5, 25), 192); /* what the balloon pushed out just now */
	is(after_again(5, 25), 448);
	for (int i = 0; i < 5; i++)
		is(after_again(5, 40), 448); /* it has to be read: that is no reason for more */
	for (int i = 0; i < 54; i++)
		is(after(5, 0, 0), 448);
	is(after(5, 0, 0), 416); /* five minutes later */
}

Test(margin, goes_up_when_that_gets_much_worse_or_does_not_end)
{
	goes_down();
	is(after_again(5, 25), 192);
	is(after_again(5, 25), 448);
	is(after_again(5, 49), 512);
	for (int i = 0; i < 4; i++)
		is(after_again(5, 25), 512);
	is(after_again(5, 25), 576);
}

Test(margin, is_not_smaller_while_the_cache_is_filled)
{
	snapshot.vm[0].guest_disk_read_bytes = 0;
	(void)after(0, 0, 0);
	(void)after(5, 0, 0);
	is(after_reads(5, 17), 512);
	is(after_reads(5, 16), 480);
}

Test(margin, goes_up_at_once_when_it_was_not_on_its_way_down)
{
	(void)after(0, 0, 0);
	(void)after(5, 0, 0);
	is(after_again(5, 25), 512);
	is(after_again(5, 25), 576);
}

/* It asks for 100 MiB, and misses so many of them; they had been dropped. */
static double after_misses(uint64_t missed_mib)
{
	snapshot.vm[0].guest_accessed_pages += 100 * 256;
	snapshot.vm[0].guest_hit_pages += (100 - missed_mib) * 256;
	return after_again(5, missed_mib);
}

Test(margin, what_may_be_missed_is_a_share_of_what_is_asked_for)
{
	snapshot.vm[0].guest_accessed_pages = snapshot.vm[0].guest_hit_pages = 0;
	(void)after(0, 0, 0);
	(void)after_misses(0);
	is(after_misses(8), 480);
	is(after_misses(9), 480);
	is(after_misses(12), 480);
	is(after_misses(13), 480);
	is(after_misses(13), 544);
}

Test(margin, that_the_host_cannot_give_does_not_grow_on)
{
	(void)after(0, 0, 0);
	for (int i = 0; i < 5; i++) {
		(void)after(5, 25, 0);
		made_size(&snapshot.vm[0], 512);
	}
	is(after(5, 25, 0), 1024); /* and not twice that */
}

Test(margin, that_the_guest_cannot_spare_does_not_fall_on)
{
	(void)after(0, 0, 0);
	for (int i = 0; i < 10; i++) {
		(void)after(5, 0, 0);
		made_size(&snapshot.vm[0], 512);
	}
	is(after(5, 25, -25), 512); /* a step below that, and one up */
}

Test(margin, that_found_no_memory_is_not_long_in_coming_down)
{
	for (int i = 0; i < 2; i++)
		snapshot.vm[i].mem_weight = i ? 300 : 100;
	snapshot.vm[1].guest_committed_bytes = 4000 * MADE_MIB;
	(void)after(0, 0, 0);
	is(after(5, 25, 0), 512); /* a quarter of all */
	for (int i = 0; i < 5; i++)
		is(after(5, 25, 0), 512);
	for (int i = 0; i < 3; i++)
		is(after(5, 0, 0), 512); /* a step beyond that */
	is(after(5, 0, 0), 480);
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
	is(after(5, 25, 25), 576);
	is(after(5, 25, 25), 600);
	is(after(5, 25, 25), 600);
	(void)after(5, 0, 0);
	is(after(5, 0, 0), 568); /* what was too much was not counted */
	for (int i = 0; i < 40; i++)
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
	vm->guest_cached_bytes += 25 * MADE_MIB;
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
	vm->guest_cached_bytes += 25 * MADE_MIB;
	wish = loaded_policy_wish_for(loaded_policy_decide(&policy, &snapshot.head), "1-1");
	is(wish->value / MADE_MIB, 608);
}

Test(margin, leaves_a_guest_that_tells_nothing)
{
	snapshot.vm[0].guest_committed_bytes = VMADJ_UNKNOWN;
	is(after(0, 0, 0), 512);
	is(after(5, 9, 9), 512);
}

Test(margin, is_at_least_what_the_daemon_gave)
{
	goes_down();
	made_size(&snapshot.vm[0], 900);
	(void)snprintf(snapshot.vm[0].mem_need, sizeof(snapshot.vm[0].mem_need), "it swaps");
	is(after(1, 0, 0), 900);
	snapshot.vm[0].mem_need[0] = '\0';
	for (int i = 0; i < 59; i++)
		is(after(5, 0, 0), 900); /* it has found out how far down it can go */
	is(after(5, 0, 0), 868);
}
