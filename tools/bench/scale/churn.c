// SPDX-License-Identifier: GPL-2.0-only
/*
 * churn.c - fifty VMs a second come and go, under the daemon with a policy that turns them
 *
 * Who comes to the daemon's snapshots sees each VM's end once, also of those that lived between
 * two of them.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bench/daemon/daemon.h"
#include "tools/bench/scale/scale.h"
#include "tools/bench/served.h"
#include "user/cmd/stream.h"
#include "user/snapshot/parse.h"
#include "user/util/cleanup.h"
#include "user/util/process.h"

#define RATE	      50 /* VMs a second */
#define ALIVE	      10 /* at once */
#define SECONDS	      600
#define SECONDS_MAX   36000
#define WARM	      10 /* the first part of so many is not looked at: a minute of ten */
#define LOOK_S	      2
#define AFTER_MS      5000
#define NS_IN_S	      1e9
#define GROWTH_MIB    0.5
#define MS_IN_S	      1000
#define BORN_LOOK_MAX 2000 /* so far back an end may lie, in VMs */

struct born {
	char id[48];
	unsigned int ends; /* told */
};

struct churn {
	struct vmadj_bench *bench;
	struct vmadj_bench_served served;
	struct vmadj_stream *stream;
	double seconds;
	size_t n, room;
	struct born *born;
	struct vmadj_lab_vm *alive[ALIVE];
	struct vmadj_bench_series early_mib, late_mib, early_fds, late_fds;
	double took_s;
};

static void note_end(struct churn *churn, const char *id)
{
	size_t least = churn->n > BORN_LOOK_MAX ? churn->n - BORN_LOOK_MAX : 0;

	for (size_t i = churn->n; i > least; i--) {
		if (!strcmp(churn->born[i - 1].id, id)) {
			churn->born[i - 1].ends++;
			return;
		}
	}
}

/* Takes the snapshots that have come. */
static int hear(struct churn *churn)
{
	struct vmadj_snapshot *snapshot;
	int err;

	while (!(err = vmadj_stream_read(churn->stream, &snapshot))) {
		for (size_t i = 0; i < snapshot->n_vms; i++) {
			if (snapshot->vms[i].ended)
				note_end(churn, snapshot->vms[i].id);
		}
		vmadj_snapshot_free(snapshot);
	}
	return err == -EAGAIN ? 0 : vmadj_bench_fail(churn->bench, err, "the daemon has ended");
}

static int give_birth(struct churn *churn)
{
	struct vmadj_lab_kvm want = { .load = "tick:10", .vcpus = 2, .own_session = true };
	struct vmadj_lab_vm **place = &churn->alive[churn->n % ALIVE];
	char name[VMADJ_BENCH_NAME_MAX];
	uint64_t start_ticks;
	int err;

	vmadj_bench_fleet_name(name);
	want.name = name;
	vmadj_lab_vm_stop(*place);
	*place = NULL;
	err = vmadj_lab_kvm_start(&want, place);
	if (err)
		return vmadj_bench_fail(churn->bench, err, "%s", vmadj_lab_why());
	/* With its start time: process ids come round. */
	err = vmadj_process_start(vmadj_lab_vm_pid(*place), &start_ticks);
	if (err)
		return err;
	(void)snprintf(churn->born[churn->n++].id, sizeof(churn->born[0].id), "%d-%" PRIu64,
		       vmadj_lab_vm_pid(*place), start_ticks);
	return 0;
}

static int look(struct churn *churn, double now_s)
{
	struct vmadj_bench_held held;
	int err = vmadj_bench_held_read(churn->served.pid, &held);
	double part = churn->seconds / WARM;

	if (err)
		return err;
	if (now_s > part && now_s <= 2 * part) {
		vmadj_bench_series_add(&churn->early_mib, held.resident_mib);
		vmadj_bench_series_add(&churn->early_fds, (double)held.descriptors);
	} else if (now_s > churn->seconds - part) {
		vmadj_bench_series_add(&churn->late_mib, held.resident_mib);
		vmadj_bench_series_add(&churn->late_fds, (double)held.descriptors);
	}
	return 0;
}

static double since_s(uint64_t begun_ns)
{
	return (double)(vmadj_bench_now_ns() - begun_ns) / NS_IN_S;
}

