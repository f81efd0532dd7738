/* SPDX-License-Identifier: GPL-2.0-only */
/* stream.c - the snapshots of the daemon that runs on this host */
#include "user/cmd/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "user/cmd/daemon_client.h"
#include "user/snapshot/parse.h"
#include "user/util/log.h"

#define PIECE 65536

struct vmadj_stream {
	int fd;
	char *text;
	size_t len, room;
};

static int ask(int fd, double *ret_interval_s)
{
	json_t *request = json_pack("{s:s}", "verb", "watch"), *answer = NULL;
	int err = request ? vmadj_daemon_request(fd, request, &answer) : -ENOMEM;

	json_decref(request);
	if (err)
		return err;
	if (json_is_true(json_object_get(answer, "ok"))) {
		*ret_interval_s = json_number_value(json_object_get(answer, "interval_s"));
	} else {
		err = -EACCES;
	}
	json_decref(answer);
	return err;
}

int vmadj_stream_open(const char *path, double *ret_interval_s, struct vmadj_stream **ret_stream)
{
	struct vmadj_stream *stream;
	int fd = vmadj_daemon_connect(path), err;

	if (fd < 0)
		return fd;
	err = ask(fd, ret_interval_s);
	stream = err ? NULL : calloc(1, sizeof(*stream));
	if (!stream) {
		(void)close(fd);
		return err ? err : -ENOMEM;
	}
	stream->fd = fd;
	*ret_stream = stream;
	return 0;
}

void vmadj_stream_close(struct vmadj_stream *stream)
{
	if (!stream)
		return;
	(void)close(stream->fd);
	free(stream->text);
	free(stream);
}

int vmadj_stream_fd(const struct vmadj_stream *stream)
{
	return stream->fd;
}

static int receive(struct vmadj_stream *stream)
{
	ssize_t n;

	if (stream->len + PIECE > stream->room) {
		size_t room = stream->room * 2 + PIECE;
		char *text = room > VMADJ_SNAPSHOT_TEXT_MAX ? NULL : realloc(stream->text, room);

		if (!text)
			return -ENOMEM;
		stream->text = text;
		stream->room = room;
	}
	n = recv(stream->fd, stream->text + stream->len, PIECE, MSG_DONTWAIT);
	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	if (!n)
		return -ECONNRESET;
	stream->len += (size_t)n;
	return 0;
}

int vmadj_stream_read(struct vmadj_stream *stream, struct vmadj_snapshot **ret_snapshot)
{
	char *end = stream->len ? memchr(stream->text, '\n', stream->len) : NULL;
	size_t len;
	int err;

	while (!end) {
		size_t before = stream->len;

		err = receive(stream);
		if (err)
			return err;
		end = memchr(stream->text + before, '\n', stream->len - before);
	}
	len = (size_t)(end - stream->text);
	err = vmadj_snapshot_from_json(stream->text, len, ret_snapshot);
	stream->len -= len + 1;
	memmove(stream->text, end + 1, stream->len);
	return err && err != -ENOMEM ? -EPROTO : err;
}
