// SPDX-License-Identifier: GPL-2.0-only
/* switches.c - what a context switch costs more with the observer */
#include "user/bench/switches.h"

#include <errno.h>
#include <signal.h>

#include "user/bench/rig.h"
#include "user/bench/timing.h"

#define SETTLE_MS   30
#define WINDOWS	    3
#define TRIES	    2 /* times the rounds, when the host is not quiet */
#define QUIET_LEAST 4
#define ENOUGH_RUNS 20 /* fewer in a window say nothing */

static void load_signal(const struct vmadj_bench_switches *load, int signo)
{
	for (unsigned int i = 0; i < load->n; i++)
		(void)kill(load->pids[i], signo);
	if (load->waiting)
		(void)kill(load->waiting, signo);
}

static int tag_all(struct vmadj_bench_rig *rig, const struct vmadj_bench_switches *load)
{
	int err = 0;

	for (unsigned int i = 0; i < load->vms && !err; i++)
		err = vmadj_bench_rig_tag(rig, load->pids[i]);
	if (!err && load->waiting)
		err = vmadj_bench_rig_tag(rig, load->waiting);
	return err;
}

static int add_window(struct vmadj_bench_rig *rig, unsigned int ms, struct vmadj_bench_cost *sum)
{
	struct vmadj_bench_cost cost = { 0 };
	int err = vmadj_bench_sleep_ms(SETTLE_MS);

	if (!err)
		err = vmadj_bench_rig_measure(rig, ms, &cost);
	sum->runs += cost.runs;
	sum->tagged += cost.tagged;
	sum->extra_ns += cost.extra_ns;
	return err == -ENODATA ? 0 : err;
}

/* What a run costs on this host while none of the load runs is known from pauses in between. */
static int add_windows(struct vmadj_bench_rig *rig, const struct vmadj_bench_switches *load,
		       struct vmadj_bench_cost *sum, struct vmadj_bench_cost *rest)
{
	int err = 0;

	for (int i = 0; i < WINDOWS && !err; i++) {
		err = add_window(rig, load->window_ms / WINDOWS, sum);
		if (err || !load->leaves_time)
			continue;
		load_signal(load, SIGSTOP);
		err = add_window(rig, load->window_ms / WINDOWS / 2, rest);
		load_signal(load, SIGCONT);
	}
	return err;
}

/* One round: what a switch cost, and whether the host was quiet enough to tell. */
struct round {
	double ns;
	bool quiet;
};

static int measure(struct vmadj_bench_rig *rig, const struct vmadj_bench_switches *load,
		   struct round *ret_round)
{
	struct vmadj_bench_cost sum = { 0 }, rest = { 0 };
	double others, rest_ns;
	int err = add_windows(rig, load, &sum, &rest);

	if (err)
		return err;
	rest_ns = rest.runs >= ENOUGH_RUNS ? rest.extra_ns / rest.runs : 0;
	others = sum.runs - sum.tagged;
	if (!load->vms && sum.runs >= ENOUGH_RUNS) {
		*ret_round = (struct round){ sum.extra_ns / sum.runs, true };
	} else if (sum.tagged >= ENOUGH_RUNS) {
		*ret_round = (struct round){ (sum.extra_ns - rest_ns * others) / sum.tagged,
					     others < sum.tagged };
	} else {
		return -ENODATA;
	}
	return 0;
}

static int measure_round(bool empty_first, const struct vmadj_bench_switches *load,
			 struct round *ret_round)
{
	struct vmadj_bench_rig rig;
	int err = vmadj_bench_rig_open(empty_first, &rig);

	if (err)
		return err;
	err = tag_all(&rig, load);
	if (!err)
		err = measure(&rig, load, ret_round);
	vmadj_bench_rig_close(&rig);
	return err;
}

/* Rounds in which others switched more than the VMs do not count. */
int vmadj_bench_switches(const struct vmadj_bench_switches *load,
			 struct vmadj_bench_switch_cost *ret_cost)
{
	struct vmadj_bench_switch_cost cost = { 0 };
	unsigned int last = load->rounds * TRIES;

	for (unsigned int i = 0; i < last && cost.quiet.n < load->rounds; i++) {
		struct round round;
		/* The orders 0 1 1 0: about as many of each among those that count. */
		int err = measure_round((i + 1) / 2 % 2, load, &round);

		if (err)
			return err;
		vmadj_bench_series_add(&cost.all, round.ns);
		if (round.quiet)
			vmadj_bench_series_add(&cost.quiet, round.ns);
	}
	*ret_cost = cost;
	return cost.quiet.n < QUIET_LEAST && cost.quiet.n < load->rounds ? -EBUSY : 0;
}
