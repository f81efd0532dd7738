/* SPDX-License-Identifier: GPL-2.0-only */
/* verbs.c - what may be asked of the daemon on its socket */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/actuate/ledger.h"
#include "user/daemon/control.h"
#include "user/daemon/cost.h"
#include "user/daemon/daemon.h"
#include "user/daemon/status.h"
#include "user/daemon/turn.h"
#include "user/util/log.h"
#include "user/util/parse.h"

#define SETTINGS_MAX 64

struct asked {
	struct vmadj_daemon *daemon;
	struct vmadj_client *client;
	const json_t *request;
};

static const char *text_of(const struct asked *asked, const char *key)
{
	const char *text = json_string_value(json_object_get(asked->request, key));

	return text ? text : "";
}

static void answer_ok(const struct asked *asked, const char *note)
{
	struct vmadj_jsonw w = { 0 };

	vmadj_jsonw_open(&w, NULL, '{');
	vmadj_jsonw_bool(&w, "ok", true);
	vmadj_jsonw_string(&w, "note", note);
	vmadj_client_answer(asked->client, &w);
}

/* The VM that is meant; NULL: answered already. */
static struct vmadj_managed *find_vm(const struct asked *asked)
{
	const char *name = text_of(asked, "vm");
	struct vmadj_managed *managed;
	size_t n;

	managed = vmadj_vms_named(&asked->daemon->vms, name, &n);
	if (managed)
		return managed;
	if (n) {
		vmadj_client_refuse(asked->client,
				    "%zu VMs are named %s: give the id, as in dump --json", n,
				    name);
	} else {
		vmadj_client_refuse(asked->client,
				    "there is no VM %s; vmadjust-bpf dump shows which there are",
				    name);
	}
	return NULL;
}

/* --- the verbs ---------------------------------------------------------- */

static void do_status(const struct asked *asked)
{
	struct vmadj_jsonw w = { 0 };

	vmadj_cost_ask(asked->daemon->cost);
	vmadj_jsonw_open(&w, NULL, '{');
	vmadj_jsonw_bool(&w, "ok", true);
	vmadj_status_write(asked->daemon, &w);
	vmadj_client_answer(asked->client, &w);
}

static void do_why(const struct asked *asked)
{
	struct vmadj_managed *managed = find_vm(asked);
	struct vmadj_jsonw w = { 0 };

	if (!managed)
		return;
	vmadj_jsonw_open(&w, NULL, '{');
	vmadj_jsonw_bool(&w, "ok", true);
	vmadj_status_write_vm(managed, &w);
	vmadj_decisions_write(&managed->decisions, "decisions", &w);
	vmadj_client_answer(asked->client, &w);
}

static void do_watch(const struct asked *asked)
{
	struct vmadj_jsonw w = { 0 };

	vmadj_jsonw_open(&w, NULL, '{');
	vmadj_jsonw_bool(&w, "ok", true);
	vmadj_jsonw_double(&w, "interval_s", asked->daemon->config->interval_s, 3);
	vmadj_client_answer(asked->client, &w);
	vmadj_client_watch(asked->client);
}

static void set_paused(const struct asked *asked, bool paused)
{
	if (asked->daemon->paused == paused) {
		answer_ok(asked, paused ? "it was paused already" : "it was not paused");
		return;
	}
	asked->daemon->paused = paused;
	log_notice("%s by hand", paused ? "paused: policies change nothing" : "resumed");
	answer_ok(asked, NULL);
}

static void do_pause(const struct asked *asked)
{
	set_paused(asked, true);
}

static void do_resume(const struct asked *asked)
{
	set_paused(asked, false);
}

static void on_reloaded(void *userdata, const char *why)
{
	const struct asked asked = { .client = userdata };

	if (why) {
		vmadj_client_refuse(asked.client, "the old configuration stays: %s", why);
	} else {
		answer_ok(&asked, NULL);
	}
}

static void do_reload(const struct asked *asked)
{
	int err = vmadj_daemon_reload(asked->daemon, on_reloaded, asked->client);

	if (err == -EBUSY) {
		vmadj_client_refuse(asked->client, "a reload is under way already");
	} else if (err) {
		vmadj_client_refuse(
			asked->client,
			"the old configuration stays: the log says what is wrong, and so "
			"does vmadjust-bpf run --check");
	}
}

