// SPDX-License-Identifier: GPL-2.0-only
/* truth.c - the kernel's own counters of a thread, from /proc */
#include "tests/lib/truth.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/util/file.h"

#define TOLERATED_NS 1000000
#define STOP_TRIES   5000 /* of 2 ms: other VMs may have the CPU meanwhile */

static void read_proc(pid_t pid, pid_t tid, const char *what, char *buf, size_t size)
{
	char path[96];

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", pid, tid, what);
	if (vmadj_file_read(AT_FDCWD, path, buf, size) <= 0)
		cr_fatal("%s cannot be read", path);
}

static uint64_t field(const char *status, const char *key)
{
	const char *at = strstr(status, key);

	if (!at)
		cr_fatal("no %s in /proc/PID/task/TID/status", key);
	return strtoull(at + strlen(key), NULL, 10);
}

struct vmadj_truth vmadj_truth_thread(pid_t pid, pid_t tid)
{
	struct vmadj_truth truth;
	char text[4096];

	read_proc(pid, tid, "schedstat", text, sizeof(text));
	if (sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64, &truth.run_ns, &truth.wait_ns,
		   &truth.stints) != 3)
		cr_skip_test("this kernel keeps no schedstat: %s", text);
	read_proc(pid, tid, "status", text, sizeof(text));
	truth.preemptions = field(text, "\nnonvoluntary_ctxt_switches:");
	truth.switches = field(text, "\nvoluntary_ctxt_switches:") + truth.preemptions;
	return truth;
}

/* Calls @each for each thread; Return: how many times it said true. */
static size_t each_thread(pid_t pid, bool (*each)(pid_t pid, pid_t tid, void *data), void *data)
{
	struct dirent *entry;
	size_t n = 0;
	char path[64];
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		cr_fatal("%s: process has gone", path);
	while ((entry = readdir(dir))) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (tid > 0)
			n += each(pid, tid, data);
	}
	(void)closedir(dir);
	return n;
}

static bool add_thread(pid_t pid, pid_t tid, void *data)
{
	struct vmadj_truth one = vmadj_truth_thread(pid, tid), *sum = data;

	sum->run_ns += one.run_ns;
	sum->wait_ns += one.wait_ns;
	sum->stints += one.stints;
	sum->switches += one.switches;
	sum->preemptions += one.preemptions;
	return true;
}

struct vmadj_truth vmadj_truth_process(pid_t pid)
{
	struct vmadj_truth sum = { 0 };

	(void)each_thread(pid, add_thread, &sum);
	return sum;
}

static bool is_moving(pid_t pid, pid_t tid, void *data)
{
	char stat[512], *state;

	(void)data;
	read_proc(pid, tid, "stat", stat, sizeof(stat));
	state = strrchr(stat, ')');
	return state && strncmp(state, ") T", 3) != 0;
}

void vmadj_truth_stop(pid_t pid)
{
	if (kill(pid, SIGSTOP))
		cr_fatal("process %d has gone", pid);
	for (int i = 0; i < STOP_TRIES; i++) {
		bool moving = each_thread(pid, is_moving, NULL);
		struct vmadj_truth before = vmadj_truth_process(pid), after;

		/* The state is set a moment before the thread leaves its CPU. */
		(void)nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
		after = vmadj_truth_process(pid);
		if (!moving && !memcmp(&before, &after, sizeof(before)))
			return;
	}
	cr_fatal("process %d does not stop", pid);
}

void vmadj_truth_continue(pid_t pid)
{
	(void)kill(pid, SIGCONT);
}

bool vmadj_truth_agrees(const char *what, uint64_t ours_ns, uint64_t theirs_ns)
{
	uint64_t apart_ns = ours_ns > theirs_ns ? ours_ns - theirs_ns : theirs_ns - ours_ns;

	if (apart_ns <= TOLERATED_NS || apart_ns <= theirs_ns / 200)
		return true;
	(void)fprintf(stderr, "%s: %" PRIu64 " ns, the kernel says %" PRIu64 "\n", what, ours_ns,
		      theirs_ns);
	return false;
}
