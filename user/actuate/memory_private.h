/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * memory_private.h - what the files of the memory machine share; others include memory.h
 */
#pragma once

#include "user/actuate/memory.h"
#include "user/util/count.h"

#define VMADJ_MEMORY_MIB     (1ULL << 20)
#define VMADJ_MEMORY_ALONE_S 60 /* the first time */

/* The limits as they bind, with nothing left to be filled in; memory->max_bytes is known. */
uint64_t vmadj_memory_max(const struct vmadj_memory *memory);
uint64_t vmadj_memory_min(const struct vmadj_memory *memory);
uint64_t vmadj_memory_reserve(const struct vmadj_memory *memory);
uint64_t vmadj_memory_step(const struct vmadj_memory *memory); /* a small one */
uint64_t vmadj_memory_stride(const struct vmadj_memory *memory, double now_s);

/* Where it is to go when it needs nothing; its size where nothing is wished or called back. */
uint64_t vmadj_memory_goal(const struct vmadj_memory *memory);

/* memory_floor.c: takes in a look; Return: why nothing can be decided from it, or NULL. */
const char *vmadj_memory_take(struct vmadj_memory *memory, double now_s,
			      const struct vmadj_balloon_state *seen, uint64_t rss_bytes);

/* Whether the statistics say what is available, and are not older than @periods. */
bool vmadj_memory_is_fresh(const struct vmadj_memory *memory, double now_s, double periods);

/* What the guest uses and a reserve, at most the VM's own maximum; the statistics are known. A
 * lower maximum of the administrator's does not count here: it would kill the guest. */
uint64_t vmadj_memory_need(const struct vmadj_memory *memory);

/* memory_lift.c: what the guest needs whatever is wished: it may be in distress, or silent. */
struct vmadj_memory_next vmadj_memory_lift(const struct vmadj_memory *memory, double now_s);

/* memory_watch.c: whether it moves, and whether that is of use; else it is left alone. */
void vmadj_memory_watch(struct vmadj_memory *memory, double now_s);
bool vmadj_memory_is_alone(const struct vmadj_memory *memory, double now_s);

static inline struct vmadj_memory_next vmadj_memory_nothing(const char *why)
{
	return (struct vmadj_memory_next){ VMADJ_MEMORY_NOTHING, VMADJ_BALLOON_UNSET, false, why };
}

static inline struct vmadj_memory_next vmadj_memory_set(uint64_t target_bytes, const char *why)
{
	return (struct vmadj_memory_next){ VMADJ_MEMORY_SET, target_bytes, true, why };
}

/* To a whole MiB, where @most_bytes allows that. */
static inline uint64_t vmadj_memory_round_up(uint64_t bytes, uint64_t most_bytes)
{
	uint64_t mib = VMADJ_MEMORY_MIB;

	return vmadj_least(vmadj_sum(bytes, mib - 1) / mib * mib, most_bytes);
}
