/* SPDX-License-Identifier: GPL-2.0-only */
/* ctl.c - `vmadjust-bpf ctl`: ask the running daemon, or tell it something */
#include "user/cmd/ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/cmd/cmd.h"
#include "user/cmd/daemon_client.h"
#include "user/cmd/exitcode.h"
#include "user/cmd/options.h"
#include "user/cmd/output.h"
#include "user/util/cleanup.h"
#include "user/util/log.h"

/* What the words behind "ctl" mean: the keys of the request that they fill in. */
static const struct verb {
	const char *name;    /* of one word or two */
	const char *keys[4]; /* for each word behind it; NULL at the end */
	void (*show)(FILE *out, const json_t *answer); /* NULL: its note, if any */
} verbs[] = {
	{ "status", { NULL }, vmadj_ctl_show_status },
	{ "policy list", { NULL }, vmadj_ctl_show_policies },
	{ "policy load", { "policy" }, NULL },
	{ "policy unload", { "policy" }, NULL },
	{ "pause", { NULL }, NULL },
	{ "resume", { NULL }, NULL },
	{ "reload", { NULL }, NULL },
	{ "set", { "vm", "knob", "value" }, NULL },
	{ "release", { "vm" }, NULL },
	{ "why", { "vm" }, vmadj_ctl_show_why },
};

/* How many of the words are the verb; 0: another verb. */
static size_t match(const struct verb *verb, const struct vmadj_options *options)
{
	const char *blank = strchr(verb->name, ' ');
	size_t len = blank ? (size_t)(blank - verb->name) : strlen(verb->name);

	if (!options->n_words || strlen(options->word[0]) != len ||
	    strncmp(options->word[0], verb->name, len) != 0)
		return 0;
	if (!blank)
		return 1;
	return options->n_words > 1 && !strcmp(options->word[1], blank + 1) ? 2 : 0;
}

static void say_usage(const struct verb *verb)
{
	char keys[64] = "";

	for (size_t i = 0; verb->keys[i]; i++) {
		size_t len = strlen(keys);

		(void)snprintf(keys + len, sizeof(keys) - len, " %s", verb->keys[i]);
	}
	log_err("usage: vmadjust-bpf ctl %s%s", verb->name, keys);
}

static const struct verb *find_verb(const struct vmadj_options *options, size_t *ret_n)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		*ret_n = match(&verbs[i], options);
		if (*ret_n)
			return &verbs[i];
	}
	log_err("%s%s: what can be asked is status, why VM, set VM nice|memory VALUE, release VM, "
		"pause, resume, reload, policy list|load|unload",
		options->n_words ? "unknown: " : "ctl needs a word behind it",
		options->n_words ? options->word[0] : "");
	return NULL;
}

static json_t *request_of(const struct verb *verb, size_t n_verb,
			  const struct vmadj_options *options)
{
	json_t *request = json_pack("{s:s}", "verb", verb->name), *settings = json_array();
	size_t n = 0;

	while (verb->keys[n])
		n++;
	if (options->n_words - n_verb != n) {
		say_usage(verb);
		json_decref(request);
		json_decref(settings);
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		(void)json_object_set_new(request, verb->keys[i],
					  json_string(options->word[n_verb + i]));
	}
	for (size_t i = 0; i < options->n_set; i++)
		(void)json_array_append_new(settings, json_string(options->set[i]));
	(void)json_object_set_new(request, "settings", settings);
	return request;
}

static int print(const struct vmadj_options *options, const struct verb *verb, const json_t *answer)
{
	const char *note = json_string_value(json_object_get(answer, "note"));
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return VMADJ_EXIT_FAILED;
	if (options->json) {
		(void)json_dumpf(answer, out, JSON_COMPACT | JSON_REAL_PRECISION(15));
		(void)fputc('\n', out);
	} else if (verb->show) {
		verb->show(out, answer);
	} else if (note) {
		(void)fprintf(out, "%s\n", note);
	}
	if (fclose(out))
		return VMADJ_EXIT_FAILED;
	return len ? vmadj_output_print(text, len) : VMADJ_EXIT_DONE;
}

int vmadj_cmd_ctl(const struct vmadj_options *options)
{
	const struct verb *verb;
	json_t *request, *answer = NULL;
	size_t n_verb;
	int err, status;

	verb = find_verb(options, &n_verb);
	if (!verb)
		return VMADJ_EXIT_USAGE;
	request = request_of(verb, n_verb, options);
	if (!request)
		return VMADJ_EXIT_USAGE;
	err = vmadj_daemon_ask(options->socket, request, &answer);
	json_decref(request);
	if (err)
		return VMADJ_EXIT_FAILED;
	status = print(options, verb, answer);
	json_decref(answer);
	return status;
}
