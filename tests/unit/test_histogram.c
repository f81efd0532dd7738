/* SPDX-License-Identifier: GPL-2.0-only */
/* test_histogram.c - which slot a wait belongs to, as the kernel side computes it */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdint.h>

#include <linux/types.h>

#include "bpf/sched.h"

#include "bpf/histogram.h"

TestSuite(histogram, .timeout = 10);

struct slot_case {
	uint64_t wait_ns;
	uint32_t slot;
};

ParameterizedTestParameters(histogram, a_wait_has_its_slot)
{
	static struct slot_case cases[] = {
		{ 0, 0 },
		{ 999, 0 },
		{ 1000, 1 },
		{ 1999, 1 },
		{ 2000, 2 },
		{ 3999, 3 },
		{ 4000, 4 },	       /* [4, 5) us: from here on four slots an octave */
		{ 7999, 7 },	       /* [7, 8) */
		{ 8000, 8 },	       /* [8, 10) */
		{ 9999, 8 },	       /* */
		{ 10000, 9 },	       /* [10, 12) */
		{ 16000000, 51 },      /* 2^13 * 1.75 = 14336 us, up to 16384 */
		{ 16384000, 52 },      /* 2^14 us */
		{ 1000000000, 75 },    /* a second lies in [917504, 1048576) us */
		{ UINT64_MAX, 95 },    /* the last one takes what is longer */
		{ 4294967296000, 95 }, /* 2^32 us */
		{ 4294967295999, 95 },
		{ 33554431999, 95 }, /* 2^25 us less one */
		{ 29360127999, 94 },
		{ 33554432000, 95 },
	};

	return cr_make_param_array(struct slot_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct slot_case *c, histogram, a_wait_has_its_slot)
{
	cr_assert(eq(u32, vmadj_wait_slot(c->wait_ns), c->slot), "%lu ns",
		  (unsigned long)c->wait_ns);
}

Test(histogram, slots_follow_each_other_without_a_gap)
{
	for (uint32_t slot = 0; slot + 1 < VMADJ_WAIT_SLOTS; slot++) {
		uint64_t first_us = vmadj_wait_slot_us(slot),
			 next_us = vmadj_wait_slot_us(slot + 1);

		cr_assert(lt(u64, first_us, next_us));
		cr_assert(eq(u32, vmadj_wait_slot(first_us * 1000), slot));
		cr_assert(eq(u32, vmadj_wait_slot(next_us * 1000 - 1), slot));
		cr_assert(eq(u32, vmadj_wait_slot(next_us * 1000), slot + 1));
	}
}

/* So the middle of a slot is never wrong by more than an eighth. */
Test(histogram, a_slot_is_at_most_a_quarter_wide)
{
	for (uint32_t slot = 4; slot + 1 < VMADJ_WAIT_SLOTS; slot++) {
		uint64_t first_us = vmadj_wait_slot_us(slot);

		cr_assert(le(u64, (vmadj_wait_slot_us(slot + 1) - first_us) * 4, first_us));
	}
}

Test(histogram, a_longer_wait_has_no_lower_slot)
{
	uint32_t last = 0;

	for (uint64_t ns = 1; ns < UINT64_MAX / 3; ns += ns / 5 + 1) {
		uint32_t slot = vmadj_wait_slot(ns);

		cr_assert(ge(u32, slot, last), "%lu ns", (unsigned long)ns);
		cr_assert(lt(u32, slot, VMADJ_WAIT_SLOTS));
		last = slot;
	}
}
