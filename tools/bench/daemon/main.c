// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - `make bench-daemon`: what the daemon costs, and what becomes of what it decides
 *
 *	bench-daemon [GROUP ...]	all groups, or these
 *
 * Prints a table and writes bench/daemon.json in the output folder.
 * Exit status: 0: all bars hold; 1: one does not; 2: something could not be measured.
 */
#include "tools/bench/daemon/daemon.h"

static const struct vmadj_bench_group groups[] = {
	{ "loop", "CPU time and memory of daemon and policy", vmadj_bench_daemon_loop },
	{ "helper", "memory of the process that talks to libvirt", vmadj_bench_daemon_helper },
	{ "effect", "from a snapshot to the changed knob", vmadj_bench_daemon_effect },
	{ "shares", "two busy VMs on one CPU, by nice value", vmadj_bench_daemon_shares },
};

int main(int argc, char **argv)
{
	static const struct vmadj_bench_suite suite = {
		.name = "daemon",
		.groups = groups,
		.n = sizeof(groups) / sizeof(groups[0]),
	};

	(void)argc;
	return vmadj_bench_main(&suite, argv + 1);
}
