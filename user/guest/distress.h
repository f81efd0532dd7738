/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * distress.h - whether a guest suffers from having too little memory, by its own figures
 *
 * Fed with one set of figures after the other, and with what was taken from the guest. Signs:
 *   - its OOM killer ran;
 *   - it swaps, tasks of it stall to free memory themselves, or its memory pressure (avg10) is
 *     high, each more than twice as much as lately, and a slack, which is less where little is
 *     available (under twice the reserve); who swaps then swaps too much, however long already;
 *   - it has major faults with little available;
 *   - refaults: within 30 s after memory was taken, more than twice as many as before, and a
 *     slack. A guest whose working set never fits has them all the time, and one that reads large
 *     files for the first time has none: neither is in distress by that;
 *   - it has run low: less than half the reserve is available.
 * What inflating the balloon does by itself is no sign: the guest's balloon driver frees memory
 * itself to get some, which counts as stalls and as pressure (drivers/virtio/virtio_balloon.c).
 *
 * A need lasts until 10 s after its last sign. What was taken lately before refaults came is to be
 * given back, and not to be taken again for a minute; where they go on no less, all that was taken
 * in a row. So who takes slowly learns how far he can go, and needs not begin anew for it.
 *
 * Counts are compared over windows of a second: figures that come sooner can only show more than
 * they should be, never less, so that what is reported at once counts at once.
 *
 * Pure: no clock, no kernel. Units: bytes, seconds (monotonic) as doubles.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/guest/guest.h"

enum vmadj_distress_kind {
	VMADJ_DISTRESS_NONE,
	VMADJ_DISTRESS_LOW,	 /* it should have a reserve more */
	VMADJ_DISTRESS_REFAULTS, /* it should have back what was taken */
	VMADJ_DISTRESS_HARD,	 /* it should have whatever there is */
};

/* Rates that are held against what they were lately. */
enum { VMADJ_DISTRESS_SWAP, VMADJ_DISTRESS_STALLS, VMADJ_DISTRESS_PSI, VMADJ_DISTRESS_RATES };

struct vmadj_distress {
	bool pressed;	   /* it swaps or has many major faults, though nothing may be short */
	double keep_for_s; /* what is read again is left to it for so long; its owner sets it */

	/* (the rest is distress.c's own) */
	struct vmadj_guest from; /* at the window's begin; not known: none has begun */
	double from_s;
	double usual[VMADJ_DISTRESS_RATES];
	double refaults; /* a second, before the last taking; NAN: not measured */
	double moved_s;	 /* when the balloon was last seen on its way down */
	double taken_s;
	/* What it had before the last takings in a row, before the latest of them, and before those
	 * that come to count as the latest next. */
	uint64_t row_bytes, lately_bytes, next_bytes;
	double next_s;

	enum vmadj_distress_kind kind;
	const char *why;
	double sign_s, keep_s;
	uint64_t keep_bytes;
	double kept_s, kept_refaults; /* when it was answered first, and the most soon after */
};

void vmadj_distress_init(struct vmadj_distress *distress);

/* Memory is being taken from a guest that has @from_bytes. */
void vmadj_distress_taken(struct vmadj_distress *distress, double now_s, uint64_t from_bytes);

/* Its balloon is on its way down. */
void vmadj_distress_moving(struct vmadj_distress *distress, double now_s);

/* New figures; @reserve_bytes: what it should always have available. */
void vmadj_distress_hear(struct vmadj_distress *distress, double now_s,
			 const struct vmadj_guest *guest, uint64_t reserve_bytes);

/* Nothing is known of it just now: what comes next is not held against what was before. */
void vmadj_distress_unknown(struct vmadj_distress *distress);

/* The need that holds; *@ret_why is a constant text, NULL without need. */
enum vmadj_distress_kind vmadj_distress_need(const struct vmadj_distress *distress, double now_s,
					     const char **ret_why);

/* Less than that is not to be left to it for now; 0: no such bound. */
uint64_t vmadj_distress_keep(const struct vmadj_distress *distress, double now_s);

/* Whether it can be told if taking hurts: how many refaults it has without that is known, or it
 * does not say. */
bool vmadj_distress_is_measured(const struct vmadj_distress *distress);
