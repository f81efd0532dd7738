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

#define ACCURACY_US 1000
#define QUIET_US    1000000 /* the inventory wants to be looked after so often */

static void fill(void *userdata, struct vmadj_snap_vm *row)
{
	struct vmadj_daemon *daemon = userdata;
	struct vmadj_managed *managed = vmadj_vms_meet(daemon, &daemon->vms, row);

	if (managed)
		vmadj_turn_fill(managed, row);
}

static int take_snapshot(struct vmadj_daemon *daemon)
{
	int err;

	vmadj_vms_begin(&daemon->vms);
	err = vmadj_inventory_dispatch(daemon->inventory);
	if (!err)
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
 * Halfway to the next tick: libvirt takes one question a VM at a time, and a policy's wishes come
 * right after the tick.
 */
static int on_half(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct vmadj_daemon *daemon = userdata;

	(void)source;
	(void)usec;
	if (!daemon->stopping)
		vmadj_turn_memory_tick(daemon);
	return 0;
}

static int arm_half(struct vmadj_daemon *daemon)
{
	uint64_t half_us = (uint64_t)(daemon->config->interval_s * 1e6) / 2;
	int err = sd_event_source_set_time_relative(daemon->half, half_us);

	return err < 0 ? err : sd_event_source_set_enabled(daemon->half, SD_EVENT_ONESHOT);
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
	err = arm_half(daemon);
	if (err < 0)
		return err;
	return vmadj_ticker_next(source, (uint64_t)(daemon->config->interval_s * 1e6),
				 &daemon->next_us);
}

/* Between two samples that are far apart, the inventory is looked after all the same. */
static int on_quiet(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct vmadj_daemon *daemon = userdata;
	int err = vmadj_inventory_tick(daemon->inventory);

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
	vmadj_snapshot_builder_fill_by(daemon->builder, fill, daemon);
	daemon->next_us = now_us + (uint64_t)(daemon->config->interval_s * 1e6);
	err = sd_event_add_time(daemon->event, NULL, CLOCK_MONOTONIC, daemon->next_us, ACCURACY_US,
				on_due, daemon);
	if (err < 0)
		return err;
	err = sd_event_add_time(daemon->event, &daemon->half, CLOCK_MONOTONIC, daemon->next_us,
				ACCURACY_US, on_half, daemon);
	if (err < 0)
		return err;
	return sd_event_add_time(daemon->event, NULL, CLOCK_MONOTONIC, now_us + QUIET_US,
				 QUIET_US / 4, on_quiet, daemon);
}
