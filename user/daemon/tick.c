/* SPDX-License-Identifier: GPL-2.0-only */
/* tick.c - once an interval: a snapshot, shown to who watches and to the policies */
#include "user/daemon/tick.h"

#include <errno.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "user/daemon/control.h"
#include "user/daemon/daemon.h"
#include "user/daemon/turn.h"
#include "user/snapshot/snapshot.h"
#include "user/util/log.h"
#include "user/util/ticker.h"
#include "user/vm/inventory.h"

#define ACCURACY_US   1000
#define FIRST_BEAT_US 125000 /* from a tick */
#define BEAT_US	      250000
#define QUIET_US      1000000 /* the inventory wants to be looked after so often */

static int set_beat(sd_event_source *source, uint64_t us)
{
	int err = sd_event_source_set_time_relative(source, us);

	return err < 0 ? err : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void fill(void *userdata, struct vmadj_snap_vm *row)
{
	struct vmadj_daemon *daemon = userdata;
	struct vmadj_managed *managed = vmadj_vms_meet(daemon, &daemon->vms, row);

	if (managed)
		vmadj_turn_fill(managed, row);
}

static void complete(void *userdata, struct vmadj_snapshot *snapshot)
{
	vmadj_turn_room_measure(userdata, snapshot);
}

static int take_snapshot(struct vmadj_daemon *daemon)
{
	int err;

	daemon->memory_turned = vmadj_turn_memory_is_turned(daemon);
	vmadj_vms_begin(&daemon->vms);
	err = vmadj_snapshot_build(daemon->builder, &daemon->snapshot);
	if (err)
		return err;
	daemon->snapshot_s = vmadj_daemon_now_s();
	daemon->seq++;
	return 0;
}

static int tick(struct vmadj_daemon *daemon)
{
	struct vmadj_daemon_pace *pace = &daemon->pace;
	double begin_s = vmadj_daemon_now_s();
	int err = take_snapshot(daemon);

	if (err)
		return err;
	vmadj_policies_feed(&daemon->policies);
	vmadj_control_show(daemon->control, daemon->snapshot);
	vmadj_turn_tick(daemon);
	vmadj_vms_end(daemon, &daemon->vms);
	pace->ticks++;
	pace->last_ms = (vmadj_daemon_now_s() - begin_s) * 1e3;
	if (pace->last_ms > pace->longest_ms)
		pace->longest_ms = pace->last_ms;
	return 0;
}

/*
 * Balloons are looked at between ticks, whatever the interval: a guest's need does not wait. Not
 * right after a tick, since libvirt takes one question a VM at a time, and a policy's wishes come
 * then.
 */
static int on_beat(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct vmadj_daemon *daemon = userdata;

	(void)usec;
	if (daemon->stopping || !vmadj_turn_memory_beat(daemon))
		return 0;
	return set_beat(source, BEAT_US);
}

/* An interval too short for that goes on as it began. */
static int arm_beat(struct vmadj_daemon *daemon)
{
	int on = 0, err = sd_event_source_get_enabled(daemon->beat, &on);

	if (err < 0)
		return err;
	if (on != SD_EVENT_OFF && daemon->config->interval_s * 1e6 < 2 * FIRST_BEAT_US)
		return 0;
	return set_beat(daemon->beat, FIRST_BEAT_US);
}

static int on_due(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct vmadj_daemon *daemon = userdata;
	int err = 0;

	daemon->pace.late_ms = (vmadj_daemon_now_s() - (double)usec / 1e6) * 1e3;
	if (!daemon->stopping)
		err = tick(daemon);
	if (err) {
		log_err("cannot take a sample: %s", strerror(-err));
		return sd_event_exit(daemon->event, err);
	}
	err = arm_beat(daemon);
	if (err < 0)
		return err;
	return vmadj_ticker_next(source, (uint64_t)(daemon->config->interval_s * 1e6),
				 &daemon->next_us);
}

/* Between two samples that are far apart, the inventory is looked after all the same. */
static int on_quiet(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct vmadj_daemon *daemon = userdata;
	int err = 0;

	if (daemon->config->interval_s * 1e6 > QUIET_US)
		err = vmadj_inventory_tick(daemon->inventory);
	if (err)
		return sd_event_exit(daemon->event, err);
	err = sd_event_source_set_time(source, usec + QUIET_US);
	return err < 0 ? err : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int vmadj_tick_start(struct vmadj_daemon *daemon)
{
	uint64_t now_us;
	int err = sd_event_now(daemon->event, CLOCK_MONOTONIC, &now_us);

	if (err < 0)
		return err;
	vmadj_snapshot_builder_fill_by(daemon->builder, fill, complete, daemon);
	daemon->next_us = now_us + (uint64_t)(daemon->config->interval_s * 1e6);
	err = sd_event_add_time(daemon->event, NULL, CLOCK_MONOTONIC, daemon->next_us, ACCURACY_US,
				on_due, daemon);
	if (err < 0)
		return err;
	err = sd_event_add_time(daemon->event, &daemon->beat, CLOCK_MONOTONIC,
				daemon->next_us + FIRST_BEAT_US, ACCURACY_US, on_beat, daemon);
	if (err < 0)
		return err;
	return sd_event_add_time(daemon->event, NULL, CLOCK_MONOTONIC, now_us + QUIET_US,
				 QUIET_US / 4, on_quiet, daemon);
}
