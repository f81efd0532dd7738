/* SPDX-License-Identifier: GPL-2.0-only */
/* info.c - `vmadjust-bpf help` and `vmadjust-bpf version` */
#include <stdio.h>
#include <stdlib.h>

#include "user/cmd/cmd.h"
#include "user/cmd/exitcode.h"
#include "user/cmd/options.h"
#include "user/cmd/output.h"
#include "user/util/log.h"

int vmadj_cmd_help(const struct vmadj_options *options)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int status;

	if (!out) {
		log_err("out of memory");
		return VMADJ_EXIT_FAILED;
	}
	vmadj_help_print(out, options->topic);
	if (fclose(out) != 0) {
		log_err("out of memory");
		free(text);
		return VMADJ_EXIT_FAILED;
	}
	status = vmadj_output_print(text, len);
	free(text);
	return status;
}

int vmadj_cmd_version(const struct vmadj_options *options)
{
	static const char text[] = "vmadjust-bpf " VMADJ_VERSION "\n";

	(void)options;
	return vmadj_output_print(text, sizeof(text) - 1);
}
