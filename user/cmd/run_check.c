/* SPDX-License-Identifier: GPL-2.0-only */
/* run_check.c - `vmadjust-bpf run --check` */
#include "user/cmd/run_check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "user/cmd/exitcode.h"
#include "user/cmd/output.h"
#include "user/config/config.h"
#include "user/policy/configured.h"
#include "user/util/cleanup.h"
#include "user/util/log.h"

#define PATIENCE_US 10000000

struct trial {
	struct check *check;
	const struct vmadj_config_policy *policy;
	struct vmadj_runner *runner;
	bool over;
};

struct check {
	const struct vmadj_config *config;
	const char *path;
	sd_event *event;
	size_t n_open, n_wrong;
	struct trial *trials;
};

static void end_trial(struct trial *trial, const char *why)
{
	struct check *check = trial->check;

	if (trial->over)
		return;
	trial->over = true;
	if (why) {
		check->n_wrong++;
		log_err("%s:%u: policy %s: %s", check->path, trial->policy->line,
			trial->policy->name, why);
	}
	if (!--check->n_open)
		(void)sd_event_exit(check->event, 0);
}

/* Another one before it that turns the same knob. */
static const struct trial *rival(const struct trial *trial)
{
	const struct trial *other = trial->check->trials;

	for (; other != trial; other++) {
		if (vmadj_runner_info(other->runner)->knobs &
		    vmadj_runner_info(trial->runner)->knobs)
			return other;
	}
	return NULL;
}

static void on_ready(void *userdata, struct vmadj_runner *runner)
{
	(void)runner;
	end_trial(userdata, NULL);
}

static void on_failed(void *userdata, struct vmadj_runner *runner, const char *why)
{
	(void)runner;
	end_trial(userdata, why);
}

static int on_impatience(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct check *check = userdata;

	(void)source;
	(void)usec;
	for (size_t i = 0; i < check->config->n_policies; i++)
		end_trial(&check->trials[i], "it is not ready after 10 s");
	return 0;
}

static int start(struct trial *trial)
{
	static const struct vmadj_runner_events events = { .ready = on_ready, .failed = on_failed };
	const struct vmadj_config *config = trial->check->config;
	struct vmadj_runner_param params[VMADJ_CONFIG_PARAMS_MAX];
	_cleanup_free_ char *file = vmadj_config_policy_file(config, trial->policy);
	struct vmadj_runner_options options;

	if (!file)
		return -ENOMEM;
	options = vmadj_runner_configured(config, trial->policy, file, params);
	options.trial = true;
	return vmadj_runner_new(trial->check->event, &options, &events, trial, &trial->runner);
}

static int try_policies(struct check *check)
{
	size_t n = check->config->n_policies;
	int err;

	check->n_open = n;
	for (size_t i = 0; i < n; i++) {
		check->trials[i] =
			(struct trial){ .check = check, .policy = &check->config->policies[i] };
		err = start(&check->trials[i]);
		if (err)
			return err;
	}
	err = sd_event_add_time_relative(check->event, NULL, CLOCK_MONOTONIC, PATIENCE_US, 0,
					 on_impatience, check);
	if (err >= 0)
		err = sd_event_loop(check->event);
	for (size_t i = 0; i < n && err >= 0; i++) {
		const struct trial *other = rival(&check->trials[i]);

		if (!other)
			continue;
		check->n_wrong++;
		log_err("%s:%u: policy %s turns the same knob as policy %s: only one of them may",
			check->path, check->trials[i].policy->line, check->trials[i].policy->name,
			other->policy->name);
	}
	return err < 0 ? err : 0;
}

static int check_policies(struct check *check)
{
	size_t n = check->config->n_policies;
	int err;

	if (!n)
		return 0;
	check->trials = calloc(n, sizeof(*check->trials));
	err = check->trials ? sd_event_new(&check->event) : -ENOMEM;
	if (err >= 0)
		err = try_policies(check);
	for (size_t i = 0; check->trials && i < n; i++)
		vmadj_runner_free(check->trials[i].runner);
	(void)sd_event_unref(check->event);
	free(check->trials);
	return err;
}

static int print(const struct vmadj_config *config)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int err;

	if (!out)
		return VMADJ_EXIT_FAILED;
	err = vmadj_config_print(out, config);
	if (fclose(out) || err)
		return VMADJ_EXIT_FAILED;
	return vmadj_output_print(text, len);
}

int vmadj_run_check(const struct vmadj_config *config, const char *path)
{
	struct check check = { .config = config, .path = path ? path : "built in" };
	int err = check_policies(&check);

	if (err < 0) {
		log_err("cannot check the policies: %s", strerror(-err));
		return VMADJ_EXIT_FAILED;
	}
	return check.n_wrong ? VMADJ_EXIT_USAGE : print(config);
}
