// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - `make bench-p1`: the experiment of the peacemaker paper
 *
 *	bench-p1 [PART ...]	both parts, or one
 *
 * Prints a table and writes bench/p1.json in the output folder.
 * Exit status: 0: all bars hold; 1: one does not; 2: something could not be measured.
 */
#include "tools/bench/p1/p1.h"

static const struct vmadj_bench_group groups[] = {
	{ "a", "A: a VM and work of the host on one CPU", vmadj_p1_part_a },
	{ "b", "B: three VMs on one CPU", vmadj_p1_part_b },
};

int main(int argc, char **argv)
{
	static const struct vmadj_bench_suite suite = {
		.name = "p1",
		.groups = groups,
		.n = sizeof(groups) / sizeof(groups[0]),
	};

	(void)argc;
	return vmadj_bench_main(&suite, argv + 1);
}
