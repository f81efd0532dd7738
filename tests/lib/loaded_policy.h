/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loaded_policy.h - a policy as it was compiled, driven by a test
 *
 * From $O/policies (build/policies), in the test's own process. What goes wrong ends the test.
 */
#pragma once

#include "policies/policy.h"

#define LOADED_WISHES_MAX 64

struct loaded_policy {
	const struct vmadj_policy_ops *ops;
	void *state;
};

/* The policy with the defaults of its parameters; its state is kept until the test ends. */
struct loaded_policy loaded_policy_open(const char *name);

/* Another value for a parameter. */
void loaded_policy_set(const struct loaded_policy *policy, const char *param, double value);

/* One decide(). Return: its wishes, until the next call. */
const struct vmadj_policy_wishes *loaded_policy_decide(const struct loaded_policy *policy,
						       const struct vmadj_policy_snapshot *now);

/* What was wished for that VM; NULL: nothing. */
const struct vmadj_policy_wish *loaded_policy_wish_for(const struct vmadj_policy_wishes *wishes,
						       const char *id);
