// SPDX-License-Identifier: GPL-2.0-only
/*
 * cost_switch.c - what a context switch costs more with the observer
 *
 * The observer's program against an empty one on the same event, in several loads
 * and both orders (meter.h). Of switches that involve a VM's thread, and those
 * alone: how many there were is counted exactly, and what the other switches of the
 * host cost is known from a window in which the VMs are stopped.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "tests/lab/lab.h"
#include "tools/bench/bench.h"
#include "tools/bench/pingpong.h"
#include "tools/bench/rig.h"

#define ROUNDS	    10
#define PROCESSES   2
#define SETTLE_MS   30
#define WINDOWS	    3
#define TRIES	    2 /* times the rounds, when the host is not quiet */
#define QUIET_LEAST 4
#define ENOUGH_RUNS 20 /* fewer in a window say nothing */

/* Some processes on one CPU, and which of them are VMs. */
struct load {
	struct vmadj_bench_row row;
	const char *guest; /* KVM guests with this load; NULL: a ping-pong */
	unsigned int processes;
	unsigned int vms; /* so many of the processes, the first */
	unsigned int rounds, window_ms;
	bool waiting; /* beside them a VM that always waits; its own switches do not count */
};

struct running {
	const struct load *load;
	struct vmadj_bench_pingpong pair;
	struct vmadj_lab_vm *guests[PROCESSES];
	struct vmadj_lab_vm *waiting;
	pid_t pids[PROCESSES];
};

static int start_guests(struct vmadj_bench *bench, const char *load, unsigned int n,
			struct vmadj_lab_vm **ret_vms)
{
	const struct vmadj_lab_kvm want = { .load = load, .pinned = true, .cpu = bench->cpu };
	int err = vmadj_lab_kvm_start_many(&want, ret_vms, n);

	return err ? vmadj_bench_fail(bench, err, "%s", vmadj_lab_why()) : 0;
}

static int load_start(struct vmadj_bench *bench, const struct load *load, struct running *running)
{
	int err = 0;

	running->load = load;
	if (load->waiting)
		err = start_guests(bench, "busy", 1, &running->waiting);
	if (err)
		return err;
	if (load->guest) {
		err = start_guests(bench, load->guest, load->processes, running->guests);
		for (unsigned int i = 0; i < load->processes && !err; i++)
			running->pids[i] = vmadj_lab_vm_pid(running->guests[i]);
		return err;
	}
	err = vmadj_bench_pingpong_start(bench->cpu, &running->pair);
	if (err)
		return vmadj_bench_fail(bench, err, "ping-pong: %s", strerror(-err));
	memcpy(running->pids, running->pair.pid, sizeof(running->pids));
	return 0;
}

static void load_stop(struct running *running)
{
	vmadj_bench_pingpong_stop(&running->pair);
	for (int i = 0; i < PROCESSES; i++)
		vmadj_lab_vm_stop(running->guests[i]);
	vmadj_lab_vm_stop(running->waiting);
}

static void load_signal(const struct running *running, int signo)
{
	for (unsigned int i = 0; i < running->load->processes; i++)
		(void)kill(running->pids[i], signo);
	if (running->waiting)
		(void)kill(vmadj_lab_vm_pid(running->waiting), signo);
}

