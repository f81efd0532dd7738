// SPDX-License-Identifier: GPL-2.0-only
/* rights.c - whether CAP_BPF and CAP_PERFMON alone are enough to see a VM work */
#include <errno.h>
#include <string.h>

#include "tests/lab/lab.h"
#include "tools/bench/bench.h"
#include "tools/bench/cli.h"

#define SAMPLES	       3
#define BUSY_LEAST_PCT 10 /* a busy VM gets more, however crowded the host is */

static bool seen_busy(const json_t *sample, pid_t pid)
{
	const json_t *vm;
	size_t i;

	json_array_foreach(json_object_get(sample, "vms"), i, vm)
	{
		const json_t *cpu = json_object_get(vm, "cpu");

		if (json_integer_value(json_object_get(vm, "pid")) != pid)
			continue;
		return json_number_value(json_object_get(cpu, "usage_pct")) > BUSY_LEAST_PCT &&
		       json_integer_value(json_object_get(cpu, "run_ns")) > 0;
	}
	return false;
}

static int observe(struct vmadj_bench *bench, pid_t pid, struct vmadj_bench_series *series)
{
	struct vmadj_bench_cli cli = { 0 };
	bool seen = false;
	int err = vmadj_bench_cli_start(true, &cli);

	if (err)
		return vmadj_bench_fail(bench, err, "vmadjust-bpf: %s", strerror(-err));
	for (int i = 0; i < SAMPLES && !seen && !err; i++) {
		json_t *sample = NULL;

		err = vmadj_bench_cli_read(&cli, &sample);
		seen = !err && seen_busy(sample, pid);
		json_decref(sample);
	}
	vmadj_bench_cli_stop(&cli);
	/* That it refuses to run is an answer as well. */
	vmadj_bench_series_add(series, seen);
	return err == -EPIPE ? vmadj_bench_sleep_ms(0) : err;
}

int vmadj_bench_rights(struct vmadj_bench *bench)
{
	static const struct vmadj_bench_row row = {
		.what = "a VM is seen with CAP_BPF and CAP_PERFMON alone (1: yes)",
		.unit = "",
		.sense = VMADJ_BENCH_AT_LEAST,
		.bar = 1,
	};
	static const struct vmadj_lab_kvm want = { .load = "busy" };
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	struct vmadj_bench_series series = { 0 };
	int err = vmadj_lab_kvm_start(&want, &vm);

	if (err)
		return vmadj_bench_fail(bench, err, "%s", vmadj_lab_why());
	err = observe(bench, vmadj_lab_vm_pid(vm), &series);
	return err ? err : vmadj_bench_report_add(bench->report, &row, &series);
}
