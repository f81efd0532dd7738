/* SPDX-License-Identifier: GPL-2.0-only */
/* test_agent_check.c - what one report after the other costs an agent its word, and for how long */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "user/guest/agent_check.h"
#include "user/guest/agent_rates.h"

#define MIB	(1ULL << 20)
#define UNKNOWN VMADJ_GUEST_UNKNOWN
#define BEGIN_S 1000

static struct vmadj_agent_check check;
static struct vmadj_agent_report report;
static double now_s;

static void set_up(void)
{
	now_s = BEGIN_S;
	vmadj_agent_check_init(&check, 1, now_s);
	report = (struct vmadj_agent_report){ .agent = "0000000000000001",
					      .interval_ms = 1000,
					      .guest = vmadj_guest_unknown("agent") };
	report.guest.known = report.guest.cache.known = true;
	report.guest.disk_read_bytes = 0;
}

TestSuite(agent_check, .timeout = 20, .init = set_up);

/* A second later, the next report. */
static bool tell(void)
{
	now_s++;
	report.seq++;
	return vmadj_agent_check_line(&check, now_s) &&
	       vmadj_agent_check_report(&check, now_s, &report);
}

static void expect_why(const char *why, double for_s)
{
	const char *is = vmadj_agent_check_why(&check, now_s);

	cr_expect(eq(str, (char *)(is ? is : ""), (char *)why));
	cr_expect(epsilon_eq(dbl, vmadj_agent_check_until_s(&check) - now_s, for_s, 0.01));
}

/* Until it has its word back. */
static void sit_out(void)
{
	now_s = vmadj_agent_check_until_s(&check) + 0.001;
	cr_assert(eq(ptr, (void *)vmadj_agent_check_why(&check, now_s), NULL));
}

Test(agent_check, a_report_a_second_is_believed_for_ever)
{
	for (int i = 0; i < 10000; i++)
		cr_assert(tell());
	cr_expect(eq(ptr, (void *)vmadj_agent_check_why(&check, now_s), NULL));
}

Test(agent_check, ten_lines_a_second_and_twenty_at_once_are_no_flood)
{
	for (int i = 0; i < 20; i++)
		cr_assert(vmadj_agent_check_line(&check, now_s));
	for (int i = 0; i < 1000; i++) {
		now_s += 0.1001;
		cr_assert(vmadj_agent_check_line(&check, now_s), "%d", i);
	}
}

Test(agent_check, more_is_a_flood_and_costs_a_minute)
{
	for (int i = 0; i < 20; i++)
		cr_assert(vmadj_agent_check_line(&check, now_s));
	cr_expect(not(vmadj_agent_check_line(&check, now_s)));
	expect_why("the agent floods", 60);
	now_s += 59.9;
	cr_expect(ne(ptr, (void *)vmadj_agent_check_why(&check, now_s), NULL));
	sit_out();
	cr_expect(tell());
}

Test(agent_check, bytes_without_lines_are_a_flood_too)
{
	cr_expect(vmadj_agent_check_bytes(&check, now_s, 20 * 4096));
	cr_expect(not(vmadj_agent_check_bytes(&check, now_s, 1)));
	expect_why("the agent floods", 60);
}

Test(agent_check, who_does_it_again_soon_waits_twice_as_long_up_to_a_limit)
{
	double for_s = 10;

	for (int i = 0; i < 15; i++) {
		(void)vmadj_agent_check_refuse(&check, now_s, "x");
		expect_why("x", for_s);
		sit_out();
		now_s++;
		for_s = fmin(2 * for_s, 3600);
	}
	/* That is forgotten, too. */
	now_s += 3 * 3600;
	(void)vmadj_agent_check_refuse(&check, now_s, "x");
	expect_why("x", 10);
}

Test(agent_check, seq_must_rise)
{
	cr_assert(tell());
	report.seq += 100; /* something was lost */
	cr_assert(tell());
	report.seq--;
	cr_expect(not(tell()));
	expect_why("the agent's reports go back in time", 10);
	sit_out();
	cr_expect(tell());
}

Test(agent_check, counts_must_not_go_back)
{
	uint64_t *const counts[] = { &report.guest.cache.accessed_pages,
				     &report.guest.cache.hit_pages,
				     &report.guest.cache.miss_pages,
				     &report.guest.disk_read_bytes,
				     &report.guest.refaults,
				     &report.guest.swap_in_bytes,
				     &report.guest.swap_out_bytes,
				     &report.guest.major_faults,
				     &report.guest.oom_kills,
				     &report.guest.alloc_stalls };

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		set_up();
		*counts[i] = 1000;
		cr_assert(tell());
		cr_assert(tell());
		*counts[i] = 999;
		cr_expect(not(tell()), "count %zu", i);
		cr_expect(eq(str, (char *)check.why, "the agent's counts go back"));
	}
}

