// SPDX-License-Identifier: GPL-2.0-only
/*
 * inside_tick.c - instructions a tick, with the figures of all VMs in user space
 *
 * Ours: one sample. The module's: what its kernel thread runs in an interval, and reading and
 * parsing its file once.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "tools/bench/bench.h"
#include "tools/bench/overhead/inside.h"
#include "user/util/file.h"

#define SAMPLES	    7
#define INTERVALS   5
#define INTERVAL_MS 1000

static int sample(const struct vmadj_inside_running *running,
		  struct vmadj_inside_sample *ret_sample)
{
	return running->tool->kind == VMADJ_INSIDE_OURS
		       ? vmadj_inside_ours_sample(running, ret_sample)
		       : vmadj_inside_module_sample(ret_sample);
}

static int read_run_ns(pid_t pid, uint64_t *ret_ns)
{
	char path[64], text[128];

	(void)snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	if (vmadj_file_read(AT_FDCWD, path, text, sizeof(text)) < 0 ||
	    sscanf(text, "%" SCNu64, ret_ns) != 1)
		return -ESRCH;
	return 0;
}

/* Its clock counts instructions, too. */
static int measure_thread(const struct vmadj_inside_running *running, double *ret_cost)
{
	uint64_t before, after;
	int err = read_run_ns(running->pid, &before);

	(void)vmadj_bench_sleep_ms(INTERVALS * INTERVAL_MS);
	if (!err)
		err = read_run_ns(running->pid, &after);
	if (!err)
		*ret_cost = (double)(after - before) / INTERVALS;
	return err;
}

int vmadj_inside_tick(const struct vmadj_inside_running *running, unsigned int vms)
{
	struct vmadj_bench_series series = { 0 };
	struct vmadj_inside_sample got;
	double thread = 0;
	char row[32];
	int err;

	if (running->tool->kind != VMADJ_INSIDE_OURS && running->tool->kind != VMADJ_INSIDE_MODULE)
		return 0;	     /* it knows of no VMs */
	err = sample(running, &got); /* what the first one learns is not of each tick */
	for (int i = 0; i < SAMPLES && !err; i++) {
		(void)vmadj_bench_sleep_ms(INTERVAL_MS);
		err = sample(running, &got);
		vmadj_bench_series_add(&series, (double)got.cost);
	}
	if (!err && got.vms != vms) {
		(void)fprintf(stderr, "%s: %" PRIu64 " of %u VMs\n", running->tool->name, got.vms,
			      vms);
		return -ENODATA;
	}
	if (!err && running->tool->kind == VMADJ_INSIDE_MODULE)
		err = measure_thread(running, &thread);
	if (err)
		return err;
	(void)snprintf(row, sizeof(row), "tick_%u", vms);
	vmadj_inside_figure(running, row, vmadj_bench_series_at(&series, 0.5) + thread);
	return 0;
}
