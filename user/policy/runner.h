/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * runner.h - one policy in a process of its own, as the daemon sees it
 *
 * The process (this program again, as "policy-runner") is started with nothing but the policy's
 * file, a read-only snapshot in shared memory, a buffer for wishes and a socket. It has an
 * unprivileged user, no new privileges, a system-call filter, limits of memory, files and core; it
 * dies with the daemon. What it writes is copied before it is looked at, and believed in nothing.
 *
 * A runner goes STARTING -> READY -> (BUSY -> READY)... ; whatever goes wrong ends it, says why
 * in the log, and starts it again after 1, 2, 4 ... 60 s; after VMADJ_RUNNER_FAILURES_MAX failures
 * with no VMADJ_RUNNER_GOOD_TICKS good ticks between them it is DISABLED, until the administrator
 * loads it anew.
 *
 * Errors:    0 or a negative errno.
 * Threads:   one thread, that of the event loop.
 * Ownership: vmadj_runner_free() takes NULL, kills the process and waits for it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "policies/policy.h"

#define VMADJ_RUNNER_FAILURES_MAX 5
#define VMADJ_RUNNER_GOOD_TICKS	  60
#define VMADJ_RUNNER_WISHES_MAX	  4096 /* a tick; more are refused altogether */

struct vmadj_runner;
struct vmadj_snapshot;

enum vmadj_runner_state {
	VMADJ_RUNNER_STARTING,
	VMADJ_RUNNER_READY,
	VMADJ_RUNNER_BUSY,     /* looks at a snapshot */
	VMADJ_RUNNER_WAITING,  /* failed; will be started again */
	VMADJ_RUNNER_DISABLED, /* failed too often, or cannot be loaded at all */
};

/* A parameter as configured: text, checked by the policy's own table in the runner. */
struct vmadj_runner_param {
	const char *name, *value;
};

/* What a policy declares; copies, escaped, bounded. Owned by the runner. */
struct vmadj_runner_param_info {
	char name[32], unit[16], help[160];
	enum vmadj_policy_param_type type;
	double def, min, max, value;
};

struct vmadj_runner_info {
	char name[32], summary[160];
	uint32_t knobs;
	size_t n_params;
	struct vmadj_runner_param_info param[32];
};

struct vmadj_runner_options {
	const char *file; /* the shared object; must be root's or ours, no link, not writable by
			     others */
	const struct vmadj_runner_param *params;
	size_t n_params;
	const char *user;      /* NULL: "nobody"; not used when we are not root */
	double deadline_s;     /* for one decide(), and 20 times that for loading; 0: 0.25 */
	uint64_t memory_bytes; /* RLIMIT_AS beyond what the runner itself needs; 0: 64 MiB */
	double restart_s;      /* before the first restart, doubled up to 60 times that; 0: 1 */
	bool trial; /* `policy check`: the first failure disables it and is left to the caller to
		       tell; a policy's clock is that of the snapshots; what it prints is shown */
};

/* Called from the event loop. Each may free the runner. */
struct vmadj_runner_events {
	/* It is loaded, its parameters are good: vmadj_runner_info() tells. Also after a restart.
	 */
	void (*ready)(void *userdata, struct vmadj_runner *runner);

	/* Its wishes for snapshot @seq; valid within the call only. All are well-formed: the knob
	 * is one that it declared (or NONE), the value finite, texts ended and escaped. */
	void (*wishes)(void *userdata, struct vmadj_runner *runner, uint64_t seq,
		       const struct vmadj_policy_wish *wish, size_t n);

	/* One tick's wishes were refused, and why ("too many wishes: 1000000, at most 4096"). */
	void (*refused)(void *userdata, struct vmadj_runner *runner, const char *why);

	/* It failed: the state tells whether it comes back. @why: "crashed: SIGSEGV", "did not
	 * answer within 0.25 s", "ran out of memory", "made the system call socket", ... */
	void (*failed)(void *userdata, struct vmadj_runner *runner, const char *why);
};

/**
 * vmadj_runner_new() - start one
 *
 * A file that cannot be trusted or loaded, or wrong parameters: failed() is called from the event
 * loop, with the state DISABLED, and everything wrong in its text ("above: 120 is not within
 * 0..100").
 *
 * Return: 0; -ENOMEM; -errno of making sockets, memory, the process.
 */
int vmadj_runner_new(sd_event *event, const struct vmadj_runner_options *options,
		     const struct vmadj_runner_events *events, void *userdata,
		     struct vmadj_runner **ret_runner);
void vmadj_runner_free(struct vmadj_runner *runner);

enum vmadj_runner_state vmadj_runner_state(const struct vmadj_runner *runner);
const struct vmadj_runner_info *vmadj_runner_info(const struct vmadj_runner *runner);
const char *vmadj_runner_why(const struct vmadj_runner *runner); /* of the last failure; "" */
pid_t vmadj_runner_pid(const struct vmadj_runner *runner);	 /* 0: none now */

/**
 * vmadj_runner_feed() - let it look at a snapshot
 *
 * What has not been answered from the tick before is left to its deadline: this tick is then not
 * given.
 *
 * Return: 0; -EBUSY: it is not READY; -ENOMEM.
 */
int vmadj_runner_feed(struct vmadj_runner *runner, const struct vmadj_snapshot *snapshot,
		      uint64_t seq);

/* The program (an absolute path) that is executed as "policy-runner"; NULL, as at the start: this
 * one. For tests. */
void vmadj_runner_set_program(const char *path);

/* The process's own main: descriptors 3 (socket) and 4 (the policy's file); Return: exit status. */
int vmadj_runner_main(void);

/**
 * vmadj_policy_file_open() - open a shared object that can be trusted
 *
 * A regular file of root's or our own user's, no link, not writable by others, nor its folder.
 *
 * Return: a descriptor; -errno, and a text in @ret_why that the caller frees.
 */
int vmadj_policy_file_open(const char *path, char **ret_why);

/* The snapshot in the form of policy.h: for the runner, and for `policy check`. @size bytes at @to;
 * Return: how many bytes it takes (nothing is written if that is more than @size). */
size_t vmadj_policy_snapshot_write(const struct vmadj_snapshot *snapshot, uint64_t seq, void *to,
				   size_t size);
