/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * looks_at_all.c - a policy for benchmarks: reads everything, and changes one VM at a time
 *
 * It reads every field of every VM, and says of each that may be turned why nothing is wished for
 * it, which is the most that a policy can have to say. Of the first "turned" VMs one gets another
 * nice value, in turn, in each interval; the reason begins with the snapshot's time.
 */
#include "policy.h"

struct state {
	double turned, nice;
	double sum; /* so that no compiler leaves the reading out */
	uint64_t rounds;
};

/* All its fields are of 8 bytes, of 4 in pairs, or texts of a multiple of 8. */
static double read_all(const struct vmadj_policy_vm *vm)
{
	uint64_t word, sum = 0;

	for (size_t at = 0; at + sizeof(word) <= sizeof(*vm); at += sizeof(word)) {
		memcpy(&word, (const char *)vm + at, sizeof(word));
		sum += word;
	}
	return (double)sum;
}

static void decide(void *state, const struct vmadj_policy_snapshot *now,
		   struct vmadj_policy_wishes *wishes)
{
	struct state *my = state;
	uint32_t managed = 0, turn = (uint32_t)(my->rounds % (uint64_t)my->turned);
	double nice = my->rounds / (uint64_t)my->turned % 2 ? 0 : my->nice;

	for (uint32_t i = 0; i < now->n_vms; i++) {
		const struct vmadj_policy_vm *vm = vmadj_policy_vm_at(now, i);

		my->sum += read_all(vm);
		if (!(vm->knobs & VMADJ_KNOB_CPU))
			continue;
		if (managed++ == turn)
			vmadj_wish_nice(wishes, vm, nice, "%.6f its turn in round %llu",
					now->time_unix_s, (unsigned long long)my->rounds);
		else
			vmadj_wish_nothing(wishes, vm, "it used %.1f %% and waited %.1f %%",
					   vm->usage_pct, vm->wait_pct);
	}
	if (managed > turn)
		my->rounds++;
}

static const struct vmadj_policy_param params[] = {
	{ "turned", VMADJ_PARAM_INT, offsetof(struct state, turned), 10, 1, 1000, NULL,
	  "how many VMs take turns" },
	{ "nice", VMADJ_PARAM_INT, offsetof(struct state, nice), 5, -20, 19, NULL,
	  "what they get, and the time after that 0 again" },
	{ 0 },
};

const struct vmadj_policy_ops vmadj_policy = {
	VMADJ_POLICY_HEADER,
	.name = "looks_at_all",
	.summary = "reads everything and changes one VM at a time",
	.knobs = VMADJ_KNOB_CPU,
	.params = params,
	.state_size = sizeof(struct state),
	.decide = decide,
};
