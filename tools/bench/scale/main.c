// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - `make bench-scale`: as many VMs as there is room for, and VMs that come and go
 *
 *	bench-scale [GROUP ...]		all groups, or these
 *
 * CHURN is how many seconds VMs come and go, 600 where it is not set.
 *
 * Prints a table and writes bench/scale.json in the output folder.
 * Exit status: 0: all bars hold; 1: one does not; 2: something could not be measured.
 */
#include "tools/bench/scale/scale.h"

static const struct vmadj_bench_group groups[] = {
	{ "vms", "as many VMs of four vCPUs as memory allows, up to 1000", vmadj_bench_scale_vms },
	{ "vcpus", "4096 vCPUs", vmadj_bench_scale_vcpus },
	{ "churn", "VMs that come and go under the daemon", vmadj_bench_scale_churn },
};

int main(int argc, char **argv)
{
	static const struct vmadj_bench_suite suite = {
		.name = "scale",
		.groups = groups,
		.n = sizeof(groups) / sizeof(groups[0]),
	};

	(void)argc;
	return vmadj_bench_main(&suite, argv + 1);
}
