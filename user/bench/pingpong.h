/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pingpong.h - two processes on one CPU that wake each other in turn over pipes
 *
 * What `perf bench sched pipe` does: almost nothing but context switches, about
 * a million a second.
 *
 * Errors:    0 or a negative errno.
 * Ownership: the processes end with vmadj_bench_pingpong_stop(), which takes a zeroed one,
 *            or with the thread that started them.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct vmadj_bench_pingpong {
	pid_t pid[2];
};

/** vmadj_bench_pingpong_start() - for ever; Return: 0; the errno of pipe() or fork(). */
int vmadj_bench_pingpong_start(unsigned int cpu, struct vmadj_bench_pingpong *ret_pair);
void vmadj_bench_pingpong_stop(struct vmadj_bench_pingpong *pair);

/**
 * vmadj_bench_pingpong_time() - how long a round trip takes
 *
 * Return: 0; -EIO: a process failed; -ETIMEDOUT: that CPU is taken; -EINTR; the errno of
 * pipe() or fork().
 */
int vmadj_bench_pingpong_time(unsigned int cpu, unsigned int trips, double *ret_trip_ns);
