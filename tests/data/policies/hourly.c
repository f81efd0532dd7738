/* SPDX-License-Identifier: GPL-2.0-only */
/* hourly.c - wishes the same memory for every VM, once an hour: nobody should wait for it */
#include "policy.h"

struct state {
	double to_bytes, next_s;
};

static void decide(void *state, const struct vmadj_policy_snapshot *now,
		   struct vmadj_policy_wishes *wishes)
{
	struct state *my = state;

	if (now->monotonic_s < my->next_s)
		return;
	for (uint32_t i = 0; i < now->n_vms; i++) {
		const struct vmadj_policy_vm *vm = vmadj_policy_vm_at(now, i);

		if (!(vm->knobs & VMADJ_KNOB_MEMORY))
			continue;
		vmadj_wish_memory(wishes, vm, my->to_bytes, "it is this hour's");
		my->next_s = now->monotonic_s + 3600;
	}
}

static const struct vmadj_policy_param params[] = {
	{ "to", VMADJ_PARAM_BYTES, offsetof(struct state, to_bytes), 0, 0, 1e15, NULL, "how much" },
	{ 0 },
};

const struct vmadj_policy_ops vmadj_policy = {
	VMADJ_POLICY_HEADER,	    .name = "hourly", .summary = "the same memory, for an hour",
	.knobs = VMADJ_KNOB_MEMORY, .params = params, .state_size = sizeof(struct state),
	.decide = decide,
};
