/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * timing.h - time, the CPU that is measured, and the word to end
 *
 * Units:     ns, ms, s as named.
 * Errors:    0 or a negative errno. -EINTR: the word to end came.
 * Threads:   one; the word to end is the process's.
 */
#pragma once

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The CPUs that this process may use. */
struct vmadj_bench_cpus {
	cpu_set_t may;
	unsigned int n, first, last;
};

/** vmadj_bench_cpus_get() - Return: 0; -errno. */
int vmadj_bench_cpus_get(struct vmadj_bench_cpus *ret_cpus);

/** vmadj_bench_pin() - this process runs there only; Return: 0; -errno. */
int vmadj_bench_pin(unsigned int cpu);

uint64_t vmadj_bench_now_ns(void); /* monotonic */

/* The least time by which that clock moves on. */
uint64_t vmadj_bench_clock_step_ns(void);

/**
 * vmadj_bench_stop_on() - from now on @signals are the word to end, also where they were blocked
 *
 * They interrupt what waits below.
 */
void vmadj_bench_stop_on(const int *signals, size_t n);
bool vmadj_bench_stopped(void);

/** vmadj_bench_sleep_ms() - Return: 0; -EINTR. */
int vmadj_bench_sleep_ms(unsigned int ms);

/**
 * vmadj_bench_wait() - for the end of a child, which then is 0
 *
 * Return: 0; -EIO: it failed; -ETIMEDOUT: it runs on after @limit_s; -EINTR; -errno.
 */
int vmadj_bench_wait(pid_t *child, unsigned int limit_s);

/* Kills a child, 0 is none, and waits for that. */
void vmadj_bench_kill(pid_t *child);
