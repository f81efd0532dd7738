/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * series.h - several measurements of the same thing, and what they allow to be said
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define VMADJ_BENCH_SERIES_MAX 256

/* v[0..n); what comes after the last place is dropped. */
struct vmadj_bench_series {
	size_t n;
	double v[VMADJ_BENCH_SERIES_MAX];
};

void vmadj_bench_series_add(struct vmadj_bench_series *series, double value);

/* The value that a part of 0..1 of the series does not exceed; NAN of none. */
double vmadj_bench_series_at(const struct vmadj_bench_series *series, double part);

/**
 * vmadj_bench_series_sure() - is it more than chance on which side of @bar the median lies?
 *
 * The sign test, at 5 %: values are on either side of their true median as coins fall. So
 * five of twenty may be on the other side of the bar, and fewer than six say nothing.
 */
bool vmadj_bench_series_sure(const struct vmadj_bench_series *series, double bar);
