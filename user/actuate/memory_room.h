/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * memory_room.h - who may have what of the host's memory
 *
 * The managed VMs have a budget together. What a VM has, or may come to have by what was asked for
 * last, is its size; the sum of the sizes is never brought above the budget by letting somebody
 * grow. So what one is to get from another it gets once the other has given it.
 *
 * Room that is left goes to those who need it, then to those for whom more is wished, by weight
 * and at most what each wants. Where a guest in need finds no room, others give back what they
 * have above their due, the one with most above it first, unless they are in need themselves. A
 * VM's due is what it had at first; where the VMs had more than the budget, its share of that by
 * weight. Above its own due nobody gets by that: one guest's word takes nothing that is another's.
 *
 * Example: a budget of 1000, two VMs that had 800 each, so 500 is due to each. A policy has made
 * them 200 and 800. The first is in need: its want is 800, its due 500, so the second is called
 * back to 500. When that has arrived the room is 300, and the first grows to 500.
 *
 * Pure. Units: bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vmadj_room_host {
	uint64_t total_bytes, available_bytes; /* of the host; MemTotal and MemAvailable */
	uint64_t resident_bytes;	       /* of the managed VMs' processes together */
	uint64_t memory_bytes;		       /* as configured; 0: all that the host has */
	uint64_t reserve_bytes;		       /* as configured; 0: max(256 MiB, a 20th of it) */
};

/* What the managed VMs can have together: not more than configured, nor than the host has for
 * them, which is what they hold already and what is available; less the reserve. */
uint64_t vmadj_room_budget(const struct vmadj_room_host *host);

struct vmadj_room_vm {
	uint64_t size_bytes;
	uint64_t original_bytes; /* before it was changed first */
	uint64_t want_bytes;	 /* what it should grow to; up to size_bytes: it should not */
	uint64_t least_bytes;	 /* can be brought down to that; size_bytes: not at all */
	unsigned int weight;	 /* from 1 on */
	bool need;		 /* it is in need; what it wants, if anything, is for that */

	/* filled in by vmadj_room_share() */
	uint64_t due_bytes;
	uint64_t grant_bytes; /* may grow to that; at least size_bytes */
	uint64_t back_bytes;  /* is called back to that; UINT64_MAX: is not */
};

void vmadj_room_share(struct vmadj_room_vm *vms, size_t n, uint64_t budget_bytes);
