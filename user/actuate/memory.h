/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * memory.h - how a VM's memory gets to where it is wished, without harm to the guest
 *
 * A pure state machine, one a VM, fed once a second with what was seen and asked what to do next.
 * It knows no libvirt, no QMP, no clock. One bad target kills a guest in two seconds, and neither
 * libvirt nor QEMU refuses it, so:
 *   - never below the floor: max(administrator's minimum, what the guest uses + a reserve), where
 *     "uses" is actual - available, newly read before each step. That is right whether or not the
 *     guest's total shrinks with the balloon, since available never counts what is in it; where
 *     available is above actual, it is not believed. An administrator's maximum below that floor
 *     bounds what is given, and takes nothing that is used;
 *   - down in small steps, at most half the reserve each, and the next one only once the last has
 *     arrived and statistics have come after that; up at once, to the goal;
 *   - unknown, unset, absurd or stale statistics (older than three periods, or not newer than the
 *     last movement) never shrink; an age is told by our own clock, from when they were seen to
 *     change. An absurd actual (0, above the VM's maximum, unset) is distrusted for ten minutes;
 *   - raised at once, whatever is wished, when the guest runs low: available under half the
 *     reserve; it swaps or has major faults with under twice the reserve available; its OOM killer
 *     ran. By a reserve (so that it has one again), at most to the maximum; again with each new
 *     statistics. A VM that nobody wishes anything of, and that was never set, is not touched;
 *   - statistics that stop after a step down take that step back;
 *   - a balloon that on its way down does not move for 30 s is set back to where it is, said so,
 *     and left alone (raised only) for 60 s, twice as long each time, up to an hour. On the way up
 *     it is said, and stays asked for. One whose movement gains the host nothing gets all of it
 *     back, and is left alone in the same way;
 *   - changes under half a step are not made; from up to down a minute passes, from down to up none
 *     (so that nothing oscillates, and nobody waits for memory);
 *   - not while paused, migrating, being saved or backed up.
 *
 * The host's gain: a guest's memory resident on the host cannot be more than actual, if the
 * balloon works; memory that was never touched frees nothing, and that is no failure. So only this
 * is: since it began to shrink, what the process holds beyond actual (rss - actual, or 0) has grown
 * by three quarters of what was taken, and by more than max(128 MiB, a step). For a healthy
 * guest it cannot grow by more than the emulator's own memory, young or not.
 *
 * Units:     bytes, seconds (monotonic) as doubles.
 * Threads:   none of its own.
 * Ownership: the caller's struct; zeroed by vmadj_memory_init(), nothing to free.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/actuate/balloon.h"
#include "user/guest/guest.h"

/* The administrator's and the daemon's limits. */
struct vmadj_memory_limits {
	uint64_t min_bytes;	/* 0: none is set; then half of max is the floor. To whole MiB */
	uint64_t max_bytes;	/* UINT64_MAX: the VM's own maximum */
	uint64_t reserve_bytes; /* beside what the guest uses; 0: max(64 MiB, max / 16) */
	uint64_t step_bytes;	/* at most so much less at once; 0: max(16 MiB, max / 32) */
	double period_s;	/* of the statistics; under 1: 1 */
};

enum vmadj_memory_act {
	VMADJ_MEMORY_NOTHING,
	VMADJ_MEMORY_SET, /* set the balloon to target_bytes, and tell by vmadj_memory_was_set() */
};

struct vmadj_memory_next {
	enum vmadj_memory_act act;
	uint64_t target_bytes;
	const char *why; /* a constant text: what was done or not done for; never NULL */
};

struct vmadj_memory {
	struct vmadj_memory_limits limits;
	uint64_t max_bytes;    /* the VM's own; 0: never seen */
	uint64_t actual_bytes; /* as seen last; VMADJ_BALLOON_UNSET: never */
	uint64_t target_bytes; /* asked for last; VMADJ_BALLOON_UNSET: nothing */
	uint64_t floor_bytes;  /* as computed last; VMADJ_BALLOON_UNSET: not known */
	bool distrusted;       /* it said something that cannot be */

	/* (the rest is memory*.c's own) */
	bool has_goal;
	uint64_t goal_bytes; /* as wished, not yet clamped */
	double absurd_s;     /* when it last said so */

	struct vmadj_guest guest;   /* of the newest statistics */
	bool pressed, oom;	    /* since the statistics before: it swaps or faults; it killed */
	uint64_t update_s;	    /* the statistics' own time; only compared, never subtracted */
	unsigned int updates;	    /* how often they were seen to change */
	unsigned int still_updates; /* of these, when actual moved last, or was told to */
	unsigned int set_updates;   /* of these, when a target was set last */
	double updated_s;

	int direction; /* -1, 0, 1: of the last target */
	double set_s, up_s;
	uint64_t step_from_bytes; /* what it had before the last step down */
	uint64_t back_bytes;	  /* where it is to be set back to; VMADJ_BALLOON_UNSET: nowhere */

	uint64_t mark_bytes; /* the last actual that counted as progress, and when */
	double moved_s;
	bool still; /* actual is as it was one look before */
	uint64_t rss_bytes;
	uint64_t base_bytes, base_rss_bytes; /* actual and RSS when it began to go down */
	double alone_until_s, alone_for_s;
	const char *why_not;
};

void vmadj_memory_init(struct vmadj_memory *memory, const struct vmadj_memory_limits *limits);

/* The administrator changed his mind: takes effect with the next look. */
void vmadj_memory_limit(struct vmadj_memory *memory, const struct vmadj_memory_limits *limits);

/**
 * vmadj_memory_wish() - where the guest's memory shall go
 *
 * Clamped to the limits, which is told: @ret_goal is what will be aimed for. What the guest uses
 * may still keep it above.
 *
 * Return: NULL, or a constant text why it is not done as wished (then still aimed for @ret_goal);
 * with *@ret_goal == VMADJ_BALLOON_UNSET it is refused altogether, for it was never looked at, and
 * the wish of before stays.
 */
const char *vmadj_memory_wish(struct vmadj_memory *memory, uint64_t bytes, uint64_t *ret_goal);

/* No wish any more: stays where it is, but is still raised when the guest runs low (if it was ever
 * set). */
void vmadj_memory_unwish(struct vmadj_memory *memory);

/**
 * vmadj_memory_see() - the look of this second, and what to do now
 *
 * @seen: NULL: it could not be looked at (time still passes).
 * @rss_bytes: what the VM's process holds of the host's memory; VMADJ_BALLOON_UNSET: not known.
 * @may_shrink: false: enough others are in motion; only rising is allowed.
 */
struct vmadj_memory_next vmadj_memory_see(struct vmadj_memory *memory, double now_s,
					  const struct vmadj_balloon_state *seen,
					  uint64_t rss_bytes, bool may_shrink);

/* @target_bytes was asked for: the balloon's answer came back without error. */
void vmadj_memory_was_set(struct vmadj_memory *memory, double now_s, uint64_t target_bytes);

/* On its way down and not there yet: counts against the number that may be. */
bool vmadj_memory_in_motion(const struct vmadj_memory *memory);

/* Whether turning has no effect now (it is left alone, or distrusted); the reason, or NULL. */
const char *vmadj_memory_why_not(const struct vmadj_memory *memory);
