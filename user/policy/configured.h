/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * configured.h - how a policy is to be run, from its section of the configuration
 */
#pragma once

#include "user/config/config.h"
#include "user/policy/runner.h"

/**
 * vmadj_runner_configured() - the options of its runner
 *
 * @params: room that must live as long as the options, as must @file and the configuration.
 */
struct vmadj_runner_options vmadj_runner_configured(
	const struct vmadj_config *config, const struct vmadj_config_policy *policy,
	const char *file, struct vmadj_runner_param params[VMADJ_CONFIG_PARAMS_MAX]);
