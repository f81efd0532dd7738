// SPDX-License-Identifier: GPL-2.0-only
/* fake_qmp.c - a QEMU's monitor that follows a script */
#include "tests/lib/fake_qmp.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FLOOD_BYTES 100000000
#define WAIT_S	    20

struct fake_qmp {
	const char *const *script;
	struct sockaddr_un address;
	pthread_t thread;
	int listener, fd;
	char last[4096];    /* the line that came last */
	char failure[8192]; /* "": none */
};

static bool send_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

static bool flood(int fd)
{
	static char block[1 << 16];

	memset(block, 'x', sizeof(block));
	for (size_t sent = 0; sent < FLOOD_BYTES; sent += sizeof(block)) {
		if (!send_all(fd, block, sizeof(block)))
			return true;
	}
	return false;
}

static bool expect(struct fake_qmp *qmp, const char *text)
{
	size_t len = 0;

	while (len + 1 < sizeof(qmp->last) && recv(qmp->fd, qmp->last + len, 1, 0) == 1) {
		if (qmp->last[len++] == '\n')
			break;
	}
	qmp->last[len] = '\0';
	return strstr(qmp->last, text) != NULL;
}

static bool send_with_id(struct fake_qmp *qmp, const char *text)
{
	const char *mark = strstr(text, "$id"), *id = strstr(qmp->last, "\"id\":");
	char line[4096];

	if (mark)
		(void)snprintf(line, sizeof(line), "%.*s%ld%s\r\n", (int)(mark - text), text,
			       id ? strtol(id + 5, NULL, 10) : -1, mark + 3);
	else
		(void)snprintf(line, sizeof(line), "%s\r\n", text);
	return send_all(qmp->fd, line, strlen(line));
}

static void hang_up(struct fake_qmp *qmp)
{
	if (qmp->fd >= 0)
		(void)close(qmp->fd);
	qmp->fd = -1;
}

static bool step(struct fake_qmp *qmp, const char *what)
{
	char byte;

	if (!strcmp(what, "close")) {
		hang_up(qmp);
		return true;
	}
	if (qmp->fd < 0)
		qmp->fd = accept(qmp->listener, NULL, NULL);
	if (!strcmp(what, "flood"))
		return flood(qmp->fd);
	if (!strcmp(what, "stay"))
		return recv(qmp->fd, &byte, 1, 0) <= 0;
	if (what[0] == '<')
		return expect(qmp, what + 2);
	return what[0] == '>' ? send_with_id(qmp, what + 2)
			      : send_all(qmp->fd, what + 2, strlen(what + 2));
}

static void *serve(void *data)
{
	struct fake_qmp *qmp = data;

	for (size_t i = 0; qmp->script[i] && !qmp->failure[0]; i++) {
		if (!step(qmp, qmp->script[i]))
			(void)snprintf(qmp->failure, sizeof(qmp->failure),
				       "step %zu (%s) failed; last came: %s", i, qmp->script[i],
				       qmp->last);
	}
	hang_up(qmp);
	return NULL;
}

struct fake_qmp *fake_qmp_start(const char *const *script)
{
	const struct timeval limit = { .tv_sec = WAIT_S };
	struct fake_qmp *qmp = calloc(1, sizeof(*qmp));

	if (!qmp)
		cr_fatal("no memory");
	qmp->script = script;
	qmp->fd = -1;
	qmp->address.sun_family = AF_UNIX;
	(void)snprintf(qmp->address.sun_path, sizeof(qmp->address.sun_path),
		       "/tmp/vmadj-fake-qmp-%d", getpid());
	(void)unlink(qmp->address.sun_path);
	qmp->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* accept() and what it returns are limited by it */
	(void)setsockopt(qmp->listener, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (bind(qmp->listener, (struct sockaddr *)&qmp->address, sizeof(qmp->address)) ||
	    listen(qmp->listener, 1) || pthread_create(&qmp->thread, NULL, serve, qmp))
		cr_fatal("%s: %m", qmp->address.sun_path);
	return qmp;
}

const char *fake_qmp_path(const struct fake_qmp *qmp)
{
	return qmp->address.sun_path;
}

void fake_qmp_end(struct fake_qmp *qmp)
{
	char failure[sizeof(qmp->failure)];

	(void)pthread_join(qmp->thread, NULL);
	(void)close(qmp->listener);
	(void)unlink(qmp->address.sun_path);
	memcpy(failure, qmp->failure, sizeof(failure));
	free(qmp);
	if (failure[0])
		cr_fatal("%s", failure);
}
