/* SPDX-License-Identifier: GPL-2.0-only */
/* wrong_abi.c - a policy of another version of policy.h */
#include "policy.h"

static void decide(void *state, const struct vmadj_policy_snapshot *now,
		   struct vmadj_policy_wishes *wishes)
{
	(void)state;
	(void)now;
	(void)wishes;
}

const struct vmadj_policy_ops vmadj_policy = {
	.abi = VMADJ_POLICY_ABI + 1,
	.size = sizeof(struct vmadj_policy_ops),
	.name = "wrong_abi",
	.summary = "from the future",
	.decide = decide,
};
