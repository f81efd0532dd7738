// SPDX-License-Identifier: GPL-2.0-only
/* series.c - several measurements of the same thing */
#include "user/bench/series.h"

#include <math.h>
#include <stdlib.h>

#define CHANCE 0.05

void vmadj_bench_series_add(struct vmadj_bench_series *series, double value)
{
	if (series->n < VMADJ_BENCH_SERIES_MAX)
		series->v[series->n++] = value;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double vmadj_bench_series_at(const struct vmadj_bench_series *series, double part)
{
	struct vmadj_bench_series sorted = *series;
	double at;
	size_t low;

	if (!sorted.n)
		return NAN;
	qsort(sorted.v, sorted.n, sizeof(sorted.v[0]), by_value);
	at = part * (double)(sorted.n - 1);
	low = (size_t)at;
	if (low + 1 >= sorted.n)
		return sorted.v[sorted.n - 1];
	return sorted.v[low] + (at - (double)low) * (sorted.v[low + 1] - sorted.v[low]);
}

/* How likely it is that of @n coins at most @most show heads. */
static double coins(size_t n, size_t most)
{
	double ways = 1, sum = 1;

	for (size_t i = 1; i <= most; i++) {
		ways *= (double)(n - i + 1) / (double)i;
		sum += ways;
	}
	return ldexp(sum, -(int)n);
}

bool vmadj_bench_series_sure(const struct vmadj_bench_series *series, double bar)
{
	size_t above = 0, fewer;

	for (size_t i = 0; i < series->n; i++)
		above += series->v[i] > bar;
	fewer = above < series->n - above ? above : series->n - above;
	return 2 * coins(series->n, fewer) <= CHANCE;
}
