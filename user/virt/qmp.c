// SPDX-License-Identifier: GPL-2.0-only
/* qmp.c - one QEMU's monitor, without ever waiting for it */
#include "user/virt/qmp.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "user/util/json_depth.h"

#define LINE_BYTES_MAX (64 * 1024)
#define DEPTH_MAX      16

static uint64_t greeting_us = 1000000, answer_us = 2000000;

struct vmadj_qmp {
	sd_event_source *io, *timer;
	int fd; /* -1: closed */
	bool greeted;

	/* The open question; the first one is vmadj_qmp_open()'s. NULL: none. */
	vmadj_qmp_done done;
	void *userdata;
	uint64_t id;

	int connect_err;
	bool *gone; /* set by vmadj_qmp_close() while a callback runs */
	char why[256];
	size_t len;
	char line[LINE_BYTES_MAX];
};

void vmadj_qmp_set_timeouts(double greeting_s, double answer_s)
{
	greeting_us = (uint64_t)(greeting_s * 1e6);
	answer_us = (uint64_t)(answer_s * 1e6);
}

static void finish(struct vmadj_qmp *qmp, int err, const json_t *answer)
{
	vmadj_qmp_done done = qmp->done;

	qmp->done = NULL;
	(void)sd_event_source_set_enabled(qmp->timer, SD_EVENT_OFF);
	if (done)
		done(qmp->userdata, err, answer);
}

static void disconnect(struct vmadj_qmp *qmp)
{
	qmp->io = sd_event_source_disable_unref(qmp->io);
	if (qmp->fd >= 0)
		(void)close(qmp->fd);
	qmp->fd = -1;
}

/* Nothing may be done with @qmp afterwards: the callback may have closed it. */
static void give_up(struct vmadj_qmp *qmp, int err, const char *why)
{
	(void)snprintf(qmp->why, sizeof(qmp->why), "%s", why);
	disconnect(qmp);
	finish(qmp, err, NULL);
}

static int set_timer(struct vmadj_qmp *qmp, uint64_t after_us)
{
	int err = sd_event_source_set_time_relative(qmp->timer, after_us);

	return err < 0 ? err : sd_event_source_set_enabled(qmp->timer, SD_EVENT_ONESHOT);
}

/*
 * One question is open at a time and its answer is awaited, so there is always room in the
 * socket unless QEMU does not read. Return: 0; -ENOMEM; -ECONNRESET.
 */
