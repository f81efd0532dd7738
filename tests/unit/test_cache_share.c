/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_cache_share.c - P2's policy on modelled guests, against the equal split and the base lines
 *
 * VMADJ_TABLE=1 build/tests/unit/test_cache_share --filter cache_share/table prints hit rates of
 * all policies in all mixes.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>

#include "tests/lib/cache_mixes.h"
#include "tests/lib/loaded_policy.h"
#include "tests/lib/made_snapshot.h"

#define SEEDS	     3
#define RANDOM_MIXES 40

TestSuite(cache_share, .timeout = 300);

/* Theirs are for hosts of many GiB; the model's has 256 MiB a VM. */
static const struct cache_param pve_scaled[] = { { "change", 16.0 * MADE_MIB },
						 { "dead_band", 2.0 * MADE_MIB },
						 { 0 } };
static const struct cache_param pve_full[] = {
	{ "change", 16.0 * MADE_MIB }, { "dead_band", 2.0 * MADE_MIB }, { "goal", 100 }, { 0 }
};

static const struct {
	const char *policy, *name;
	const struct cache_param *params;
} base_lines[] = {
	{ "static_split", "static", NULL },   { "pve_auto", "pve 80%", pve_scaled },
	{ "pve_auto", "pve 100%", pve_full }, { "mom_default", "mom", NULL },
	{ "margin", "margin", NULL },
};

#define BASE_LINES (sizeof(base_lines) / sizeof(base_lines[0]))

static struct cache_result run(const struct cache_mix *mix, const char *policy,
			       enum cache_source source, uint64_t seed)
{
	return cache_model_run(&(struct cache_run){
		.mix = mix, .policy = policy, .source = source, .seed = seed });
}

static double run_base_line(const struct cache_mix *mix, size_t i)
{
	return cache_model_run(&(struct cache_run){ .mix = mix,
						    .policy = base_lines[i].policy,
						    .params = base_lines[i].params,
						    .seed = 1 })
		.hit_pct;
}

static size_t count_mixes(void)
{
	size_t n = 0;

	while (cache_mixes[n].name)
		n++;
	return n;
}

/* --- what must hold ------------------------------------------------------ */

Test(cache_share, case_1_half_as_many_hits_again)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct cache_result equal = run(&cache_mixes[0], "static_split", CACHE_AGENT, seed);
		struct cache_result ours = run(&cache_mixes[0], "cache_share", CACHE_AGENT, seed);

		cr_assert(ge(dbl, ours.hit_pct, 1.5 * equal.hit_pct));
		cr_assert(ge(dbl, ours.guest_hit_pct[0], equal.guest_hit_pct[0] - 2));
		cr_assert(le(dbl, ours.moved_s, 60));
	}
}

Test(cache_share, case_2_neither_gain_nor_loss)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct cache_result equal = run(&cache_mixes[1], "static_split", CACHE_AGENT, seed);
		struct cache_result ours = run(&cache_mixes[1], "cache_share", CACHE_AGENT, seed);

		cr_assert(epsilon_eq(dbl, ours.hit_pct, equal.hit_pct, 2));
		cr_assert(epsilon_eq(dbl, ours.guest_hit_pct[0], equal.guest_hit_pct[0], 2));
		cr_assert(epsilon_eq(dbl, ours.guest_hit_pct[1], equal.guest_hit_pct[1], 2));
	}
}

static void does_no_harm(const struct cache_mix *mix, enum cache_source source, uint64_t seed)
{
	struct cache_result equal = run(mix, "static_split", source, seed);
	struct cache_result ours = run(mix, "cache_share", source, seed);

	cr_expect(ge(dbl, ours.hit_pct, equal.hit_pct - 3), "%s, source %d, seed %u", mix->name,
		  (int)source, (unsigned int)seed);
}

Test(cache_share, no_mix_is_3_points_under_the_equal_split)
{
	for (size_t i = 0; i < count_mixes(); i++) {
		for (uint64_t seed = 1; seed <= SEEDS; seed++)
			does_no_harm(&cache_mixes[i], CACHE_AGENT, seed);
	}
}

