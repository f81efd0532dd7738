// SPDX-License-Identifier: GPL-2.0-only
/* overhead.c - what observing costs on this host, in real time */
#include "user/bench/overhead.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "user/bench/kmod.h"
#include "user/bench/pingpong.h"
#include "user/bench/switches.h"
#include "user/observe/observer.h"
#include "user/observe/parts.h"
#include "user/util/log.h"

#define WINDOW_MS    400
#define ROUNDS_LEAST 2 /* in both orders */
#define ROUNDS_MOST  10
#define POLLS	     20
#define QUIET_SPREAD 0.02 /* of the median, between the quartiles */
#define SWITCHES     2	  /* of a round trip */
#define TRIPS_LEAST  1000
#define PIECE_NS     1e8 /* longer than that is only a piece on a slow host */

/* A ping-pong of two processes, some of which are taken for VMs. */
struct counted {
	const char *id, *what;
	unsigned int vms;
};

/* One load, with this attached and with that. */
struct compared {
	const char *id, *what;
	const struct vmadj_bench_side *on, *off;
	double bar;
	bool messages; /* else the pipe */
	bool kmod;     /* only where there is one */
};

static const struct counted counted[] = {
	{ "stats_others", "switch: tasks of no VM", 0 },
	{ "stats_vm_host", "switch: VM <-> host process", 1 },
	{ "stats_vm_vm", "switch: VM <-> VM", 2 },
};

static const struct compared compared[] = {
	{ "pipe_empty", "ping-pong: empty program / nothing", &vmadj_bench_empty,
	  &vmadj_bench_nothing, 0, false, false },
	{ "pipe_trace", "ping-pong: tracing / empty program", &vmadj_bench_trace,
	  &vmadj_bench_empty, 1.02, false, false },
	{ "pipe_poll", "ping-pong: polling / nothing", &vmadj_bench_poll, &vmadj_bench_nothing,
	  1.005, false, false },
	{ "pipe_kmod_trace", "ping-pong: module, trace / nothing", &vmadj_bench_kmod_trace,
	  &vmadj_bench_nothing, 0, false, true },
	{ "pipe_kmod_poll", "ping-pong: module, poll / nothing", &vmadj_bench_kmod_poll,
	  &vmadj_bench_nothing, 0, false, true },
	{ "messages_trace", "messages: tracing / nothing", &vmadj_bench_trace, &vmadj_bench_nothing,
	  0, true, false },
	{ "messages_poll", "messages: polling / nothing", &vmadj_bench_poll, &vmadj_bench_nothing,
	  0, true, false },
	{ "messages_kmod_trace", "messages: module, trace / nothing", &vmadj_bench_kmod_trace,
	  &vmadj_bench_nothing, 0, true, true },
};

static void say_why(struct vmadj_overhead_row *row, int err)
{
	const char *why = strerror(-err);

	if (err == -EBUSY) {
		why = "others switch more than what is measured";
	} else if (err == -ENODATA) {
		why = "others take the CPU: what is measured hardly ran";
	} else if (err == -ETIMEDOUT) {
		why = "the load does not come to its end: something takes all of the CPU";
	} else if (err == -ENOTSUP) {
		why = "the observer does not start; see vmadjust-bpf doctor";
	}
	(void)snprintf(row->why, sizeof(row->why), "%s", why);
}

static unsigned int rounds(unsigned int pairs)
{
	unsigned int n = pairs / 2;

	return n < ROUNDS_LEAST ? ROUNDS_LEAST : n > ROUNDS_MOST ? ROUNDS_MOST : n;
}

static int count(const struct vmadj_overhead_setup *setup, const struct counted *what,
		 struct vmadj_overhead_row *row)
{
	struct vmadj_bench_switch_cost cost = { 0 };
	struct vmadj_bench_pingpong pair = { { 0 } };
	const struct vmadj_bench_switches load = {
		.pids = pair.pid,
		.n = 2,
		.vms = what->vms,
		.rounds = rounds(setup->pairs),
		.window_ms = WINDOW_MS,
	};
	int err = vmadj_bench_pingpong_start(setup->cpu, &pair);

	if (!err)
		err = vmadj_bench_switches(&load, &cost);
	vmadj_bench_pingpong_stop(&pair);
	row->values = cost.quiet;
	if (err == -EPERM) {
		(void)snprintf(row->why, sizeof(row->why), "%s",
			       "to have the kernel count takes CAP_SYS_ADMIN; run as root");
	}
	return err;
}

/* Outside of any load: what one sample costs whoever takes it. */
static int time_polls(struct vmadj_bench_series *polls)
{
	const struct vmadj_observer_options options = { .mode = VMADJ_MODE_POLL };
	struct vmadj_observer *observer = NULL;
	int err = vmadj_observer_open(&options, &observer);

	if (!err && !vmadj_observer_running(observer))
		err = -ENOTSUP;
	for (int i = 0; i < POLLS && !err; i++) {
		uint64_t start_ns = vmadj_bench_now_ns();

		err = vmadj_observer_poll(observer);
		vmadj_bench_series_add(polls, (double)(vmadj_bench_now_ns() - start_ns) / 1000);
	}
	vmadj_observer_close(observer);
	return err;
}