static void do_set(const struct asked *asked)
{
	struct vmadj_managed *managed = find_vm(asked);
	const char *knob = text_of(asked, "knob"), *text = text_of(asked, "value");
	const char *why = NULL;
	bool is_nice = !strcmp(knob, "nice");
	uint64_t bytes;
	double value;
	int err;

	if (!managed)
		return;
	if (is_nice) {
		if (vmadj_parse_double(text, -20, 19, &value) || value != (int)value) {
			vmadj_client_refuse(asked->client, "%s: a nice value is -20..19", text);
			return;
		}
	} else if (!strcmp(knob, "memory")) {
		if (vmadj_parse_bytes(text, 1 << 20, UINT64_MAX, &bytes)) {
			vmadj_client_refuse(asked->client,
					    "%s: memory is a size from 1M on, as 512M or 4G", text);
			return;
		}
		value = (double)bytes;
	} else {
		vmadj_client_refuse(asked->client, "%s: what can be set is nice and memory", knob);
		return;
	}
	err = vmadj_turn_by_hand(asked->daemon, managed,
				 is_nice ? VMADJ_KNOB_CPU : VMADJ_KNOB_MEMORY, value, &why);
	if (err && err != -EALREADY) {
		vmadj_client_refuse(asked->client, "%s is not changed: %s", managed->target.name,
				    why ? why : strerror(-err));
	} else {
		answer_ok(asked, why);
	}
}

static void do_release(const struct asked *asked)
{
	struct vmadj_managed *managed = find_vm(asked);
	int err;

	if (!managed)
		return;
	err = vmadj_daemon_restore(asked->daemon, NULL, managed->target.id);
	if (err) {
		vmadj_client_refuse(asked->client, "%s is not released: %s", managed->target.name,
				    strerror(-err));
		return;
	}
	vmadj_turn_released(managed, NULL);
	answer_ok(asked, "its knobs are put back as they were, and the policies' again");
}

static void do_policy_list(const struct asked *asked)
{
	struct vmadj_jsonw w = { 0 };

	vmadj_jsonw_open(&w, NULL, '{');
	vmadj_jsonw_bool(&w, "ok", true);
	vmadj_policies_write(&asked->daemon->policies, "policies", &w);
	vmadj_client_answer(asked->client, &w);
}

static void on_loaded(void *userdata, const char *why)
{
	const struct asked asked = { .client = userdata };

	if (why) {
		vmadj_client_refuse(asked.client, "%s", why);
	} else {
		answer_ok(&asked, NULL);
	}
}

static void do_policy_load(const struct asked *asked)
{
	const json_t *given = json_object_get(asked->request, "settings");
	const char *settings[SETTINGS_MAX];
	struct vmadj_config *config = NULL;
	size_t n = json_array_size(given);
	int err;

	for (size_t i = 0; i < n && i < SETTINGS_MAX; i++) {
		const char *text = json_string_value(json_array_get(given, i));

		settings[i] = text ? text : "";
	}
	err = n > SETTINGS_MAX
		      ? -E2BIG
		      : vmadj_config_from_words(asked->daemon->config, text_of(asked, "policy"),
						settings, n, &config);
	if (!err) {
		config->policies[0].line = 0; /* of no file */
		err = vmadj_policies_load(&asked->daemon->policies, &config->policies[0], on_loaded,
					  asked->client);
	}
	vmadj_config_free(config);
	if (err) {
		vmadj_client_refuse(asked->client, "the policy is not loaded: %s",
				    err == -EBUSY ? "one of that name is being loaded"
				    : err == -EINVAL
					    ? "its name or a setting is wrong, the log says "
					      "which"
					    : strerror(-err));
	}
}

static void do_policy_unload(const struct asked *asked)
{
	const char *name = text_of(asked, "policy");

	if (vmadj_policies_unload(&asked->daemon->policies, name)) {
		vmadj_client_refuse(asked->client,
				    "no policy %s is loaded; vmadjust-bpf ctl policy list shows "
				    "which are",
				    name);
	} else {
		answer_ok(asked, "what it changed is put back");
	}
}

/* --- the table ---------------------------------------------------------- */

static const struct verb {
	const char *name;
	bool changes;
	void (*run)(const struct asked *asked);
} verbs[] = {
	{ "status", false, do_status },
	{ "why", false, do_why },
	{ "watch", false, do_watch },
	{ "policy list", false, do_policy_list },
	{ "policy load", true, do_policy_load },
	{ "policy unload", true, do_policy_unload },
	{ "pause", true, do_pause },
	{ "resume", true, do_resume },
	{ "reload", true, do_reload },
	{ "set", true, do_set },
	{ "release", true, do_release },
};

void vmadj_control_verb(struct vmadj_daemon *daemon, struct vmadj_client *client,
			const json_t *request, bool full)
{
	const struct asked asked = { daemon, client, request };
	const char *name = text_of(&asked, "verb");

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].name, name) != 0)
			continue;
		if (verbs[i].changes && !full) {
			vmadj_client_refuse(client, "%s changes something: be root", name);
		} else {
			verbs[i].run(&asked);
		}
		return;
	}
	vmadj_client_refuse(client, "%s is nothing that this daemon can be asked", name);
}

void vmadj_control_client_gone(struct vmadj_daemon *daemon, struct vmadj_client *client)
{
	vmadj_policies_forget(&daemon->policies, client);
	vmadj_daemon_reload_forget(daemon, client);
}
