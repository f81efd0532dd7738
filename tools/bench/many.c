// SPDX-License-Identifier: GPL-2.0-only
/*
 * many.c - a thousand VMs: are all seen, and what does a sample cost
 *
 * Samples are timed with an observer in this process; CPU time and memory are those of
 * `vmadjust-bpf dump --json`, once it has started.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/lab.h"
#include "tools/bench/bench.h"
#include "tools/bench/cli.h"
#include "tools/bench/watch.h"
#include "user/util/cleanup.h"
#include "user/util/file.h"

#define VMS	   1000
#define TICKING	   100 /* of these; the others sleep */
#define SAMPLES	   20
#define SAMPLE_MS  100
#define DUMP_S	   20
#define DUMP_START 2 /* samples until it has started */
#define NS_IN_MS   1e6
#define KIB_IN_MIB 1024
#define MEMORY_MIB 64

static int start(struct vmadj_bench *bench, struct vmadj_lab_vm **ret_vms)
{
	static const struct vmadj_lab_kvm ticking = { .load = "tick:100" }, idle = { 0 };
	int err = vmadj_lab_kvm_start_many(&ticking, ret_vms, TICKING);

	if (!err)
		err = vmadj_lab_kvm_start_many(&idle, ret_vms + TICKING, VMS - TICKING);
	return err ? vmadj_bench_fail(bench, err, "%s", vmadj_lab_why()) : 0;
}

static double count_seen(const struct vmadj_bench_watch *watch, struct vmadj_lab_vm *const *vms)
{
	double seen = 0;

	for (size_t i = 0; i < VMS; i++) {
		const struct vmadj_snap_vm *vm =
			vmadj_bench_watch_vm(watch, vmadj_lab_vm_pid(vms[i]));

		seen += vm && vm->cpu.known && vm->n_vcpus == 1 &&
			vm->vcpus[0].tid == vmadj_lab_vm_vcpu_tid(vms[i], 0);
	}
	return seen;
}

struct samples {
	struct vmadj_bench_series seen, build_ms, json_ms;
};

static int sample_once(struct vmadj_bench_watch *watch, struct samples *samples)
{
	uint64_t start = vmadj_bench_now_ns(), built;
	char *text;
	size_t len;
	int err = vmadj_snapshot_build(watch->builder, &watch->snapshot);

	if (err)
		return err;
	built = vmadj_bench_now_ns();
	err = vmadj_snapshot_to_json(watch->snapshot, &text, &len);
	if (err)
		return err;
	free(text);
	vmadj_bench_series_add(&samples->build_ms, (double)(built - start) / NS_IN_MS);
	vmadj_bench_series_add(&samples->json_ms,
			       (double)(vmadj_bench_now_ns() - built) / NS_IN_MS);
	return 0;
}

static int sample(struct vmadj_bench_watch *watch, struct vmadj_lab_vm *const *vms,
		  struct samples *samples)
{
	int err = vmadj_bench_watch_sample(watch, SAMPLE_MS);

	for (int i = 0; i < SAMPLES && !err; i++) {
		err = vmadj_bench_watch_serve(watch, SAMPLE_MS);
		if (!err)
			err = sample_once(watch, samples);
		vmadj_bench_series_add(&samples->seen, count_seen(watch, vms));
	}
	return err;
}

static int report_samples(struct vmadj_bench *bench, const struct samples *samples)
{
	static const struct vmadj_bench_row seen = {
		.what = "1000 KVM VMs: seen, each with its vCPU",
		.unit = "VMs",
		.sense = VMADJ_BENCH_AT_LEAST,
		.bar = VMS,
		.worst = true,
	};
	static const struct vmadj_bench_row build = {
		.what = "1000 KVM VMs: one sample taken and built",
		.unit = "ms",
		.sense = VMADJ_BENCH_AT_MOST,
		.bar = 5,
	};
	static const struct vmadj_bench_row json = {
		.what = "  the same sample written as JSON",
		.unit = "ms",
	};
	int err = vmadj_bench_report_add(bench->report, &seen, &samples->seen);

	if (!err)
		err = vmadj_bench_report_add(bench->report, &build, &samples->build_ms);
	return err ? err : vmadj_bench_report_add(bench->report, &json, &samples->json_ms);
}

static int measure_samples(struct vmadj_bench *bench, struct vmadj_lab_vm *const *vms)
{
	struct samples samples = { 0 };
	struct vmadj_bench_watch watch;
	int err = vmadj_bench_watch_open(&watch);

	if (err)
		return err;
	err = sample(&watch, vms, &samples);
	vmadj_bench_watch_close(&watch);
	return err ? err : report_samples(bench, &samples);
}

/* What its threads have run; it has one. */
static int read_run_ns(pid_t pid, uint64_t *ret_ns)
{
	char path[64], text[128];

	(void)snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	if (vmadj_file_read(AT_FDCWD, path, text, sizeof(text)) < 0 ||
	    sscanf(text, "%" SCNu64, ret_ns) != 1)
		return -ESRCH;
	return 0;
}

