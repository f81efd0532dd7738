/* SPDX-License-Identifier: GPL-2.0-only */
/* test_agent_urge.c - when a guest speaks before its time */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "user/agent/urge.h"

static struct vmadj_urge urge;
static struct vmadj_figures figures;

/* A second between two reports, 100 refaults in it. */
static void set_up(void)
{
	urge = (struct vmadj_urge){ 0 };
	figures = (struct vmadj_figures){ .refaults = 1000 };
	vmadj_urge_reported(&urge, &figures, 10);
	figures.refaults = 1100;
	vmadj_urge_reported(&urge, &figures, 11);
}

TestSuite(agent_urge, .timeout = 10, .init = set_up);

Test(agent_urge, nothing_is_urgent_before_the_first_report)
{
	urge = (struct vmadj_urge){ 0 };
	figures.alloc_stalls = figures.refaults = 1000000;
	cr_expect(not(vmadj_urge_now(&urge, &figures, 11.25)));
}

Test(agent_urge, quiet_is_not_urgent)
{
	figures.major_faults += 1000;
	figures.disk_read_bytes += 1 << 30;
	cr_expect(not(vmadj_urge_now(&urge, &figures, 11.25)));
}

Test(agent_urge, stalls_oom_kills_and_swapping_are)
{
	uint64_t *const of[] = { &figures.alloc_stalls, &figures.oom_kills, &figures.swap_in_bytes,
				 &figures.swap_out_bytes };

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		++*of[i];
		cr_expect(vmadj_urge_now(&urge, &figures, 11.25), "%zu", i);
		--*of[i];
		cr_expect(not(vmadj_urge_now(&urge, &figures, 11.25)), "%zu", i);
	}
}

Test(agent_urge, once_said_it_is_not_urgent_any_more)
{
	figures.alloc_stalls++;
	vmadj_urge_reported(&urge, &figures, 11.25);
	cr_expect(not(vmadj_urge_now(&urge, &figures, 11.5)));
}

Test(agent_urge, refaults_are_at_more_than_twice_the_rate_of_before)
{
	figures.refaults = 1100 + 50; /* 200 a second */
	cr_expect(not(vmadj_urge_now(&urge, &figures, 11.25)));
	figures.refaults++;
	cr_expect(vmadj_urge_now(&urge, &figures, 11.25));
	cr_expect(not(vmadj_urge_now(&urge, &figures, 11.5)));
}

Test(agent_urge, refaults_after_none_are)
{
	vmadj_urge_reported(&urge, &figures, 12);
	cr_expect(not(vmadj_urge_now(&urge, &figures, 12.25)));
	figures.refaults++;
	cr_expect(vmadj_urge_now(&urge, &figures, 12.25));
}

Test(agent_urge, what_is_not_known_or_goes_back_is_not)
{
	struct vmadj_figures unknown = { .refaults = VMADJ_FIGURE_UNKNOWN,
					 .alloc_stalls = VMADJ_FIGURE_UNKNOWN,
					 .oom_kills = VMADJ_FIGURE_UNKNOWN,
					 .swap_in_bytes = VMADJ_FIGURE_UNKNOWN,
					 .swap_out_bytes = VMADJ_FIGURE_UNKNOWN };

	cr_expect(not(vmadj_urge_now(&urge, &unknown, 11.25)));
	vmadj_urge_reported(&urge, &unknown, 12);
	cr_expect(not(vmadj_urge_now(&urge, &figures, 12.25)));
	figures.refaults = 5;
	vmadj_urge_reported(&urge, &figures, 13);
	figures.refaults = 4;
	cr_expect(not(vmadj_urge_now(&urge, &figures, 13.25)));
}

Test(agent_urge, a_clock_that_stands_still_divides_nothing)
{
	figures.refaults += 1000;
	cr_expect(not(vmadj_urge_now(&urge, &figures, 11)));
}
