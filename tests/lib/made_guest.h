/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * made_guest.h - a made-up guest whose memory is changed, a look a second
 *
 * Its balloon arrives by the next look, unless it is stuck; its statistics come each
 * second, unless it is silent, and are true.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/actuate/memory.h"

#define MIB	     (1ULL << 20)
#define MADE_MAX     (1024 * MIB) /* the VM's own */
#define MADE_MIN     (256 * MIB)  /* the administrator's */
#define MADE_RESERVE (64 * MIB)
#define MADE_STEP    (32 * MIB)
#define MADE_LONG_S  200 /* from one end to the other, and longer than it waits to turn */

struct vmadj_made {
	struct vmadj_memory memory;
	struct vmadj_balloon_state state;
	double now_s;
	uint64_t used;
	uint64_t rss; /* VMADJ_BALLOON_UNSET: not known */
	bool stuck, silent;
	bool forbidden; /* enough others are in motion */
	struct vmadj_memory_next next;
};

struct vmadj_made vmadj_made_new(uint64_t used);

/* One that uses @used, and was brought down to @to. */
struct vmadj_made vmadj_made_at(uint64_t to, uint64_t used);

uint64_t vmadj_made_actual(const struct vmadj_made *made);
void vmadj_made_wish(struct vmadj_made *made, uint64_t bytes);

void vmadj_made_look(struct vmadj_made *made);
void vmadj_made_looks(struct vmadj_made *made, unsigned int n);

/* Looks until something is set, at most @n times, else fails; Return: after how many. */
unsigned int vmadj_made_until_set(struct vmadj_made *made, unsigned int n);

/* Looks @n times, and fails if something is set. */
void vmadj_made_rests(struct vmadj_made *made, unsigned int n);
