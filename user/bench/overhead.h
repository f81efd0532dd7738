/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * overhead.h - what observing costs on this host, in real time: the rows of
 * `vmadjust-bpf bench overhead`
 *
 * First what the kernel counts of our program (switches.h), in ns a switch; then loads with
 * something attached against the same loads without (pairs.h), as ratios, on and off in turn.
 *
 * Units:     ns, us as the row says.
 * Ownership: nothing is attached, loaded or running afterwards.
 */
#pragma once

#include <stdbool.h>

#include "user/bench/pairs.h"

#define VMADJ_OVERHEAD_ROWS_MAX 16

struct vmadj_overhead_row {
	const char *id; /* stays the same, whatever the words */
	const char *what;
	const char *unit; /* "ratio", "ns", "us" */
	double bar;	  /* the median is to be at most this; 0: it is shown, not judged */
	struct vmadj_bench_series values;
	double off_ns, on_ns; /* of a pair's halves: a switch, or NAN; medians */
	char why[320];	      /* it could not be measured; else "" */
};

struct vmadj_overhead {
	size_t n;
	struct vmadj_overhead_row row[VMADJ_OVERHEAD_ROWS_MAX];
};

struct vmadj_overhead_setup {
	struct vmadj_bench_cpus cpus;
	unsigned int cpu;	       /* the one that is measured */
	unsigned int pairs;	       /* of each comparison; 1..VMADJ_BENCH_PAIRS_MAX */
	struct vmadj_bench_kmod *kmod; /* NULL: none */
};

/**
 * vmadj_overhead_measure() - takes minutes; each row is named in the log before
 *
 * What cannot be measured is a row with the reason.
 *
 * Return: 0; -EINTR: the word to end came (timing.h).
 */
int vmadj_overhead_measure(const struct vmadj_overhead_setup *setup,
			   struct vmadj_overhead *ret_overhead);

double vmadj_overhead_median(const struct vmadj_overhead_row *row);

/* Of a row with a bar. */
bool vmadj_overhead_holds(const struct vmadj_overhead_row *row);

/* And is that more than chance? */
bool vmadj_overhead_sure(const struct vmadj_overhead_row *row);

#define VMADJ_OVERHEAD_PAIRS_LEAST 6 /* fewer say neither what is sure nor what is quiet */

/* Whether the pairs differ by as little as on a host that does little else. */
bool vmadj_overhead_quiet(const struct vmadj_overhead *overhead);
