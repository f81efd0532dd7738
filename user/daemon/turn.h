/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * turn.h - from wishes to knobs: guard, ledger, actuator, and the record of it
 *
 *	wishes of one policy -> guard -> noted in the ledger -> on disk -> turned -> recorded
 *
 * All wishes of a policy for one snapshot go to disk together and are carried out after that; when
 * the ledger cannot be written none is.
 *
 * Threads: one thread, that of the event loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/policy.h"

struct vmadj_daemon;
struct vmadj_managed;
struct vmadj_snap_vm;
struct vmadj_snapshot;

#define VMADJ_BY_HAND	"hand"
#define VMADJ_BY_DAEMON "daemon"

/* Whose wishes they are. */
struct vmadj_wisher {
	const char *name;
	bool dry_run;
};

/* Wishes whose VM is gone are refused, too. */
void vmadj_turn_wishes(struct vmadj_daemon *daemon, const struct vmadj_wisher *wisher,
		       const struct vmadj_policy_wish *wish, size_t n);

/**
 * vmadj_turn_by_hand() - one wish of the administrator's
 *
 * @ret_why: why it is refused, or not done as wished; NULL: nothing to say.
 *
 * Return: 0: done, or on its way; -EPERM: refused; -EALREADY: it is so; -errno of turning it.
 */
int vmadj_turn_by_hand(struct vmadj_daemon *daemon, struct vmadj_managed *managed, uint32_t knob,
		       double value, const char **ret_why);

/* The row's knobs and guest, for the snapshot under way. */
void vmadj_turn_fill(struct vmadj_managed *managed, struct vmadj_snap_vm *row);

/* Once a tick: what came of decisions is noted, places are looked at again. */
void vmadj_turn_tick(struct vmadj_daemon *daemon);

/* A policy may wish for memory, or somebody has. */
bool vmadj_turn_memory_is_turned(const struct vmadj_daemon *daemon);

/* A few times a second: balloons are looked at and led to their goals. Return: whether there are
 * any, or may be soon. */
bool vmadj_turn_memory_beat(struct vmadj_daemon *daemon);

/* What the managed VMs can have together, for the snapshot under way. */
void vmadj_turn_room_measure(struct vmadj_daemon *daemon, struct vmadj_snapshot *snapshot);

/* Nobody listens to the guest any more. */
void vmadj_turn_guest_close(struct vmadj_managed *managed);

/* The VM has ended: its entries in the ledger mean nothing any more. */
void vmadj_turn_forget(struct vmadj_daemon *daemon, struct vmadj_managed *managed);

/* Knobs were put back or given back: nobody of ours has turned them. @knob: NULL: all. */
void vmadj_turn_released(struct vmadj_managed *managed, const char *knob);

/* The administrator changed the limits. */
void vmadj_turn_memory_limit(struct vmadj_managed *managed);

/* Before somebody else talks to the balloon, or nobody does any more. */
void vmadj_turn_memory_close(struct vmadj_managed *managed);
