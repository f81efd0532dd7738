/* SPDX-License-Identifier: GPL-2.0-only */
/* turn_memory_wish.c - a wish for a VM's memory: whether it may be aimed for */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "user/daemon/turn_private.h"
#include "user/snapshot/snapshot.h"

static const char *refusal(struct vmadj_daemon *daemon, struct vmadj_turning *turning)
{
	const struct vmadj_managed *managed = turning->managed;
	const struct vmadj_managed_memory *memory = managed->memory;
	bool by_hand = !strcmp(turning->wisher->name, VMADJ_BY_HAND);

	if (!managed->limits.manage)
		return "the configuration says manage = no";
	if (daemon->paused && !by_hand)
		return "paused; vmadjust-bpf ctl resume goes on";
	if (!memory)
		return "out of memory";
	if (memory->use.theirs)
		return "somebody else has changed it; vmadjust-bpf ctl release takes it back";
	if (!by_hand && !strcmp(memory->use.by, VMADJ_BY_HAND))
		return "it was set by hand; vmadjust-bpf ctl release gives it back to the policies";
	return memory->why_not;
}

/* It is carried out from now on. */
static void begin(struct vmadj_managed_memory *memory, struct vmadj_turning *turning, uint64_t goal)
{
	vmadj_turn_memory_finish(memory, -ECANCELED, "another wish came before it was reached");
	memory->goal_bytes = goal;
	memory->still_s = vmadj_daemon_now_s();
	memory->use.serial = turning->decision.serial;
	turning->decision.to = (double)goal;
	turning->decision.pending = true;
	(void)snprintf(memory->use.by, sizeof(memory->use.by), "%s", turning->wisher->name);
}

/* Memory is not looked at before somebody wants to turn it: the first words of a person do. */
static void wait_for_look(struct vmadj_managed_memory *memory, struct vmadj_turning *turning)
{
	turning->decision.verdict =
		turning->wisher->dry_run ? VMADJ_VERDICT_DRY_RUN : VMADJ_VERDICT_ALLOWED;
	turning->decision.why = "its balloon is looked at first";
	memory->waiting = !turning->wisher->dry_run;
	if (memory->waiting)
		begin(memory, turning, (uint64_t)turning->wish->value);
	vmadj_turn_record(turning);
}

void vmadj_turn_memory_wish(struct vmadj_daemon *daemon, struct vmadj_turning *turning)
{
	bool by_hand = !strcmp(turning->wisher->name, VMADJ_BY_HAND);
	struct vmadj_managed *managed = turning->managed;
	struct vmadj_decision *decision = &turning->decision;
	struct vmadj_managed_memory *memory;
	uint64_t goal;
	bool is_goal;

	if (!managed->memory && managed->limits.manage)
		(void)vmadj_turn_memory_start(managed);
	memory = managed->memory;
	decision->verdict = VMADJ_VERDICT_REFUSED;
	decision->why = refusal(daemon, turning);
	if (!decision->why && (turning->wish->value < 0 || turning->wish->value >= 0x1p63))
		decision->why = "that is no size";
	if (decision->why) {
		vmadj_turn_record(turning);
		return;
	}
	if (by_hand && !(memory->seen_s > 0)) {
		wait_for_look(memory, turning);
		return;
	}
	is_goal = memory->machine.has_goal && !strcmp(memory->use.by, turning->wisher->name);
	decision->from =
		memory->seen_s > 0 ? (double)memory->state.stats.actual_bytes : (double)NAN;
	decision->why = vmadj_memory_wish(&memory->machine, (uint64_t)turning->wish->value, &goal);
	if (goal != VMADJ_BALLOON_UNSET) {
		decision->to = (double)goal;
		decision->verdict = turning->wisher->dry_run ? VMADJ_VERDICT_DRY_RUN
				    : decision->why	     ? VMADJ_VERDICT_CLAMPED
							     : VMADJ_VERDICT_ALLOWED;
	}
	is_goal &= goal == memory->goal_bytes && decision->verdict <= VMADJ_VERDICT_CLAMPED;
	if (is_goal) {
		decision->verdict = VMADJ_VERDICT_REFUSED;
		decision->why = memory->use.serial ? "it is on its way there already"
						   : "it is as near to that as it gets";
	} else if (decision->verdict <= VMADJ_VERDICT_CLAMPED) {
		begin(memory, turning, goal);
	} else {
		vmadj_memory_unwish(&memory->machine);
	}
	vmadj_turn_record(turning);
}
