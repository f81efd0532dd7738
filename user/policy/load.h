/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * load.h - a policy's file, loaded and held against policy.h, in the policy's own process
 *
 * Errors:    0 or -EINVAL, with all that is wrong in @why.
 */
#pragma once

#include <stddef.h>

#include "user/policy/runner.h"

/* A policy that was loaded: @state has its parameters in it. */
struct vmadj_loaded {
	const struct vmadj_policy_ops *ops;
	void *state;
};

/** vmadj_load_object() - dlopen() the file behind a descriptor; Return: 0; -EINVAL. */
int vmadj_load_object(int fd, struct vmadj_loaded *ret_loaded, char *why, size_t size);

/**
 * vmadj_load_params() - check what the policy declares, and give it its parameters
 *
 * @params: "name\0value\0...", @n pairs.
 *
 * Return: 0; -EINVAL.
 */
int vmadj_load_params(struct vmadj_loaded *loaded, const char *params, size_t n,
		      struct vmadj_runner_info *ret_info, FILE *why);
