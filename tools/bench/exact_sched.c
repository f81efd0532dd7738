// SPDX-License-Identifier: GPL-2.0-only
/*
 * exact_sched.c - run time and waiting of vCPUs, against what the kernel counts
 *
 * sched: a mix of VMs for ten seconds, each vCPU against /proc/PID/task/TID/schedstat.
 * share: two busy VMs on one CPU, each against the half that it must get, wait and
 * lay to the other.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/lab/lab.h"
#include "tools/bench/bench.h"
#include "tools/bench/watch.h"
#include "user/util/file.h"

#define MIXED	     7
#define SETTLE_MS    1000
#define MIXED_MS     10000
#define SHARE_MS     1000
#define SHARE_VALUES 12 /* of both VMs, in quiet intervals */
#define SHARE_TRIES  16
#define QUIET_PCT    98.5
#define HALF_PCT     50

/*
 * Half a percent or 1 ms is allowed, whatever is more: 1 ms is half a percent of
 * this, so a deviation in percent of at least this says both in one figure.
 */
#define LEAST_NS 200e6

struct counts {
	pid_t tid;
	uint64_t run_ns, wait_ns;
};

static int read_kernel(pid_t pid, struct counts *counts)
{
	char path[64], text[128];

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", pid, counts->tid);
	if (vmadj_file_read(AT_FDCWD, path, text, sizeof(text)) < 0 ||
	    sscanf(text, "%" SCNu64 " %" SCNu64, &counts->run_ns, &counts->wait_ns) != 2)
		return -ESRCH;
	return 0;
}

static int read_ours(const struct vmadj_bench_watch *watch, pid_t pid, struct counts *counts)
{
	const struct vmadj_snap_vm *vm = vmadj_bench_watch_vm(watch, pid);

	for (size_t i = 0; vm && i < vm->n_vcpus; i++) {
		if (vm->vcpus[i].tid != counts->tid)
			continue;
		counts->run_ns = vm->vcpus[i].run_ns;
		counts->wait_ns = vm->vcpus[i].wait_ns;
		return 0;
	}
	return -ESRCH;
}

struct deviations {
	struct vmadj_bench_series run, wait;
};

/* One vCPU at the beginning and at the end. */
struct pair {
	struct counts ours[2], kernel[2];
};

static int read_all(struct vmadj_bench *bench, const struct vmadj_bench_watch *watch,
		    struct vmadj_lab_vm *const *vms, int when, struct pair *pairs)
{
	int err = 0;

	for (size_t i = 0; i < MIXED && !err; i++) {
		pid_t pid = vmadj_lab_vm_pid(vms[i]), tid = vmadj_lab_vm_vcpu_tid(vms[i], 0);

		pairs[i].ours[when].tid = tid;
		pairs[i].kernel[when].tid = tid;
		err = read_kernel(pid, &pairs[i].kernel[when]);
		if (!err)
			err = read_ours(watch, pid, &pairs[i].ours[when]);
		if (err)
			err = vmadj_bench_fail(bench, err, "VM %d is not in the sample", pid);
	}
	return err;
}

static double deviation_pct(uint64_t ours, uint64_t kernel)
{
	double apart = ours > kernel ? (double)(ours - kernel) : (double)(kernel - ours);

	return 100 * apart / ((double)kernel > LEAST_NS ? (double)kernel : LEAST_NS);
}

static int mixed_start(struct vmadj_bench *bench, struct vmadj_lab_vm **ret_vms)
{
	const struct vmadj_lab_kvm wants[MIXED] = {
		{ .load = "busy", .pinned = true, .cpu = bench->cpu },
		{ .load = "mix", .pinned = true, .cpu = bench->cpu },
		{ .load = "short:3", .pinned = true, .cpu = bench->cpu },
		{ .load = "busy" },
		{ .load = "mix" },
		{ .load = "tick:5" },
		{ .load = "spin-user" },
	};
	int err = 0;

	for (size_t i = 0; i < MIXED && !err; i++)
		err = vmadj_lab_kvm_start(&wants[i], &ret_vms[i]);
	return err ? vmadj_bench_fail(bench, err, "%s", vmadj_lab_why()) : 0;
}

