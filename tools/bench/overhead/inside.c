// SPDX-License-Identifier: GPL-2.0-only
/*
 * inside.c - runs in the emulated host: each tool in turn, and what it costs
 *
 *	overhead-inside PASSES switch|cache ...
 *	overhead-inside PASSES ticks VMS ...
 *	overhead-inside ours trace|poll		(itself, as the tool)
 *
 * Exit status: 0, also when a tool is not to be had; 1: it cannot measure here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/lab.h"
#include "tools/bench/bench.h"
#include "tools/bench/overhead/inside.h"
#include "user/util/log.h"

#define LOOPS	 1000000
#define VMS_MAX	 1000
#define COUNTS	 8
#define IDLE_MS	 1000
#define KIB_PAGE 4
#define VMS_LATE 3000 /* until a tool has found the VMs that there are */

struct job {
	const char *group;
	unsigned int passes;
	unsigned int vms;
};

uint64_t vmadj_inside_now(void)
{
	return __builtin_ia32_rdtsc();
}

void vmadj_inside_figure(const struct vmadj_inside_running *running, const char *row, double value)
{
	(void)printf("figure %s %s %.2f\n", running->tool->name, row, value);
	(void)fflush(stdout);
}

void vmadj_inside_lack(const char *tool, const char *row, const char *why)
{
	(void)printf("lack %s %s %s\n", tool, row, why);
	(void)fflush(stdout);
}

/* Two instructions a loop: elsewhere than under -icount that is not what the TSC counts. */
static bool counts_instructions(void)
{
	uint64_t start = vmadj_inside_now(), loops = LOOPS, took;

	__asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(loops) : : "cc");
	took = vmadj_inside_now() - start;
	if (took >= 2 * LOOPS && took < 2.1 * LOOPS)
		return true;
	(void)fprintf(stderr, "%d instructions took %llu of the TSC: it does not count them\n",
		      2 * LOOPS, (unsigned long long)took);
	return false;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	if (file) {
		(void)fputs(text, file);
		(void)fclose(file);
	}
}

/* What is in no use, to the page: the caches of files given back, the CPU's own lists counted. */
static double free_kib(void)
{
	unsigned long pages, sum = 0;
	char line[128];
	FILE *zones;

	write_file("/proc/sys/vm/drop_caches", "3");
	(void)vmadj_bench_sleep_ms(IDLE_MS);
	write_file("/proc/sys/vm/stat_refresh", "1");
	zones = fopen("/proc/zoneinfo", "re");
	while (zones && fgets(line, sizeof(line), zones)) {
		if (sscanf(line, " nr_free_pages %lu", &pages) == 1 ||
		    sscanf(line, " count: %lu", &pages) == 1)
			sum += pages;
	}
	if (zones)
		(void)fclose(zones);
	return (double)sum * KIB_PAGE;
}

static int measure_ticks(const struct vmadj_inside_running *running, const struct job *job,
			 double free_before)
{
	char row[32];

	(void)vmadj_bench_sleep_ms(VMS_LATE);
	(void)snprintf(row, sizeof(row), "memory_%u", job->vms);
	vmadj_inside_figure(running, row, free_before - free_kib());
	return vmadj_inside_tick(running, job->vms);
}

static int measure(const struct vmadj_inside_tool *tool, const struct job *job)
{
	struct vmadj_inside_running running;
	double free_before = job->vms ? free_kib() : 0;
	int err = vmadj_inside_tool_start(tool, &running);

	if (err)
		return err;
	if (job->vms) {
		err = measure_ticks(&running, job, free_before);
	} else if (!strcmp(job->group, "switch")) {
		vmadj_inside_figure(&running, "load", (double)running.load);
		err = vmadj_inside_switch(&running);
	} else {
		err = vmadj_inside_cache(&running);
	}
	vmadj_inside_tool_stop(&running);
	return err;
}

static void measure_all(const struct job *job)
{
	for (size_t i = 0; i < vmadj_inside_n_tools * job->passes; i++) {
		const struct vmadj_inside_tool *tool =
			&vmadj_inside_tools[i % vmadj_inside_n_tools];
		int err = measure(tool, job);

		if (err) {
			vmadj_inside_lack(tool->name, job->group,
					  err == -ENOENT ? "not to be had" : strerror(-err));
		}
	}
}

/* What the kernel keeps of a first time is nobody's. */
static void warm_up(void)
{
	struct vmadj_inside_running running;

	for (size_t i = 0; i < vmadj_inside_n_tools; i++) {
		if (!vmadj_inside_tool_start(&vmadj_inside_tools[i], &running))
			vmadj_inside_tool_stop(&running);
	}
}

/* From few to many: each count has those that the last one had. */
static int measure_vms(struct job *job, char **counts)
{
	static const struct vmadj_lab_kvm want = { .load = "idle" };
	static struct vmadj_lab_vm *vms[VMS_MAX];
	unsigned int n = 0;
	int err = 0;

	warm_up();
	for (; *counts && !err; counts++) {
		unsigned long more = strtoul(*counts, NULL, 10);

		if (more <= n || more > VMS_MAX)
			return -EINVAL;
		err = vmadj_lab_kvm_start_many(&want, vms + n, more - n);
		if (err) {
			vmadj_inside_lack("all", *counts, vmadj_lab_why());
			break;
		}
		n = (unsigned int)more;
		job->vms = n;
		measure_all(job);
	}
	vmadj_lab_stop_many(vms, n);
	return err;
}

int main(int argc, char **argv)
{
	struct job job = { 0 };

	vmadj_log_set_max_level(LOG_WARNING);
	if (argc == 3 && !strcmp(argv[1], "ours")) {
		return vmadj_inside_ours_main(!strcmp(argv[2], "poll") ? VMADJ_MODE_POLL
								       : VMADJ_MODE_TRACE);
	}
	if (argc < 3) {
		(void)fputs("usage: overhead-inside PASSES GROUP...\n", stderr);
		return 1;
	}
	if (!counts_instructions())
		return 1;
	job.passes = (unsigned int)strtoul(argv[1], NULL, 10);
	for (argv += 2; *argv; argv++) {
		job.group = *argv;
		if (!strcmp(job.group, "ticks"))
			return measure_vms(&job, argv + 1) ? 1 : 0;
		measure_all(&job);
	}
	return 0;
}
