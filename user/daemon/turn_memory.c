/* SPDX-License-Identifier: GPL-2.0-only */
/* turn_memory.c - a VM's memory: look at its balloon, ask the machine, do one step */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "user/daemon/turn_private.h"
#include "user/guest/balloon.h"
#include "user/snapshot/snapshot.h"
#include "user/util/log.h"

#define STILL_S 10 /* without a step: this is how far it goes */

/* From one look at a balloon to the next. */
#define LOOK_S	     0.9
#define LOOK_STATS_S 0.45 /* where its statistics are the best source: they come once a second */
#define LOOK_SOON_S  0.15 /* while something is on its way, or could be */

void vmadj_turn_memory_finish(struct vmadj_managed_memory *memory, int err, const char *why)
{
	if (!memory->use.serial)
		return;
	vmadj_turn_result(memory->managed, memory->use.serial, err, why);
	memory->use.serial = 0;
}

/* --- one step ----------------------------------------------------------- */

/* What was done for a need of the guest's, or of another's. */
static void finish_own(struct vmadj_managed_memory *memory, int err)
{
	if (memory->own_serial)
		vmadj_turn_result(memory->managed, memory->own_serial, err, NULL);
	memory->own_serial = 0;
}

static void on_set(void *userdata, int err)
{
	struct vmadj_managed_memory *memory = userdata;

	memory->use.busy = false;
	finish_own(memory, err);
	if (err) {
		vmadj_turn_memory_finish(memory, err, NULL);
		return;
	}
	memory->reached = false;
	vmadj_memory_was_set(&memory->machine, vmadj_daemon_now_s(), memory->setting_bytes);
}

static void set(struct vmadj_managed_memory *memory, const struct vmadj_memory_next *next,
		const char *limit)
{
	uint64_t actual = memory->state.stats.actual_bytes;
	int err = vmadj_turn_memory_note(memory, next->target_bytes);

	if (next->need) {
		memory->own_serial = vmadj_turn_own(memory->managed, actual, next->target_bytes,
						    next->why, limit);
	}
	if (!err) {
		log_info("vm=%s memory %llu->%llu MiB: %s", memory->managed->target.name,
			 (unsigned long long)actual >> 20,
			 (unsigned long long)next->target_bytes >> 20, next->why);
		memory->setting_bytes = next->target_bytes;
		err = vmadj_balloon_set(memory->balloon, next->target_bytes, on_set, memory);
	}
	memory->use.busy = !err;
	if (err) {
		finish_own(memory, err);
		vmadj_turn_memory_finish(memory, err, NULL);
	}
}

static unsigned int in_motion(const struct vmadj_daemon *daemon)
{
	unsigned int n = 0;

	for (size_t i = 0; i < daemon->vms.n; i++) {
		const struct vmadj_managed_memory *memory = daemon->vms.vm[i]->memory;

		n += memory && vmadj_memory_in_motion(&memory->machine);
	}
	return n;
}

static void step(struct vmadj_managed_memory *memory, const struct vmadj_balloon_state *seen)
{
	struct vmadj_managed *managed = memory->managed;
	struct vmadj_daemon *daemon = managed->daemon;
	const char *limit = NULL;
	struct vmadj_memory_next next;
	bool may_shrink = vmadj_memory_in_motion(&memory->machine) ||
			  in_motion(daemon) < daemon->config->memory_in_motion_vms;

	next = vmadj_memory_see(&memory->machine, vmadj_daemon_now_s(), seen,
				vmadj_turn_guest_rss(managed->target.pid), may_shrink);
	if (next.act == VMADJ_MEMORY_SET && memory->noted && !vmadj_turn_memory_is_dry(memory))
		limit = vmadj_turn_room_bound(memory, &next);
	if (seen && memory->waiting) {
		(void)vmadj_memory_wish(&memory->machine, memory->goal_bytes, &memory->goal_bytes);
		memory->waiting = false;
	} else if (next.act == VMADJ_MEMORY_SET && memory->noted &&
		   !vmadj_turn_memory_is_dry(memory)) {
		memory->still_s = vmadj_daemon_now_s();
		set(memory, &next, limit);
	} else if (seen && vmadj_turn_memory_distance(seen->stats.actual_bytes,
						      memory->goal_bytes) <= VMADJ_MEMORY_SLACK) {
		vmadj_turn_memory_finish(memory, 0, NULL);
	} else if (vmadj_daemon_now_s() > memory->still_s + STILL_S) {
		vmadj_turn_memory_finish(memory, -ECANCELED, next.why);
	}
}