Test(cache_share, nor_is_one_of_which_only_qemu_ga_or_a_balloon_tells)
{
	for (size_t i = 0; i < count_mixes(); i++) {
		does_no_harm(&cache_mixes[i], CACHE_QGA, 1);
		does_no_harm(&cache_mixes[i], CACHE_BALLOON, 1);
	}
}

Test(cache_share, gains_in_case_1_with_only_qemu_ga_or_a_balloon)
{
	struct cache_result equal = run(&cache_mixes[0], "static_split", CACHE_QGA, 1);

	cr_assert(ge(dbl, run(&cache_mixes[0], "cache_share", CACHE_QGA, 1).hit_pct,
		     1.2 * equal.hit_pct));
	cr_assert(ge(dbl, run(&cache_mixes[0], "cache_share", CACHE_BALLOON, 1).hit_pct,
		     1.1 * equal.hit_pct));
}

Test(cache_share, gains_on_the_whole_in_mixes_of_any_kind)
{
	double gained = 0;

	for (uint64_t seed = 1; seed <= RANDOM_MIXES; seed++) {
		struct cache_mix mix = cache_mix_random(seed);

		does_no_harm(&mix, CACHE_AGENT, 1);
		gained += run(&mix, "cache_share", CACHE_AGENT, 1).hit_pct -
			  run(&mix, "static_split", CACHE_AGENT, 1).hit_pct;
	}
	cr_assert(ge(dbl, gained / RANDOM_MIXES, 1));
}

Test(cache_share, hits_more_than_the_base_lines)
{
	for (size_t i = 0; i < count_mixes(); i++) {
		double ours = run(&cache_mixes[i], "cache_share", CACHE_AGENT, 1).hit_pct;

		for (size_t j = 1; j < BASE_LINES; j++) {
			double theirs = run_base_line(&cache_mixes[i], j);

			/* Where memory cannot be better placed, nobody gains by placing it. */
			cr_expect(ge(dbl, ours, theirs - 1), "%s: %s", cache_mixes[i].name,
				  base_lines[j].name);
		}
	}
}

/* --- single decisions ------------------------------------------------------ */

static struct made_snapshot snapshot;
static struct loaded_policy policy;

/* Accesses, hits and refaults a second of each VM; sizes follow wishes within a tick. */
struct rates {
	uint64_t accesses, hits, refaults;
};

static const struct vmadj_policy_wishes *ticks(int n, const struct rates *rates)
{
	const struct vmadj_policy_wishes *wishes = NULL;

	for (; n > 0; n--) {
		snapshot.head.monotonic_s += 1;
		for (uint32_t i = 0; i < snapshot.head.n_vms; i++) {
			struct vmadj_policy_vm *vm = &snapshot.vm[i];

			vm->guest_accessed_pages += rates[i].accesses;
			vm->guest_hit_pages += rates[i].hits;
			vm->guest_refaults += rates[i].refaults;
		}
		wishes = loaded_policy_decide(&policy, &snapshot.head);
		for (uint32_t i = 0; n > 1 && i < wishes->n; i++) {
			if (wishes->wish[i].knob == VMADJ_KNOB_MEMORY)
				made_size(&snapshot.vm[atoi(wishes->wish[i].vm) - 1],
					  (uint64_t)wishes->wish[i].value / MADE_MIB);
		}
	}
	return wishes;
}

/* vm1 earns little, vm2 much, and wants more: but nothing is moved yet. */
static const struct rates usual[] = { { 1000, 20, 0 }, { 4000, 2000, 2000 } };

static void begin(void)
{
	policy = loaded_policy_open("cache_share");
	made_snapshot(&snapshot, 2, 512, 1024);
	for (uint32_t i = 0; i < 2; i++) {
		struct vmadj_policy_vm *vm = &snapshot.vm[i];

		(void)snprintf(vm->guest_source, sizeof(vm->guest_source), "agent");
		vm->guest_accessed_pages = vm->guest_hit_pages = vm->guest_refaults = 0;
		vm->guest_alloc_stalls = vm->guest_swap_in_bytes = 0;
		vm->guest_free_bytes = MADE_MIB;
		vm->guest_cached_bytes = 400 * MADE_MIB;
		vm->guest_available_bytes = 400 * MADE_MIB;
	}
}

