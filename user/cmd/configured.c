/* SPDX-License-Identifier: GPL-2.0-only */
/* configured.c - the configuration that a command works with */
#include "user/cmd/configured.h"

#include <errno.h>
#include <string.h>

#include "user/cmd/exitcode.h"
#include "user/cmd/options.h"
#include "user/config/config.h"
#include "user/util/log.h"

int vmadj_configured(const struct vmadj_options *options, struct vmadj_config **ret_config,
		     const char **ret_path)
{
	const char *path = options->config ? options->config : VMADJ_CONFIG_FILE;
	int err = vmadj_config_load(path, ret_config);

	if (err == -ENOENT && options->config) {
		log_err("%s: there is no such file", path);
	} else if (err == -ENOENT) {
		path = NULL;
		err = vmadj_config_load(NULL, ret_config);
	}
	*ret_path = path;
	if (!err)
		return VMADJ_EXIT_DONE;
	return err == -ENOMEM ? VMADJ_EXIT_FAILED : VMADJ_EXIT_USAGE;
}
