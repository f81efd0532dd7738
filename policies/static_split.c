/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * static_split.c - every VM has an equal share of the memory, for good; what others are held to
 *
 * The share is by memory_weight, within each VM's limits; it changes when VMs come and go, or when
 * the administrator changes what they can have together.
 */
#include "memory.h"

struct state {
	double period_s, next_s;
	struct memory_vms vms;
};

static void decide(void *state, const struct vmadj_policy_snapshot *now,
		   struct vmadj_policy_wishes *wishes)
{
	struct state *my = state;
	uint32_t n = memory_meet(&my->vms, sizeof(struct memory_vm), now);
	double budget = memory_budget(&my->vms, now);

	if (!memory_is_time(now, &my->next_s, my->period_s))
		return;
	memory_share(&my->vms, NULL, budget);
	for (uint32_t i = 0; i < n; i++) {
		const struct memory_vm *vm = memory_at(&my->vms, i);
		double share = vm->share_bytes;

		if (memory_is_near(share, memory_target(vm))) {
			vmadj_wish_nothing(wishes, vm->now, "%.0f MiB is its share of %.0f MiB",
					   share / MEMORY_MIB, budget / MEMORY_MIB);
		} else {
			vmadj_wish_memory(wishes, vm->now, share,
					  "its share of %.0f MiB by weight %.0f, of %u VMs",
					  budget / MEMORY_MIB, vm->weight, n);
		}
	}
}

static const struct vmadj_policy_param params[] = {
	{ "period", VMADJ_PARAM_SECONDS, offsetof(struct state, period_s), 10, 1, 3600, "s",
	  "time between two looks at who is there" },
	{ 0 },
};

const struct vmadj_policy_ops vmadj_policy = {
	VMADJ_POLICY_HEADER,
	.name = "static_split",
	.summary = "memory is shared by weight, and stays so",
	.knobs = VMADJ_KNOB_MEMORY,
	.params = params,
	.state_size = sizeof(struct state),
	.decide = decide,
};
