/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * configured.h - the configuration that a command works with
 */
#pragma once

struct vmadj_config;
struct vmadj_options;

/**
 * vmadj_configured() - the file that was given, else the usual one, else what is built in
 *
 * @ret_path: which file; NULL: built in. Return: enum vmadj_exit; what is wrong was said.
 */
int vmadj_configured(const struct vmadj_options *options, struct vmadj_config **ret_config,
		     const char **ret_path);