static int mixed_measure(struct vmadj_bench *bench, struct vmadj_lab_vm *const *vms,
			 struct deviations *deviations)
{
	struct vmadj_bench_watch watch;
	struct pair pairs[MIXED];
	int err = vmadj_bench_watch_open(&watch);

	if (err)
		return err;
	err = vmadj_bench_watch_sample(&watch, SETTLE_MS);
	if (!err)
		err = read_all(bench, &watch, vms, 0, pairs);
	if (!err)
		err = vmadj_bench_watch_sample(&watch, MIXED_MS);
	if (!err)
		err = read_all(bench, &watch, vms, 1, pairs);
	for (size_t i = 0; i < MIXED && !err; i++) {
		const struct counts *ours = pairs[i].ours, *kernel = pairs[i].kernel;

		vmadj_bench_series_add(&deviations->run,
				       deviation_pct(ours[1].run_ns - ours[0].run_ns,
						     kernel[1].run_ns - kernel[0].run_ns));
		vmadj_bench_series_add(&deviations->wait,
				       deviation_pct(ours[1].wait_ns - ours[0].wait_ns,
						     kernel[1].wait_ns - kernel[0].wait_ns));
	}
	vmadj_bench_watch_close(&watch);
	return err;
}

int vmadj_bench_exact_sched(struct vmadj_bench *bench)
{
	static const struct vmadj_bench_row run = {
		.what = "run time of a vCPU against the kernel's, 10 s of mixed load",
		.unit = "%",
		.sense = VMADJ_BENCH_AT_MOST,
		.bar = 0.5,
		.worst = true,
	};
	static const struct vmadj_bench_row wait = {
		.what = "waiting of a vCPU against the kernel's (1 ms is 0.5 %)",
		.unit = "%",
		.sense = VMADJ_BENCH_AT_MOST,
		.bar = 0.5,
		.worst = true,
	};
	struct vmadj_lab_vm *vms[MIXED] = { NULL };
	struct deviations deviations = { 0 };
	int err = mixed_start(bench, vms);

	if (!err)
		err = mixed_measure(bench, vms, &deviations);
	vmadj_lab_stop_many(vms, MIXED);
	if (!err)
		err = vmadj_bench_report_add(bench->report, &run, &deviations.run);
	return err ? err : vmadj_bench_report_add(bench->report, &wait, &deviations.wait);
}

struct shares {
	struct vmadj_bench_series use, wait, laid;
};

/* One of the two VMs, at the last sample. */
struct sharer {
	pid_t pid;
	const char *name;
	struct counts kernel;
	uint64_t laid_ns; /* to the other one */
};

/* One interval of both. */
struct shared {
	double use_pct[2], wait_pct[2], laid_ns[2], run_ns[2];
	double kernel_pct; /* what both ran, of the CPU, as the kernel says */
};

/* How long @vm has waited for VM @name. */
static uint64_t waited_ns(const struct vmadj_snap_vm *vm, const char *name)
{
	for (size_t i = 0; i < vm->cpu.n_waited; i++) {
		const char *who = vm->cpu.waited_for[i].who;

		if (!strncmp(who, "vm:", 3) && !strcmp(who + 3, name))
			return vm->cpu.waited_for[i].wait_ns;
	}
	return 0;
}

static int share_read(const struct vmadj_bench_watch *watch, struct sharer *sharers,
		      struct shared *ret_shared)
{
	struct shared shared = { .kernel_pct = 0 };

