/* SPDX-License-Identifier: GPL-2.0-only */
/* policy_trial.c - one policy in a process of its own, asked and waited for */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/cmd/policy.h"
#include "user/util/cleanup.h"

#define DEADLINE_S 1 /* more than the daemon gives by default: the host may be busy */

static void on_ready(void *userdata, struct vmadj_runner *runner)
{
	struct vmadj_trial *trial = userdata;

	(void)runner;
	trial->told = true;
}

static void on_wishes(void *userdata, struct vmadj_runner *runner, uint64_t seq,
		      const struct vmadj_policy_wish *wish, size_t n)
{
	struct vmadj_trial *trial = userdata;

	(void)runner;
	(void)seq;
	memcpy(trial->wish, wish, n * sizeof(*wish));
	trial->n = n;
	trial->told = true;
}

/* Refused or failed: either way it is not as it should be. */
static void on_failed(void *userdata, struct vmadj_runner *runner, const char *why)
{
	struct vmadj_trial *trial = userdata;

	(void)runner;
	(void)snprintf(trial->why, sizeof(trial->why), "%s", why);
	trial->told = true;
}

static int wait_for(struct vmadj_trial *trial)
{
	int err = 0;

	while (!trial->told && err >= 0)
		err = sd_event_run(trial->event, UINT64_MAX);
	if (err < 0) {
		(void)snprintf(trial->why, sizeof(trial->why), "cannot wait for it: %s",
			       strerror(-err));
		return err;
	}
	return trial->why[0] ? -EINVAL : 0;
}

int vmadj_trial_begin(struct vmadj_trial *trial, const struct vmadj_runner_options *options)
{
	static const struct vmadj_runner_events events = {
		.ready = on_ready,
		.wishes = on_wishes,
		.refused = on_failed,
		.failed = on_failed,
	};
	struct vmadj_runner_options own = *options;
	int err;

	own.trial = true;
	own.deadline_s = DEADLINE_S;
	*trial = (struct vmadj_trial){ 0 };
	trial->wish = calloc(VMADJ_RUNNER_WISHES_MAX, sizeof(*trial->wish));
	err = trial->wish ? sd_event_new(&trial->event) : -ENOMEM;
	if (err >= 0)
		err = vmadj_runner_new(trial->event, &own, &events, trial, &trial->runner);
	if (err < 0) {
		(void)snprintf(trial->why, sizeof(trial->why), "cannot start its process: %s",
			       strerror(-err));
		return err;
	}
	return wait_for(trial);
}

int vmadj_trial_ask(struct vmadj_trial *trial, const struct vmadj_snapshot *snapshot, uint64_t seq)
{
	int err = vmadj_runner_feed(trial->runner, snapshot, seq);

	trial->n = 0;
	trial->told = false;
	/* -EBUSY: it has ended since, and that is told. */
	if (err && err != -EBUSY) {
		(void)snprintf(trial->why, sizeof(trial->why), "cannot hand it a snapshot: %s",
			       strerror(-err));
		return err;
	}
	return wait_for(trial);
}

void vmadj_trial_end(struct vmadj_trial *trial)
{
	vmadj_runner_free(trial->runner);
	(void)sd_event_unref(trial->event);
	free(trial->wish);
}
