// SPDX-License-Identifier: GPL-2.0-only
/* memory_watch.c - whether a balloon moves, and whether the host has something of it */
#include <math.h>

#include "user/actuate/memory_private.h"

#define STUCK_S	    30
#define ALONE_MAX_S 3600
#define OVERHEAD    (128 * VMADJ_MEMORY_MIB) /* of an emulator, beside the guest's memory */

bool vmadj_memory_is_alone(const struct vmadj_memory *memory, double now_s)
{
	return memory->why_not && now_s < memory->alone_until_s;
}

static void leave_alone(struct vmadj_memory *memory, double now_s, const char *why)
{
	memory->why_not = why;
	memory->alone_until_s = now_s + memory->alone_for_s;
	memory->alone_for_s = fmin(memory->alone_for_s * 2, ALONE_MAX_S);
}

/* By less than that it does not move: a guest must not burn its CPUs for a page a second. */
static uint64_t progress(const struct vmadj_memory *memory)
{
	return vmadj_most(vmadj_memory_step(memory) / 16, 1);
}

static void watch_movement(struct vmadj_memory *memory, double now_s, bool down)
{
	uint64_t way = down ? vmadj_less(memory->mark_bytes, memory->actual_bytes)
			    : vmadj_less(memory->actual_bytes, memory->mark_bytes);

	if (way >= progress(memory)) {
		memory->mark_bytes = memory->actual_bytes;
		memory->moved_s = now_s;
	} else if (now_s - memory->moved_s >= STUCK_S && down) {
		memory->back_bytes = memory->actual_bytes;
		leave_alone(memory, now_s, "its balloon does not get to where it was told");
	} else if (now_s - memory->moved_s >= STUCK_S) {
		leave_alone(memory, now_s, "its balloon does not give back what it was told");
	}
}

/* See memory.h. Not in the look of the arrival, whose RSS may have been read before. */
static bool is_in_vain(const struct vmadj_memory *memory, double now_s)
{
	uint64_t taken = vmadj_less(memory->base_bytes, memory->actual_bytes);
	uint64_t before = vmadj_less(memory->base_rss_bytes, memory->base_bytes);
	uint64_t beyond = vmadj_less(memory->rss_bytes, memory->actual_bytes);
	uint64_t more = vmadj_less(beyond, before);

	if (!memory->still || now_s - memory->set_s > STUCK_S ||
	    memory->rss_bytes == VMADJ_BALLOON_UNSET ||
	    memory->base_rss_bytes == VMADJ_BALLOON_UNSET)
		return false;
	return more > vmadj_most(OVERHEAD, vmadj_memory_step(memory)) && more >= taken - taken / 4;
}

void vmadj_memory_watch(struct vmadj_memory *memory, double now_s)
{
	if (vmadj_memory_is_alone(memory, now_s) || memory->back_bytes != VMADJ_BALLOON_UNSET)
		return;
	memory->why_not = NULL;
	if (vmadj_memory_in_motion(memory)) {
		watch_movement(memory, now_s, true);
	} else if (memory->direction > 0 &&
		   memory->target_bytes > vmadj_sum(memory->actual_bytes, VMADJ_MEMORY_MIB)) {
		watch_movement(memory, now_s, false);
	} else if (memory->direction < 0 && is_in_vain(memory, now_s)) {
		memory->back_bytes = memory->base_bytes;
		leave_alone(memory, now_s, "the host gains nothing by what its guest gives");
	}
}
