/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policies.h - the policies that are loaded, and their runners
 *
 * A policy that is to replace another (the same name) is started beside it, and takes its place
 * once it is ready; until then, and if it fails, the old one goes on. Two policies may not
 * want the same knob.
 *
 * Ownership: the set owns its slots.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/util/jsonw.h"

struct vmadj_config;
struct vmadj_config_policy;
struct vmadj_daemon;
struct vmadj_policies_swap;
struct vmadj_policy_slot;

struct vmadj_policies {
	struct vmadj_daemon *daemon;
	size_t n;
	struct vmadj_policy_slot **slot;
	struct vmadj_policies_swap *swap; /* under way; NULL: none */
};

/* Called once with what became of it: NULL: it is loaded; else a sentence why not. */
typedef void (*vmadj_policy_loaded)(void *userdata, const char *why);

/**
 * vmadj_policies_load() - start a policy, beside one of the same name
 *
 * @loaded: may be NULL; comes from the event loop. @policy is copied.
 *
 * Return: 0; -EBUSY: one of that name is being loaded; -ENOMEM; -errno.
 */
int vmadj_policies_load(struct vmadj_policies *policies, const struct vmadj_config_policy *policy,
			vmadj_policy_loaded loaded, void *userdata);

/**
 * vmadj_policies_swap() - from the policies of @old to those of @new, all of them or none
 *
 * Those that are new or changed are tried beside the old ones. Both must live until @swapped, which
 * is called once, maybe from within the call.
 *
 * Return: 0; -errno of starting one, said so; then @swapped is not called.
 */
int vmadj_policies_swap(struct vmadj_policies *policies, const struct vmadj_config *old,
			const struct vmadj_config *new, vmadj_policy_loaded swapped,
			void *userdata);
void vmadj_policies_swap_cancel(struct vmadj_policies *policies);

/** vmadj_policies_unload() - stop it and put back what it turned; Return: 0; -ENOENT. */
int vmadj_policies_unload(struct vmadj_policies *policies, const char *name);

/* Whoever waits for @loaded with @userdata is told no more. */
void vmadj_policies_forget(struct vmadj_policies *policies, const void *userdata);
void vmadj_policies_clear(struct vmadj_policies *policies);

/* Each looks at the last snapshot. */
void vmadj_policies_feed(struct vmadj_policies *policies);

bool vmadj_policies_want(const struct vmadj_policies *policies, uint32_t knob);

/* The policy that turns @knob and is armed; NULL: none. */
const char *vmadj_policies_armed(const struct vmadj_policies *policies, uint32_t knob);

void vmadj_policies_write(const struct vmadj_policies *policies, const char *key,
			  struct vmadj_jsonw *w);
