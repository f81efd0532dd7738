/* SPDX-License-Identifier: GPL-2.0-only */
/* policies.c - the policies that are loaded, and their runners */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/config/config.h"
#include "user/daemon/daemon.h"
#include "user/daemon/policies_private.h"
#include "user/daemon/turn.h"
#include "user/policy/configured.h"
#include "user/util/cleanup.h"
#include "user/util/log.h"

/* --- slots -------------------------------------------------------------- */

static void free_slot(struct vmadj_policy_slot *slot)
{
	if (!slot)
		return;
	vmadj_runner_free(slot->runner);
	free(slot->name);
	free(slot->file);
	free(slot->refusal);
	free(slot);
}

void vmadj_policies_drop(struct vmadj_policies *policies, struct vmadj_policy_slot *slot)
{
	for (size_t i = 0; i < policies->n; i++) {
		if (policies->slot[i] != slot)
			continue;
		memmove(&policies->slot[i], &policies->slot[i + 1],
			(policies->n - i - 1) * sizeof(struct vmadj_policy_slot *));
		policies->n--;
		break;
	}
	free_slot(slot);
}

struct vmadj_policy_slot *vmadj_policies_find(const struct vmadj_policies *policies,
					      const char *name, bool active)
{
	for (size_t i = 0; i < policies->n; i++) {
		struct vmadj_policy_slot *slot = policies->slot[i];

		if (slot->active == active && !strcmp(slot->name, name))
			return slot;
	}
	return NULL;
}

uint32_t vmadj_policies_knobs(const struct vmadj_policy_slot *slot)
{
	enum vmadj_runner_state state = vmadj_runner_state(slot->runner);

	return state == VMADJ_RUNNER_DISABLED ? 0 : vmadj_runner_info(slot->runner)->knobs;
}

/* --- what runners say --------------------------------------------------- */

static void tell(struct vmadj_policy_slot *slot, const char *why)
{
	vmadj_policy_loaded loaded = slot->loaded;

	slot->loaded = NULL;
	if (loaded)
		loaded(slot->userdata, why);
}

/* Another active policy that wants one of its knobs; the one that it replaces does not count. */
static const struct vmadj_policy_slot *rival(const struct vmadj_policy_slot *slot)
{
	const struct vmadj_policies *policies = slot->policies;

	for (size_t i = 0; i < policies->n; i++) {
		const struct vmadj_policy_slot *other = policies->slot[i];

		if (other->active && strcmp(other->name, slot->name) != 0 &&
		    (vmadj_policies_knobs(other) & vmadj_policies_knobs(slot)))
			return other;
	}
	return NULL;
}

/* What waits for it is told last: the slot is gone by then. */
static void give_up(struct vmadj_policy_slot *slot, const char *why)
{
	const struct vmadj_daemon *daemon = slot->policies->daemon;
	vmadj_policy_loaded loaded = slot->loaded;
	void *userdata = slot->userdata;
	_cleanup_free_ char *text = NULL;

	if (asprintf(&text, "policy %s is not loaded: %s", slot->name, why) < 0)
		text = NULL;
	why = text ? text : "out of memory";
	if (slot->line && daemon->config_path) {
		log_err("%s:%u: %s", daemon->config_path, slot->line, why);
	} else {
		log_err("%s", why);
	}
	vmadj_policies_drop(slot->policies, slot);
	if (loaded)
		loaded(userdata, why);
}

void vmadj_policies_take_place(struct vmadj_policy_slot *slot)
{
	struct vmadj_policies *policies = slot->policies;
	struct vmadj_policy_slot *old = vmadj_policies_find(policies, slot->name, true);
	bool turns_less =
		old && (!slot->armed || (vmadj_policies_knobs(old) & ~vmadj_policies_knobs(slot)));

	if (old)
		vmadj_policies_drop(policies, old);
	slot->active = true;
	slot->held = false;
	log_notice("policy %s is loaded from %s, %s", slot->name, slot->file,
		   slot->armed ? "armed" : "not armed: it only says what it would do");
	if (turns_less)
		(void)vmadj_daemon_restore(policies->daemon, slot->name, NULL);
}

