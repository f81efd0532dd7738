/* SPDX-License-Identifier: GPL-2.0-only */
/* policies_swap.c - the policies of another configuration: all of them, or none */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/config/config.h"
#include "user/daemon/daemon.h"
#include "user/daemon/policies_private.h"
#include "user/util/cleanup.h"
#include "user/util/log.h"
#include "user/util/text.h"

struct vmadj_policies_swap {
	struct vmadj_policies *policies;
	const struct vmadj_config *old, *new;
	size_t n_waiting; /* that are neither ready nor given up */
	vmadj_policy_loaded swapped;
	void *userdata;
};

/* --- what differs ------------------------------------------------------- */

static bool is_same_policy(const struct vmadj_config_policy *a, const struct vmadj_config_policy *b)
{
	if (!vmadj_text_same(a->file, b->file) || a->armed != b->armed ||
	    a->deadline_s != b->deadline_s || a->memory_bytes != b->memory_bytes ||
	    a->n_params != b->n_params)
		return false;
	for (size_t i = 0; i < a->n_params; i++) {
		if (strcmp(a->params[i].name, b->params[i].name) != 0 ||
		    strcmp(a->params[i].value, b->params[i].value) != 0)
			return false;
	}
	return true;
}

static bool is_to_be_tried(const struct vmadj_policies_swap *swap,
			   const struct vmadj_config_policy *policy)
{
	const struct vmadj_config_policy *before =
		vmadj_config_find_policy(swap->old, policy->name);
	const struct vmadj_policy_slot *slot =
		vmadj_policies_find(swap->policies, policy->name, true);

	return !before || !is_same_policy(before, policy) ||
	       !vmadj_text_same(swap->old->policy_user, swap->new->policy_user) ||
	       (!policy->file && strcmp(swap->old->policy_dir, swap->new->policy_dir) != 0) ||
	       !slot || vmadj_runner_state(slot->runner) == VMADJ_RUNNER_DISABLED;
}

/* What was loaded by hand and stands in neither configuration stays. */
static bool is_leaving(const struct vmadj_policies_swap *swap, const char *name)
{
	return vmadj_config_find_policy(swap->old, name) &&
	       !vmadj_config_find_policy(swap->new, name);
}

/* Whether it will run once all have taken their places. */
static bool will_run(const struct vmadj_policies_swap *swap, const struct vmadj_policy_slot *slot)
{
	const struct vmadj_policy_slot *trial =
		vmadj_policies_find(swap->policies, slot->name, false);

	if (!slot->active)
		return slot->held;
	return !(trial && trial->held) && !is_leaving(swap, slot->name);
}

/* --- the end of it ------------------------------------------------------ */

/* Also of those that are being tried nothing is left. */
static void finish(struct vmadj_policies_swap *swap, const char *why)
{
	struct vmadj_policies *policies = swap->policies;
	vmadj_policy_loaded swapped = swap->swapped;
	void *userdata = swap->userdata;

	for (size_t i = policies->n; i--;) {
		if (policies->slot[i]->held)
			vmadj_policies_drop(policies, policies->slot[i]);
	}
	policies->swap = NULL;
	free(swap);
	if (swapped)
		swapped(userdata, why);
}

/* Two that will turn the same knob, in a sentence; NULL: none do. */
static char *find_rivals(const struct vmadj_policies_swap *swap)
{
	const struct vmadj_policies *policies = swap->policies;
	char *why = NULL;

	for (size_t i = 0; i < policies->n; i++) {
		const struct vmadj_policy_slot *a = policies->slot[i];

		for (size_t j = 0; j < i; j++) {
			const struct vmadj_policy_slot *b = policies->slot[j];

			if (!will_run(swap, a) || !will_run(swap, b) ||
			    !(vmadj_policies_knobs(a) & vmadj_policies_knobs(b)))
				continue;
			if (asprintf(&why, "policies %s and %s turn the same knob: only one may",
				     b->name, a->name) < 0)
				why = NULL;
			return why;
		}
	}
	return NULL;
}

static void adopt(struct vmadj_policies_swap *swap)
{
	struct vmadj_policies *policies = swap->policies;

	for (size_t i = 0; i < swap->old->n_policies; i++) {
		if (is_leaving(swap, swap->old->policies[i].name))
			(void)vmadj_policies_unload(policies, swap->old->policies[i].name);
	}
	for (size_t i = 0; i < swap->new->n_policies; i++) {
		struct vmadj_policy_slot *slot =
			vmadj_policies_find(policies, swap->new->policies[i].name, false);

		if (slot && slot->held)
			vmadj_policies_take_place(slot);
	}
}

static void all_are_ready(struct vmadj_policies_swap *swap)
{
	_cleanup_free_ char *why = find_rivals(swap);

	if (why) {
		log_err("%s", why);
	} else {
		adopt(swap);
	}
	finish(swap, why);
}

static void on_tried(void *userdata, const char *why)
{
	struct vmadj_policies_swap *swap = userdata;

	if (why) {
		finish(swap, why);
	} else if (!--swap->n_waiting) {
		all_are_ready(swap);
	}
}

/* --- public ------------------------------------------------------------- */

static int try_one(struct vmadj_policies_swap *swap, const struct vmadj_config_policy *policy)
{
	struct vmadj_policy_slot *slot;
	int err = vmadj_policies_try(swap->policies, swap->new, policy, &slot);

	if (err) {
		log_err("policy %s is not loaded: %s", policy->name,
			err == -EBUSY ? "it is being loaded by hand" : strerror(-err));
		return err;
	}
	slot->held = true;
	slot->loaded = on_tried;
	slot->userdata = swap;
	swap->n_waiting++;
	return 0;
}

int vmadj_policies_swap(struct vmadj_policies *policies, const struct vmadj_config *old,
			const struct vmadj_config *new, vmadj_policy_loaded swapped, void *userdata)
{
	struct vmadj_policies_swap *swap = calloc(1, sizeof(*swap));
	int err = 0;

	if (!swap)
		return -ENOMEM;
	*swap = (struct vmadj_policies_swap){ .policies = policies, .old = old, .new = new };
	policies->swap = swap;
	for (size_t i = 0; !err && i < new->n_policies; i++) {
		if (is_to_be_tried(swap, &new->policies[i]))
			err = try_one(swap, &new->policies[i]);
	}
	if (err) {
		finish(swap, NULL);
		return err;
	}
	swap->swapped = swapped;
	swap->userdata = userdata;
	if (!swap->n_waiting)
		all_are_ready(swap);
	return 0;
}

void vmadj_policies_swap_cancel(struct vmadj_policies *policies)
{
	if (!policies->swap)
		return;
	policies->swap->swapped = NULL;
	finish(policies->swap, NULL);
}
