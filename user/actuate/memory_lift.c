// SPDX-License-Identifier: GPL-2.0-only
/* memory_lift.c - what a guest is given whatever is wished, and how large it may come to be */
#include <math.h>

#include "user/actuate/memory_private.h"

#define AGAIN_S 30 /* before the guest is promised again what it has not taken */
#define STOPPED 6  /* periods without statistics: twice what is stale */
#define FRESH	3  /* periods */

const char *vmadj_memory_in_need(const struct vmadj_memory *memory, double now_s)
{
	const char *why;

	(void)vmadj_distress_need(&memory->distress, now_s, &why);
	return why;
}

/* By a reserve at a time, since all that is known is that it has less than half of one. */
static uint64_t low_size(const struct vmadj_memory *memory, double now_s)
{
	uint64_t reserve = vmadj_memory_reserve(memory);

	if (memory->updates == memory->set_updates ||
	    !vmadj_memory_is_fresh(memory, now_s, FRESH) ||
	    memory->guest.mem_available_bytes >= reserve / 2)
		return 0;
	return vmadj_sum(memory->actual_bytes, reserve);
}

/* What the guest should have for its need; 0: it has none. */
static uint64_t needed_size(const struct vmadj_memory *memory, double now_s, const char **ret_why)
{
	uint64_t max = vmadj_memory_max(memory), size = 0;

	switch (vmadj_distress_need(&memory->distress, now_s, ret_why)) {
	case VMADJ_DISTRESS_NONE:
		return 0;
	case VMADJ_DISTRESS_LOW:
		size = low_size(memory, now_s);
		break;
	case VMADJ_DISTRESS_REFAULTS:
		size = vmadj_most(low_size(memory, now_s),
				  vmadj_distress_keep(&memory->distress, now_s));
		break;
	case VMADJ_DISTRESS_HARD:
		size = max;
		break;
	}
	return vmadj_memory_round_up(size, max);
}

/* Asked for, and not so long ago that it must be asked for again. */
static bool is_promised(const struct vmadj_memory *memory, double now_s, uint64_t target_bytes)
{
	return memory->direction > 0 && memory->target_bytes >= target_bytes &&
	       now_s - memory->set_s < AGAIN_S;
}

struct vmadj_memory_next vmadj_memory_lift(const struct vmadj_memory *memory, double now_s)
{
	uint64_t actual = memory->actual_bytes, max = vmadj_memory_max(memory), target;
	double silence_s = STOPPED * fmax(memory->limits.period_s, 1);
	const char *why;

	if (memory->target_bytes == VMADJ_BALLOON_UNSET && !memory->has_goal)
		return vmadj_memory_nothing("nothing is wished");
	target = needed_size(memory, now_s, &why);
	if (target > actual && !is_promised(memory, now_s, target))
		return vmadj_memory_set(target, why);
	if (why && vmadj_memory_in_motion(memory))
		return vmadj_memory_set(actual, why);
	if (memory->step_from_bytes == VMADJ_BALLOON_UNSET)
		return vmadj_memory_nothing("it has what it needs");
	/* a guest that has become too slow to tell; much later it is something else */
	target = vmadj_least(memory->step_from_bytes, max);
	if (target > actual && now_s - memory->updated_s > silence_s &&
	    now_s - memory->set_s < 2 * silence_s)
		return vmadj_memory_set(target, "its statistics stopped after the last step");
	return vmadj_memory_nothing("it has what it needs");
}

uint64_t vmadj_memory_size(const struct vmadj_memory *memory)
{
	uint64_t actual = memory->actual_bytes == VMADJ_BALLOON_UNSET ? 0 : memory->actual_bytes;
	uint64_t target = memory->target_bytes == VMADJ_BALLOON_UNSET ? 0 : memory->target_bytes;

	return vmadj_most(actual, target);
}

bool vmadj_memory_is_above(const struct vmadj_memory *memory)
{
	return memory->max_bytes && vmadj_memory_size(memory) > vmadj_memory_goal(memory);
}

bool vmadj_memory_is_short(const struct vmadj_memory *memory)
{
	return memory->guest.known &&
	       memory->guest.mem_available_bytes < vmadj_memory_reserve(memory);
}

uint64_t vmadj_memory_least_size(const struct vmadj_memory *memory)
{
	uint64_t size = vmadj_memory_size(memory);

	if (memory->floor_bytes == VMADJ_BALLOON_UNSET || vmadj_memory_why_not(memory))
		return size;
	return vmadj_least(memory->floor_bytes, size);
}

uint64_t vmadj_memory_want(const struct vmadj_memory *memory, double now_s, bool *ret_need)
{
	uint64_t size = vmadj_memory_size(memory), want = 0;
	const char *why;

	*ret_need = false;
	if (!memory->max_bytes ||
	    (memory->target_bytes == VMADJ_BALLOON_UNSET && !memory->has_goal))
		return 0;
	want = needed_size(memory, now_s, &why);
	*ret_need = want > size;
	if (!*ret_need)
		want = vmadj_memory_goal(memory);
	return want > size ? want : 0;
}
