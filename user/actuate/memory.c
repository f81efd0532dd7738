// SPDX-License-Identifier: GPL-2.0-only
/* memory.c - how a VM's memory gets to where it is wished, without harm to the guest */
#include "user/actuate/memory.h"

#include <math.h>
#include <stddef.h>

#include "user/actuate/memory_private.h"

#define MIB	   VMADJ_MEMORY_MIB
#define KEEP_S	   60
#define TURN_PARTS 6 /* of that, before anything is taken after it was given more as wished */

void vmadj_memory_init(struct vmadj_memory *memory, const struct vmadj_memory_limits *limits)
{
	*memory = (struct vmadj_memory){
		.actual_bytes = VMADJ_BALLOON_UNSET,
		.target_bytes = VMADJ_BALLOON_UNSET,
		.floor_bytes = VMADJ_BALLOON_UNSET,
		.update_s = VMADJ_BALLOON_UNSET,
		.recall_bytes = VMADJ_BALLOON_UNSET,
		.heard_s = -INFINITY,
		.down_from_s = -INFINITY,
		.step_from_bytes = VMADJ_BALLOON_UNSET,
		.back_bytes = VMADJ_BALLOON_UNSET,
		.rss_bytes = VMADJ_BALLOON_UNSET,
		.base_rss_bytes = VMADJ_BALLOON_UNSET,
		.alone_for_s = VMADJ_MEMORY_ALONE_S,
	};
	vmadj_distress_init(&memory->distress);
	vmadj_memory_limit(memory, limits);
}

void vmadj_memory_limit(struct vmadj_memory *memory, const struct vmadj_memory_limits *limits)
{
	memory->limits = *limits;
	if (!(memory->limits.keep_s > 0))
		memory->limits.keep_s = KEEP_S;
	memory->distress.keep_for_s = memory->limits.keep_s;
}

void vmadj_memory_recall(struct vmadj_memory *memory, uint64_t to_bytes)
{
	memory->recall_bytes = to_bytes;
}

static uint64_t clamped(const struct vmadj_memory *memory, uint64_t bytes)
{
	return vmadj_most(vmadj_memory_min(memory), vmadj_least(bytes, vmadj_memory_max(memory)));
}

uint64_t vmadj_memory_goal(const struct vmadj_memory *memory)
{
	uint64_t size = vmadj_memory_size(memory);
	uint64_t goal = memory->has_goal ? clamped(memory, memory->goal_bytes) : size;

	return memory->recall_bytes < goal ? clamped(memory, memory->recall_bytes) : goal;
}

/* Somebody wishes something of it, or must have something back. */
static bool is_led(const struct vmadj_memory *memory)
{
	return memory->has_goal || memory->recall_bytes != VMADJ_BALLOON_UNSET;
}

