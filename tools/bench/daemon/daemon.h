/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * daemon.h - the groups of measurements behind `make bench-daemon`
 *
 * Units:     as named.
 * Errors:    as in bench.h.
 */
#pragma once

#include <stddef.h>

#include "tests/lab/lab.h"
#include "tools/bench/bench.h"

int vmadj_bench_daemon_loop(struct vmadj_bench *bench);
int vmadj_bench_daemon_helper(struct vmadj_bench *bench);
int vmadj_bench_daemon_effect(struct vmadj_bench *bench);
int vmadj_bench_daemon_shares(struct vmadj_bench *bench);

#define VMADJ_BENCH_TURNED     10   /* of a fleet's VMs that the policy changes in turn */
#define VMADJ_BENCH_FLEET_MAX  1000 /* VMs */
#define VMADJ_BENCH_CONFIG_MAX 2048
#define VMADJ_BENCH_NAME_MAX   32

/* VMs each in a session of its own, as those of a service. */
struct vmadj_bench_fleet {
	size_t n;
	struct vmadj_lab_vm *vm[VMADJ_BENCH_FLEET_MAX]; /* by process id, the turned ones first */
};

/** vmadj_bench_fleet_start() - Return: 0; -errno, with the reason given. */
int vmadj_bench_fleet_start(struct vmadj_bench *bench, size_t n,
			    struct vmadj_bench_fleet *ret_fleet);
void vmadj_bench_fleet_stop(struct vmadj_bench_fleet *fleet);

/* One armed policy of the output folder, for the fleet's VMs and nobody else's. */
struct vmadj_bench_policy {
	const char *path; /* "policies/loadavg_nice" */
	const char *name;
	const char *params; /* lines of its section */
	const char *interval;
};

/* Of all VMs that vmadj_bench_fleet_config() lets be managed. */
void vmadj_bench_fleet_name(char name[VMADJ_BENCH_NAME_MAX]);

/** vmadj_bench_fleet_config() - Return: 0; as vmadj_bench_output(). */
int vmadj_bench_fleet_config(const struct vmadj_bench_policy *policy,
			     char ret_config[VMADJ_BENCH_CONFIG_MAX]);

/* Reads all of every VM, and changes one of the turned ones in each interval. */
extern const struct vmadj_bench_policy vmadj_bench_looks_at_all;
