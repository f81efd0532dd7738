/* SPDX-License-Identifier: GPL-2.0-only */
/* test_mode.c - to trace or to poll: what auto makes of a host's pace */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <unistd.h>

#include "user/observe/mode.h"

TestSuite(mode, .timeout = 10);

struct mode_case {
	const char *what;
	struct vmadj_pace pace;
	enum vmadj_mode mode;
};

ParameterizedTestParameters(mode, of_a_host)
{
	static struct mode_case cases[] = {
		{ "an idle host", { 500, 200, 4 }, VMADJ_MODE_TRACE },
		/* Polling would cost less, but tracing next to nothing. */
		{ "a busy host", { 200000, 1000, 16 }, VMADJ_MODE_TRACE },
		{ "at the budget", { 100000, 100, 1 }, VMADJ_MODE_TRACE },
		{ "over the budget", { 100001, 100, 1 }, VMADJ_MODE_POLL },
		{ "over that of two CPUs of 64", { 200001, 100, 64 }, VMADJ_MODE_TRACE },
		{ "each CPU is over it", { 6400064, 5000, 64 }, VMADJ_MODE_POLL },
		/* A million tasks: a quarter of a second for each poll. */
		{ "more tasks than switches", { 2000000, 1000000, 8 }, VMADJ_MODE_TRACE },
		{ "nothing is known", { 0, 0, 0 }, VMADJ_MODE_TRACE },
	};

	return cr_make_param_array(struct mode_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(const struct mode_case *c, mode, of_a_host)
{
	cr_assert(eq(int, (int)vmadj_mode_choose(&c->pace), (int)c->mode), "%s", c->what);
}

Test(mode, what_a_poll_would_take_grows_with_the_tasks)
{
	struct vmadj_pace pace;
	double ns = vmadj_mode_poll_ns();

	cr_assert(zero(int, vmadj_pace_measure(&pace)));
	/* A quarter of a microsecond each; tasks may come and go between the two. */
	cr_expect(gt(dbl, ns, 0.25 * 250 * (double)pace.tasks));
	cr_expect(lt(dbl, ns, 4 * 250 * (double)pace.tasks));
}

Test(mode, the_pace_of_this_host_is_measured)
{
	struct vmadj_pace pace = { .switches_per_s = NAN };

	cr_assert(zero(int, vmadj_pace_measure(&pace)));
	/* This process slept meanwhile, and is a task. */
	cr_expect(gt(dbl, pace.switches_per_s, 1));
	cr_expect(lt(dbl, pace.switches_per_s, 1e9));
	cr_expect(ge(u64, pace.tasks, 1));
	cr_expect(eq(u32, pace.cpus, (unsigned int)sysconf(_SC_NPROCESSORS_ONLN)));
}
