// SPDX-License-Identifier: GPL-2.0-only
/*
 * loop.c - what the daemon's loop costs: once a second, with a policy that looks at all VMs
 *
 * CPU time is that of all processes together: the daemon's, the policy's, and what else it starts.
 */
#include <errno.h>
#include <stdio.h>

#include "tools/bench/daemon/daemon.h"
#include "tools/bench/served.h"

#define SETTLE_MS	  45000 /* levels are found, fifty a tick; young VMs are looked at often */
#define PIECES		  4
#define PIECE_MS	  10000 /* ten times the interval, whatever part of it comes first */
#define DAEMON_MIB	  12
#define PROCESSES	  2 /* at least: the daemon and its policy's */
#define WHAT_MAX	  128
#define OF_CPU(run, time) (100.0 * (double)(run) / (double)(time))

struct loop {
	struct vmadj_bench_series cpu_pct, daemon_mib, maps_mib, others_mib, longest_ms;
};

/* How many VMs, and what all processes may take of a CPU then. */
struct size {
	size_t n;
	double bar_pct;
};

/* How long its longest tick took, and that it has made changes at all. */
static int read_status(struct vmadj_bench *bench, struct vmadj_bench_served *served,
		       struct loop *loop)
{
	json_t *status;
	int err = vmadj_bench_served_ask(bench, served, "status", NULL, &status);

	if (err)
		return err;
	vmadj_bench_series_add(&loop->longest_ms,
			       json_number_value(json_object_get(status, "tick_longest_ms")));
	if (!json_array_size(json_object_get(status, "changed")))
		err = vmadj_bench_fail(bench, -ENODATA, "the policy has changed nothing");
	json_decref(status);
	return err;
}

static int measure_piece(struct vmadj_bench *bench, const struct vmadj_bench_served *served,
			 struct loop *loop)
{
	struct vmadj_bench_load before, after;
	uint64_t start;
	int err = vmadj_bench_served_load(served, &before);

	start = vmadj_bench_now_ns();
	if (!err)
		err = vmadj_bench_sleep_ms(PIECE_MS);
	if (!err)
		err = vmadj_bench_served_load(served, &after);
	if (err)
		return err;
	if (before.processes < PROCESSES || after.processes < before.processes)
		return vmadj_bench_fail(bench, -ESRCH, "a process of the daemon has ended");
	vmadj_bench_series_add(&loop->cpu_pct,
			       OF_CPU(after.run_ns - before.run_ns, vmadj_bench_now_ns() - start));
	vmadj_bench_series_add(&loop->daemon_mib, after.daemon_mib);
	vmadj_bench_series_add(&loop->maps_mib, after.maps_mib);
	vmadj_bench_series_add(&loop->others_mib, after.others_mib);
	return 0;
}

static int measure(struct vmadj_bench *bench, const struct vmadj_bench_policy *policy,
		   struct loop *loop)
{
	struct vmadj_bench_served served = { .socket = -1 };
	char config[VMADJ_BENCH_CONFIG_MAX];
	int err = vmadj_bench_fleet_config(policy, config), stopped;

	if (!err)
		err = vmadj_bench_served_start(bench, config, &served);
	if (!err)
		err = vmadj_bench_sleep_ms(SETTLE_MS);
	for (int i = 0; i < PIECES && !err; i++)
		err = measure_piece(bench, &served, loop);
	if (!err)
		err = read_status(bench, &served, loop);
	stopped = vmadj_bench_served_stop(&served);
	return err ? err : stopped;
}

static int report_one(struct vmadj_bench *bench, const struct vmadj_bench_row *form,
		      const char *what, const struct vmadj_bench_series *series)
{
	struct vmadj_bench_row row = *form;

	row.what = what;
	return vmadj_bench_report_add(bench->report, &row, series);
}

static int report(struct vmadj_bench *bench, const struct size *size,
		  const struct vmadj_bench_policy *policy, const struct loop *loop)
{
	static const struct vmadj_bench_row mib = { .unit = "MiB" },
					    ms = { .unit = "ms", .worst = true };
	static const struct vmadj_bench_row core = {
		.unit = "MiB", .sense = VMADJ_BENCH_AT_MOST, .bar = DAEMON_MIB, .worst = true
	};
	const struct vmadj_bench_row cpu = { .unit = "%",
					     .sense = VMADJ_BENCH_AT_MOST,
					     .bar = size->bar_pct };
	char what[WHAT_MAX];
	int err;

	(void)snprintf(what, sizeof(what), "%zu KVM VMs at 1 Hz, %s: all processes, of one CPU",
		       size->n, policy->name);
	err = report_one(bench, &cpu, what, &loop->cpu_pct);
	if (!err)
		err = report_one(bench, &core, "  the daemon, resident", &loop->daemon_mib);
	if (!err)
		err = report_one(bench, &mib, "    of it the kernel's counters", &loop->maps_mib);
	if (!err) {
		err = report_one(bench, &mib, "  its policy's process, resident",
				 &loop->others_mib);
	}
	return err ? err : report_one(bench, &ms, "  its longest tick", &loop->longest_ms);
}

static int measure_fleet(struct vmadj_bench *bench, const struct size *size,
			 const struct vmadj_bench_policy *const *policies)
{
	static struct vmadj_bench_fleet fleet;
	int err = vmadj_bench_fleet_start(bench, size->n, &fleet);

	for (; *policies && !err; policies++) {
		struct loop loop = { 0 };

		err = measure(bench, *policies, &loop);
		if (!err)
			err = report(bench, size, *policies, &loop);
	}
	vmadj_bench_fleet_stop(&fleet);
	return err;
}

int vmadj_bench_daemon_loop(struct vmadj_bench *bench)
{
	/* Looks for the VM to move among all, and lowers its nice value by one. */
	static const struct vmadj_bench_policy loadavg_nice = {
		.path = "policies/loadavg_nice",
		.name = "loadavg_nice",
		.params = "up = 10000\ndown = 10000\nevery = 1s\n",
		.interval = "1s",
	};
	static const struct vmadj_bench_policy *const one[] = { &vmadj_bench_looks_at_all, NULL },
						      *const both[] = { &vmadj_bench_looks_at_all,
									&loadavg_nice, NULL };
	static const struct size sizes[] = {
		{ 10, 0.1 },
		{ 100, 0.3 },
		{ VMADJ_BENCH_FLEET_MAX, 1 },
	};
	int err = 0;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) && !err; i++) {
		err = measure_fleet(bench, &sizes[i],
				    sizes[i].n == VMADJ_BENCH_FLEET_MAX ? both : one);
	}
	return err;
}
