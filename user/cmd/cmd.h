/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmd.h - the subcommands; each returns its exit status (exitcode.h)
 */
#pragma once

#include "user/util/version.h"

struct vmadj_options;

int vmadj_cmd_dump(const struct vmadj_options *options);
int vmadj_cmd_doctor(const struct vmadj_options *options);
int vmadj_cmd_run(const struct vmadj_options *options);
int vmadj_cmd_ctl(const struct vmadj_options *options);
int vmadj_cmd_restore(const struct vmadj_options *options);
int vmadj_cmd_policy(const struct vmadj_options *options);
int vmadj_cmd_bench(const struct vmadj_options *options);
int vmadj_cmd_help(const struct vmadj_options *options);
int vmadj_cmd_version(const struct vmadj_options *options);
