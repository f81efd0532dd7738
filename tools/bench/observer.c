// SPDX-License-Identifier: GPL-2.0-only
/*
 * observer.c - `make bench`: how exact the observer is, and what it costs
 *
 *	observer [GROUP ...]	all groups, or these
 *
 * Prints a table and writes bench/observer.json beside itself in the output folder.
 * Exit status: 0: all bars hold; 1: one does not; 2: something could not be measured.
 */
#include "tools/bench/bench.h"

static const struct vmadj_bench_group groups[] = {
	{ "sched", "run and waiting time of vCPUs", vmadj_bench_exact_sched },
	{ "share", "two busy VMs on one CPU", vmadj_bench_exact_share },
	{ "cache", "page-cache patterns", vmadj_bench_exact_cache },
	{ "others", "cost of a switch between tasks of no VM", vmadj_bench_cost_others },
	{ "vcpu", "cost of a switch that involves a vCPU", vmadj_bench_cost_vcpu },
	{ "pipe", "cost to who does nothing but switch", vmadj_bench_cost_pipe },
	{ "rights", "CAP_BPF and CAP_PERFMON alone", vmadj_bench_rights },
	{ "many", "1000 VMs", vmadj_bench_many },
};

int main(int argc, char **argv)
{
	static const struct vmadj_bench_suite suite = {
		.name = "observer",
		.groups = groups,
		.n = sizeof(groups) / sizeof(groups[0]),
		.stays_off = true,
	};

	(void)argc;
	return vmadj_bench_main(&suite, argv + 1);
}
