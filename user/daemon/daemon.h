/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * daemon.h - observe, let policies look, guard, turn, remember: `vmadjust-bpf run`
 *
 * Threads:   one, with one event loop; it waits for nobody.
 * Ownership: the daemon owns all its parts.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "user/config/config.h"
#include "user/daemon/policies.h"
#include "user/daemon/vms.h"

struct vmadj_control;
struct vmadj_cost;
struct vmadj_cpu;
struct vmadj_inventory;
struct vmadj_ledger;
struct vmadj_libvirt;
struct vmadj_observer;
struct vmadj_reload;
struct vmadj_restoring;
struct vmadj_snapshot;
struct vmadj_snapshot_builder;

/* What a tick took, to be shown. */
struct vmadj_daemon_pace {
	uint64_t ticks;
	double last_ms, longest_ms; /* of the daemon's own work in a tick */
	double late_ms;		    /* how much later than due the latest one began */
};

struct vmadj_daemon {
	const char *config_path; /* NULL: built-in defaults */
	struct vmadj_config *config;
	bool dry_run, paused, stopping;

	sd_event *event;
	sd_event_source *beat; /* the timer between two ticks, when balloons are looked at */
	struct vmadj_observer *observer;
	struct vmadj_inventory *inventory;
	struct vmadj_snapshot_builder *builder;
	struct vmadj_libvirt *libvirt;
	struct vmadj_cpu *cpu;
	struct vmadj_ledger *ledger;
	struct vmadj_control *control;
	struct vmadj_cost *cost;
	struct vmadj_restoring *restoring; /* what is being put back; NULL: nothing */
	struct vmadj_reload *reload;	   /* that is under way; NULL: none */

	struct vmadj_vms vms;
	struct vmadj_policies policies;
	const struct vmadj_snapshot *snapshot; /* the last; NULL: none yet */
	double snapshot_s;		       /* when, monotonic */
	uint64_t seq;			       /* its number */
	bool memory_turned;	 /* or about to be: what that needs to know of the host is read */
	unsigned int finds_left; /* levels that may still be looked for in this tick */
	uint64_t serial;	 /* of the last decision */
	bool ledger_failed;	 /* said so already */
	uint64_t next_us;
	double started_s;
	struct vmadj_daemon_pace pace;
};

struct vmadj_daemon_options {
	const char *config_path;
	struct vmadj_config *config; /* taken over */
	struct vmadj_observer *observer;
	bool dry_run;
};

/**
 * vmadj_daemon_run() - until SIGTERM or SIGINT, then with everything put back
 *
 * Return: 0; -EBUSY: another daemon runs; -errno; said so.
 */
int vmadj_daemon_run(const struct vmadj_daemon_options *options);

/* Monotonic. */
double vmadj_daemon_now_s(void);

/**
 * vmadj_daemon_reload() - the configuration anew, all of it or nothing
 *
 * Takes effect once all policies that are new or changed are found good, beside the old ones.
 *
 * @done: NULL: nobody waits; else called once, from within the call or from the event loop.
 *
 * Return: 0; then @done is called; -EINVAL and the like: wrong, and said so; -EBUSY: one is under
 * way, which without @done is done once more afterwards; -ENOMEM.
 */
int vmadj_daemon_reload(struct vmadj_daemon *daemon, vmadj_policy_loaded done, void *userdata);
void vmadj_daemon_reload_forget(struct vmadj_daemon *daemon, const void *userdata);
void vmadj_daemon_reload_cancel(struct vmadj_daemon *daemon);

/**
 * vmadj_daemon_restore() - put knobs back in the background
 *
 * @by, @vm_id: NULL: all. With daemon.stopping the loop ends when all is done.
 *
 * Return: 0; -errno.
 */
int vmadj_daemon_restore(struct vmadj_daemon *daemon, const char *by, const char *vm_id);
