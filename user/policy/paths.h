/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * paths.h - where policies and what they are compiled with are found
 *
 * Next to the program: installed in PREFIX/sbin it finds PREFIX/lib/vmadjust-bpf/policies and
 * PREFIX/include/vmadjust-bpf, in a build folder what was built there and the tree's own headers.
 */
#pragma once

#include <stddef.h>

/** vmadj_policy_dir() - the folder of the policies; Return: 0; -ENOENT; -ENAMETOOLONG. */
int vmadj_policy_dir(char *buf, size_t size);

/** vmadj_policy_include_dir() - the folder of policy.h; Return: 0; -ENOENT; -ENAMETOOLONG. */
int vmadj_policy_include_dir(char *buf, size_t size);