static int tag_all(struct vmadj_bench_rig *rig, const struct running *running)
{
	int err = 0;

	for (unsigned int i = 0; i < running->load->vms && !err; i++)
		err = vmadj_bench_rig_tag(rig, running->pids[i]);
	if (!err && running->waiting)
		err = vmadj_bench_rig_tag(rig, vmadj_lab_vm_pid(running->waiting));
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
static int add_windows(struct vmadj_bench_rig *rig, const struct running *running,
		       struct vmadj_bench_cost *sum, struct vmadj_bench_cost *rest)
{
	const struct load *load = running->load;
	int err = 0;

	for (int i = 0; i < WINDOWS && !err; i++) {
		err = add_window(rig, load->window_ms / WINDOWS, sum);
		/* A ping-pong leaves no time for others that would count. */
		if (err || !load->guest)
			continue;
		load_signal(running, SIGSTOP);
		err = add_window(rig, load->window_ms / WINDOWS / 2, rest);
		load_signal(running, SIGCONT);
	}
	return err;
}

/* One round: what a switch cost, and whether the host was quiet enough to tell. */
struct round {
	double ns;
	bool quiet;
};

static int measure(struct vmadj_bench_rig *rig, const struct running *running,
		   struct round *ret_round)
{
	struct vmadj_bench_cost sum = { 0 }, rest = { 0 };
	double others, rest_ns;
	int err = add_windows(rig, running, &sum, &rest);

	if (err)
		return err;
	rest_ns = rest.runs >= ENOUGH_RUNS ? rest.extra_ns / rest.runs : 0;
	others = sum.runs - sum.tagged;
	if (!running->load->vms && sum.runs >= ENOUGH_RUNS) {
		*ret_round = (struct round){ sum.extra_ns / sum.runs, true };
	} else if (sum.tagged >= ENOUGH_RUNS) {
		*ret_round = (struct round){ (sum.extra_ns - rest_ns * others) / sum.tagged,
					     others < sum.tagged };
	} else {
		return -ENODATA;
	}
	return 0;
}

static int measure_round(bool empty_first, const struct running *running, struct round *ret_round)
{
	struct vmadj_bench_rig rig;
	int err = vmadj_bench_rig_open(empty_first, &rig);

	if (err)
		return err;
	err = tag_all(&rig, running);
	if (!err)
		err = measure(&rig, running, ret_round);
	vmadj_bench_rig_close(&rig);
	return err;
}

/* Rounds in which others switched more than the VMs do not count. */
static int measure_rounds(struct vmadj_bench *bench, const struct running *running,
			  struct vmadj_bench_series *ret_quiet)
{
	unsigned int rounds = running->load->rounds, last = rounds * TRIES;
	struct vmadj_bench_series all = { 0 }, quiet = { 0 };

	for (unsigned int i = 0; i < last && quiet.n < rounds; i++) {
		struct round round;
		/* The orders 0 1 1 0: about as many of each among those that count. */
		int err = measure_round((i + 1) / 2 % 2, running, &round);

		if (err)
			return vmadj_bench_fail(bench, err, "%s", strerror(-err));
		vmadj_bench_series_add(&all, round.ns);
		if (round.quiet)
			vmadj_bench_series_add(&quiet, round.ns);
	}
	if (quiet.n < QUIET_LEAST && quiet.n < rounds) {
		return vmadj_bench_fail(bench, -EBUSY,
					"others are busy: %.0f ns, median of %zu rounds with them",
					vmadj_bench_series_at(&all, 0.5), all.n);
	}
	*ret_quiet = quiet;
	return 0;
}

static int measure_load(struct vmadj_bench *bench, const struct load *load)
{
	struct vmadj_bench_series series = { 0 };
	struct running running = { 0 };
	int err = load_start(bench, load, &running);

	if (!err)
		err = measure_rounds(bench, &running, &series);
	load_stop(&running);
	if (err == -EBUSY)
		return vmadj_bench_report_lack(bench->report, load->row.what, bench->why);
	return err ? err : vmadj_bench_report_add(bench->report, &load->row, &series);
}

int vmadj_bench_cost_others(struct vmadj_bench *bench)
{
	static const struct load loads[] = {
		{
			.row.what = "switch between two tasks of no VM, beyond an empty program",
			.row.unit = "ns",
			.row.sense = VMADJ_BENCH_AT_MOST,
			.row.bar = 8,
			.processes = 2,
			.rounds = ROUNDS,
			.window_ms = 400,
		},
		{
			.row.what = "  the same while a VM waits for that CPU (all are remembered)",
			.row.unit = "ns",
			.processes = 2,
			.rounds = 4,
			.window_ms = 400,
			.waiting = true,
		},
	};
	int err = 0;

	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]) && !err; i++)
		err = measure_load(bench, &loads[i]);
	return err;
}

int vmadj_bench_cost_vcpu(struct vmadj_bench *bench)
{
	static const struct load loads[] = {
		{
			.row.what = "switch vCPU <-> idle CPU (a KVM guest ticking every ms)",
			.row.unit = "ns",
			.row.sense = VMADJ_BENCH_AT_MOST,
			.row.bar = 100,
			.guest = "tick:1",
			.processes = 1,
			.vms = 1,
			.rounds = ROUNDS,
			.window_ms = 1200,
		},
		{
			.row.what = "switch VM <-> VM at full rate, each wait explained",
			.row.unit = "ns",
			.row.sense = VMADJ_BENCH_AT_MOST,
			.row.bar = 100,
			.processes = 2,
			.vms = 2,
			.rounds = ROUNDS,
			.window_ms = 400,
		},
		{
			.row.what = "switch VM <-> host process at full rate, each wait explained",
			.row.unit = "ns",
			.row.sense = VMADJ_BENCH_AT_MOST,
			.row.bar = 100,
			.processes = 2,
			.vms = 1,
			.rounds = ROUNDS,
			.window_ms = 400,
		},
		{
			.row.what =
				"switch VM <-> VM, two busy KVM guests on one CPU (caches cold)",
			.row.unit = "ns",
			.row.sense = VMADJ_BENCH_AT_MOST,
			.row.bar = 100,
			.guest = "busy",
			.processes = 2,
			.vms = 2,
			.rounds = ROUNDS,
			.window_ms = 1500,
		},
	};
	int err = 0;

	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]) && !err; i++)
		err = measure_load(bench, &loads[i]);
	return err;
}
