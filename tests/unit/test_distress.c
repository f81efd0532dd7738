/* SPDX-License-Identifier: GPL-2.0-only */
/* test_distress.c - whether a guest suffers from having too little memory */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <string.h>

#include "user/guest/distress.h"

#define MIB	(1ULL << 20)
#define RESERVE (64 * MIB)
#define HAD	(1024 * MIB)

TestSuite(distress, .timeout = 10);

struct told {
	struct vmadj_distress distress;
	struct vmadj_guest guest;
	double now_s;
	uint64_t has_bytes; /* is_taken_bit_by_bit() */
};

static struct told told_new(void)
{
	struct told told = { .guest = vmadj_guest_unknown("agent"),
			     .now_s = 100,
			     .has_bytes = HAD };

	told.guest.known = true;
	told.guest.mem_available_bytes = 500 * MIB;
	told.guest.refaults = told.guest.swap_in_bytes = told.guest.swap_out_bytes = 0;
	told.guest.major_faults = told.guest.oom_kills = told.guest.alloc_stalls = 0;
	told.guest.mem_psi_some_pct = 0;
	vmadj_distress_init(&told.distress);
	told.distress.keep_for_s = 60;
	return told;
}

static enum vmadj_distress_kind need(const struct told *told)
{
	const char *why;
	enum vmadj_distress_kind kind = vmadj_distress_need(&told->distress, told->now_s, &why);

	cr_assert(eq(int, kind != VMADJ_DISTRESS_NONE, why != NULL));
	return kind;
}

/* @after_s later it says what its guest is now. */
static enum vmadj_distress_kind tells(struct told *told, double after_s)
{
	told->now_s += after_s;
	vmadj_distress_hear(&told->distress, told->now_s, &told->guest, RESERVE);
	return need(told);
}

/* For so long, every second, with so many refaults in each. */
static void lives(struct told *told, int seconds, uint64_t refaults)
{
	while (seconds--) {
		told->guest.refaults += refaults;
		(void)tells(told, 1);
	}
}

static void is_taken_from(struct told *told)
{
	vmadj_distress_taken(&told->distress, told->now_s, HAD);
}

Test(distress, a_guest_at_ease_is_in_none)
{
	struct told told = told_new();

	lives(&told, 100, 0);
	cr_expect(eq(int, need(&told), VMADJ_DISTRESS_NONE));
	cr_expect(eq(u64, vmadj_distress_keep(&told.distress, told.now_s), 0));
}

struct sign_case {
	uint64_t oom, stalls, in, out, faults;
	double psi;
	uint64_t available;
	int kind;
};

#define ENOUGH		(500 * MIB)
#define LITTLE		(100 * MIB)
#define NEXT_TO_NOTHING (10 * MIB)