/* --- looks -------------------------------------------------------------- */

static void tell_guest(struct vmadj_managed_memory *memory)
{
	const struct vmadj_balloon_state *state = &memory->state;
	struct vmadj_guest guest;
	struct timespec now;
	bool known;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	known = vmadj_guest_from_balloon(&state->stats, state->max_bytes,
					 (double)now.tv_sec + (double)now.tv_nsec / 1e9, &guest);
	vmadj_turn_guest_balloon(memory->managed, known ? &guest : NULL);
}

static void on_seen(void *userdata, int err, const struct vmadj_balloon_state *state)
{
	struct vmadj_managed_memory *memory = userdata;

	memory->use.busy = false;
	if (err || state->stats.actual_bytes == VMADJ_BALLOON_UNSET) {
		memory->why_not = "its balloon does not answer";
		step(memory, NULL);
		return;
	}
	memory->why_not = NULL;
	memory->state = *state;
	memory->seen_s = vmadj_daemon_now_s();
	tell_guest(memory);
	if (!memory->noted && !vmadj_turn_memory_is_dry(memory))
		vmadj_turn_memory_first_look(memory);
	if (!vmadj_turn_memory_is_theirs(memory))
		step(memory, state);
}

static void look(struct vmadj_managed_memory *memory, double pace_s)
{
	double now_s = vmadj_daemon_now_s();
	int err;

	if (!memory->balloon) {
		if (now_s >= memory->retry_s)
			vmadj_turn_memory_open(memory);
		return;
	}
	if (memory->use.busy || now_s < memory->looked_s + pace_s)
		return;
	memory->looked_s = now_s;
	err = vmadj_balloon_look(memory->balloon, on_seen, memory);
	memory->use.busy = !err;
	if (err && memory->noted)
		step(memory, NULL);
}

/* Something moves, or is to move and only waits for room. */
static bool is_in_haste(const struct vmadj_managed_memory *memory)
{
	bool need;

	return memory->noted && !memory->use.theirs &&
	       (vmadj_memory_in_motion(&memory->machine) ||
		memory->machine.recall_bytes != VMADJ_BALLOON_UNSET ||
		(vmadj_memory_want(&memory->machine, vmadj_daemon_now_s(), &need) && need));
}

void vmadj_turn_memory_heard(struct vmadj_managed *managed)
{
	struct vmadj_managed_memory *memory = managed->memory;

	if (!memory)
		return;
	vmadj_memory_hear(&memory->machine, vmadj_daemon_now_s(), &managed->guest);
	if (is_in_haste(memory) || vmadj_memory_is_above(&memory->machine))
		look(memory, LOOK_SOON_S);
}

static double pace_s(const struct vmadj_managed_memory *memory)
{
	const char *source = memory->managed->guest.source;

	if (is_in_haste(memory) || (memory->noted && vmadj_memory_is_short(&memory->machine)))
		return LOOK_SOON_S;
	return memory->noted && source && !strcmp(source, "balloon") ? LOOK_STATS_S : LOOK_S;
}

bool vmadj_turn_memory_is_turned(const struct vmadj_daemon *daemon)
{
	bool turned = vmadj_policies_want(&daemon->policies, VMADJ_KNOB_MEMORY);

	for (size_t i = 0; i < daemon->vms.n && !turned; i++)
		turned = daemon->vms.vm[i]->memory;
	return turned;
}

bool vmadj_turn_memory_beat(struct vmadj_daemon *daemon)
{
	bool wanted = vmadj_policies_want(&daemon->policies, VMADJ_KNOB_MEMORY);

	if (!vmadj_turn_memory_is_turned(daemon))
		return false;
	vmadj_turn_room(daemon);
	for (size_t i = 0; i < daemon->vms.n; i++) {
		struct vmadj_managed *managed = daemon->vms.vm[i];

		if (!managed->row || managed->ended)
			continue;
		if (!managed->memory && wanted && managed->limits.manage)
			(void)vmadj_turn_memory_start(managed);
		if (managed->memory)
			look(managed->memory, pace_s(managed->memory));
	}
	return true;
}