Test(agent_check, what_was_told_must_not_be_kept_to_itself)
{
	cr_assert(tell());
	report.guest.cache.known = false;
	cr_expect(not(tell()));
	set_up();
	cr_assert(tell());
	report.guest.disk_read_bytes = UNKNOWN;
	cr_expect(not(tell()));
}

Test(agent_check, another_agent_begins_anew)
{
	report.guest.cache.accessed_pages = 1000;
	cr_assert(tell());
	report.agent[0] = '1';
	report.seq = 0;
	report.guest.cache.accessed_pages = 0;
	cr_expect(tell());
}

Test(agent_check, two_that_alternate_are_two_at_once)
{
	cr_assert(tell());
	report.agent[0] = '1';
	cr_assert(tell());
	report.agent[0] = '0';
	cr_expect(not(tell()));
	expect_why("two agents talk at once", 60);
}

Test(agent_check, three_that_take_turns_are_too)
{
	for (char id = '0'; id < '3'; id++) {
		report.agent[0] = id;
		cr_assert(tell());
		cr_assert(tell());
	}
	report.agent[0] = '0';
	cr_expect(not(tell()));
	expect_why("two agents talk at once", 60);
}

Test(agent_check, an_agent_may_restart_but_not_all_the_time)
{
	unsigned int n = 0;

	/* once in two minutes, for a day */
	for (int i = 0; i < 720; i++) {
		(void)snprintf(report.agent, sizeof(report.agent), "%016x", ++n);
		now_s += 120;
		cr_assert(tell());
	}
	now_s += 120;
	for (int i = 0; i < 5; i++) {
		(void)snprintf(report.agent, sizeof(report.agent), "%016x", ++n);
		cr_assert(tell());
	}
	(void)snprintf(report.agent, sizeof(report.agent), "%016x", ++n);
	cr_expect(not(tell()));
	expect_why("the agent restarts all the time", 60);
}

Test(agent_check, more_accesses_than_a_cpu_can_do)
{
	cr_assert(tell());
	report.guest.cache.accessed_pages += 3 * 8000000; /* a second, and two for being late */
	cr_expect(tell());
	report.guest.cache.accessed_pages += 3 * 8000000 + 1;
	cr_expect(not(tell()));
	expect_why("the agent claims more accesses than this host's CPUs can do", 10);
}

Test(agent_check, a_clock_that_goes_back_stands_still)
{
	cr_assert(tell());
	now_s = 5;
	cr_expect(tell());
	cr_expect(eq(dbl, check.now_s, BEGIN_S + 1));
	now_s = NAN;
	cr_expect(tell());
}

/* --- what the host sees ------------------------------------------------- */

/* So many seconds of it; Return: after how many it was found out, 0: not. */
static int live(int seconds, uint64_t misses, uint64_t disk_bytes, uint64_t host_bytes)
{
	static uint64_t host;

	for (int i = 1; i <= seconds; i++) {
		report.guest.cache.accessed_pages += misses;
		report.guest.cache.miss_pages += misses;
		report.guest.disk_read_bytes += disk_bytes;
		host += host_bytes;
		cr_assert(tell());
		if (!vmadj_agent_check_seen(&check, now_s + 0.1, host))
			return i;
	}
	return 0;
}

#define FOUND_OUT_S 13 /* ten seconds, and a look at either end of them */

Test(agent_check, misses_without_reads_are_lies)
{
	cr_expect(le(int, live(60, 1000, 0, 0), FOUND_OUT_S));
	expect_why("the agent claims misses that the host saw no reads for", 600.1);
}

Test(agent_check, reads_that_the_host_did_not_see_are_lies)
{
	int found_s = live(60, 0, 4 * MIB, MIB / 2);

	cr_expect(gt(int, found_s, 10));
	cr_expect(le(int, found_s, FOUND_OUT_S));
	cr_expect(eq(str, (char *)check.why, "the agent claims reads that the host did not see"));
}

Test(agent_check, reads_that_it_does_not_admit_are_lies)
{
	int found_s = live(60, 10, 40960, 4 * MIB);

	cr_expect(gt(int, found_s, 10));
	cr_expect(le(int, found_s, FOUND_OUT_S));
	cr_expect(eq(str, (char *)check.why, "the host saw reads that the agent does not admit"));
}

