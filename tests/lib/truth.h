/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * truth.h - the kernel's own counters of a thread, from /proc
 *
 * A running thread's counters are up to one timer tick behind. Where that matters, stop the
 * process while both sides are read.
 *
 * Errors: a process that is not there any more fails the test.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define VMADJ_TRUTH_TICK_NS 10000000ULL /* no kernel ticks less often than 100 a second */

struct vmadj_truth {
	uint64_t run_ns;
	uint64_t wait_ns;
	uint64_t stints; /* how often it was given a CPU */
	uint64_t switches;
	uint64_t preemptions; /* of these, involuntary */
};

/* of /proc/PID/task/TID/schedstat and status */
struct vmadj_truth vmadj_truth_thread(pid_t pid, pid_t tid);

/* All threads of the process that are there now. */
struct vmadj_truth vmadj_truth_process(pid_t pid);

/* SIGSTOP, and wait until each thread has left its CPU; what it counted is final until continued.
 */
void vmadj_truth_stop(pid_t pid);
void vmadj_truth_continue(pid_t pid);

/* Whether @ours is within 0.5 % or 1 ms of @theirs; says both on stderr if not. */
bool vmadj_truth_agrees(const char *what, uint64_t ours_ns, uint64_t theirs_ns);
