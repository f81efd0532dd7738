/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pairs.h - how long a load takes with this attached, and with that
 *
 * On and off in turn, in pairs: off on, on off, off on, ... What is compared lies next to each
 * other in time, so that a neighbour who comes and goes weighs on both halves.
 *
 * Units:     ns.
 * Errors:    0 or a negative errno.
 * Ownership: nothing is attached and no process is left after vmadj_bench_pairs_measure().
 */
#pragma once

#include "user/bench/series.h"
#include "user/bench/timing.h"

#define VMADJ_BENCH_PAIRS_MAX VMADJ_BENCH_SERIES_MAX
#define VMADJ_BENCH_TRIPS     25000 /* about 50 ms */

struct vmadj_bench_kmod;
struct vmadj_bench_pairs;

/* What is attached during one half. */
struct vmadj_bench_side {
	int (*open)(const struct vmadj_bench_pairs *pairs, void **ret_state); /* NULL: nothing */
	int (*close)(void *state); /* takes NULL and half-open states */
};

extern const struct vmadj_bench_side vmadj_bench_nothing;
extern const struct vmadj_bench_side vmadj_bench_empty;	     /* on tp_btf/sched_switch */
extern const struct vmadj_bench_side vmadj_bench_trace;	     /* the observer, which knows no VM */
extern const struct vmadj_bench_side vmadj_bench_poll;	     /* the same, looking once a second */
extern const struct vmadj_bench_side vmadj_bench_kmod_trace; /* vmadj_bench_pairs.kmod */
extern const struct vmadj_bench_side vmadj_bench_kmod_poll;

struct vmadj_bench_pairs {
	const struct vmadj_bench_side *off, *on;
	/* One half; Return: 0 and how long it took; -errno. */
	int (*load)(const struct vmadj_bench_pairs *pairs, double *ret_ns);
	struct vmadj_bench_cpus cpus;
	unsigned int cpu;	       /* the one that is measured */
	unsigned int trips;	       /* round trips of a piece; VMADJ_BENCH_TRIPS, or fewer */
	unsigned int n;		       /* at most VMADJ_BENCH_PAIRS_MAX */
	struct vmadj_bench_kmod *kmod; /* NULL: none */
};

/* A value a pair. */
struct vmadj_bench_paired {
	struct vmadj_bench_series ratios, off_ns, on_ns; /* ratios: on / off */
};

/**
 * vmadj_bench_load_pipe() - one round trip of a ping-pong on that CPU (pingpong.h)
 *
 * As `perf bench sched pipe`. Made of short pieces of which the lower third stands for the
 * half, so that a neighbour who comes for a moment does not count.
 */
int vmadj_bench_load_pipe(const struct vmadj_bench_pairs *pairs, double *ret_ns);

/** vmadj_bench_load_messages() - groups of processes on all CPUs (messages.h) */
int vmadj_bench_load_messages(const struct vmadj_bench_pairs *pairs, double *ret_ns);

/**
 * vmadj_bench_pairs_measure()
 *
 * Return: 0; -EINTR; -ETIMEDOUT: that CPU is taken; -ENOTSUP: the observer cannot run here; what
 * the sides and the load return.
 */
int vmadj_bench_pairs_measure(const struct vmadj_bench_pairs *pairs,
			      struct vmadj_bench_paired *ret_paired);
