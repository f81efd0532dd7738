/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * turn_private.h - what the files of turn.h share
 */
#pragma once

#include "user/daemon/daemon.h"
#include "user/daemon/decisions.h"
#include "user/daemon/turn.h"
#include "user/daemon/vms.h"

/* A wish on its way. */
struct vmadj_turning {
	struct vmadj_managed *managed;
	const struct vmadj_wisher *wisher;
	const struct vmadj_policy_wish *wish;
	struct vmadj_decision decision; /* being made */
	int nice;
};

/* Guard and ledger; Return: whether it is to be carried out after the commit. */
bool vmadj_turn_cpu_plan(struct vmadj_daemon *daemon, struct vmadj_turning *turning);
void vmadj_turn_cpu_do(struct vmadj_daemon *daemon, struct vmadj_turning *turning);

/* Looks for the level again where that is due, and whether somebody else has changed it. */
void vmadj_turn_cpu_refresh(struct vmadj_daemon *daemon, struct vmadj_managed *managed, bool now);

/* Begins to look at its balloon; NULL: out of memory. */
struct vmadj_managed_memory *vmadj_turn_memory_start(struct vmadj_managed *managed);

/* The decision under way has ended: reached (0), or as far as it goes (-ECANCELED), or failed. */
void vmadj_turn_memory_finish(struct vmadj_managed_memory *memory, int err, const char *why);

/* Memory has no plan: the machine leads it there, one step after the other. */
void vmadj_turn_memory_wish(struct vmadj_daemon *daemon, struct vmadj_turning *turning);

/* Keeps what was decided, and logs what is to be said. */
void vmadj_turn_record(struct vmadj_turning *turning);

/* A decision that was carried out: @err 0 or why not. */
void vmadj_turn_result(struct vmadj_managed *managed, uint64_t serial, int err, const char *why);