/* What vm1 has or shall have, in MiB, once something was taken from it. */
static double take_some(void)
{
	begin();
	for (int i = 0; i < 60 && snapshot.vm[0].mem_bytes == 512 * MADE_MIB; i++)
		(void)ticks(2, usual);
	return (double)snapshot.vm[0].mem_bytes / MADE_MIB;
}

Test(cache_share, a_step_goes_from_who_earns_least_to_who_earns_most)
{
	const struct vmadj_policy_wishes *wishes;

	begin();
	wishes = ticks(1, usual);
	for (int i = 0; i < 60 && wishes->wish[0].knob != VMADJ_KNOB_MEMORY; i++)
		wishes = ticks(1, usual);
	cr_assert(eq(u32, wishes->n, 2));
	cr_assert(eq(str, (char *)wishes->wish[0].vm, "1-1"), "the giver comes first");
	/* 5 % of 512 MiB, to whole ones */
	cr_assert(epsilon_eq(dbl, wishes->wish[0].value / MADE_MIB, 486, 0.01));
	cr_assert(epsilon_eq(dbl, wishes->wish[1].value / MADE_MIB, 537, 0.01));
	cr_assert(ne(ptr, strstr(wishes->wish[0].reason, "26 MiB to vm2"), NULL), "%s",
		  wishes->wish[0].reason);
	cr_assert(ne(ptr, strstr(wishes->wish[1].reason, "wants 2000 pages/s"), NULL), "%s",
		  wishes->wish[1].reason);
}

/* Found on real guests: their balloon drivers stall, and nothing was ever moved. */
/* vm1 hits always, and so earns more for a page than vm2, which wants more. */
static const struct rates full[] = { { 4000, 4000, 0 }, { 4000, 2000, 2000 } };

Test(cache_share, what_a_guest_leaves_free_goes_to_who_wants_it)
{
	begin();
	for (int i = 0; i < 60; i++)
		(void)ticks(2, full);
	cr_assert(eq(u64, snapshot.vm[0].mem_bytes, 512 * MADE_MIB), "its cache earns most");

	begin();
	snapshot.vm[0].guest_free_bytes = 150 * MADE_MIB;
	for (int i = 0; i < 10; i++)
		(void)ticks(2, full);
	cr_assert(lt(u64, snapshot.vm[0].mem_bytes, 512 * MADE_MIB));
	cr_assert(gt(u64, snapshot.vm[1].mem_bytes, 512 * MADE_MIB));
}

Test(cache_share, what_is_free_for_a_moment_is_not_unused)
{
	begin();
	for (int i = 0; i < 60; i++) {
		snapshot.vm[0].guest_free_bytes = (i % 3 ? 150 : 1) * MADE_MIB;
		(void)ticks(2, full);
	}
	cr_assert(eq(u64, snapshot.vm[0].mem_bytes, 512 * MADE_MIB));
}

/* It went home, and the daemon has given it 19 MiB of that back, which it holds for it. */
Test(cache_share, what_a_receiver_needs_it_keeps_and_goes_on_from_there)
{
	double had;

	(void)take_some();
	had = (double)snapshot.vm[1].mem_bytes / MADE_MIB;
	cr_assert(gt(dbl, had, 530));
	/* vm2 becomes quiet, vm1 earns: all goes home */
	for (int i = 0; i < 60 && snapshot.vm[1].mem_bytes > 512 * MADE_MIB; i++)
		(void)ticks(2, (const struct rates[]){ { 4000, 3000, 500 }, { 10, 0, 0 } });
	cr_assert(eq(u64, snapshot.vm[1].mem_bytes, 512 * MADE_MIB));
	made_size(&snapshot.vm[0], 486);
	made_size(&snapshot.vm[1], 538);
	(void)snprintf(snapshot.vm[1].mem_need, sizeof(snapshot.vm[1].mem_need), "refaults");
	(void)ticks(1, usual);
	snapshot.vm[1].mem_need[0] = '\0';
	(void)ticks(2, usual);
	cr_expect(ge(u64, snapshot.vm[1].mem_bytes, 537 * MADE_MIB));
	cr_expect(le(u64, snapshot.vm[0].mem_bytes, 487 * MADE_MIB));
}

