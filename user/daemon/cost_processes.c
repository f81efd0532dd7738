// SPDX-License-Identifier: GPL-2.0-only
/* cost_processes.c - CPU time and memory of the daemon and of the processes that it has started */
#include "user/daemon/cost_processes.h"

#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "user/util/file.h"
#include "user/util/scan.h"

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Exact, where /proc/PID/stat has whole ticks. Return: whether the process is there. */
static bool read_cpu_ns(pid_t pid, uint64_t *ret_ns)
{
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock))
		return false;
	*ret_ns = clock_ns(clock);
	return true;
}

static uint64_t read_rss_bytes(pid_t pid)
{
	char path[32], text[128];
	const char *at = text;
	uint64_t pages;

	(void)snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	if (vmadj_file_read(AT_FDCWD, path, text, sizeof(text)) < 0 ||
	    !vmadj_scan_u64(&at, &pages) || !vmadj_scan_u64(&at, &pages))
		return UINT64_MAX;
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void vmadj_cost_processes_meet(struct vmadj_cost_processes *list, const char *what, pid_t pid)
{
	struct vmadj_cost_process *process;
	uint64_t cpu_ns;

	for (size_t i = 0; i < list->n; i++) {
		if (list->process[i].pid == pid && !strcmp(list->process[i].what, what))
			return;
	}
	if (!pid || !read_cpu_ns(pid, &cpu_ns))
		return;
	process = reallocarray(list->process, list->n + 1, sizeof(*process));
	if (!process)
		return;
	list->process = process;
	process += list->n++;
	*process = (struct vmadj_cost_process){
		.pid = pid,
		.cpu_ns = cpu_ns,
		.at_s = (double)clock_ns(CLOCK_MONOTONIC) / 1e9,
		.cpu_pct = NAN,
		.rss_bytes = UINT64_MAX,
	};
	(void)snprintf(process->what, sizeof(process->what), "%s", what);
}

/* Return: whether it is still there. */
static bool look(struct vmadj_cost_process *process)
{
	double now_s = (double)clock_ns(CLOCK_MONOTONIC) / 1e9;
	uint64_t cpu_ns;

	/* Less than before: another has got its id. */
	if (!read_cpu_ns(process->pid, &cpu_ns) || cpu_ns < process->cpu_ns)
		return false;
	process->cpu_pct = (double)(cpu_ns - process->cpu_ns) / (now_s - process->at_s) / 1e7;
	process->cpu_ns = cpu_ns;
	process->at_s = now_s;
	process->rss_bytes = read_rss_bytes(process->pid);
	return true;
}

void vmadj_cost_processes_look(struct vmadj_cost_processes *list)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (look(&list->process[i]))
			list->process[n++] = list->process[i];
	}
	list->n = n;
}

double vmadj_cost_processes_pct(const struct vmadj_cost_processes *list)
{
	double sum_pct = NAN;

	for (size_t i = 0; i < list->n; i++) {
		double pct = list->process[i].cpu_pct;

		if (!isnan(pct))
			sum_pct = isnan(sum_pct) ? pct : sum_pct + pct;
	}
	return sum_pct;
}

void vmadj_cost_processes_clear(struct vmadj_cost_processes *list)
{
	free(list->process);
	*list = (struct vmadj_cost_processes){ 0 };
}
