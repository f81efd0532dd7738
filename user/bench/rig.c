// SPDX-License-Identifier: GPL-2.0-only
/* rig.c - the observer's programs beside an empty one, and only chosen processes taken for VMs */
#include "user/bench/rig.h"

#include <errno.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "user/bench/timing.h"
#include "user/observe/life.h"
#include "user/observe/observer.h"
#include "user/observe/parts.h"
#include "user/observe/sched.h"
#include "user/util/process.h"

struct reading {
	struct vmadj_bench_spent ours, empty;
	uint64_t tagged;
};

static int open_observer(struct vmadj_bench_rig *rig)
{
	const struct vmadj_observer_options options = { .mode = VMADJ_MODE_TRACE,
							.self_test = false };
	const struct bpf_program *program;
	const struct bpf_object *object;
	const struct bpf_map *tags;
	int err = vmadj_observer_open(&options, &rig->observer);

	if (err)
		return err;
	if (!vmadj_observer_running(rig->observer))
		return -ENOTSUP;
	object = vmadj_sched_object(vmadj_observer_sched(rig->observer));
	program = bpf_object__find_program_by_name(object, "sched_switch");
	tags = bpf_object__find_map_by_name(object, "life_task");
	if (!program || !tags)
		return -ENOENT;
	rig->sched_switch = bpf_program__fd(program);
	rig->tags = bpf_map__fd(tags);
	return 0;
}

static int open_all(struct vmadj_bench_rig *rig, bool empty_first)
{
	int err = empty_first ? vmadj_bench_empty_open(&rig->empty) : 0;

	if (!err)
		err = open_observer(rig);
	if (!err && !empty_first)
		err = vmadj_bench_empty_open(&rig->empty);
	if (!err)
		err = vmadj_bench_tally_open(rig->tags, &rig->tally);
	if (err)
		return err;
	rig->stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	return rig->stats < 0 ? rig->stats : 0;
}

int vmadj_bench_rig_open(bool empty_first, struct vmadj_bench_rig *ret_rig)
{
	struct vmadj_bench_rig rig = { .stats = -1 };
	int err;

	rig.empty = VMADJ_BENCH_NO_PROGRAM;
	rig.tally = VMADJ_BENCH_NO_PROGRAM;
	err = open_all(&rig, empty_first);
	if (err) {
		vmadj_bench_rig_close(&rig);
	} else {
		*ret_rig = rig;
	}
	return err;
}

void vmadj_bench_rig_close(struct vmadj_bench_rig *rig)
{
	if (rig->stats >= 0)
		(void)close(rig->stats);
	rig->stats = -1;
	vmadj_bench_program_close(&rig->tally);
	vmadj_bench_program_close(&rig->empty);
	vmadj_observer_close(rig->observer);
	rig->observer = NULL;
}

int vmadj_bench_rig_tag(struct vmadj_bench_rig *rig, pid_t pid)
{
	struct vmadj_life *life = vmadj_observer_life(rig->observer);
	struct vmadj_process process = { .vm = ++rig->vms };
	uint64_t start_ticks;
	int err = vmadj_process_start(pid, &start_ticks);

	process.start_ticks = start_ticks;
	if (!err)
		err = vmadj_life_set_process(life, pid, &process);
	return err ? err : vmadj_life_scan_threads(life, pid, NULL, NULL);
}

static int read_all(const struct vmadj_bench_rig *rig, struct reading *ret_reading)
{
	int err = vmadj_bench_spent(rig->sched_switch, &ret_reading->ours);

	if (!err)
		err = vmadj_bench_spent(rig->empty.prog, &ret_reading->empty);
	return err ? err : vmadj_bench_tally_read(&rig->tally, &ret_reading->tagged);
}

int vmadj_bench_rig_measure(struct vmadj_bench_rig *rig, unsigned int ms,
			    struct vmadj_bench_cost *ret_cost)
{
	struct reading before, after;
	double ours, runs, empty, empty_runs;
	int err = read_all(rig, &before);

	if (!err)
		err = vmadj_bench_sleep_ms(ms);
	if (!err)
		err = read_all(rig, &after);
	if (err)
		return err;
	runs = (double)(after.ours.runs - before.ours.runs);
	ours = (double)(after.ours.time_ns - before.ours.time_ns);
	empty_runs = (double)(after.empty.runs - before.empty.runs);
	empty = (double)(after.empty.time_ns - before.empty.time_ns);
	if (runs < 1 || empty_runs < 1)
		return -ENODATA;
	*ret_cost = (struct vmadj_bench_cost){
		.runs = runs,
		.tagged = (double)(after.tagged - before.tagged),
		.extra_ns = ours - empty / empty_runs * runs,
	};
	return 0;
}