/* Seconds until something is moved; @times ticks for each report. */
static double until_moved(int times)
{
	begin();
	for (int s = 0; s < 120; s++) {
		for (int i = 0; i < times; i++) {
			const struct rates each = { 0 },
					   rates[] = { i ? each : usual[0], i ? each : usual[1] };

			snapshot.head.monotonic_s += 1.0 / times - 1;
			snapshot.vm[0].guest_age_s = snapshot.vm[1].guest_age_s = (double)i / times;
			if (ticks(1, rates)->wish[0].knob == VMADJ_KNOB_MEMORY)
				return s;
		}
	}
	return INFINITY;
}

Test(cache_share, learns_as_fast_however_often_it_is_asked)
{
	cr_expect(le(dbl, until_moved(1), 20));
	cr_expect(le(dbl, fabs(until_moved(5) - until_moved(1)), 1));
}

Test(cache_share, a_giver_whose_tasks_stall_is_the_daemons_to_judge)
{
	double size;

	size = take_some();
	cr_assert(lt(dbl, size, 512));
	snapshot.vm[0].guest_alloc_stalls++;
	(void)ticks(1, usual);
	cr_assert(le(u64, snapshot.vm[0].mem_bytes, (uint64_t)size * MADE_MIB));
}

Test(cache_share, a_giver_that_swaps_gets_all_back_in_the_next_tick)
{
	const struct vmadj_policy_wishes *wishes;

	cr_assert(lt(dbl, take_some(), 512));
	snapshot.vm[0].guest_swap_in_bytes += 4096;
	wishes = ticks(1, usual);
	cr_assert(epsilon_eq(dbl, loaded_policy_wish_for(wishes, "1-1")->value / MADE_MIB, 512,
			     0.01));
	cr_assert(epsilon_eq(dbl, loaded_policy_wish_for(wishes, "2-1")->value / MADE_MIB, 512,
			     0.01));
}

Test(cache_share, a_giver_that_comes_back_gets_all_back)
{
	static const struct rates home[] = { { 9000, 8900, 0 }, { 4000, 2000, 2000 } };
	static const struct rates quiet[] = { { 0, 0, 0 }, { 4000, 2000, 2000 } };
	static const struct rates worse[] = { { 9000, 20, 9000 }, { 4000, 2000, 2000 } };

	begin();
	(void)ticks(60, home);
	cr_assert(eq(u64, snapshot.vm[0].mem_bytes, 512 * MADE_MIB), "it earns more");
	for (int s = 0; s < 60 && snapshot.vm[0].mem_bytes == 512 * MADE_MIB; s++)
		(void)ticks(2, quiet);
	cr_assert(lt(u64, snapshot.vm[0].mem_bytes, 512 * MADE_MIB), "it gives while it is quiet");
	(void)ticks(3, worse);
	cr_assert(eq(u64, snapshot.vm[0].mem_bytes, 512 * MADE_MIB), "it was not given back");
}

Test(cache_share, a_vm_that_the_daemon_gives_memory_to_gives_none)
{
	begin();
	(void)snprintf(snapshot.vm[0].mem_need, sizeof(snapshot.vm[0].mem_need), "it swaps");
	for (int i = 0; i < 60; i++) {
		(void)ticks(2, usual);
		cr_assert(eq(u64, snapshot.vm[0].mem_bytes, 512 * MADE_MIB));
	}
}

