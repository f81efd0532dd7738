// SPDX-License-Identifier: GPL-2.0-only
/*
 * lines.c - line by line over a socket, with a deadline
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/lab/private.h"

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Return: 0 and the line without its end; -EAGAIN: there is no whole line yet. */
static int lines_take(struct vmadj_lab_lines *lines, char *ret_line)
{
	char *end = memchr(lines->buf, '\n', lines->len);
	size_t len;

	if (!end)
		return -EAGAIN;
	len = (size_t)(end - lines->buf);
	memcpy(ret_line, lines->buf, len);
	ret_line[len] = '\0';
	lines->len -= len + 1;
	memmove(lines->buf, end + 1, lines->len);
	return 0;
}

/**
 * vmadj_lab_lines_read - wait for a line
 * @ret_line: VMADJ_LAB_LINE_MAX bytes
 *
 * Return: 0; -ETIME: none came in time; -EPIPE: the peer is gone; -EMSGSIZE: it
 * does not end; or what poll() or recv() gave.
 */
int vmadj_lab_lines_read(struct vmadj_lab_lines *lines, unsigned int timeout_ms, char *ret_line)
{
	int64_t end = now_ms() + timeout_ms;

	while (lines_take(lines, ret_line)) {
		struct pollfd pfd = { .fd = lines->fd, .events = POLLIN };
		int64_t left = end - now_ms();
		ssize_t got;

		if (lines->len == sizeof(lines->buf))
			return -EMSGSIZE;
		if (!poll(&pfd, 1, left > 0 ? (int)left : 0))
			return -ETIME;
		got = recv(lines->fd, lines->buf + lines->len, sizeof(lines->buf) - lines->len,
			   MSG_DONTWAIT);
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return errno == ECONNRESET ? -EPIPE : -errno;
		if (got == 0)
			return -EPIPE;
		if (got > 0)
			lines->len += (size_t)got;
	}
	return 0;
}

/* Return: 0; -EPIPE: the peer is gone; or what send() gave. */
int vmadj_lab_lines_write(struct vmadj_lab_lines *lines, const char *line)
{
	char buf[VMADJ_LAB_LINE_MAX];
	size_t len = strlen(line);

	if (len >= sizeof(buf))
		return -EMSGSIZE;
	memcpy(buf, line, len);
	buf[len++] = '\n';
	/* a lab peer reads at once: what does not fit its socket buffer is a bug, not a wait */
	if (send(lines->fd, buf, len, MSG_NOSIGNAL) != (ssize_t)len)
		return errno == ECONNRESET ? -EPIPE : -errno;
	return 0;
}