static int send_command(struct vmadj_qmp *qmp, const char *command, json_t *arguments)
{
	json_t *message = json_pack("{s:s, s:o*, s:I}", "execute", command, "arguments", arguments,
				    "id", (json_int_t)++qmp->id);
	char *text = json_dumps(message, JSON_COMPACT);
	ssize_t len, sent;
	int err = text ? set_timer(qmp, answer_us) : -ENOMEM;

	json_decref(message);
	if (err < 0) {
		free(text);
		return err;
	}
	len = (ssize_t)strlen(text);
	text[len++] = '\n'; /* in the NUL's place */
	sent = send(qmp->fd, text, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
	free(text);
	return sent == len ? 0 : -ECONNRESET;
}

static void take_error(struct vmadj_qmp *qmp, const json_t *error)
{
	/* QEMU's classes for what is not there; all the rest is GenericError. */
	static const char *const absent[] = { "CommandNotFound", "DeviceNotActive",
					      "DeviceNotFound", "KVMMissingCap" };
	const char *class = json_string_value(json_object_get(error, "class"));
	const char *words = json_string_value(json_object_get(error, "desc"));
	int err = -EIO;

	for (size_t i = 0; class && i < sizeof(absent) / sizeof(absent[0]); i++) {
		if (!strcmp(class, absent[i]))
			err = -EOPNOTSUPP;
	}
	(void)snprintf(qmp->why, sizeof(qmp->why), "%s", words ? words : "QEMU gives no reason");
	finish(qmp, err, NULL);
}

static void take_message(struct vmadj_qmp *qmp, const json_t *message)
{
	const json_t *answer = json_object_get(message, "return");
	const json_t *error = json_object_get(message, "error");

	if (!qmp->greeted && json_object_get(message, "QMP")) {
		qmp->greeted = true;
		if (send_command(qmp, "qmp_capabilities", NULL))
			give_up(qmp, -ECONNRESET, "QEMU takes no commands");
		return;
	}
	if (qmp->greeted && json_object_get(message, "event"))
		return;
	if (!qmp->greeted || !qmp->done || !(answer || error) ||
	    json_number_value(json_object_get(message, "id")) != (double)qmp->id) {
		give_up(qmp, -EPROTO, "what came is not the answer");
	} else if (error) {
		take_error(qmp, error);
	} else {
		finish(qmp, 0, answer);
	}
}

/* Takes a line of @len bytes from the front. */
static void take_line(struct vmadj_qmp *qmp, size_t len)
{
	bool deep = vmadj_json_is_deeper(qmp->line, len, DEPTH_MAX);
	json_t *message = deep ? NULL : json_loadb(qmp->line, len, JSON_DECODE_INT_AS_REAL, NULL);

	qmp->len -= len;
	memmove(qmp->line, qmp->line + len, qmp->len);
	if (json_is_object(message)) {
		take_message(qmp, message);
	} else {
		give_up(qmp, -EPROTO, deep ? "nested too deeply" : "what came is not QMP");
	}
	json_decref(message);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct vmadj_qmp *qmp = userdata;
	size_t searched = qmp->len;
	bool gone = false;
	const char *end;
	ssize_t n;

	(void)source;
	(void)events;
	n = recv(fd, qmp->line + qmp->len, sizeof(qmp->line) - qmp->len, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		give_up(qmp, -ECONNRESET, "QEMU closed the connection");
		return 0;
	}
	qmp->len += (size_t)n;
	qmp->gone = &gone;
	while ((end = memchr(qmp->line + searched, '\n', qmp->len - searched))) {
		take_line(qmp, (size_t)(end - qmp->line) + 1);
		if (gone)
			return 0;
		if (qmp->fd < 0)
			break;
		searched = 0;
	}
	qmp->gone = NULL;
	if (qmp->fd >= 0 && qmp->len == sizeof(qmp->line))
		give_up(qmp, -EPROTO, "a line is too long");
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct vmadj_qmp *qmp = userdata;

	(void)source;
	(void)usec;
	if (qmp->greeted) {
		give_up(qmp, -ETIMEDOUT, "QEMU does not answer");
	} else if (qmp->connect_err && qmp->connect_err != -EBUSY) {
		give_up(qmp, qmp->connect_err, strerror(-qmp->connect_err));
	} else {
		give_up(qmp, -EBUSY, "no greeting: somebody else is connected, or QEMU hangs");
	}
	return 0;
}

/* Return: 0 or why there is no connection. */
static int connect_to(int fd, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memcpy(address.sun_path, path, strlen(path));
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return 0;
	/* More clients wait already than the socket lets wait. */
	return errno == EAGAIN ? -EBUSY : -errno;
}

int vmadj_qmp_open(sd_event *event, const char *path, vmadj_qmp_done done, void *userdata,
		   struct vmadj_qmp **ret_qmp)
{
	struct vmadj_qmp *qmp;
	int err;

	if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return -ENAMETOOLONG;
	qmp = calloc(1, sizeof(*qmp));
	if (!qmp)
		return -ENOMEM;
	qmp->done = done;
	qmp->userdata = userdata;
	qmp->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	qmp->connect_err = qmp->fd < 0 ? -errno : connect_to(qmp->fd, path);
	/* The callback brings it, whether it is known now or later. */
	err = sd_event_add_time_relative(event, &qmp->timer, CLOCK_MONOTONIC,
					 qmp->connect_err ? 0 : greeting_us, 0, on_timer, qmp);
	/* What came in time did, however late this program looks. */
	if (err >= 0)
		err = sd_event_source_set_priority(qmp->timer, SD_EVENT_PRIORITY_NORMAL + 1);
	if (err >= 0 && !qmp->connect_err)
		err = sd_event_add_io(event, &qmp->io, qmp->fd, EPOLLIN, on_io, qmp);
	if (err < 0) {
		vmadj_qmp_close(qmp);
		return -ENOMEM;
	}
	*ret_qmp = qmp;
	return 0;
}

void vmadj_qmp_close(struct vmadj_qmp *qmp)
{
	if (!qmp)
		return;
	if (qmp->gone)
		*qmp->gone = true;
	disconnect(qmp);
	sd_event_source_disable_unref(qmp->timer);
	free(qmp);
}

int vmadj_qmp_ask(struct vmadj_qmp *qmp, const char *command, json_t *arguments,
		  vmadj_qmp_done done, void *userdata)
{
	int err;

	if (qmp->done || qmp->fd < 0) {
		json_decref(arguments);
		return qmp->done ? -EBUSY : -ENOTCONN;
	}
	err = send_command(qmp, command, arguments);
	if (err == -ENOMEM)
		return err;
	if (err) {
		give_up(qmp, err, "QEMU takes no commands");
		return -ENOTCONN;
	}
	qmp->done = done;
	qmp->userdata = userdata;
	return 0;
}

const char *vmadj_qmp_why(const struct vmadj_qmp *qmp)
{
	return qmp->why;
}

pid_t vmadj_qmp_peer(const struct vmadj_qmp *qmp)
{
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);

	if (getsockopt(qmp->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return 0;
	return peer.pid;
}
