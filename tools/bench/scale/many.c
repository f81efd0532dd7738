// SPDX-License-Identifier: GPL-2.0-only
/*
 * many.c - many VMs, and VMs of many vCPUs: is each seen, and are its figures right
 *
 * Some VMs are stopped twice, which makes the kernel's totals and ours final each time.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lab/lab.h"
#include "tools/bench/scale/scale.h"
#include "tools/bench/watch.h"
#include "user/util/cleanup.h"
#include "user/util/file.h"
#include "user/util/scan.h"

#define LOT_VCPUS 200 /* started at once */
#define RUN_MS	  10000
#define STOP_MS	  500 /* until a stopped VM's threads have left their CPUs */
#define LEAVE	  4   /* a part of so many of the host's memory stays free */
#define WHAT_MAX  128
#define NS_IN_MS  1e6
#define ERROR_PCT 0.5

struct fleet {
	unsigned int vcpus; /* each */
	size_t n;
	size_t lot; /* VMs; of each lot the first one wakes once a second, the others sleep */
	struct vmadj_lab_vm **vm;
};

static bool has_memory(void)
{
	uint64_t total, available;
	const char *at, *line;
	char text[4096];

	if (vmadj_file_read(AT_FDCWD, "/proc/meminfo", text, sizeof(text)) < 0)
		return false;
	at = vmadj_scan_after(text, "MemTotal:");
	line = vmadj_scan_after(text, "MemAvailable:");
	return at && line && vmadj_scan_u64(&at, &total) && vmadj_scan_u64(&line, &available) &&
	       available > total / LEAVE;
}

/* In lots, whose VMs are waited for, while there is memory. */
static int start(struct vmadj_bench *bench, struct vmadj_bench_watch *watch, size_t most,
		 struct fleet *fleet)
{
	const struct vmadj_lab_kvm ticking = { .load = "tick:1000", .vcpus = fleet->vcpus };
	const struct vmadj_lab_kvm idle = { .vcpus = fleet->vcpus };
	int err = 0;

	while (fleet->n < most && has_memory() && !err) {
		size_t n = most - fleet->n < fleet->lot ? most - fleet->n : fleet->lot;

		err = vmadj_lab_kvm_start(&ticking, fleet->vm + fleet->n);
		if (!err) {
			fleet->n++;
			err = vmadj_lab_kvm_start_many(&idle, fleet->vm + fleet->n, n - 1);
		}
		if (err)
			return vmadj_bench_fail(bench, err, "%s", vmadj_lab_why());
		fleet->n += n - 1;
		err = vmadj_bench_watch_serve(watch, 1);
	}
	return err;
}

static double count_seen(const struct vmadj_bench_watch *watch, const struct fleet *fleet)
{
	double seen = 0;

	for (size_t i = 0; i < fleet->n; i++) {
		const struct vmadj_lab_vm *lab = fleet->vm[i];
		const struct vmadj_snap_vm *vm = vmadj_bench_watch_vm(watch, vmadj_lab_vm_pid(lab));
		bool right = vm && vm->cpu.known && vm->n_vcpus == fleet->vcpus;

		for (unsigned int j = 0; j < fleet->vcpus && right; j++)
			right = vm->vcpus[j].tid == vmadj_lab_vm_vcpu_tid(lab, j);
		seen += right;
	}
	return seen;
}

/* All vCPUs of the VM together. */
static uint64_t kernels_run_ns(const struct vmadj_lab_vm *vm, unsigned int vcpus)
{
	uint64_t run_ns, sum_ns = 0;
	char path[64], text[128];
	const char *at;

	for (unsigned int i = 0; i < vcpus; i++) {
		(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat",
			       vmadj_lab_vm_pid(vm), vmadj_lab_vm_vcpu_tid(vm, i));
		at = text;
		if (vmadj_file_read(AT_FDCWD, path, text, sizeof(text)) > 0 &&
		    vmadj_scan_u64(&at, &run_ns))
			sum_ns += run_ns;
	}
	return sum_ns;
}

/* One VM's run time while it was stopped. */
struct stand {
	uint64_t kernels_ns, ours_ns;
	bool still; /* a busy host may let it run on meanwhile */
};

static int stand_still(struct vmadj_bench_watch *watch, const struct fleet *fleet,
		       struct stand *stands)
{
	int err;

	for (size_t i = 0; i < fleet->n; i += fleet->lot)
		(void)kill(vmadj_lab_vm_pid(fleet->vm[i]), SIGSTOP);
	err = vmadj_bench_watch_serve(watch, STOP_MS);
	for (size_t i = 0; i < fleet->n; i += fleet->lot)
		stands[i].kernels_ns = kernels_run_ns(fleet->vm[i], fleet->vcpus);
	if (!err)
		err = vmadj_bench_watch_sample(watch, 0);
	for (size_t i = 0; i < fleet->n; i += fleet->lot) {
		pid_t pid = vmadj_lab_vm_pid(fleet->vm[i]);
		const struct vmadj_snap_vm *vm = err ? NULL : vmadj_bench_watch_vm(watch, pid);

		stands[i].ours_ns = vm ? vm->cpu.run_ns : 0;
		stands[i].still =
			vm && stands[i].kernels_ns == kernels_run_ns(fleet->vm[i], fleet->vcpus);
		(void)kill(pid, SIGCONT);
	}
	return err;
}

