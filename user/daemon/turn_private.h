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
void vmadj_turn_memory_open(struct vmadj_managed_memory *memory);

/* What is wished for is only looked at, not done. */
bool vmadj_turn_memory_is_dry(const struct vmadj_managed_memory *memory);

/* Before anything of it is changed, the statistics' period included. */
void vmadj_turn_memory_first_look(struct vmadj_managed_memory *memory);

/* Writes down what the balloon is about to be set to. */
int vmadj_turn_memory_note(struct vmadj_managed_memory *memory, uint64_t bytes);

/* It had arrived where we wanted it and has left again, without us: somebody else moves it. */
bool vmadj_turn_memory_is_theirs(struct vmadj_managed_memory *memory);

#define VMADJ_MEMORY_SLACK (4ULL << 20) /* a balloon at rest is not exactly at its target */

static inline uint64_t vmadj_turn_memory_distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* The guest has said something new, which is in managed->guest. */
void vmadj_turn_memory_heard(struct vmadj_managed *managed);

/* What the balloon's statistics say; NULL: nothing. */
void vmadj_turn_guest_balloon(struct vmadj_managed *managed, const struct vmadj_guest *guest);
void vmadj_turn_guest_fill(struct vmadj_managed *managed, struct vmadj_snap_vm *row);
void vmadj_turn_guest_tick(struct vmadj_managed *managed);

/* What the process holds of the host's memory; UINT64_MAX: not known. */
uint64_t vmadj_turn_guest_rss(pid_t pid);

/* Works out anew who must give back for whom. */
void vmadj_turn_room(struct vmadj_daemon *daemon);

/* Holds growth to what the host has: @next is made less, or nothing. Return: why, or NULL. */
const char *vmadj_turn_room_bound(struct vmadj_managed_memory *memory,
				  struct vmadj_memory_next *next);

/* A decision of the daemon's own on a VM's memory, under way; Return: its serial. */
uint64_t vmadj_turn_own(struct vmadj_managed *managed, uint64_t from_bytes, uint64_t to_bytes,
			const char *reason, const char *limit);

/* The decision under way has ended: reached (0), or as far as it goes (-ECANCELED), or failed. */
void vmadj_turn_memory_finish(struct vmadj_managed_memory *memory, int err, const char *why);

/* Memory has no plan: the machine leads it there, one step after the other. */
void vmadj_turn_memory_wish(struct vmadj_daemon *daemon, struct vmadj_turning *turning);

/* Keeps what was decided, and logs what is to be said. */
void vmadj_turn_record(struct vmadj_turning *turning);

/* A decision that was carried out: @err 0 or why not. */
void vmadj_turn_result(struct vmadj_managed *managed, uint64_t serial, int err, const char *why);
