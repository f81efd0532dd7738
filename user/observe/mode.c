// SPDX-License-Identifier: GPL-2.0-only
/* mode.c - to trace or to poll */
#include "user/observe/mode.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "user/util/cleanup.h"
#include "user/util/file.h"
#include "user/util/log.h"
#include "user/util/scan.h"

#define MEASURE_NS   100000000
#define TRACE_NS     100.0 /* a switch that involves a vCPU, the dearer kind */
#define POLL_NS	     250.0 /* a task, met by an iterator */
#define POLLS_PER_S  1.0
#define TRACE_BUDGET 0.01 /* of the host's CPU time */
#define NS_PER_S     1e9

const char *const vmadj_mode_names[] = { "auto", "trace", "poll", NULL };

/* The line is far behind, and how far depends on the number of CPUs and interrupts. */
static int read_switches(uint64_t *ret_switches)
{
	_cleanup_fclose_ FILE *stat = fopen("/proc/stat", "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	while (stat && getline(&line, &size, stat) > 0) {
		const char *at = strncmp(line, "ctxt ", 5) == 0 ? line + 5 : NULL;

		if (at)
			return vmadj_scan_u64(&at, ret_switches) ? 0 : -EIO;
	}
	return -EIO;
}

static int read_tasks(uint64_t *ret_tasks)
{
	const char *at;
	char text[128];

	if (vmadj_file_read(AT_FDCWD, "/proc/loadavg", text, sizeof(text)) < 0)
		return -EIO;
	at = vmadj_scan_after(text, "/");
	return at && vmadj_scan_u64(&at, ret_tasks) ? 0 : -EIO;
}

static double now_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / NS_PER_S;
}

int vmadj_pace_measure(struct vmadj_pace *ret_pace)
{
	uint64_t before = 0, after = 0, tasks = 0;
	double start_s = now_s();
	int err = read_switches(&before);

	/* It may sleep longer where much is going on, which is what this is about. */
	(void)nanosleep(&(struct timespec){ .tv_nsec = MEASURE_NS }, NULL);
	if (!err)
		err = read_switches(&after);
	if (!err)
		err = read_tasks(&tasks);
	if (err)
		return err;
	*ret_pace = (struct vmadj_pace){
		.switches_per_s = (double)(after - before) / (now_s() - start_s),
		.tasks = tasks,
		.cpus = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN),
	};
	return 0;
}

/*
 * In a second, tracing costs TRACE_NS for each switch, polling POLL_NS for each task. On most hosts
 * the latter is less, but both are next to nothing, and only tracing tells who caused a wait; so
 * it must also cost more than TRACE_BUDGET: from 100 000 switches a second and CPU on.
 */
enum vmadj_mode vmadj_mode_choose(const struct vmadj_pace *pace)
{
	double trace_ns = pace->switches_per_s * TRACE_NS;
	double poll_ns = (double)pace->tasks * POLL_NS * POLLS_PER_S;

	return trace_ns > poll_ns && trace_ns > TRACE_BUDGET * NS_PER_S * pace->cpus
		       ? VMADJ_MODE_POLL
		       : VMADJ_MODE_TRACE;
}

enum vmadj_mode vmadj_mode_auto(void)
{
	struct vmadj_pace pace;
	enum vmadj_mode mode;

	if (vmadj_pace_measure(&pace)) {
		log_info("how often this host switches tasks is not known: tracing");
		return VMADJ_MODE_TRACE;
	}
	mode = vmadj_mode_choose(&pace);
	if (mode == VMADJ_MODE_POLL) {
		log_notice("%.0f context switches a second on %u CPUs: polling, without wait "
			   "percentiles and who was waited for; --mode trace, or mode = trace in "
			   "the configuration, has them",
			   pace.switches_per_s, pace.cpus);
	} else {
		log_info("%.0f context switches a second on %u CPUs: tracing", pace.switches_per_s,
			 pace.cpus);
	}
	return mode;
}

double vmadj_mode_poll_ns(void)
{
	uint64_t tasks;

	return read_tasks(&tasks) ? (double)NAN : (double)tasks * POLL_NS;
}