	for (int i = 0; i < 2; i++) {
		const struct vmadj_snap_vm *vm = vmadj_bench_watch_vm(watch, sharers[i].pid);
		uint64_t ran_ns = sharers[i].kernel.run_ns, laid_ns;

		if (!vm || !vm->cpu.known || read_kernel(sharers[i].pid, &sharers[i].kernel))
			return -ESRCH;
		laid_ns = waited_ns(vm, sharers[!i].name);
		shared.use_pct[i] = vm->cpu.usage_pct;
		shared.wait_pct[i] = vm->cpu.wait_pct;
		shared.laid_ns[i] = (double)(laid_ns - sharers[i].laid_ns);
		shared.run_ns[i] = (double)vm->delta.run_ns;
		shared.kernel_pct += 100 * (double)(sharers[i].kernel.run_ns - ran_ns) / 1e9 /
				     watch->snapshot->interval_s;
		sharers[i].laid_ns = laid_ns;
	}
	*ret_shared = shared;
	return 0;
}

/*
 * While one runs the other waits for it: what is laid to a VM is what that VM ran.
 * Intervals in which somebody else had that CPU say nothing of halves.
 */
static void share_add(const struct shared *shared, struct shares *shares)
{
	for (int i = 0; i < 2; i++) {
		double laid = shared->laid_ns[i], ran = shared->run_ns[!i];

		vmadj_bench_series_add(&shares->laid, 100 * fmin(laid, ran) / fmax(laid, ran));
		if (shared->kernel_pct < QUIET_PCT)
			continue;
		vmadj_bench_series_add(&shares->use, fabs(shared->use_pct[i] - HALF_PCT));
		vmadj_bench_series_add(&shares->wait, fabs(shared->wait_pct[i] - HALF_PCT));
	}
}

static int share_measure(struct vmadj_bench *bench, struct sharer *sharers, struct shares *shares)
{
	struct vmadj_bench_watch watch;
	struct shared shared;
	int err = vmadj_bench_watch_open(&watch);

	if (err)
		return err;
	for (int i = 0; i <= SHARE_TRIES && shares->use.n < SHARE_VALUES && !err; i++) {
		err = vmadj_bench_watch_sample(&watch, SHARE_MS);
		if (!err)
			err = share_read(&watch, sharers, &shared);
		if (!err && i)
			share_add(&shared, shares);
	}
	vmadj_bench_watch_close(&watch);
	return err == -ESRCH ? vmadj_bench_fail(bench, err, "a VM is not in the sample") : err;
}

static int share_report(struct vmadj_bench *bench, const struct shares *shares)
{
	static const struct vmadj_bench_row rows[] = {
		{ "two busy VMs on one CPU: use of each, apart from 50 %", "%", VMADJ_BENCH_AT_MOST,
		  2, false },
		{ "two busy VMs on one CPU: waiting of each, apart from 50 %", "%",
		  VMADJ_BENCH_AT_MOST, 2, false },
		{ "two busy VMs on one CPU: waiting laid to the other by name", "%",
		  VMADJ_BENCH_AT_LEAST, 95, false },
	};
	const struct vmadj_bench_series *series[] = { &shares->use, &shares->wait, &shares->laid };
	int err = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && !err; i++) {
		if (series[i]->n) {
			err = vmadj_bench_report_add(bench->report, &rows[i], series[i]);
		} else {
			err = vmadj_bench_report_lack(bench->report, rows[i].what,
						      "others never left that CPU alone");
		}
	}
	return err;
}

int vmadj_bench_exact_share(struct vmadj_bench *bench)
{
	const struct vmadj_lab_kvm want = { .load = "busy", .pinned = true, .cpu = bench->cpu };
	struct vmadj_lab_vm *vms[2] = { NULL };
	struct sharer sharers[2] = { 0 };
	struct shares shares = { 0 };
	int err = vmadj_lab_kvm_start_many(&want, vms, 2);

	if (err)
		return vmadj_bench_fail(bench, err, "%s", vmadj_lab_why());
	for (int i = 0; i < 2; i++) {
		sharers[i].pid = vmadj_lab_vm_pid(vms[i]);
		sharers[i].name = vmadj_lab_vm_name(vms[i]);
		sharers[i].kernel.tid = vmadj_lab_vm_vcpu_tid(vms[i], 0);
	}
	err = share_measure(bench, sharers, &shares);
	vmadj_lab_stop_many(vms, 2);
	return err ? err : share_report(bench, &shares);
}
