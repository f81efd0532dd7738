/* SPDX-License-Identifier: GPL-2.0-only */
/* config.c - the administrator's configuration, loaded and freed */
#include <stdlib.h>
#include <string.h>

#include "user/config/config_private.h"
#include "user/util/cleanup.h"

static void forget_policy(struct vmadj_config_policy *policy)
{
	vmadj_config_forget(VMADJ_CONFIG_POLICY, policy);
	for (size_t i = 0; i < policy->n_params; i++) {
		free(policy->params[i].name);
		free(policy->params[i].value);
	}
	free(policy->params);
	free(policy->name);
}

void vmadj_config_free(struct vmadj_config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->n_policies; i++)
		forget_policy(&config->policies[i]);
	for (size_t i = 0; i < config->n_vms; i++) {
		vmadj_config_forget(VMADJ_CONFIG_VM, &config->vms[i].limits);
		free(config->vms[i].pattern);
	}
	free(config->policies);
	free(config->vms);
	vmadj_config_forget(VMADJ_CONFIG_DAEMON, config);
	free(config);
}

int vmadj_config_load(const char *path, struct vmadj_config **ret_config)
{
	_cleanup_free_ char *text = NULL;
	char nothing[] = "";

	if (path) {
		int err = vmadj_config_read(path, &text);

		if (err)
			return err;
	}
	return vmadj_config_parse(path ? path : "(built-in)", text ? text : nothing, ret_config);
}

const struct vmadj_config_policy *vmadj_config_find_policy(const struct vmadj_config *config,
							   const char *name)
{
	for (size_t i = 0; i < config->n_policies; i++) {
		if (!strcmp(config->policies[i].name, name))
			return &config->policies[i];
	}
	return NULL;
}

char *vmadj_config_policy_file(const struct vmadj_config *config,
			       const struct vmadj_config_policy *policy)
{
	char *file;

	if (policy->file)
		return strdup(policy->file);
	return asprintf(&file, "%s/%s.so", config->policy_dir, policy->name) < 0 ? NULL : file;
}
