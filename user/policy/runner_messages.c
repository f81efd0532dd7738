/* SPDX-License-Identifier: GPL-2.0-only */
/* runner_messages.c - what a policy's process says to the daemon */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "user/policy/runner_private.h"

static void take_ready(struct vmadj_runner *runner, const struct vmadj_wire_ready *ready)
{
	if (runner->state != VMADJ_RUNNER_STARTING ||
	    !vmadj_runner_take_info(&ready->info, &runner->info)) {
		vmadj_runner_end(runner, "said of itself what cannot be");
		return;
	}
	runner->timer = sd_event_source_disable_unref(runner->timer);
	runner->state = VMADJ_RUNNER_READY;
	if (runner->events.ready)
		runner->events.ready(runner->userdata, runner);
}

static void take_unusable(struct vmadj_runner *runner, struct vmadj_wire_unusable *unusable)
{
	size_t len;

	unusable->why[sizeof(unusable->why) - 1] = '\0';
	len = strlen(unusable->why);
	if (len > 0 && unusable->why[len - 1] == '\n')
		unusable->why[len - 1] = '\0';
	/* One line, whatever is wrong. */
	for (char *p = unusable->why; (p = strchr(p, '\n')) != NULL;)
		*p = ';';
	runner->process.unusable = runner->state == VMADJ_RUNNER_STARTING;
	vmadj_runner_end(runner, unusable->why);
}

static void take_wishes(struct vmadj_runner *runner, size_t n)
{
	const struct vmadj_policy_wishes *shared = runner->wishes.map;
	char buf[128];
	const char *wrong = NULL;

	if (n > VMADJ_RUNNER_WISHES_MAX) {
		(void)snprintf(buf, sizeof(buf), "too many wishes: %zu, at most %d", n,
			       VMADJ_RUNNER_WISHES_MAX);
		wrong = buf;
	} else {
		memcpy(runner->copy, shared->wish, n * sizeof(*runner->copy));
		wrong = vmadj_runner_check_wishes(runner->info.knobs, runner->copy, n, buf,
						  sizeof(buf));
	}
	if (wrong) {
		if (runner->events.refused)
			runner->events.refused(runner->userdata, runner, wrong);
		return;
	}
	if (++runner->good_ticks >= VMADJ_RUNNER_GOOD_TICKS) {
		runner->failures = 0;
		runner->next_restart_s = runner->restart_s;
	}
	if (runner->events.wishes)
		runner->events.wishes(runner->userdata, runner, runner->seq, runner->copy, n);
}

static void take_answer(struct vmadj_runner *runner, const struct vmadj_wire_answer *answer)
{
	if (runner->state != VMADJ_RUNNER_BUSY || answer->seq != runner->seq) {
		vmadj_runner_end(runner, "answered what it was not asked");
		return;
	}
	runner->timer = sd_event_source_disable_unref(runner->timer);
	runner->state = VMADJ_RUNNER_READY;
	take_wishes(runner, answer->n);
}

static void take_message(struct vmadj_runner *runner, union vmadj_wire_any *message, size_t size)
{
	if (message->type == VMADJ_WIRE_ANSWER && size == sizeof(message->answer)) {
		take_answer(runner, &message->answer);
	} else if (message->type == VMADJ_WIRE_READY && size == sizeof(message->ready)) {
		take_ready(runner, &message->ready);
	} else if (message->type == VMADJ_WIRE_UNUSABLE && size == sizeof(message->unusable)) {
		take_unusable(runner, &message->unusable);
	} else if (message->type == VMADJ_WIRE_TROUBLE && size == sizeof(message->trouble)) {
		runner->process.trouble = message->trouble;
	} else {
		vmadj_runner_end(runner, "sent a message that its process never sends");
	}
}

int vmadj_runner_on_socket(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct vmadj_runner *runner = userdata;
	static union vmadj_wire_any message;
	ssize_t n = recv(fd, &message, sizeof(message), MSG_DONTWAIT | MSG_TRUNC);

	(void)source;
	(void)revents;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		/* Closed: it ends, or runs into its deadline. */
		runner->process.socket_source =
			sd_event_source_disable_unref(runner->process.socket_source);
	} else if (n >= (ssize_t)sizeof(message.type)) {
		take_message(runner, &message, (size_t)n);
	} else {
		vmadj_runner_end(runner, "sent a message that its process never sends");
	}
	return 0;
}
