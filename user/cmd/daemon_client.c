/* SPDX-License-Identifier: GPL-2.0-only */
/* daemon_client.c - ask the daemon that runs on this host */
#include "user/cmd/daemon_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "user/util/cleanup.h"
#include "user/util/log.h"

#define ANSWER_S   15 /* a policy that is loaded is tried first */
#define ANSWER_MAX (64 << 20)
#define PIECE	   8192

int vmadj_daemon_connect(const char *path)
{
	const struct timeval limit = { .tv_sec = ANSWER_S };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = -1;

	path = path ? path : VMADJ_CONTROL_PATH;
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)))
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	return vmadj_steal_fd(&fd);
}

static int send_line(int fd, const json_t *request)
{
	_cleanup_free_ char *text = json_dumps(request, JSON_COMPACT);
	size_t len;

	if (!text)
		return -ENOMEM;
	len = strlen(text);
	text[len++] = '\n';
	/* One that refuses us hangs up at once: what it said is still there to be read. */
	if (send(fd, text, len, MSG_NOSIGNAL) < 0 && errno != EPIPE)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return 0;
}

/* Room for one more piece. */
static int grow(char **line, size_t len, size_t *room)
{
	char *more;

	if (len + PIECE <= *room)
		return 0;
	if (*room > ANSWER_MAX)
		return -EMSGSIZE;
	more = realloc(*line, *room * 2 + PIECE);
	if (!more)
		return -ENOMEM;
	*line = more;
	*room = *room * 2 + PIECE;
	return 0;
}

/* Up to the end of the line: what follows is left in the socket. */
static ssize_t receive(int fd, char *to, size_t room)
{
	ssize_t n = recv(fd, to, room, MSG_PEEK);
	const char *end;

	if (n < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	if (!n)
		return -ECONNRESET;
	end = memchr(to, '\n', (size_t)n);
	n = recv(fd, to, end ? (size_t)(end + 1 - to) : (size_t)n, 0);
	return n > 0 ? n : -ECONNRESET;
}

static int read_line(int fd, char **ret_line, size_t *ret_len)
{
	_cleanup_free_ char *line = NULL;
	size_t len = 0, room = 0;

	do {
		int err = grow(&line, len, &room);
		ssize_t n = err ? err : receive(fd, line + len, room - len);

		if (n < 0)
			return (int)n;
		len += (size_t)n;
	} while (line[len - 1] != '\n');
	*ret_line = vmadj_steal(line);
	*ret_len = len;
	return 0;
}

int vmadj_daemon_request(int fd, const json_t *request, json_t **ret_answer)
{
	_cleanup_free_ char *line = NULL;
	size_t len;
	json_t *answer;
	int err = send_line(fd, request);

	if (!err)
		err = read_line(fd, &line, &len);
	if (err)
		return err;
	answer = json_loadb(line, len, 0, NULL);
	if (!json_is_object(answer)) {
		json_decref(answer);
		return -EPROTO;
	}
	*ret_answer = answer;
	return 0;
}

static void say_no_connection(const char *path, int err)
{
	if (err == -ENOENT || err == -ECONNREFUSED) {
		log_err("no daemon runs here (%s): vmadjust-bpf run starts one",
			path ? path : VMADJ_CONTROL_PATH);
	} else if (err == -EACCES || err == -EPERM) {
		log_err("this user may not ask the daemon: be root, or a member of the group that "
			"control_group names in its configuration");
	} else {
		log_err("cannot ask the daemon: %s", strerror(-err));
	}
}

int vmadj_daemon_ask(const char *path, const json_t *request, json_t **ret_answer)
{
	_cleanup_close_ int fd = vmadj_daemon_connect(path);
	json_t *answer;
	int err = fd < 0 ? fd : 0;

	if (err) {
		say_no_connection(path, err);
		return err;
	}
	err = vmadj_daemon_request(fd, request, &answer);
	if (err) {
		log_err("the daemon does not answer: %s", strerror(-err));
		return err;
	}
	if (!json_is_true(json_object_get(answer, "ok"))) {
		const char *why = json_string_value(json_object_get(answer, "error"));

		log_err("%s", why ? why : "the daemon refuses, and does not say why");
		json_decref(answer);
		return -EPERM;
	}
	*ret_answer = answer;
	return 0;
}
