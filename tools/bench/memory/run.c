// SPDX-License-Identifier: GPL-2.0-only
/* run.c - one case, all sides at the same time */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "tools/bench/memory/side.h"

#define SETTLE_MS 4000 /* balloons go to where all begin; daemons meet their VMs */
#define CHECK_MS  500
#define MORE_S	  2 /* guests write a second down when it is over */

static double unix_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Boots one side's guests. They have guards of their own, so this thread need not last. */
struct worker {
	pthread_t thread;
	struct vmadj_exp_place *place;
	struct vmadj_bench bench; /* for the reason */
	bool runs;
	int err;
};

static void *work(void *arg)
{
	struct worker *worker = arg;

	worker->err = vmadj_exp_side_boot(&worker->bench, worker->place);
	return NULL;
}

static int boot(struct vmadj_bench *bench, struct vmadj_exp_place *places, size_t n)
{
	struct worker workers[VMADJ_EXP_SIDES_MAX] = { 0 };
	int err = 0;

	for (size_t i = 0; i < n; i++) {
		workers[i].place = &places[i];
		workers[i].err = -EAGAIN;
		workers[i].runs = !pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	}
	for (size_t i = 0; i < n; i++) {
		if (workers[i].runs)
			(void)pthread_join(workers[i].thread, NULL);
		if (workers[i].err && !err)
			err = vmadj_bench_fail(bench, workers[i].err, "%s", workers[i].bench.why);
	}
	return err;
}

static int begin(struct vmadj_bench *bench, struct vmadj_exp_place *places, size_t n)
{
	int err = boot(bench, places, n);

	if (!err)
		err = vmadj_bench_sleep_ms(SETTLE_MS);
	for (size_t i = 0; i < n && !err; i++)
		err = vmadj_exp_side_serve(bench, &places[i]);
	return err ? err : vmadj_bench_sleep_ms(SETTLE_MS);
}

static int wait(struct vmadj_bench *bench, struct vmadj_exp_place *places, size_t n)
{
	double until_s = unix_s() + places[0].what->end_s + MORE_S;
	int err = 0;

	while (unix_s() < until_s && !err) {
		err = vmadj_bench_sleep_ms(CHECK_MS);
		for (size_t i = 0; i < n && !err; i++)
			err = vmadj_exp_side_check(bench, &places[i]);
	}
	return err;
}

static int measure(struct vmadj_bench *bench, struct vmadj_exp_place *places, size_t n,
		   struct vmadj_exp_result *result)
{
	int err = begin(bench, places, n);
	double start_s = unix_s();

	for (size_t i = 0; i < n && !err; i++)
		err = vmadj_exp_side_go(bench, &places[i]);
	if (!err)
		err = wait(bench, places, n);
	for (size_t i = 0; i < n && !err; i++)
		err = vmadj_exp_side_read(bench, &places[i], start_s, result->track[i]);
	return err;
}

int vmadj_exp_run(struct vmadj_bench *bench, const struct vmadj_exp_case *what,
		  const struct vmadj_exp_side *sides, size_t n, struct vmadj_exp_result *ret_result)
{
	struct vmadj_exp_place places[VMADJ_EXP_SIDES_MAX] = { 0 };
	int err;

	if (n > VMADJ_EXP_SIDES_MAX || what->end_s > VMADJ_EXP_SECONDS_MAX)
		return -E2BIG;
	memset(ret_result, 0, sizeof(*ret_result));
	ret_result->what = what;
	ret_result->n_sides = n;
	for (size_t i = 0; i < n; i++) {
		ret_result->side[i] = &sides[i];
		places[i].what = what;
		places[i].side = &sides[i];
		places[i].index = i;
		places[i].served.socket = -1;
	}
	err = measure(bench, places, n, ret_result);
	for (size_t i = 0; i < n; i++)
		vmadj_exp_side_end(&places[i]);
	return err;
}