static void on_ready(void *userdata, struct vmadj_runner *runner)
{
	struct vmadj_policy_slot *slot = userdata;
	const struct vmadj_policy_slot *other;
	_cleanup_free_ char *why = NULL;

	(void)runner;
	if (slot->active) {
		log_notice("policy %s runs again", slot->name);
		return;
	}
	other = slot->held ? NULL : rival(slot);
	if (other) {
		if (asprintf(&why, "policy %s turns the same knob; unload that first",
			     other->name) < 0)
			why = NULL;
		give_up(slot, why ? why : "another policy turns the same knob");
		return;
	}
	if (!slot->held)
		vmadj_policies_take_place(slot);
	tell(slot, NULL);
}

static void on_wishes(void *userdata, struct vmadj_runner *runner, uint64_t seq,
		      const struct vmadj_policy_wish *wish, size_t n)
{
	struct vmadj_policy_slot *slot = userdata;
	struct vmadj_daemon *daemon = slot->policies->daemon;
	const struct vmadj_wisher wisher = { slot->name, daemon->dry_run || !slot->armed };

	(void)runner;
	(void)seq;
	slot->ticks++;
	slot->wishes += n;
	if (slot->active && n && !daemon->stopping)
		vmadj_turn_wishes(daemon, &wisher, wish, n);
}

static void on_refused(void *userdata, struct vmadj_runner *runner, const char *why)
{
	struct vmadj_policy_slot *slot = userdata;

	(void)runner;
	if (!slot->refused++ || !slot->refusal || strcmp(slot->refusal, why) != 0)
		log_warning("policy %s: its wishes are refused: %s", slot->name, why);
	free(slot->refusal);
	slot->refusal = strdup(why);
}

static void on_failed(void *userdata, struct vmadj_runner *runner, const char *why)
{
	struct vmadj_policy_slot *slot = userdata;
	bool over = vmadj_runner_state(runner) == VMADJ_RUNNER_DISABLED;

	if (!slot->active) {
		give_up(slot, why);
		return;
	}
	if (!over)
		return;
	log_notice("what policy %s changed is put back; vmadjust-bpf ctl policy load %s tries it "
		   "again",
		   slot->name, slot->name);
	(void)vmadj_daemon_restore(slot->policies->daemon, slot->name, NULL);
}

static const struct vmadj_runner_events events = {
	.ready = on_ready,
	.wishes = on_wishes,
	.refused = on_refused,
	.failed = on_failed,
};

/* --- load and unload ---------------------------------------------------- */

static struct vmadj_policy_slot *add_slot(struct vmadj_policies *policies,
					  const struct vmadj_config *config,
					  const struct vmadj_config_policy *policy)
{
	struct vmadj_policy_slot *slot = calloc(1, sizeof(*slot)), **slots;

	slots = reallocarray(policies->slot, policies->n + 1, sizeof(struct vmadj_policy_slot *));
	if (slots)
		policies->slot = slots;
	if (!slot || !slots) {
		free(slot);
		return NULL;
	}
	slot->policies = policies;
	slot->armed = policy->armed;
	slot->line = policy->line;
	slot->name = strdup(policy->name);
	slot->file = vmadj_config_policy_file(config, policy);
	if (!slot->name || !slot->file) {
		free_slot(slot);
		return NULL;
	}
	policies->slot[policies->n++] = slot;
	return slot;
}

static int start(struct vmadj_policy_slot *slot, const struct vmadj_config *config,
		 const struct vmadj_config_policy *policy)
{
	struct vmadj_runner_param params[VMADJ_CONFIG_PARAMS_MAX];
	const struct vmadj_runner_options options =
		vmadj_runner_configured(config, policy, slot->file, params);

	return vmadj_runner_new(slot->policies->daemon->event, &options, &events, slot,
				&slot->runner);
}

int vmadj_policies_try(struct vmadj_policies *policies, const struct vmadj_config *config,
		       const struct vmadj_config_policy *policy,
		       struct vmadj_policy_slot **ret_slot)
{
	struct vmadj_policy_slot *slot;
	int err;

	if (vmadj_policies_find(policies, policy->name, false))
		return -EBUSY;
	slot = add_slot(policies, config, policy);
	if (!slot)
		return -ENOMEM;
	err = start(slot, config, policy);
	if (err) {
		vmadj_policies_drop(policies, slot);
		return err;
	}
	*ret_slot = slot;
	return 0;
}

