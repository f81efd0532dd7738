/* SPDX-License-Identifier: GPL-2.0-only */
/* test_cost.c - what follows from what observing costs, and what processes cost */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/daemon/cost_judge.h"
#include "user/daemon/cost_processes.h"

TestSuite(cost, .timeout = 20);

/* --- the decision ------------------------------------------------------- */

/* In the second measurement above the budget. */
struct cost_case {
	const char *what;
	struct vmadj_cost_figures figures;
	enum vmadj_cost_verdict verdict;
};

ParameterizedTestParameters(cost, after_two_measurements)
{
	/* budget, programs, of these tracing, processes, polling instead; polls, must trace */
	static struct cost_case cases[] = {
		{ "within", { 2, 1, 0.9, 0.5, 0.1, false, false }, VMADJ_COST_FINE },
		{ "just within", { 2, 1.5, 1, 0.5, 0.1, false, false }, VMADJ_COST_FINE },
		{ "no budget", { INFINITY, 90, 90, 90, 0.1, false, false }, VMADJ_COST_FINE },
		{ "tracing costs most",
		  { 2, 3, 2.9, 0.5, 0.1, false, false },
		  VMADJ_COST_FALL_BACK },
		{ "tracing costs more than polling",
		  { 2, 0.2, 0.15, 3, 0.1, false, false },
		  VMADJ_COST_FALL_BACK },
		{ "only the sum is above",
		  { 2, 1.5, 1.4, 1, 0.1, false, false },
		  VMADJ_COST_FALL_BACK },
		{ "polling costs as much",
		  { 2, 0.2, 0.1, 3, 0.1, false, false },
		  VMADJ_COST_NO_WAY },
		{ "it must trace", { 2, 3, 2.9, 0.5, 0.1, false, true }, VMADJ_COST_MUST_TRACE },
		{ "it must trace, and polling costs more",
		  { 2, 3, 0.1, 0.5, 0.2, false, true },
		  VMADJ_COST_NO_WAY },
		{ "it polls", { 2, 0.1, NAN, 5, 0.1, true, false }, VMADJ_COST_NO_WAY },
		{ "programs are not known, processes within",
		  { 2, NAN, NAN, 1.9, 0.1, false, false },
		  VMADJ_COST_FINE },
		{ "programs are not known, processes above",
		  { 2, NAN, NAN, 2.1, 0.1, false, false },
		  VMADJ_COST_NO_WAY },
		{ "what polling costs is not known",
		  { 2, 3, 2.9, 0.5, NAN, false, false },
		  VMADJ_COST_NO_WAY },
		{ "processes are not known",
		  { 2, 3, 2.9, NAN, 0.1, false, false },
		  VMADJ_COST_FALL_BACK },
		{ "nothing is known", { 2, NAN, NAN, NAN, NAN, false, false }, VMADJ_COST_FINE },
	};

	return cr_make_param_array(struct cost_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(const struct cost_case *c, cost, after_two_measurements)
{
	struct vmadj_cost_judge judge = { 0 };

	cr_expect(eq(int, (int)vmadj_cost_judge(&judge, &c->figures), (int)VMADJ_COST_FINE), "%s",
		  c->what);
	cr_expect(eq(int, (int)vmadj_cost_judge(&judge, &c->figures), (int)c->verdict), "%s",
		  c->what);
}

static const struct vmadj_cost_figures within = { 2, 1, 0.9, 0.5, 0.1, false, false };
static const struct vmadj_cost_figures above = { 2, 3, 2.9, 0.5, 0.1, false, true };
static const struct vmadj_cost_figures no_way = { 2, 3, 0.05, 0.5, 0.1, false, true };

static int judged(struct vmadj_cost_judge *judge, const struct vmadj_cost_figures *figures)
{
	return (int)vmadj_cost_judge(judge, figures);
}

Test(cost, one_within_the_budget_between_begins_anew)
{
	struct vmadj_cost_judge judge = { 0 };

	for (int i = 0; i < 5; i++) {
		cr_expect(eq(int, judged(&judge, &above), VMADJ_COST_FINE));
		cr_expect(eq(int, judged(&judge, &within), VMADJ_COST_FINE));
	}
	cr_expect(eq(int, judged(&judge, &above), VMADJ_COST_FINE));
	cr_expect(eq(int, judged(&judge, &above), VMADJ_COST_MUST_TRACE));
}

Test(cost, is_said_once_until_it_was_within_the_budget)
{
	struct vmadj_cost_judge judge = { 0 };

	(void)judged(&judge, &above);
	cr_expect(eq(int, judged(&judge, &above), VMADJ_COST_MUST_TRACE));
	for (int i = 0; i < 5; i++)
		cr_expect(eq(int, judged(&judge, &above), VMADJ_COST_FINE));
	cr_expect(eq(u32, judge.over, 7));
	(void)judged(&judge, &within);
	cr_expect(zero(u32, judge.over));
	(void)judged(&judge, &above);
	cr_expect(eq(int, judged(&judge, &above), VMADJ_COST_MUST_TRACE));
}

/* What helps nothing now may help later. */
Test(cost, falls_back_as_soon_as_that_helps)
{
	struct vmadj_cost_figures helps = above;
	struct vmadj_cost_judge judge = { 0 };

	helps.must_trace = false;
	(void)judged(&judge, &no_way);
	cr_expect(eq(int, judged(&judge, &no_way), VMADJ_COST_NO_WAY));
	cr_expect(eq(int, judged(&judge, &no_way), VMADJ_COST_FINE));
	cr_expect(eq(int, judged(&judge, &helps), VMADJ_COST_FALL_BACK));
}

/* --- processes ---------------------------------------------------------- */

static pid_t start_child(bool busy)
{
	pid_t pid = fork();

	cr_assert(ge(int, pid, 0));
	if (pid)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (busy)
		;
	for (;;)
		(void)pause();
}

static void end_child(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

static double cpu_s(pid_t pid)
{
	struct timespec ts;
	clockid_t clock;

	cr_assert(zero(int, clock_getcpuclockid(pid, &clock)));
	(void)clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

Test(cost, of_processes_is_what_they_used_meanwhile)
{
	struct vmadj_cost_processes list = { 0 };
	pid_t busy = start_child(true), idle = start_child(false);
	double before_s, at_s, used_s;

	(void)usleep(100000); /* what was used before counts for nothing */
	vmadj_cost_processes_meet(&list, "busy", busy);
	before_s = cpu_s(busy);
	vmadj_cost_processes_meet(&list, "idle", idle);
	vmadj_cost_processes_meet(&list, "none", 0);
	cr_assert(eq(sz, list.n, 2));
	cr_expect(isnan(list.process[0].cpu_pct));
	cr_expect(isnan(vmadj_cost_processes_pct(&list)));
	cr_expect(eq(u64, list.process[0].rss_bytes, UINT64_MAX));
	at_s = list.process[0].at_s;
	(void)usleep(500000);
	vmadj_cost_processes_meet(&list, "busy", busy);
	vmadj_cost_processes_look(&list);
	used_s = cpu_s(busy) - before_s;
	cr_assert(eq(sz, list.n, 2));
	/* However little the machine left to it. */
	cr_expect(le(dbl, list.process[0].cpu_pct,
		     used_s / (list.process[0].at_s - at_s) * 100 + 0.001));
	cr_expect(gt(dbl, list.process[0].cpu_pct, 0.1));
	cr_expect(lt(dbl, list.process[1].cpu_pct, 1));
	cr_expect(gt(u64, list.process[1].rss_bytes, 4095));
	cr_expect(epsilon_eq(dbl, vmadj_cost_processes_pct(&list),
			     list.process[0].cpu_pct + list.process[1].cpu_pct, 1e-9));
	end_child(busy);
	end_child(idle);
	vmadj_cost_processes_clear(&list);
	cr_expect(zero(sz, list.n));
}

Test(cost, of_a_process_that_has_ended_is_left_out)
{
	struct vmadj_cost_processes list = { 0 };
	pid_t brief = start_child(false);

	vmadj_cost_processes_meet(&list, "brief", brief);
	vmadj_cost_processes_meet(&list, "this", getpid());
	end_child(brief);
	vmadj_cost_processes_look(&list);
	cr_assert(eq(sz, list.n, 1));
	cr_expect(eq(str, list.process[0].what, "this"));
	cr_expect(eq(int, list.process[0].pid, getpid()));
	vmadj_cost_processes_clear(&list);
}
