// SPDX-License-Identifier: GPL-2.0-only
/* memory_floor.c - what a look at the balloon says: how far down it may go, and who runs low */
#include <math.h>

#include "user/actuate/memory_private.h"
#include "user/guest/balloon.h"

#define MIB	   VMADJ_MEMORY_MIB
#define DISTRUST_S 600
#define FRESH	   3   /* periods */
#define YOUNG	   1.5 /* for more than a small step */

/* To whole MiB, since balloons have pages: what is never quite reached would be asked for again. */
uint64_t vmadj_memory_max(const struct vmadj_memory *memory)
{
	return vmadj_least(memory->limits.max_bytes / MIB * MIB, memory->max_bytes);
}

uint64_t vmadj_memory_min(const struct vmadj_memory *memory)
{
	uint64_t max = vmadj_memory_max(memory), min = memory->limits.min_bytes;

	return vmadj_memory_round_up(min ? min : max / 2, max);
}

uint64_t vmadj_memory_reserve(const struct vmadj_memory *memory)
{
	uint64_t reserve = memory->limits.reserve_bytes;

	return reserve ? reserve : vmadj_most(64 * MIB, memory->max_bytes / 16);
}

/* Half the reserve at most: so even a step that should not have been leaves the guest some. */
uint64_t vmadj_memory_step(const struct vmadj_memory *memory)
{
	uint64_t step = memory->limits.step_bytes;

	if (!step)
		step = vmadj_most(16 * MIB, memory->max_bytes / 32);
	return vmadj_least(step, vmadj_memory_reserve(memory) / 2);
}

uint64_t vmadj_memory_stride(const struct vmadj_memory *memory, double now_s)
{
	uint64_t available = memory->guest.mem_available_bytes, most = memory->limits.step_bytes;
	uint64_t spare = 0;

	if (vmadj_memory_is_fresh(memory, now_s, YOUNG))
		spare = vmadj_less(available, vmadj_memory_reserve(memory)) / 2;
	spare = vmadj_most(spare, vmadj_memory_step(memory));
	return most ? vmadj_least(spare, most) : spare;
}

bool vmadj_memory_is_fresh(const struct vmadj_memory *memory, double now_s, double periods)
{
	return memory->updates && memory->guest.known &&
	       memory->guest.mem_available_bytes <= memory->actual_bytes &&
	       now_s - memory->updated_s <= periods * fmax(memory->limits.period_s, 1);
}

uint64_t vmadj_memory_need(const struct vmadj_memory *memory)
{
	uint64_t used = vmadj_less(memory->actual_bytes, memory->guest.mem_available_bytes);

	return vmadj_memory_round_up(vmadj_sum(used, vmadj_memory_reserve(memory)),
				     memory->max_bytes);
}

static bool has_better_source(const struct vmadj_memory *memory, double now_s)
{
	return now_s - memory->heard_s <= FRESH * fmax(memory->limits.period_s, 1);
}

static void take_figures(struct vmadj_memory *memory, double now_s, const struct vmadj_guest *guest)
{
	memory->guest = *guest;
	memory->updated_s = now_s;
	memory->updates++;
}

void vmadj_memory_hear(struct vmadj_memory *memory, double now_s, const struct vmadj_guest *guest)
{
	if (!memory->max_bytes)
		return;
	memory->heard_s = now_s;
	take_figures(memory, now_s, guest);
	vmadj_distress_hear(&memory->distress, now_s, guest, vmadj_memory_reserve(memory));
}

/*
 * Their age counts from when they were seen to change, so that neither clock has to be trusted;
 * those found at the first look may be of any age, and count for nothing.
 */
static void take_statistics(struct vmadj_memory *memory, double now_s,
			    const struct vmadj_balloon_stats *stats)
{
	struct vmadj_guest guest = { .known = false };
	bool first = memory->update_s == VMADJ_BALLOON_UNSET;

	if (!stats->last_update_s || stats->last_update_s == VMADJ_BALLOON_UNSET ||
	    stats->last_update_s == memory->update_s)
		return;
	memory->update_s = stats->last_update_s;
	if (has_better_source(memory, now_s))
		return;
	if (!vmadj_guest_from_balloon(stats, memory->max_bytes, (double)stats->last_update_s,
				      &guest)) {
		vmadj_distress_unknown(&memory->distress);
	} else if (!first) {
		vmadj_distress_hear(&memory->distress, now_s, &guest, vmadj_memory_reserve(memory));
	}
	take_figures(memory, now_s, &guest);
	memory->updates -= first;
}

static bool is_absurd(uint64_t actual_bytes, uint64_t max_bytes)
{
	return !actual_bytes || actual_bytes > max_bytes;
}

static const char *take_actual(struct vmadj_memory *memory, double now_s, uint64_t actual_bytes)
{
	if (is_absurd(actual_bytes, memory->max_bytes)) {
		memory->distrusted = true;
		memory->absurd_s = now_s;
		memory->still_updates = memory->updates;
		return "its balloon says what cannot be";
	}
	if (memory->distrusted && now_s - memory->absurd_s >= DISTRUST_S)
		memory->distrusted = false;
	memory->still = actual_bytes == memory->actual_bytes;
	if (!memory->still)
		memory->still_updates = memory->updates;
	memory->actual_bytes = actual_bytes;
	if (vmadj_memory_in_motion(memory))
		vmadj_distress_moving(&memory->distress, now_s);
	return NULL;
}

/* Nothing is told of a guest that stands still, nor is it to blame for not moving. */
static const char *stand_still(struct vmadj_memory *memory, double now_s, const char *why)
{
	memory->still_updates = memory->updates;
	memory->moved_s = now_s;
	memory->step_from_bytes = VMADJ_BALLOON_UNSET;
	return why;
}

const char *vmadj_memory_take(struct vmadj_memory *memory, double now_s,
			      const struct vmadj_balloon_state *seen, uint64_t rss_bytes)
{
	const char *why;

	memory->rss_bytes = rss_bytes;
	memory->floor_bytes = VMADJ_BALLOON_UNSET;
	if (!seen->max_bytes || seen->max_bytes == VMADJ_BALLOON_UNSET)
		return "how much memory it may have is not known";
	memory->max_bytes = seen->max_bytes;
	if (!seen->running) /* nor is anything told */
		return stand_still(memory, now_s, "it is paused");
	take_statistics(memory, now_s, &seen->stats);
	why = take_actual(memory, now_s, seen->stats.actual_bytes);
	if (why)
		return why;
	if (seen->job_active)
		return stand_still(memory, now_s, "it is being migrated, saved or backed up");
	if (vmadj_memory_is_fresh(memory, now_s, FRESH)) {
		memory->floor_bytes =
			vmadj_most(vmadj_memory_min(memory), vmadj_memory_need(memory));
	}
	return NULL;
}
