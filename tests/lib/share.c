// SPDX-License-Identifier: GPL-2.0-only
/* share.c - how two busy VMs on one CPU divide it, against what the kernel's weights say */
#include "tests/lib/share.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "tests/lib/truth.h"
#include "user/actuate/cpu.h"

#define TOLERATED_PCT 5.0
#define SETTLE_S      0.5
#define STEP_S	      2.5
#define STEPS_MIN     2
#define STEPS_MAX     12
#define TRIES	      3

/* The small part is made of whole time slices of some ms: that many of them. */
#define SMALL_NS 220000000

static double now_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

void vmadj_share_serve(sd_event *event, double seconds)
{
	double end_s = now_s() + seconds;

	while (now_s() < end_s) {
		if (sd_event_run(event, 100000) < 0)
			cr_fatal("the event loop failed");
	}
}

/* The first one's part of what both ran, in per cent. */
static double measure_pct(sd_event *event, const pid_t pids[2])
{
	uint64_t from[2], ran[2] = { 0 };

	vmadj_share_serve(event, SETTLE_S);
	for (int i = 0; i < 2; i++)
		from[i] = vmadj_truth_process(pids[i]).run_ns;
	for (int step = 0; step < STEPS_MAX; step++) {
		if (step >= STEPS_MIN && ran[0] >= SMALL_NS && ran[1] >= SMALL_NS)
			break;
		vmadj_share_serve(event, STEP_S);
		for (int i = 0; i < 2; i++)
			ran[i] = vmadj_truth_process(pids[i]).run_ns - from[i];
	}
	return 100.0 * (double)ran[0] / (double)(ran[0] + ran[1]);
}

/* By how much a part is off what it should be, in per cent of that. */
static double off_pct(double is, double should)
{
	return 100.0 * fabs(is - should) / should;
}

/*
 * An emulated CPU that stands still for half a second is half a second that the small one
 * has had, and does not get again for five: what is off is measured once more.
 */
void vmadj_share_check(sd_event *event, const char *what, const pid_t pids[2], int nice)
{
	double weight = vmadj_nice_to_weight(nice), off = INFINITY;
	double should = 100.0 * weight / (weight + vmadj_nice_to_weight(0));

	for (int i = 0; i < TRIES && off > TOLERATED_PCT; i++) {
		double is = measure_pct(event, pids);
		double one = off_pct(is, should), other = off_pct(100 - is, 100 - should);

		off = fmax(one, other);
		(void)fprintf(stderr,
			      "%s nice %d: %.2f %% of the CPU, by weight %.2f %%: off by %.2f "
			      "points, %.1f %% of its part, %.1f %% of the other's\n",
			      what, nice, is, should, fabs(is - should), one, other);
	}
	cr_expect(le(dbl, off, TOLERATED_PCT), "%s nice %d", what, nice);
}