ParameterizedTestParameters(distress, signs)
{
	static struct sign_case cases[] = {
		{ .oom = 1, .available = ENOUGH, .kind = VMADJ_DISTRESS_HARD },
		{ .stalls = 33, .available = ENOUGH, .kind = VMADJ_DISTRESS_HARD },
		{ .stalls = 32, .available = ENOUGH, .kind = VMADJ_DISTRESS_NONE },
		{ .stalls = 9, .available = LITTLE, .kind = VMADJ_DISTRESS_HARD },
		{ .stalls = 8, .available = LITTLE, .kind = VMADJ_DISTRESS_NONE },
		{ .in = 2 * MIB, .out = 3 * MIB, .available = ENOUGH, .kind = VMADJ_DISTRESS_HARD },
		{ .in = 2 * MIB, .out = 2 * MIB, .available = ENOUGH, .kind = VMADJ_DISTRESS_NONE },
		{ .out = 2 * MIB, .available = LITTLE, .kind = VMADJ_DISTRESS_HARD },
		{ .faults = 1000, .available = ENOUGH, .kind = VMADJ_DISTRESS_NONE },
		{ .faults = 64, .available = LITTLE, .kind = VMADJ_DISTRESS_HARD },
		{ .psi = 21, .available = ENOUGH, .kind = VMADJ_DISTRESS_HARD },
		{ .psi = 20, .available = ENOUGH, .kind = VMADJ_DISTRESS_NONE },
		{ .psi = 11, .available = LITTLE, .kind = VMADJ_DISTRESS_HARD },
		{ .available = LITTLE, .kind = VMADJ_DISTRESS_NONE },
		{ .available = NEXT_TO_NOTHING, .kind = VMADJ_DISTRESS_LOW },
		{ .oom = 1, .available = NEXT_TO_NOTHING, .kind = VMADJ_DISTRESS_HARD },
	};

	return cr_make_param_array(struct sign_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct sign_case *c, distress, signs)
{
	struct told told = told_new();

	(void)tells(&told, 1);
	told.guest.oom_kills += c->oom;
	told.guest.alloc_stalls += c->stalls;
	told.guest.swap_in_bytes += c->in;
	told.guest.swap_out_bytes += c->out;
	told.guest.major_faults += c->faults;
	told.guest.mem_psi_some_pct = c->psi;
	told.guest.mem_available_bytes = c->available;
	cr_expect(eq(int, tells(&told, 1), c->kind));
}

Test(distress, what_was_before_the_first_figures_counts_for_nothing)
{
	struct told told = told_new();

	told.guest.oom_kills = told.guest.alloc_stalls = told.guest.swap_out_bytes = 1ULL << 40;
	cr_expect(eq(int, tells(&told, 1), VMADJ_DISTRESS_NONE));
	told.guest.oom_kills = VMADJ_GUEST_UNKNOWN;
	told.guest.alloc_stalls = 5; /* it began anew */
	cr_expect(eq(int, tells(&told, 1), VMADJ_DISTRESS_NONE));
}

Test(distress, figures_of_another_source_are_not_held_against_these)
{
	struct told told = told_new();

	(void)tells(&told, 1);
	told.guest.source = "balloon";
	told.guest.oom_kills = 1000;
	cr_expect(eq(int, tells(&told, 1), VMADJ_DISTRESS_NONE));
	told.guest.oom_kills++;
	cr_expect(eq(int, tells(&told, 1), VMADJ_DISTRESS_HARD));
}

Test(distress, a_report_that_comes_at_once_counts_at_once)
{
	struct told told = told_new();

	lives(&told, 3, 0);
	told.guest.alloc_stalls += 40;
	cr_expect(eq(int, tells(&told, 0.25), VMADJ_DISTRESS_HARD));
}

Test(distress, reports_that_come_sooner_count_together)
{
	struct told told = told_new();

	lives(&told, 3, 0);
	for (int i = 0; i < 3; i++) {
		told.guest.alloc_stalls += 12;
		(void)tells(&told, 0.2);
	}
	cr_expect(eq(int, need(&told), VMADJ_DISTRESS_HARD), "36 within a second");
}

/* Two reports that arrive together, after a QEMU that stood still. */
Test(distress, a_report_right_behind_another_makes_no_rate)
{
	struct told told = told_new();

	lives(&told, 3, 0);
	told.guest.alloc_stalls += 20;
	cr_expect(eq(int, tells(&told, 0.001), VMADJ_DISTRESS_NONE));
	told.guest.alloc_stalls += 10;
	cr_expect(eq(int, tells(&told, 0.001), VMADJ_DISTRESS_NONE));
}

Test(distress, lasts_until_ten_seconds_after_the_last_sign)
{
	struct told told = told_new();

	(void)tells(&told, 1);
	told.guest.oom_kills++;
	(void)tells(&told, 1);
	for (int i = 0; i < 9; i++)
		cr_expect(eq(int, tells(&told, 1), VMADJ_DISTRESS_HARD));
	cr_expect(eq(int, tells(&told, 1.1), VMADJ_DISTRESS_NONE));
}

Test(distress, who_stalls_all_the_time_is_not_in_distress_by_that)
{
	struct told told = told_new();

	for (int i = 0; i < 120; i++) {
		told.guest.alloc_stalls += 200;
		told.guest.mem_psi_some_pct = 50;
		(void)tells(&told, 1);
	}
	cr_expect(eq(int, need(&told), VMADJ_DISTRESS_NONE));
	told.guest.alloc_stalls += 1000;
	cr_expect(eq(int, tells(&told, 1), VMADJ_DISTRESS_HARD), "five times as many");
}

Test(distress, who_swaps_with_little_is_however_long)
{
	struct told told = told_new();

	told.guest.mem_available_bytes = LITTLE;
	for (int i = 0; i < 120; i++) {
		told.guest.swap_out_bytes += 2 * MIB;
		(void)tells(&told, 1);
	}
	cr_expect(eq(int, need(&told), VMADJ_DISTRESS_HARD));
}

Test(distress, what_the_balloon_itself_does_is_no_sign)
{
	struct told told = told_new();

	lives(&told, 3, 0);
	is_taken_from(&told);
	for (int i = 0; i < 5; i++) {
		vmadj_distress_moving(&told.distress, told.now_s);
		told.guest.alloc_stalls += 1000;
		told.guest.mem_psi_some_pct = 90;
		cr_expect(eq(int, tells(&told, 1), VMADJ_DISTRESS_NONE));
	}
	told.guest.alloc_stalls += 1000;
	cr_expect(eq(int, tells(&told, 1), VMADJ_DISTRESS_HARD), "it is at rest");
}

Test(distress, refaults_that_rise_after_a_taking)
{
	struct told told = told_new();

	lives(&told, 60, 1000);
	is_taken_from(&told);
	lives(&told, 5, 2200);
	cr_expect(eq(int, need(&told), VMADJ_DISTRESS_NONE), "not more than twice and a slack");
	lives(&told, 1, 2300);
	cr_expect(eq(int, need(&told), VMADJ_DISTRESS_REFAULTS));
	cr_expect(eq(u64, vmadj_distress_keep(&told.distress, told.now_s), HAD));
	lives(&told, 59, 1000);
	cr_expect(eq(u64, vmadj_distress_keep(&told.distress, told.now_s), HAD));
	lives(&told, 1, 1000);
	cr_expect(eq(u64, vmadj_distress_keep(&told.distress, told.now_s), 0), "a minute later");
}

Test(distress, a_working_set_that_never_fits_refaults_all_the_time)
{
	struct told told = told_new();

	for (int i = 0; i < 20; i++) {
		lives(&told, 10, 5000);
		is_taken_from(&told);
	}
	lives(&told, 20, 9000);
	cr_expect(eq(int, need(&told), VMADJ_DISTRESS_NONE));
}

Test(distress, refaults_long_after_a_taking_are_not_for_that)
{
	struct told told = told_new();

	lives(&told, 5, 0);
	is_taken_from(&told);
	lives(&told, 31, 0);
	lives(&told, 5, 100000);
	cr_expect(eq(int, need(&told), VMADJ_DISTRESS_NONE));
}

/* Once a second, so much. */
static void is_taken_bit_by_bit(struct told *told, int seconds, uint64_t a_second)
{
	while (seconds--) {
		vmadj_distress_taken(&told->distress, told->now_s, told->has_bytes);
		told->has_bytes -= a_second;
		lives(told, 1, 0);
	}
}

Test(distress, what_was_taken_lately_is_given_back_and_then_all)
{
	struct told told = told_new();
	uint64_t lately;

	lives(&told, 5, 0);
	is_taken_bit_by_bit(&told, 40, 8 * MIB);
	lives(&told, 1, 1000);
	lately = vmadj_distress_keep(&told.distress, told.now_s) - told.has_bytes;
	cr_expect(ge(u64, lately, 3 * 8 * MIB), "of the last 3 seconds at least");
	cr_expect(le(u64, lately, 7 * 8 * MIB), "and not of more than the last six");
	lives(&told, 10, 1000);
	cr_expect(eq(u64, vmadj_distress_keep(&told.distress, told.now_s), told.has_bytes + lately),
		  "it has not helped yet");
	lives(&told, 1, 1000);
	cr_expect(eq(u64, vmadj_distress_keep(&told.distress, told.now_s), HAD));
}

Test(distress, where_that_helps_the_rest_stays_taken)
{
	struct told told = told_new();

	lives(&told, 5, 0);
	is_taken_bit_by_bit(&told, 40, 8 * MIB);
	lives(&told, 3, 1000);
	lives(&told, 20, 900); /* what was dropped has to be read */
	lives(&told, 20, 0);
	cr_expect(lt(u64, vmadj_distress_keep(&told.distress, told.now_s),
		     told.has_bytes + 100 * MIB));
}

Test(distress, what_refaults_are_usual_is_known_before_it_can_hurt)
{
	struct told told = told_new();

	(void)tells(&told, 1);
	cr_expect(not(vmadj_distress_is_measured(&told.distress)));
	(void)tells(&told, 1);
	cr_expect(vmadj_distress_is_measured(&told.distress));
	told = told_new();
	told.guest.refaults = VMADJ_GUEST_UNKNOWN;
	(void)tells(&told, 1);
	cr_expect(vmadj_distress_is_measured(&told.distress), "it does not say");
	lives(&told, 10, 0); /* sums nothing: unknown stays */
	told.guest.refaults = 1ULL << 40;
	is_taken_from(&told);
	cr_expect(eq(int, tells(&told, 1), VMADJ_DISTRESS_NONE));
}
