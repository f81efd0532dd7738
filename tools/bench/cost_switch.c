// SPDX-License-Identifier: GPL-2.0-only
/*
 * cost_switch.c - what a context switch costs more with the observer
 *
 * In several loads, as user/bench/switches.h has it.
 */
#include <errno.h>
#include <string.h>

#include "tests/lab/lab.h"
#include "tools/bench/bench.h"
#include "user/bench/pingpong.h"
#include "user/bench/switches.h"

#define ROUNDS	  10
#define PROCESSES 2

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

static int measure_running(struct vmadj_bench *bench, const struct load *load,
			   const struct running *running, struct vmadj_bench_switch_cost *ret_cost)
{
	const struct vmadj_bench_switches switches = {
		.pids = running->pids,
		.n = load->processes,
		.vms = load->vms,
		.waiting = running->waiting ? vmadj_lab_vm_pid(running->waiting) : 0,
		/* A ping-pong leaves none. */
		.leaves_time = load->guest,
		.rounds = load->rounds,
		.window_ms = load->window_ms,
	};
	int err = vmadj_bench_switches(&switches, ret_cost);

	if (err == -EBUSY) {
		return vmadj_bench_fail(
			bench, err, "others are busy: %.0f ns, median of %zu rounds with them",
			vmadj_bench_series_at(&ret_cost->all, 0.5), ret_cost->all.n);
	}
	return err ? vmadj_bench_fail(bench, err, "%s", strerror(-err)) : 0;
}

static int measure_load(struct vmadj_bench *bench, const struct load *load)
{
	struct vmadj_bench_switch_cost cost = { 0 };
	struct running running = { 0 };
	int err = load_start(bench, load, &running);

	if (!err)
		err = measure_running(bench, load, &running, &cost);
	load_stop(&running);
	if (err == -EBUSY)
		return vmadj_bench_report_lack(bench->report, load->row.what, bench->why);
	return err ? err : vmadj_bench_report_add(bench->report, &load->row, &cost.quiet);
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