static int read_memory_mib(pid_t pid, const char *key, double *ret_mib)
{
	char path[64], text[4096];
	const char *line;
	uint64_t kib;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (vmadj_file_read(AT_FDCWD, path, text, sizeof(text)) < 0)
		return -ESRCH;
	line = strstr(text, key);
	if (!line || sscanf(line + strlen(key), " %" SCNu64, &kib) != 1)
		return -ENODATA;
	*ret_mib = (double)kib / KIB_IN_MIB;
	return 0;
}

struct dump {
	struct vmadj_bench_series second_pct, cpu_pct, resident_mib, peak_mib;
};

static double share_pct(uint64_t run_ns, uint64_t of_ns)
{
	return 100.0 * (double)run_ns / (double)of_ns;
}

/* One interval of dump's: its share of a CPU. */
static int dump_interval(struct vmadj_bench_cli *cli, struct dump *dump)
{
	uint64_t before, after, start = vmadj_bench_now_ns();
	json_t *sample = NULL;
	double mib;
	int err = read_run_ns(cli->pid, &before);

	if (!err)
		err = vmadj_bench_cli_read(cli, &sample);
	json_decref(sample);
	if (!err)
		err = vmadj_bench_sleep_ms(0);
	if (!err)
		err = read_run_ns(cli->pid, &after);
	if (!err)
		err = read_memory_mib(cli->pid, "\nVmRSS:", &mib);
	if (err)
		return err;
	if (dump) {
		vmadj_bench_series_add(&dump->second_pct,
				       share_pct(after - before, vmadj_bench_now_ns() - start));
		vmadj_bench_series_add(&dump->resident_mib, mib);
	}
	return 0;
}

static int report_dump(struct vmadj_bench *bench, const struct dump *dump)
{
	static const struct vmadj_bench_row cpu = {
		.what = "1000 KVM VMs: dump --json at 1 Hz, of one CPU",
		.unit = "%",
		.sense = VMADJ_BENCH_AT_MOST,
		.bar = 2,
	};
	static const struct vmadj_bench_row second = {
		.what = "  its seconds one by one",
		.unit = "%",
	};
	static const struct vmadj_bench_row memory = {
		.what = "1000 KVM VMs: dump --json, resident",
		.unit = "MiB",
		.sense = VMADJ_BENCH_AT_MOST,
		.bar = MEMORY_MIB,
		.worst = true,
	};
	static const struct vmadj_bench_row peak = {
		.what = "  its peak, while it starts",
		.unit = "MiB",
	};
	int err = vmadj_bench_report_add(bench->report, &cpu, &dump->cpu_pct);

	if (!err)
		err = vmadj_bench_report_add(bench->report, &second, &dump->second_pct);
	if (!err)
		err = vmadj_bench_report_add(bench->report, &memory, &dump->resident_mib);
	return err ? err : vmadj_bench_report_add(bench->report, &peak, &dump->peak_mib);
}

static int measure_intervals(struct vmadj_bench_cli *cli, struct dump *dump)
{
	uint64_t before, after, start;
	double peak_mib;
	int err = 0;

	for (int i = 0; i < DUMP_START && !err; i++)
		err = dump_interval(cli, NULL);
	if (!err)
		err = read_run_ns(cli->pid, &before);
	start = vmadj_bench_now_ns();
	for (int i = 0; i < DUMP_S && !err; i++)
		err = dump_interval(cli, dump);
	if (!err)
		err = read_run_ns(cli->pid, &after);
	if (!err)
		err = read_memory_mib(cli->pid, "\nVmHWM:", &peak_mib);
	if (err)
		return err;
	vmadj_bench_series_add(&dump->cpu_pct,
			       share_pct(after - before, vmadj_bench_now_ns() - start));
	vmadj_bench_series_add(&dump->peak_mib, peak_mib);
	return 0;
}

static int measure_dump(struct vmadj_bench *bench)
{
	struct vmadj_bench_cli cli = { 0 };
	struct dump dump = { 0 };
	int err = vmadj_bench_cli_start(false, &cli);

	if (err)
		return vmadj_bench_fail(bench, err, "vmadjust-bpf: %s", strerror(-err));
	err = measure_intervals(&cli, &dump);
	vmadj_bench_cli_stop(&cli);
	if (err)
		return vmadj_bench_fail(bench, err, "vmadjust-bpf dump: %s", strerror(-err));
	return report_dump(bench, &dump);
}

int vmadj_bench_many(struct vmadj_bench *bench)
{
	_cleanup_free_ struct vmadj_lab_vm **vms = calloc(VMS, sizeof(struct vmadj_lab_vm *));
	int err;

	if (!vms)
		return -ENOMEM;
	err = start(bench, vms);
	if (!err)
		err = measure_samples(bench, vms);
	if (!err)
		err = measure_dump(bench);
	vmadj_lab_stop_many(vms, VMS);
	return err;
}
