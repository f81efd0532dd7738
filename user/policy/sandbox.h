/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sandbox.h - what a policy's process takes from itself before it loads the policy
 *
 * Errors:    0 or a negative errno, with a text of what could not be done.
 * Threads:   the process has one.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct vmadj_sandbox {
	pid_t daemon_pid;
	int uid, gid; /* -1: stay who it is */
	uint64_t memory_bytes;
	void *loading, *running; /* filters, made while that is still possible */
};

/* Gives up user, groups, capabilities, memory, files; makes the filters. @ret_what is static. */
int vmadj_sandbox_enter(struct vmadj_sandbox *sandbox, const char **ret_what);

/* From now on system calls are those that dlopen() needs; what is not kills, and says so. */
int vmadj_sandbox_allow_loading(struct vmadj_sandbox *sandbox);

/* From now on nothing but memory, time, the socket, messages to standard error. */
int vmadj_sandbox_allow_running(struct vmadj_sandbox *sandbox);