/* On a slow host, an emulated one above all, fewer, for else it would take hours. */
static int choose_trips(unsigned int cpu, unsigned int *ret_trips)
{
	double trip_ns;
	int err = vmadj_bench_pingpong_time(cpu, TRIPS_LEAST, &trip_ns);

	if (err)
		return err;
	*ret_trips = (unsigned int)fmax(TRIPS_LEAST, fmin(VMADJ_BENCH_TRIPS, PIECE_NS / trip_ns));
	return 0;
}

static int compare(const struct vmadj_overhead_setup *setup, const struct compared *what,
		   struct vmadj_overhead_row *row)
{
	struct vmadj_bench_pairs pairs = {
		.off = what->off,
		.on = what->on,
		.load = what->messages ? vmadj_bench_load_messages : vmadj_bench_load_pipe,
		.cpus = setup->cpus,
		.cpu = setup->cpu,
		.n = setup->pairs,
		.kmod = setup->kmod,
	};
	struct vmadj_bench_paired paired = { 0 };
	int err = choose_trips(setup->cpu, &pairs.trips);

	if (!err)
		err = vmadj_bench_pairs_measure(&pairs, &paired);
	row->values = paired.ratios;
	if (err && what->kmod)
		(void)snprintf(row->why, sizeof(row->why), "%s", setup->kmod->why);
	if (!err && !what->messages) {
		row->off_ns = vmadj_bench_series_at(&paired.off_ns, 0.5) / SWITCHES;
		row->on_ns = vmadj_bench_series_at(&paired.on_ns, 0.5) / SWITCHES;
	}
	return err;
}

/* An observer that opens says things that are worth hearing once, not forty times. */
static struct vmadj_overhead_row *row_begin(struct vmadj_overhead *overhead, const char *id,
					    const char *what, const char *unit)
{
	struct vmadj_overhead_row *row = &overhead->row[overhead->n++];

	*row = (struct vmadj_overhead_row){
		.id = id, .what = what, .unit = unit, .off_ns = NAN, .on_ns = NAN
	};
	log_notice("measuring: %s", what);
	if (vmadj_log_max_level() == LOG_NOTICE)
		vmadj_log_set_max_level(LOG_WARNING);
	return row;
}

/* Return: 0, also where there is no figure; -EINTR. */
static int row_end(struct vmadj_overhead_row *row, int err, int log_level)
{
	vmadj_log_set_max_level(log_level);
	if (vmadj_bench_stopped())
		return -EINTR;
	if (err) {
		row->values.n = 0;
		if (!row->why[0])
			say_why(row, err);
		log_warning("not measured: %s: %s", row->what, row->why);
	}
	return 0;
}

static int measure_counted(const struct vmadj_overhead_setup *setup,
			   struct vmadj_overhead *overhead)
{
	int err = 0, level = vmadj_log_max_level();

	for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]) && !err; i++) {
		struct vmadj_overhead_row *row =
			row_begin(overhead, counted[i].id, counted[i].what, "ns");

		err = row_end(row, count(setup, &counted[i], row), level);
	}
	return err;
}

static int measure_polls(struct vmadj_overhead *overhead)
{
	int level = vmadj_log_max_level();
	struct vmadj_overhead_row *row =
		row_begin(overhead, "poll", "poll: one look at all tasks", "us");

	return row_end(row, time_polls(&row->values), level);
}

static int measure_compared(const struct vmadj_overhead_setup *setup,
			    struct vmadj_overhead *overhead)
{
	int err = 0, level = vmadj_log_max_level();

	for (size_t i = 0; i < sizeof(compared) / sizeof(compared[0]) && !err; i++) {
		struct vmadj_overhead_row *row;

		if (compared[i].kmod && !setup->kmod)
			continue;
		row = row_begin(overhead, compared[i].id, compared[i].what, "ratio");
		row->bar = compared[i].bar;
		err = row_end(row, compare(setup, &compared[i], row), level);
	}
	return err;
}

int vmadj_overhead_measure(const struct vmadj_overhead_setup *setup,
			   struct vmadj_overhead *ret_overhead)
{
	int err;

	ret_overhead->n = 0;
	err = measure_counted(setup, ret_overhead);
	if (!err)
		err = measure_polls(ret_overhead);
	return err ? err : measure_compared(setup, ret_overhead);
}

double vmadj_overhead_median(const struct vmadj_overhead_row *row)
{
	return vmadj_bench_series_at(&row->values, 0.5);
}

bool vmadj_overhead_holds(const struct vmadj_overhead_row *row)
{
	return vmadj_overhead_median(row) <= row->bar;
}

bool vmadj_overhead_sure(const struct vmadj_overhead_row *row)
{
	return vmadj_bench_series_sure(&row->values, row->bar);
}

bool vmadj_overhead_quiet(const struct vmadj_overhead *overhead)
{
	for (size_t i = 0; i < overhead->n; i++) {
		const struct vmadj_overhead_row *row = &overhead->row[i];
		double spread = vmadj_bench_series_at(&row->values, 0.75) -
				vmadj_bench_series_at(&row->values, 0.25);

		if (row->bar && row->values.n && spread > QUIET_SPREAD * vmadj_overhead_median(row))
			return false;
	}
	return true;
}
