/* SPDX-License-Identifier: GPL-2.0-only */
/* restless.c - wishes any memory for any VM, again and again, absurd sizes among them */
#include "policy.h"

struct state {
	double next_s;
	uint64_t seed;
};

/* xorshift64* */
static uint64_t dice(struct state *my, uint64_t below)
{
	my->seed ^= my->seed >> 12;
	my->seed ^= my->seed << 25;
	my->seed ^= my->seed >> 27;
	return (my->seed * 2685821657736338717ULL >> 16) % below;
}

static void decide(void *state, const struct vmadj_policy_snapshot *now,
		   struct vmadj_policy_wishes *wishes)
{
	struct state *my = state;

	if (!my->seed)
		my->seed = now->seq * 2 + 1;
	if (now->monotonic_s < my->next_s)
		return;
	my->next_s = now->monotonic_s + 1 + (double)dice(my, 5);
	for (uint32_t i = 0; i < now->n_vms; i++) {
		const struct vmadj_policy_vm *vm = vmadj_policy_vm_at(now, i);
		double most = (double)vm->mem_max_bytes;

		if (!(vm->knobs & VMADJ_KNOB_MEMORY) || !dice(my, 3))
			continue;
		if (dice(my, 5))
			most *= (double)dice(my, 1001) / 1000;
		else
			most *= (double)dice(my, 2) * 1000;
		vmadj_wish_memory(wishes, vm, most, "any");
	}
}

const struct vmadj_policy_ops vmadj_policy = {
	VMADJ_POLICY_HEADER,
	.name = "restless",
	.summary = "any memory for any VM",
	.knobs = VMADJ_KNOB_MEMORY,
	.state_size = sizeof(struct state),
	.decide = decide,
};