const char *vmadj_memory_wish(struct vmadj_memory *memory, uint64_t bytes, uint64_t *ret_goal)
{
	*ret_goal = VMADJ_BALLOON_UNSET;
	if (!memory->max_bytes)
		return "how much memory it has is not known yet";
	memory->has_goal = true;
	memory->goal_bytes = bytes;
	*ret_goal = clamped(memory, bytes);
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

/* Motion that is not wanted any more ends where it is, or goes back to where it began. */
static struct vmadj_memory_next settle(const struct vmadj_memory *memory, double now_s)
{
	uint64_t actual = memory->actual_bytes, max = vmadj_memory_max(memory);
	uint64_t back = memory->back_bytes;

	if (back != VMADJ_BALLOON_UNSET) {
		back = vmadj_most(actual, vmadj_least(back, max));
		return vmadj_memory_set(back, memory->why_not);
	}
	if (!vmadj_memory_in_motion(memory))
		return vmadj_memory_nothing("nothing is wished");
	if (vmadj_memory_is_alone(memory, now_s))
		return vmadj_memory_set(actual, memory->why_not);
	if (!is_led(memory))
		return vmadj_memory_set(actual, "nothing is wished any more");
	return vmadj_memory_nothing("on its way");
}

static const char *why_not_down(const struct vmadj_memory *memory, double now_s, bool may_shrink)
{
	const char *need = vmadj_memory_in_need(memory, now_s);

	if (memory->distrusted)
		return "its balloon said what cannot be";
	if (vmadj_memory_is_alone(memory, now_s))
		return memory->why_not;
	if (vmadj_memory_in_motion(memory))
		return "on its way";
	if (need)
		return need;
	if (!may_shrink && memory->recall_bytes == VMADJ_BALLOON_UNSET)
		return "enough others are on their way";
	if (now_s < memory->down_from_s && memory->recall_bytes == VMADJ_BALLOON_UNSET)
		return "it was given more a moment ago";
	if (memory->floor_bytes == VMADJ_BALLOON_UNSET)
		return "what the guest uses is not known";
	if (memory->updates == memory->still_updates)
		return "its statistics are not newer than the last step";
	if (memory->distress.pressed)
		return "the guest works for its memory";
	if (!vmadj_distress_is_measured(&memory->distress))
		return "how often it reads again what it had is not known yet";
	return NULL;
}

static struct vmadj_memory_next shrink(const struct vmadj_memory *memory, double now_s,
				       uint64_t to_bytes)
{
	uint64_t actual = memory->actual_bytes;
	uint64_t target = vmadj_less(actual, vmadj_memory_stride(memory, now_s));

	target = vmadj_memory_round_up(vmadj_most(target, to_bytes), actual);
	if (target >= actual)
		return vmadj_memory_nothing("too small a change");
	if (memory->recall_bytes != VMADJ_BALLOON_UNSET)
		return vmadj_memory_set(target, "another guest needs what it has above its due");
	return (struct vmadj_memory_next){ VMADJ_MEMORY_SET, target, false,
					   "a step towards what is wished" };
}

static struct vmadj_memory_next grow(const struct vmadj_memory *memory, uint64_t to_bytes)
{
	uint64_t target = vmadj_memory_round_up(to_bytes, vmadj_memory_max(memory));

	if (memory->direction > 0 && target == memory->target_bytes)
		return vmadj_memory_nothing(memory->why_not ? memory->why_not : "on its way");
	return (struct vmadj_memory_next){ VMADJ_MEMORY_SET, target, false,
					   "it is given what is wished" };
}

static struct vmadj_memory_next pursue(struct vmadj_memory *memory, double now_s, bool may_shrink)
{
	uint64_t actual = memory->actual_bytes, up = vmadj_memory_goal(memory);
	uint64_t down = vmadj_most(up, vmadj_distress_keep(&memory->distress, now_s));
	uint64_t small = vmadj_memory_step(memory) / 2;
	const char *why;

	if (memory->floor_bytes != VMADJ_BALLOON_UNSET)
		down = vmadj_most(down, memory->floor_bytes);
	/* the limits bind to the byte */
	if (actual < vmadj_memory_min(memory) || actual > vmadj_memory_max(memory))
		small = 0;
	if (up > vmadj_sum(actual, small))
		return grow(memory, up);
	if (vmadj_memory_in_motion(memory) && down > vmadj_sum(memory->target_bytes, small)) {
		down = vmadj_least(down, vmadj_most(actual, vmadj_memory_max(memory)));
		return vmadj_memory_set(down, "not as far down as it was sent");
	}
	if (actual > vmadj_sum(down, small)) {
		why = why_not_down(memory, now_s, may_shrink);
		return why ? vmadj_memory_nothing(why) : shrink(memory, now_s, down);
	}
	if (memory->direction < 0 && !memory->why_not)
		memory->alone_for_s = VMADJ_MEMORY_ALONE_S;
	return vmadj_memory_nothing(down > up ? "the guest uses more than is wished" : "as wished");
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
		return vmadj_memory_nothing(why);
	next = vmadj_memory_lift(memory, now_s);
	if (next.act == VMADJ_MEMORY_SET)
		return next;
	vmadj_memory_watch(memory, now_s);
	next = settle(memory, now_s);
	if (next.act == VMADJ_MEMORY_SET || !is_led(memory))
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
	bool wished = memory->has_goal && target_bytes <= vmadj_memory_goal(memory) &&
		      !vmadj_memory_in_need(memory, now_s);

	if (target_bytes < actual) {
		begin_down(memory);
		vmadj_distress_taken(&memory->distress, now_s, actual);
	} else {
		memory->step_from_bytes = VMADJ_BALLOON_UNSET;
	}
	if (target_bytes > actual)
		memory->down_from_s = now_s + memory->limits.keep_s / (wished ? TURN_PARTS : 1);
	memory->direction = (target_bytes > actual) - (target_bytes < actual);
	memory->target_bytes = target_bytes;
	memory->back_bytes = VMADJ_BALLOON_UNSET;
	memory->set_s = memory->moved_s = now_s;
	memory->mark_bytes = actual;
	memory->set_updates = memory->still_updates = memory->updates;
}

bool vmadj_memory_in_motion(const struct vmadj_memory *memory)
{
	return memory->direction < 0 && memory->actual_bytes > vmadj_sum(memory->target_bytes, MIB);
}

const char *vmadj_memory_why_not(const struct vmadj_memory *memory)
{
	return memory->distrusted ? "its balloon said what cannot be" : memory->why_not;
}