static int come_and_go(struct churn *churn)
{
	uint64_t begun_ns = vmadj_bench_now_ns();
	double now_s = 0, looked_s = 0;
	int err = 0;

	for (; now_s < churn->seconds && churn->n < churn->room && !err;
	     now_s = since_s(begun_ns)) {
		double due_s = (double)churn->n / RATE;

		if (due_s > now_s)
			err = vmadj_bench_sleep_ms((unsigned int)((due_s - now_s) * MS_IN_S));
		if (!err)
			err = give_birth(churn);
		if (!err)
			err = hear(churn);
		if (!err && now_s - looked_s >= LOOK_S) {
			looked_s = now_s;
			err = look(churn, now_s);
		}
		if (!err)
			err = vmadj_bench_sleep_ms(0);
	}
	churn->took_s = since_s(begun_ns);
	vmadj_lab_stop_many(churn->alive, ALIVE);
	memset(churn->alive, 0, sizeof(churn->alive));
	if (!err)
		err = vmadj_bench_sleep_ms(AFTER_MS);
	return err ? err : hear(churn);
}

static int report_one(struct churn *churn, const struct vmadj_bench_row *row, double value)
{
	struct vmadj_bench_series one = { 0 };

	vmadj_bench_series_add(&one, value);
	return vmadj_bench_report_add(churn->bench->report, row, &one);
}

static double median(const struct vmadj_bench_series *series)
{
	return vmadj_bench_series_at(series, 0.5);
}

static int report_held(struct churn *churn)
{
	static const struct vmadj_bench_row memory = {
		.what = "  the daemon's memory, last minute over second minute",
		.unit = "MiB",
		.sense = VMADJ_BENCH_AT_MOST,
		.bar = GROWTH_MIB,
	};
	static const struct vmadj_bench_row fds = {
		.what = "  its descriptors, last minute over second minute",
		.unit = "",
		.sense = VMADJ_BENCH_AT_MOST,
	};
	static const struct vmadj_bench_row slots = {
		.what = "  slots of its maps that no thread has, in the end",
		.unit = "",
		.sense = VMADJ_BENCH_AT_MOST,
	};
	struct vmadj_bench_held held;
	int err = vmadj_bench_held_read(churn->served.pid, &held);

	if (!err)
		err = report_one(churn, &memory,
				 median(&churn->late_mib) - median(&churn->early_mib));
	if (!err)
		err = report_one(churn, &fds, median(&churn->late_fds) - median(&churn->early_fds));
	return err ? err : report_one(churn, &slots, (double)held.orphans);
}

static int report(struct churn *churn)
{
	struct vmadj_bench_row rate = { .unit = "VMs/s" };
	static const struct vmadj_bench_row lost = {
		.what = "  whose end was not told, or not once",
		.unit = "VMs",
		.sense = VMADJ_BENCH_AT_MOST,
	};
	double wrong = 0;
	char what[128];
	int err;

	for (size_t i = 0; i < churn->n; i++)
		wrong += churn->born[i].ends != 1;
	(void)snprintf(what, sizeof(what),
		       "%zu KVM VMs came and went in %.0f s, %d a second wanted", churn->n,
		       churn->took_s, RATE);
	rate.what = what;
	err = report_one(churn, &rate, (double)churn->n / churn->took_s);
	if (!err)
		err = report_one(churn, &lost, wrong);
	return err ? err : report_held(churn);
}

static int run(struct churn *churn)
{
	char config[VMADJ_BENCH_CONFIG_MAX], path[128];
	double interval_s;
	int err = vmadj_bench_fleet_config(&vmadj_bench_looks_at_all, config);

	if (!err)
		err = vmadj_bench_served_start(churn->bench, config, &churn->served);
	if (err)
		return err;
	(void)snprintf(path, sizeof(path), "%s/run/control.sock", churn->served.dir);
	err = vmadj_stream_open(path, &interval_s, &churn->stream);
	if (!err)
		err = come_and_go(churn);
	return err ? err : report(churn);
}

int vmadj_bench_scale_churn(struct vmadj_bench *bench)
{
	struct churn churn = { .bench = bench, .served = { .socket = -1 } };
	const char *seconds = getenv("CHURN");
	int err, stopped;

	churn.seconds = seconds ? strtod(seconds, NULL) : SECONDS;
	if (!(churn.seconds >= 1 && churn.seconds <= SECONDS_MAX))
		return vmadj_bench_fail(bench, -EINVAL, "CHURN is 1 to %d seconds", SECONDS_MAX);
	churn.room = (size_t)(churn.seconds * RATE) + 1;
	churn.born = calloc(churn.room, sizeof(*churn.born));
	if (!churn.born)
		return -ENOMEM;
	err = run(&churn);
	vmadj_stream_close(churn.stream);
	stopped = vmadj_bench_served_stop(&churn.served);
	free(churn.born);
	return err ? err : stopped;
}