Test(cache_share, who_drops_nothing_that_is_wanted_again_receives_nothing)
{
	static const struct rates scan[] = { { 1000, 20, 0 }, { 4000, 2000, 0 } };
	const struct vmadj_policy_wishes *wishes;

	begin();
	(void)ticks(59, scan);
	wishes = ticks(1, scan);
	cr_assert(eq(u64, snapshot.vm[1].mem_bytes, 512 * MADE_MIB));
	cr_assert(eq(u32, loaded_policy_wish_for(wishes, "2-1")->knob, VMADJ_KNOB_NONE));
	cr_assert(ne(ptr, strstr(loaded_policy_wish_for(wishes, "2-1")->reason, "wants no more"),
		     NULL));
}

Test(cache_share, who_gains_nothing_gives_it_back)
{
	(void)take_some();
	/* The same hits, whatever it was given: its figures at home are those of now. */
	(void)ticks(30, usual);
	cr_assert(eq(u64, snapshot.vm[0].mem_bytes, 512 * MADE_MIB));
	cr_assert(eq(u64, snapshot.vm[1].mem_bytes, 512 * MADE_MIB));
}

Test(cache_share, a_guest_that_falls_silent_goes_home)
{
	(void)take_some();
	snapshot.vm[0].guest_source[0] = '\0';
	(void)ticks(15, usual);
	cr_assert(eq(u64, snapshot.vm[0].mem_bytes, 512 * MADE_MIB));
}

Test(cache_share, totals_that_go_back_move_nothing)
{
	begin();
	for (int i = 0; i < 60; i++) {
		snapshot.vm[1].guest_accessed_pages = snapshot.vm[1].guest_hit_pages = 0;
		(void)ticks(2, usual);
	}
	cr_assert(eq(u64, snapshot.vm[0].mem_bytes, 512 * MADE_MIB));
}

Test(cache_share, nobody_falls_below_its_minimum)
{
	begin();
	snapshot.vm[0].mem_min_bytes = 500 * MADE_MIB;
	(void)ticks(60, usual);
	cr_assert(ge(u64, snapshot.vm[0].mem_bytes, 500 * MADE_MIB));
}

Test(cache_share, without_a_bound_they_have_no_more_than_they_had)
{
	begin();
	snapshot.head.mem_vms_bytes = VMADJ_UNKNOWN;
	for (int i = 0; i < 60; i++) {
		(void)ticks(2, usual);
		cr_assert(le(u64, snapshot.vm[0].mem_bytes + snapshot.vm[1].mem_bytes,
			     1024 * MADE_MIB));
		cr_assert(ge(u64, snapshot.vm[0].mem_bytes + snapshot.vm[1].mem_bytes,
			     1022 * MADE_MIB));
	}
}

Test(cache_share, when_a_receiver_ends_its_memory_is_shared_anew)
{
	(void)take_some();
	snapshot.head.n_vms = 1;
	(void)ticks(3, usual);
	cr_assert(eq(u64, snapshot.vm[0].mem_bytes, 1024 * MADE_MIB));
}

/* --- for people ------------------------------------------------------------- */

static void print_row(const struct cache_mix *mix)
{
	struct cache_result ours;

	(void)printf("%-40s", mix->name);
	for (size_t j = 0; j < BASE_LINES; j++)
		(void)printf(" %9.1f", run_base_line(mix, j));
	for (int source = CACHE_AGENT; source <= CACHE_BALLOON; source++) {
		ours = run(mix, "cache_share", (enum cache_source)source, 1);
		(void)printf(" %9.1f", ours.hit_pct);
	}
	ours = run(mix, "cache_share", CACHE_AGENT, 1);
	if (isfinite(ours.moved_s))
		(void)printf(" %7.0f s\n", ours.moved_s);
	else
		(void)printf("        -\n");
}

Test(cache_share, table)
{
	if (!getenv("VMADJ_TABLE"))
		return;
	(void)printf("%-40s", "total hit rate, %");
	for (size_t j = 0; j < BASE_LINES; j++)
		(void)printf(" %9s", base_lines[j].name);
	(void)printf("     ours  (qemu-ga) (balloon)  moved in\n");
	for (size_t i = 0; i < count_mixes(); i++)
		print_row(&cache_mixes[i]);
}
