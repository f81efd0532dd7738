/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * runner_private.h - a runner, for the files of user/policy that are the daemon's side
 */
#pragma once

#include <time.h>

#include "user/policy/shared.h"
#include "user/policy/wire.h"

#define VMADJ_RUNNER_WHY_MAX	       512
#define VMADJ_RUNNER_LINE_MAX	       256
#define VMADJ_RUNNER_EXIT_NOT_EXECUTED 127

/* The process, while there is one: pid is 0 when not. */
struct vmadj_runner_process {
	pid_t pid;
	int pidfd, socket, prints; /* prints: its standard error, the end we read */
	sd_event_source *exit_source, *socket_source, *prints_source;
	struct vmadj_wire_trouble trouble; /* type 0: none was told */
	bool unusable;			   /* no restart makes the policy right */
	char ending[VMADJ_RUNNER_WHY_MAX]; /* why we ended it; "": we did not */
};

/* What a policy prints goes into the log, a few lines at a time. */
struct vmadj_runner_prints {
	char line[VMADJ_RUNNER_LINE_MAX];
	size_t len;
	unsigned int lines; /* since the window began */
	time_t window_s;
};

struct vmadj_runner {
	sd_event *event;
	struct vmadj_runner_events events;
	void *userdata;

	char *file, *user;
	struct vmadj_wire_hello hello;
	double deadline_s, restart_s;
	bool trial;
	int policy_fd; /* -1: not opened yet */

	enum vmadj_runner_state state;
	struct vmadj_runner_process process;
	struct vmadj_runner_prints prints;
	sd_event_source *timer; /* the next start, or the deadline of what is going on */
	struct vmadj_shared snapshot, wishes;
	bool snapshot_sent; /* the process has the present one */
	uint64_t seq;
	struct vmadj_policy_wish *copy; /* of the wishes, as long as VMADJ_RUNNER_WISHES_MAX */

	struct vmadj_runner_info info;
	char why[VMADJ_RUNNER_WHY_MAX];
	unsigned int failures, good_ticks;
	double next_restart_s;
};

/**
 * vmadj_runner_spawn() - start its process and greet it
 *
 * Return: 0; -errno, with a text in @why; *ret_permanent: trying again will not help.
 */
int vmadj_runner_spawn(struct vmadj_runner *runner, char *why, size_t size, bool *ret_permanent);

/* Sends one message, with @fd when that is not -1. Return: 0; -errno. */
int vmadj_runner_send(int socket, const void *message, size_t size, int fd);

/* Ends the process: that is heard of soon, and then that it failed. */
void vmadj_runner_end(struct vmadj_runner *runner, const char *why);

/* One message a call: what handles it may free the runner. */
int vmadj_runner_on_socket(sd_event_source *source, int fd, uint32_t revents, void *userdata);

/* Reads what the policy prints, as much as fits one reading. Return: whether there was something.
 */
bool vmadj_runner_read_prints(struct vmadj_runner *runner);

/* What the policy says of itself: right and escaped. */
bool vmadj_runner_take_info(const struct vmadj_runner_info *from, struct vmadj_runner_info *ret_to);

/* Makes copies of @n wishes presentable. Return: NULL; what is wrong, static or in @buf. */
const char *vmadj_runner_check_wishes(uint32_t knobs, struct vmadj_policy_wish *wish, size_t n,
				      char *buf, size_t size);