Test(agent_check, a_liar_waits_ten_minutes_and_up_to_a_day)
{
	for (double for_s = 600; for_s < 86400; for_s *= 2) {
		cr_assert(gt(int, live(60, 1000, 0, 0), 0));
		cr_expect(epsilon_eq(dbl, vmadj_agent_check_until_s(&check) - now_s, for_s, 0.2));
		sit_out();
	}
	cr_assert(gt(int, live(60, 1000, 0, 0), 0));
	cr_expect(epsilon_eq(dbl, vmadj_agent_check_until_s(&check) - now_s, 86400, 0.2));
}

Test(agent_check, restarting_does_not_hide_lies_for_ever)
{
	int n = 0, found_s = 0;

	for (; n < 100 && !check.why; n++) {
		(void)snprintf(report.agent, sizeof(report.agent), "%016x", n + 1);
		for (int i = 0; i < 9 && !check.why; i++) {
			found_s++;
			report.guest.cache.miss_pages += 1000;
			report.guest.cache.accessed_pages += 1000;
			(void)tell();
			(void)vmadj_agent_check_seen(&check, now_s, 0);
		}
	}
	cr_expect(lt(int, found_s, 60));
}

Test(agent_check, the_honest_are_not_accused)
{
	cr_expect(zero(int, live(60, 1000, 4096000, 4096000)), "misses");
	cr_expect(zero(int, live(60, 0, 40 * MIB, 40 * MIB)), "past its cache");
	cr_expect(zero(int, live(60, 1000, 4096000, 8192000)), "read ahead by the host");
	cr_expect(zero(int, live(60, 1000, 4096000, 1400000)), "a compressed image");
	cr_expect(zero(int, live(60, 2500, 4096000, 4096000)), "a compressed file system");
	cr_expect(zero(int, live(60, 0, 0, MIB)), "metadata, some of them");
	cr_expect(zero(int, live(60, 0, 0, 0)), "writes");
	cr_expect(zero(int, live(60, 50, 0, 0)), "a few holes in files");
}

/* Bursts between looks, in which one side has told already and the other has not. */
Test(agent_check, a_burst_is_seen_by_both_sides_at_different_times)
{
	uint64_t host = 0;

	for (int i = 0; i < 300; i++) {
		bool burst = i % 37 == 3;

		/* the guest tells, the host looks before it counts; and the other way round */
		report.guest.disk_read_bytes += burst && i % 2 ? 900 * MIB : 0;
		cr_assert(tell());
		host += burst ? 900 * MIB : 0;
		cr_assert(vmadj_agent_check_seen(&check, now_s + 0.5, host), "%d", i);
		report.guest.disk_read_bytes += burst && !(i % 2) ? 900 * MIB : 0;
	}
}

Test(agent_check, a_host_that_cannot_tell_accuses_nobody)
{
	for (int i = 0; i < 60; i++) {
		report.guest.cache.miss_pages += 100000;
		report.guest.cache.accessed_pages += 100000;
		cr_assert(tell());
		cr_assert(vmadj_agent_check_seen(&check, now_s, i % 9 ? 0 : UNKNOWN));
	}
}

/* --- rates -------------------------------------------------------------- */

Test(agent_check, rates_are_of_the_last_two_reports)
{
	struct vmadj_agent_rates rates = { .known = false };
	struct vmadj_guest_cache *cache = &report.guest.cache;

	report.guest.cached_bytes = 100 * 4096;
	vmadj_agent_rates_add(&rates, 1, &report);
	cr_expect(isnan(cache->hit_pct));
	cr_expect(isnan(cache->efficiency));
	cache->accessed_pages = 400;
	cache->hit_pages = 300;
	vmadj_agent_rates_add(&rates, 3, &report);
	cr_expect(eq(dbl, cache->hit_pct, 75));
	cr_expect(eq(dbl, cache->efficiency, 1.5)); /* 150 a second on 100 pages */
	/* too close to divide by */
	cache->hit_pct = cache->efficiency = NAN;
	cache->accessed_pages = cache->hit_pages = 500;
	vmadj_agent_rates_add(&rates, 3.01, &report);
	cr_expect(eq(dbl, cache->efficiency, 1.5));
	vmadj_agent_rates_add(&rates, 4, &report);
	cr_expect(eq(dbl, cache->efficiency, 2));
	/* no access, and no cache */
	vmadj_agent_rates_add(&rates, 5, &report);
	cr_expect(isnan(cache->hit_pct));
	cr_expect(eq(dbl, cache->efficiency, 0));
	report.guest.cached_bytes = 0;
	vmadj_agent_rates_add(&rates, 6, &report);
	cr_expect(isnan(cache->efficiency));
	/* another agent */
	report.agent[0] = 'f';
	report.guest.cached_bytes = 100 * 4096;
	cache->hit_pct = cache->efficiency = NAN;
	vmadj_agent_rates_add(&rates, 7, &report);
	cr_expect(isnan(cache->efficiency));
}