/*
 * What ours are off the kernel's between two stands, in per cent, one VM after the other: a VM
 * that is met late counts from then on.
 */
static void compare(const struct fleet *fleet, const struct stand *from, const struct stand *to,
		    struct vmadj_bench_series *off_pct)
{
	for (size_t i = 0; i < fleet->n; i += fleet->lot) {
		double kernels_ns = (double)(to[i].kernels_ns - from[i].kernels_ns);
		double ours_ns = (double)(to[i].ours_ns - from[i].ours_ns);

		if (from[i].still && to[i].still && kernels_ns > 0) {
			vmadj_bench_series_add(off_pct,
					       100 * fabs(ours_ns - kernels_ns) / kernels_ns);
		}
	}
}

struct found {
	struct vmadj_bench_series seen_pct, off_pct, build_ms, lost;
};

static int look(struct vmadj_bench_watch *watch, const struct fleet *fleet, struct found *found)
{
	_cleanup_free_ struct stand *from = calloc(fleet->n, sizeof(*from));
	_cleanup_free_ struct stand *to = calloc(fleet->n, sizeof(*to));
	uint64_t begun;
	int err = from && to ? stand_still(watch, fleet, from) : -ENOMEM;

	if (!err)
		err = vmadj_bench_watch_serve(watch, RUN_MS);
	begun = vmadj_bench_now_ns();
	if (!err)
		err = vmadj_bench_watch_sample(watch, 0);
	if (err)
		return err;
	vmadj_bench_series_add(&found->build_ms, (double)(vmadj_bench_now_ns() - begun) / NS_IN_MS);
	vmadj_bench_series_add(&found->seen_pct, 100 * count_seen(watch, fleet) / (double)fleet->n);
	vmadj_bench_series_add(&found->lost, (double)watch->snapshot->observer.lost_events);
	err = stand_still(watch, fleet, to);
	if (!err)
		compare(fleet, from, to, &found->off_pct);
	return err;
}

static int report(struct vmadj_bench *bench, const struct fleet *fleet, const struct found *found)
{
	struct vmadj_bench_row seen = { .unit = "%", .sense = VMADJ_BENCH_AT_LEAST, .bar = 100 };
	static const struct vmadj_bench_row off = {
		.what = "  run time of some, the worst, off schedstat",
		.unit = "%",
		.sense = VMADJ_BENCH_AT_MOST,
		.bar = ERROR_PCT,
		.worst = true,
	};
	static const struct vmadj_bench_row lost = {
		.what = "  threads and events lost",
		.sense = VMADJ_BENCH_AT_MOST,
		.unit = "",
	};
	static const struct vmadj_bench_row build = {
		.what = "  one sample taken and built",
		.unit = "ms",
	};
	char what[WHAT_MAX];
	int err;

	(void)snprintf(what, sizeof(what), "%zu KVM VMs of %u vCPUs: seen, each with all of them",
		       fleet->n, fleet->vcpus);
	seen.what = what;
	err = vmadj_bench_report_add(bench->report, &seen, &found->seen_pct);
	if (!err)
		err = vmadj_bench_report_add(bench->report, &off, &found->off_pct);
	if (!err)
		err = vmadj_bench_report_add(bench->report, &lost, &found->lost);
	return err ? err : vmadj_bench_report_add(bench->report, &build, &found->build_ms);
}

static int measure(struct vmadj_bench *bench, size_t most, unsigned int vcpus)
{
	_cleanup_free_ struct vmadj_lab_vm **vm = calloc(most, sizeof(struct vmadj_lab_vm *));
	struct fleet fleet = { .vcpus = vcpus, .lot = LOT_VCPUS / vcpus, .vm = vm };
	struct vmadj_bench_watch watch;
	struct found found = { 0 };
	int err = vm ? vmadj_bench_watch_open(&watch) : -ENOMEM;

	if (err)
		return err;
	err = start(bench, &watch, most, &fleet);
	if (!err && !fleet.n)
		err = vmadj_bench_fail(bench, -ENOMEM, "too little memory for any VM");
	if (!err)
		err = look(&watch, &fleet, &found);
	if (!err)
		err = report(bench, &fleet, &found);
	vmadj_lab_stop_many(fleet.vm, fleet.n);
	vmadj_bench_watch_close(&watch);
	return err;
}

int vmadj_bench_scale_vms(struct vmadj_bench *bench)
{
	return measure(bench, 1000, 4);
}

int vmadj_bench_scale_vcpus(struct vmadj_bench *bench)
{
	return measure(bench, 64, 64);
}
