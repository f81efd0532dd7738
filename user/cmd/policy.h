/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policy.h - the parts of `vmadjust-bpf policy`
 *
 * Errors:    enum vmadj_exit, or as said; what is wrong was logged.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "user/policy/runner.h"
#include "user/snapshot/snapshot.h"

struct vmadj_options;

/* One policy in a process of its own, asked and waited for. */
struct vmadj_trial {
	sd_event *event;
	struct vmadj_runner *runner;
	bool told;	/* what was waited for has come */
	char why[1024]; /* why it failed; "": it did not */
	struct vmadj_policy_wish *wish;
	size_t n;
};

/* Return: 0; -errno with a text in trial->why: it cannot be loaded. To be ended in any case. */
int vmadj_trial_begin(struct vmadj_trial *trial, const struct vmadj_runner_options *options);

/* Its wishes are in @trial until the next call. Return: 0; -errno with a text in trial->why. */
int vmadj_trial_ask(struct vmadj_trial *trial, const struct vmadj_snapshot *snapshot, uint64_t seq);
void vmadj_trial_end(struct vmadj_trial *trial);

/* What a policy turns, in words. */
const char *vmadj_policy_knobs_text(uint32_t knobs);

/* The snapshot that `policy check` shows when none is given: three VMs on two busy CPUs. */
const struct vmadj_snapshot *vmadj_policy_example(void);

int vmadj_policy_build(const char *source, const char *output);
int vmadj_policy_check(const struct vmadj_options *options, const char *file, FILE *out);
int vmadj_policy_list(FILE *out);
