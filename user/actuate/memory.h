/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * memory.h - how a VM's memory gets to where it is wished, without harm to the guest
 *
 * A pure state machine, one a VM, fed once a second or more often with what was seen and asked what
 * to do next. What the guest says of itself comes with the balloon's statistics, or from a better
 * source, which then counts alone (vmadj_memory_hear()).
 * It knows no libvirt, no QMP, no clock. One bad target kills a guest in two seconds, and neither
 * libvirt nor QEMU refuses it, so:
 *   - never below the floor: max(administrator's minimum, what the guest uses + a reserve), where
 *     "uses" is actual - available, newly read before each step. That is right whether or not the
 *     guest's total shrinks with the balloon, since available never counts what is in it; where
 *     available is above actual, it is not believed. An administrator's maximum below that floor
 *     bounds what is given, and takes nothing that is used;
 *   - down in steps, and the next one only once the last has arrived and statistics have come
 *     after that; up at once, to the goal. A step is half of what the guest can spare
 *     (available - reserve), so that it has the other half and the reserve while it is told, and
 *     the way is done in a few steps, however large the guest; where that is less, or
 *     statistics are older than one and a half periods, a small one: at most half the reserve.
 *     A step that the administrator has set is not exceeded;
 *   - unknown, unset, absurd or stale statistics (older than three periods, or not newer than the
 *     last movement) never shrink; an age is told by our own clock, from when they were seen to
 *     change. An absurd actual (0, above the VM's maximum, unset) is distrusted for ten minutes;
 *   - raised at once, whatever is wished, when the guest is in distress (guest/distress.h), at
 *     most to the maximum: to that at once when its OOM killer ran, it swaps, stalls or is under
 *     pressure; to what it had before the last takings when refaults rise, and not below that for a
 *     minute; by a reserve, again with each new statistics, when under half the reserve is
 *     available. While it needs memory nothing is taken. A VM that nobody wishes anything of, and
 *     that was never set, is not touched;
 *   - statistics that stop after a step down take that step back;
 *   - a balloon that on its way down does not move for 30 s is set back to where it is, said so,
 *     and left alone (raised only) for 60 s, twice as long each time, up to an hour. On the way up
 *     it is said, and stays asked for. One whose movement gains the host nothing gets all of it
 *     back, and is left alone in the same way;
 *   - changes under half a small step are not made; from up to down ten seconds pass, a minute
 *     where the guest itself had needed it, from down to up none (so that nothing oscillates, and
 *     nobody waits for memory);
 *   - what others need more (memory_room.h) is called back: down in the same way, but at once;
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
#include "user/guest/distress.h"
#include "user/guest/guest.h"

/* The administrator's and the daemon's limits. */
struct vmadj_memory_limits {
	uint64_t min_bytes;	/* 0: none is set; then half of max is the floor. To whole MiB */
	uint64_t max_bytes;	/* UINT64_MAX: the VM's own maximum */
	uint64_t reserve_bytes; /* beside what the guest uses; 0: max(64 MiB, max / 16) */
	uint64_t step_bytes;	/* at most so much less at once; 0: as the guest can bear */
	double period_s;	/* of the statistics; under 1: 1 */
	double keep_s;		/* what the guest needed is left to it for so long; 0: 60 */
};

enum vmadj_memory_act {
	VMADJ_MEMORY_NOTHING,
	VMADJ_MEMORY_SET, /* set the balloon to target_bytes, and tell by vmadj_memory_was_set() */
};

struct vmadj_memory_next {
	enum vmadj_memory_act act;
	uint64_t target_bytes;
	bool need;	 /* not as wished: it or another needs it, or what was done is undone */
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

	uint64_t recall_bytes; /* others need what it has above that; VMADJ_BALLOON_UNSET: no */

	struct vmadj_guest guest; /* of the newest statistics */
	struct vmadj_distress distress;
	double heard_s;		    /* when a better source than the balloon was heard last */
	uint64_t update_s;	    /* the statistics' own time; only compared, never subtracted */
	unsigned int updates;	    /* how often they were seen to change */
	unsigned int still_updates; /* of these, when actual moved last, or was told to */
	unsigned int set_updates;   /* of these, when a target was set last */
	double updated_s;

	int direction; /* -1, 0, 1: of the last target */
	double set_s;
	double down_from_s;	  /* nothing is taken before, but what is called back */
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

/**
 * vmadj_memory_hear() - new figures from a better source than the balloon
 *
 * While they come, the balloon's own statistics do not count. What is to be done is told by the
 * next look, which may follow at once.
 */
void vmadj_memory_hear(struct vmadj_memory *memory, double now_s, const struct vmadj_guest *guest);

/* Others need what it has above @to_bytes; VMADJ_BALLOON_UNSET: not any more. */
void vmadj_memory_recall(struct vmadj_memory *memory, uint64_t to_bytes);

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

/* What it has, or may come to have by what was asked for last; 0: never looked at. */
uint64_t vmadj_memory_size(const struct vmadj_memory *memory);

/* The least it could be brought down to now; its size where that is not known. */
uint64_t vmadj_memory_least_size(const struct vmadj_memory *memory);

/* What it should grow to, and whether for a need of its own or as wished; 0: not to grow. */
uint64_t vmadj_memory_want(const struct vmadj_memory *memory, double now_s, bool *ret_need);

/* Why the guest needs memory now, whatever is wished, a constant text; NULL: it does not. */
const char *vmadj_memory_in_need(const struct vmadj_memory *memory, double now_s);

/* It is to have less than it has: it only waits for the next step. */
bool vmadj_memory_is_above(const struct vmadj_memory *memory);

/* Less than the reserve is available: it may soon be in need. */
bool vmadj_memory_is_short(const struct vmadj_memory *memory);

/* On its way down and not there yet: counts against the number that may be. */
bool vmadj_memory_in_motion(const struct vmadj_memory *memory);

/* Whether turning has no effect now (it is left alone, or distrusted); the reason, or NULL. */
const char *vmadj_memory_why_not(const struct vmadj_memory *memory);