int vmadj_policies_load(struct vmadj_policies *policies, const struct vmadj_config_policy *policy,
			vmadj_policy_loaded loaded, void *userdata)
{
	struct vmadj_policy_slot *slot;
	int err = vmadj_policies_try(policies, policies->daemon->config, policy, &slot);

	if (err)
		return err;
	slot->loaded = loaded;
	slot->userdata = userdata;
	return 0;
}

int vmadj_policies_unload(struct vmadj_policies *policies, const char *name)
{
	struct vmadj_policy_slot *slot = vmadj_policies_find(policies, name, true);

	if (!slot)
		return -ENOENT;
	log_notice("policy %s is unloaded; what it changed is put back", name);
	(void)vmadj_daemon_restore(policies->daemon, slot->name, NULL);
	vmadj_policies_drop(policies, slot);
	return 0;
}

void vmadj_policies_forget(struct vmadj_policies *policies, const void *userdata)
{
	for (size_t i = 0; i < policies->n; i++) {
		if (policies->slot[i]->userdata == userdata)
			policies->slot[i]->loaded = NULL;
	}
}

void vmadj_policies_clear(struct vmadj_policies *policies)
{
	while (policies->n)
		vmadj_policies_drop(policies, policies->slot[policies->n - 1]);
	free(policies->slot);
	policies->slot = NULL;
}

void vmadj_policies_feed(struct vmadj_policies *policies)
{
	const struct vmadj_daemon *daemon = policies->daemon;

	for (size_t i = 0; i < policies->n; i++) {
		struct vmadj_policy_slot *slot = policies->slot[i];

		if (slot->active)
			(void)vmadj_runner_feed(slot->runner, daemon->snapshot, daemon->seq);
	}
}

/* --- what is asked ------------------------------------------------------ */

bool vmadj_policies_want(const struct vmadj_policies *policies, uint32_t knob)
{
	for (size_t i = 0; i < policies->n; i++) {
		if (policies->slot[i]->active && (vmadj_policies_knobs(policies->slot[i]) & knob))
			return true;
	}
	return false;
}

const char *vmadj_policies_armed(const struct vmadj_policies *policies, uint32_t knob)
{
	for (size_t i = 0; i < policies->n; i++) {
		const struct vmadj_policy_slot *slot = policies->slot[i];

		if (slot->active && slot->armed && (vmadj_policies_knobs(slot) & knob))
			return slot->name;
	}
	return NULL;
}

static const char *const states[] = {
	[VMADJ_RUNNER_STARTING] = "starting",
	[VMADJ_RUNNER_READY] = "running",
	[VMADJ_RUNNER_BUSY] = "running",
	[VMADJ_RUNNER_WAITING] = "failed, will be started again",
	[VMADJ_RUNNER_DISABLED] = "disabled",
};

void vmadj_policies_write(const struct vmadj_policies *policies, const char *key,
			  struct vmadj_jsonw *w)
{
	vmadj_jsonw_open(w, key, '[');
	for (size_t i = 0; i < policies->n; i++) {
		const struct vmadj_policy_slot *slot = policies->slot[i];
		const struct vmadj_runner_info *info = vmadj_runner_info(slot->runner);
		const char *why = vmadj_runner_why(slot->runner);

		vmadj_jsonw_open(w, NULL, '{');
		vmadj_jsonw_string(w, "name", slot->name);
		vmadj_jsonw_string(w, "file", slot->file);
		vmadj_jsonw_string(w, "summary", info->summary);
		vmadj_jsonw_bool(w, "cpu", info->knobs & VMADJ_KNOB_CPU);
		vmadj_jsonw_bool(w, "memory", info->knobs & VMADJ_KNOB_MEMORY);
		vmadj_jsonw_bool(w, "armed", slot->armed);
		vmadj_jsonw_string(w, "state",
				   slot->active ? states[vmadj_runner_state(slot->runner)]
						: "being tried");
		vmadj_jsonw_string(w, "why", *why ? why : NULL);
		vmadj_jsonw_u64(w, "ticks", slot->ticks);
		vmadj_jsonw_u64(w, "wishes", slot->wishes);
		vmadj_jsonw_u64(w, "refused", slot->refused);
		vmadj_jsonw_string(w, "refusal", slot->refusal);
		vmadj_jsonw_close(w, '}');
	}
	vmadj_jsonw_close(w, ']');
}
