/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policies_private.h - one policy that is loaded, or being tried
 */
#pragma once

#include "user/daemon/policies.h"
#include "user/policy/runner.h"

struct vmadj_config;

struct vmadj_policy_slot {
	struct vmadj_policies *policies;
	char *name, *file;
	unsigned int line; /* of its section in the configuration; 0: none */
	bool armed;
	bool active; /* else it is being tried, beside the one that it may replace */
	bool held;   /* it is tried with others, and takes its place together with them */
	struct vmadj_runner *runner;
	vmadj_policy_loaded loaded; /* NULL: nobody waits */
	void *userdata;
	uint64_t ticks, wishes, refused;
	char *refusal; /* the last one */
};

/* Starts it, to be tried; folder and user are those of @config. Return: as vmadj_policies_load().
 */
int vmadj_policies_try(struct vmadj_policies *policies, const struct vmadj_config *config,
		       const struct vmadj_config_policy *policy,
		       struct vmadj_policy_slot **ret_slot);
void vmadj_policies_drop(struct vmadj_policies *policies, struct vmadj_policy_slot *slot);

struct vmadj_policy_slot *vmadj_policies_find(const struct vmadj_policies *policies,
					      const char *name, bool active);
uint32_t vmadj_policies_knobs(const struct vmadj_policy_slot *slot);

/* It replaces the one of its name, which must not be used any more. */
void vmadj_policies_take_place(struct vmadj_policy_slot *slot);
