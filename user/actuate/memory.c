// SPDX-License-Identifier: GPL-2.0-only
/* memory.c - how a VM's memory gets to where it is wished, without harm to the guest */
#include "user/actuate/memory.h"

#include <math.h>
#include <stddef.h>

#include "user/actuate/memory_private.h"

#define MIB	VMADJ_MEMORY_MIB
#define TURN_S	60 /* after it was given more, before anything is taken */
#define AGAIN_S 30 /* before the guest is promised again what it has not taken */
#define STOPPED 6  /* periods without statistics: twice what is stale */

static struct vmadj_memory_next nothing(const char *why)
{
	return (struct vmadj_memory_next){ VMADJ_MEMORY_NOTHING, VMADJ_BALLOON_UNSET, why };
}

static struct vmadj_memory_next set(uint64_t target_bytes, const char *why)
{
	return (struct vmadj_memory_next){ VMADJ_MEMORY_SET, target_bytes, why };
}

void vmadj_memory_init(struct vmadj_memory *memory, const struct vmadj_memory_limits *limits)
{
	*memory = (struct vmadj_memory){
		.limits = *limits,
		.actual_bytes = VMADJ_BALLOON_UNSET,
		.target_bytes = VMADJ_BALLOON_UNSET,
		.floor_bytes = VMADJ_BALLOON_UNSET,
		.update_s = VMADJ_BALLOON_UNSET,
		.up_s = -INFINITY,
		.step_from_bytes = VMADJ_BALLOON_UNSET,
		.back_bytes = VMADJ_BALLOON_UNSET,
		.rss_bytes = VMADJ_BALLOON_UNSET,
		.base_rss_bytes = VMADJ_BALLOON_UNSET,
		.alone_for_s = VMADJ_MEMORY_ALONE_S,
	};
}

void vmadj_memory_limit(struct vmadj_memory *memory, const struct vmadj_memory_limits *limits)
{
	memory->limits = *limits;
}

static uint64_t goal(const struct vmadj_memory *memory)
{
	return vmadj_memory_most(vmadj_memory_min(memory),
				 vmadj_memory_least(memory->goal_bytes, vmadj_memory_max(memory)));
}

const char *vmadj_memory_wish(struct vmadj_memory *memory, uint64_t bytes, uint64_t *ret_goal)
{
	*ret_goal = VMADJ_BALLOON_UNSET;
	if (!memory->max_bytes)
		return "how much memory it has is not known yet";
	memory->has_goal = true;
	memory->goal_bytes = bytes;
	*ret_goal = goal(memory);
	if (bytes < *ret_goal)
		return "less than its minimum";
	if (bytes > *ret_goal)
		return "more than its maximum";
	return vmadj_memory_why_not(memory);
}

void vmadj_memory_unwish(struct vmadj_memory *memory)
{
	memory->has_goal = false;
}

/* Asked for, and not so long ago that it must be asked for again. */
static bool is_promised(const struct vmadj_memory *memory, double now_s, uint64_t target_bytes)
{
	return memory->direction > 0 && memory->target_bytes >= target_bytes &&
	       now_s - memory->set_s < AGAIN_S;
}

/* What the guest needs whatever is wished: it may have run low, or have fallen silent. */
static struct vmadj_memory_next lift(const struct vmadj_memory *memory, double now_s)
{
	uint64_t actual = memory->actual_bytes, max = vmadj_memory_max(memory), target;
	double silence_s = STOPPED * fmax(memory->limits.period_s, 1);
	const char *low = vmadj_memory_low(memory, now_s);

	if (memory->target_bytes == VMADJ_BALLOON_UNSET && !memory->has_goal)
		return nothing("nothing is wished");
	if (low) {
		target = vmadj_memory_sum(actual, vmadj_memory_reserve(memory));
		target = vmadj_memory_round_up(target, max);
		if (target > actual && !is_promised(memory, now_s, target))
			return set(target, low);
	}
	if (memory->step_from_bytes == VMADJ_BALLOON_UNSET)
		return nothing("it has what it needs");
	/* a guest that has become too slow to tell; much later it is something else */
	target = vmadj_memory_least(memory->step_from_bytes, max);
	if (target > actual && now_s - memory->updated_s > silence_s &&
	    now_s - memory->set_s < 2 * silence_s)
		return set(target, "its statistics stopped after the last step");
	return nothing("it has what it needs");
}

/* Motion that is not wanted any more ends where it is, or goes back to where it began. */
static struct vmadj_memory_next settle(const struct vmadj_memory *memory, double now_s)
{
	uint64_t actual = memory->actual_bytes, max = vmadj_memory_max(memory);
	uint64_t back = memory->back_bytes;

	if (back != VMADJ_BALLOON_UNSET) {
		back = vmadj_memory_most(actual, vmadj_memory_least(back, max));
		return set(back, memory->why_not);
	}
	if (!vmadj_memory_in_motion(memory))
		return nothing("nothing is wished");
	if (vmadj_memory_is_alone(memory, now_s))
		return set(actual, memory->why_not);
	if (!memory->has_goal)
		return set(actual, "nothing is wished any more");
	return nothing("on its way");
}

