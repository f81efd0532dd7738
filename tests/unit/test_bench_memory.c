// SPDX-License-Identifier: GPL-2.0-only
/* test_bench_memory.c - what the experiments with memory make of their series */
#include <math.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tools/bench/memory/experiment.h"

TestSuite(bench_memory, .timeout = 10);

static const struct vmadj_exp_case two = { .n_vms = 2, .from_s = 0, .end_s = 100 };
static struct vmadj_exp_result result;

/* VM1 has 100 MiB, and from second 40 on 2 MiB more each second until it has 140. */
static void make_result(void)
{
	static const struct vmadj_exp_side side = { .title = "only one" };

	result = (struct vmadj_exp_result){ .what = &two, .n_sides = 1, .side = { &side } };
	for (size_t t = 0; t < 100 * VMADJ_EXP_TICKS_S; t++) {
		double s = (double)t / VMADJ_EXP_TICKS_S;

		result.track[0][0].mem_mib[t] = 100 + fmin(fmax(2 * (s - 40), 0), 40);
		result.track[0][1].mem_mib[t] = 140 - fmin(fmax(2 * (s - 40), 0), 40);
	}
	for (unsigned int s = 1; s <= 100; s++) {
		result.track[0][0].pages[s] = 10.0 * s;
		result.track[0][0].hits[s] = s > 50 ? 10.0 * (s - 50) : 0;
		result.track[0][1].pages[s] = 30.0 * s;
	}
}

Test(bench_memory, hit_rate_is_of_the_span_alone)
{
	make_result();
	cr_expect(epsilon_eq(dbl, vmadj_exp_hit_pct(&result, 0, 0, 0, 100), 50, 1e-9));
	cr_expect(epsilon_eq(dbl, vmadj_exp_hit_pct(&result, 0, 0, 50, 100), 100, 1e-9));
	cr_expect(epsilon_eq(dbl, vmadj_exp_hit_pct(&result, 0, 0, 0, 50), 0, 1e-9));
}

Test(bench_memory, hit_rate_of_all_weighs_by_accesses)
{
	make_result();
	cr_expect(epsilon_eq(dbl, vmadj_exp_hit_pct(&result, 0, VMADJ_EXP_VMS_MAX, 50, 100), 25,
			     1e-9));
}

Test(bench_memory, hit_rate_without_accesses_is_not_known)
{
	make_result();
	cr_expect(isnan(vmadj_exp_hit_pct(&result, 0, 0, 70, 70)));
}

Test(bench_memory, moved_is_counted_from_the_change_to_nine_tenths)
{
	const unsigned int span_s[2] = { 40, 100 };

	make_result();
	cr_expect(epsilon_eq(dbl, vmadj_exp_moved_mib(&result, 0, 0, 40, 100), 40, 1e-9));
	cr_expect(epsilon_eq(dbl, vmadj_exp_moved_s(&result, 0, 0, span_s, 16), 18, 0.3));
	cr_expect(epsilon_eq(dbl, vmadj_exp_moved_s(&result, 0, 1, span_s, -16), 18, 0.3));
}

Test(bench_memory, what_moves_the_other_way_or_too_little_never_moved)
{
	const unsigned int span_s[2] = { 40, 100 };

	make_result();
	cr_expect(isinf(vmadj_exp_moved_s(&result, 0, 1, span_s, 16)));
	cr_expect(isinf(vmadj_exp_moved_s(&result, 0, 0, span_s, -16)));
	cr_expect(isinf(vmadj_exp_moved_s(&result, 0, 0, span_s, 41)));
}

Test(bench_memory, the_most_is_of_one_moment)
{
	make_result();
	cr_expect(epsilon_eq(dbl, vmadj_exp_most_mib(&result, 0), 240, 1e-9));
	result.track[0][1].mem_mib[7] += 5;
	cr_expect(epsilon_eq(dbl, vmadj_exp_most_mib(&result, 0), 245, 1e-9));
}
