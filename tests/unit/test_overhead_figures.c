// SPDX-License-Identifier: GPL-2.0-only
/* test_overhead_figures.c - what bench-overhead makes of the figures of its emulated hosts */
#include <math.h>
#include <stdio.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tools/bench/overhead/figures.h"

TestSuite(overhead_figures, .timeout = 10);

/* Each test has a process, and so figures, of its own. */
static void take(const char *tool, const char *row, double value)
{
	char line[128];

	(void)snprintf(line, sizeof(line), "figure %s %s %.2f\n", tool, row, value);
	cr_assert(vmadj_over_take(0, line));
}

Test(overhead_figures, a_figure_is_the_median_of_its_passes)
{
	take("ours-trace", "switch", 6500);
	take("ours-trace", "switch", 6510);
	take("ours-trace", "switch", 6900);
	cr_expect(epsilon_eq(dbl, vmadj_over_figure(0, VMADJ_OVER_OURS_TRACE, VMADJ_OVER_SWITCH),
			     6510, 1e-9));
	cr_expect(isnan(vmadj_over_figure(1, VMADJ_OVER_OURS_TRACE, VMADJ_OVER_SWITCH)));
	cr_expect(isnan(vmadj_over_figure(0, VMADJ_OVER_OURS_POLL, VMADJ_OVER_SWITCH)));
	cr_expect(epsilon_eq(dbl, vmadj_over_spread(VMADJ_OVER_LOAD), 400.0 / 6500, 1e-9));
}

Test(overhead_figures, each_row_has_its_name)
{
	take("runqlat", "tick_1000", 7);
	take("runqlat", "memory_1", 8);
	take("runqlat", "load", 9);
	cr_expect(epsilon_eq(dbl, vmadj_over_figure(0, VMADJ_OVER_RUNQLAT, VMADJ_OVER_TICK + 3), 7,
			     1e-9));
	cr_expect(epsilon_eq(dbl, vmadj_over_figure(0, VMADJ_OVER_RUNQLAT, VMADJ_OVER_MEMORY), 8,
			     1e-9));
	cr_expect(epsilon_eq(dbl, vmadj_over_figure(0, VMADJ_OVER_RUNQLAT, VMADJ_OVER_LOAD), 9,
			     1e-9));
}

Test(overhead_figures, other_lines_are_no_figures)
{
	cr_expect(not(vmadj_over_take(0, "lack runqlat switch not to be had\n")));
	cr_expect(not(vmadj_over_take(0, "figure runqlat switch\n")));
	cr_expect(vmadj_over_take(0, "figure runqlat what_came_later 5\n"));
	cr_expect(isnan(vmadj_over_figure(0, VMADJ_OVER_RUNQLAT, VMADJ_OVER_SWITCH)));
}

Test(overhead_figures, switches_are_judged_by_what_is_added)
{
	double values[VMADJ_OVER_BARS];

	take("empty", "switch", 6073);
	take("ours-trace", "switch", 6093);
	take("nothing", "switch_vcpu", 7000);
	take("empty", "switch_vcpu", 7100);
	take("kmod-trace", "switch_vcpu", 7300);
	take("ours-trace", "switch_vcpu", 7400);
	take("runqlat", "switch_vcpu", 8000);
	vmadj_over_judged(0, values);
	cr_expect(epsilon_eq(dbl, values[0], 20, 1e-9));
	cr_expect(epsilon_eq(dbl, values[1], 1, 1e-9));
	cr_expect(epsilon_eq(dbl, values[2], 7400.0 / 7300, 1e-9));
	cr_expect(epsilon_eq(dbl, values[3], 0.925, 1e-9));
	cr_expect(isnan(values[4]));
}

Test(overhead_figures, ticks_are_judged_at_the_most_vms_that_all_have)
{
	double values[VMADJ_OVER_BARS];

	cr_expect(eq(uint, vmadj_over_most_vms(0), 0));
	take("kmod-poll", "tick_10", 100);
	take("ours-poll", "tick_10", 50);
	take("ours-trace", "tick_10", 80);
	take("kmod-poll", "tick_100", 100);
	vmadj_over_judged(0, values);
	cr_expect(eq(uint, vmadj_over_most_vms(0), 10));
	cr_expect(epsilon_eq(dbl, values[4], 0.8, 1e-9));
}
