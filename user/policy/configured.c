/* SPDX-License-Identifier: GPL-2.0-only */
/* configured.c - how a policy is to be run, from its section of the configuration */
#include "user/policy/configured.h"

struct vmadj_runner_options vmadj_runner_configured(
	const struct vmadj_config *config, const struct vmadj_config_policy *policy,
	const char *file, struct vmadj_runner_param params[VMADJ_CONFIG_PARAMS_MAX])
{
	for (size_t i = 0; i < policy->n_params; i++) {
		params[i] = (struct vmadj_runner_param){ policy->params[i].name,
							 policy->params[i].value };
	}
	return (struct vmadj_runner_options){
		.file = file,
		.params = params,
		.n_params = policy->n_params,
		.user = config->policy_user,
		.deadline_s = policy->deadline_s,
		.memory_bytes = policy->memory_bytes,
	};
}