static const char *why_not_down(const struct vmadj_memory *memory, double now_s, bool may_shrink)
{
	if (memory->distrusted)
		return "its balloon said what cannot be";
	if (vmadj_memory_is_alone(memory, now_s))
		return memory->why_not;
	if (vmadj_memory_in_motion(memory))
		return "on its way";
	if (!may_shrink)
		return "enough others are on their way";
	if (now_s - memory->up_s < TURN_S)
		return "it was given more a moment ago";
	if (memory->floor_bytes == VMADJ_BALLOON_UNSET)
		return "what the guest uses is not known";
	if (memory->updates == memory->still_updates)
		return "its statistics are not newer than the last step";
	if (memory->pressed || memory->oom)
		return "the guest works for its memory";
	return NULL;
}

static struct vmadj_memory_next shrink(const struct vmadj_memory *memory, uint64_t to_bytes)
{
	uint64_t actual = memory->actual_bytes;
	uint64_t target = vmadj_memory_less(actual, vmadj_memory_step(memory));

	target = vmadj_memory_round_up(vmadj_memory_most(target, to_bytes), actual);
	return target < actual ? set(target, "a step towards what is wished")
			       : nothing("too small a change");
}

static struct vmadj_memory_next grow(const struct vmadj_memory *memory, uint64_t to_bytes)
{
	uint64_t target = vmadj_memory_round_up(to_bytes, vmadj_memory_max(memory));

	if (memory->direction > 0 && target == memory->target_bytes)
		return nothing(memory->why_not ? memory->why_not : "on its way");
	return set(target, "it is given what is wished");
}

static struct vmadj_memory_next pursue(struct vmadj_memory *memory, double now_s, bool may_shrink)
{
	uint64_t actual = memory->actual_bytes, up = goal(memory), down = up;
	uint64_t small = vmadj_memory_step(memory) / 2;
	const char *why;

	if (memory->floor_bytes != VMADJ_BALLOON_UNSET)
		down = vmadj_memory_most(up, memory->floor_bytes);
	/* the limits bind to the byte */
	if (actual < vmadj_memory_min(memory) || actual > vmadj_memory_max(memory))
		small = 0;
	if (up > vmadj_memory_sum(actual, small))
		return grow(memory, up);
	if (vmadj_memory_in_motion(memory) &&
	    down > vmadj_memory_sum(memory->target_bytes, small)) {
		down = vmadj_memory_least(down,
					  vmadj_memory_most(actual, vmadj_memory_max(memory)));
		return set(down, "not as far down as it was sent");
	}
	if (actual > vmadj_memory_sum(down, small)) {
		why = why_not_down(memory, now_s, may_shrink);
		return why ? nothing(why) : shrink(memory, down);
	}
	if (memory->direction < 0 && !memory->why_not)
		memory->alone_for_s = VMADJ_MEMORY_ALONE_S;
	return nothing(down > up ? "the guest uses more than is wished" : "as wished");
}

struct vmadj_memory_next vmadj_memory_see(struct vmadj_memory *memory, double now_s,
					  const struct vmadj_balloon_state *seen,
					  uint64_t rss_bytes, bool may_shrink)
{
	const char *why = "it could not be looked at";
	struct vmadj_memory_next next;

	if (seen)
		why = vmadj_memory_take(memory, now_s, seen, rss_bytes);
	if (why)
		return nothing(why);
	next = lift(memory, now_s);
	if (next.act == VMADJ_MEMORY_SET)
		return next;
	vmadj_memory_watch(memory, now_s);
	next = settle(memory, now_s);
	if (next.act == VMADJ_MEMORY_SET || !memory->has_goal)
		return next;
	return pursue(memory, now_s, may_shrink);
}

/* What is remembered of the moment when it begins to go down. */
static void begin_down(struct vmadj_memory *memory)
{
	memory->step_from_bytes = memory->actual_bytes;
	if (memory->direction < 0 && memory->base_rss_bytes != VMADJ_BALLOON_UNSET)
		return;
	memory->base_bytes = memory->actual_bytes;
	memory->base_rss_bytes = memory->rss_bytes;
}

void vmadj_memory_was_set(struct vmadj_memory *memory, double now_s, uint64_t target_bytes)
{
	uint64_t actual = memory->actual_bytes;

	if (target_bytes < actual) {
		begin_down(memory);
	} else {
		memory->step_from_bytes = VMADJ_BALLOON_UNSET;
		memory->up_s = target_bytes > actual ? now_s : memory->up_s;
	}
	memory->direction = (target_bytes > actual) - (target_bytes < actual);
	memory->target_bytes = target_bytes;
	memory->back_bytes = VMADJ_BALLOON_UNSET;
	memory->set_s = memory->moved_s = now_s;
	memory->mark_bytes = actual;
	memory->set_updates = memory->still_updates = memory->updates;
}

bool vmadj_memory_in_motion(const struct vmadj_memory *memory)
{
	return memory->direction < 0 &&
	       memory->actual_bytes > vmadj_memory_sum(memory->target_bytes, MIB);
}

const char *vmadj_memory_why_not(const struct vmadj_memory *memory)
{
	return memory->distrusted ? "its balloon said what cannot be" : memory->why_not;
}
