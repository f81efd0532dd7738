/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * run_check.h - `vmadjust-bpf run --check`
 */
#pragma once

struct vmadj_config;

/**
 * vmadj_run_check() - load every policy in its runner, and print the configuration in full
 *
 * @path: where it is from, for messages; NULL: built in. Return: enum vmadj_exit.
 */
int vmadj_run_check(const struct vmadj_config *config, const char *path);
