// SPDX-License-Identifier: GPL-2.0-only
/* cpu_weight.c - the kernel's table of nice values and weights */
#include "user/actuate/cpu.h"

#define NICE_MIN (-20)
#define NICE_MAX 19

/* kernel/sched/core.c: sched_prio_to_weight; each step is about 10 % of CPU time between two. */
static const unsigned int weights[NICE_MAX - NICE_MIN + 1] = {
	88761, 71755, 56483, 46273, 36291, /* -20 */
	29154, 23254, 18705, 14949, 11916, /* -15 */
	9548,  7620,  6100,  4904,  3906,  /* -10 */
	3121,  2501,  1991,  1586,  1277,  /* -5 */
	1024,  820,   655,   526,   423,   /* 0 */
	335,   272,   215,   172,   137,   /* 5 */
	110,   87,    70,    56,    45,	   /* 10 */
	36,    29,    23,    18,    15,	   /* 15 */
};

unsigned int vmadj_nice_to_weight(int nice)
{
	if (nice < NICE_MIN)
		nice = NICE_MIN;
	if (nice > NICE_MAX)
		nice = NICE_MAX;
	return weights[nice - NICE_MIN];
}

int vmadj_weight_to_nice(unsigned int weight)
{
	int nice = NICE_MAX;

	/* Nearer by ratio: above the geometric mean of two neighbours. */
	while (nice > NICE_MIN &&
	       (uint64_t)weight * weight >
		       (uint64_t)vmadj_nice_to_weight(nice) * vmadj_nice_to_weight(nice - 1))
		nice--;
	return nice;
}
