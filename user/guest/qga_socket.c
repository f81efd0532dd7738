// SPDX-License-Identifier: GPL-2.0-only
/* qga_socket.c - ask a guest's qemu-ga over the socket of its port */
#include "user/guest/qga_socket.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "user/guest/qga_exchange.h"
#include "user/util/cleanup.h"
#include "user/util/process.h"

#define LEAVE_US 500000
#define TAKE_MAX 16384 /* bytes at once, so that a flood delays nobody */

static uint64_t answer_us = 2000000;

struct vmadj_qga_socket {
	sd_event_source *io, *timer;
	int fd;
	struct sockaddr_un address;
	vmadj_qga_answered done;
	void *userdata;
	struct vmadj_qga_exchange exchange;
};

void vmadj_qga_set_timeout(double answer_s)
{
	answer_us = (uint64_t)(answer_s * 1e6);
}

/* The last thing that is done with @qga. */
static void finish(struct vmadj_qga_socket *qga, int err)
{
	qga->io = sd_event_source_disable_unref(qga->io);
	(void)close(qga->fd); /* who asks anew from within finds it free */
	qga->fd = -1;
	qga->done(qga->userdata, err, qga->exchange.answers);
	vmadj_qga_socket_end(qga);
}

/* One question is open at a time, and short: there is room for it unless QEMU does not read. */
static int send_all(int fd, const char *text, size_t len)
{
	ssize_t sent = send(fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	return sent >= 0 && (size_t)sent == len ? 0 : -ECONNRESET;
}

static void ask_next(struct vmadj_qga_socket *qga)
{
	const char *text;
	size_t len = vmadj_qga_exchange_next(&qga->exchange, &text);
	int err = 0;

	if (len) {
		err = send_all(qga->fd, text, len);
		(void)sd_event_source_set_time_relative(qga->timer, answer_us);
		(void)sd_event_source_set_enabled(qga->timer, SD_EVENT_ONESHOT);
	}
	if (err || !len)
		finish(qga, err);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct vmadj_qga_socket *qga = userdata;
	char bytes[TAKE_MAX];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	int ret;

	(void)source;
	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	ret = n <= 0 ? -ECONNRESET : vmadj_qga_exchange_take(&qga->exchange, bytes, (size_t)n);
	if (ret < 0) {
		finish(qga, ret);
	} else if (ret > 0) {
		ask_next(qga);
	}
	return 0;
}

/*
 * Is the connection still in the queue, for QEMU has accepted another one? The kernel shows such
 * a one with the listener's name and without an inode ("02" is SS_CONNECTING).
 */
static bool is_queued(const char *path)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/net/unix", "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0, len = strlen(path);

	while (file && getline(&line, &size, file) >= 0) {
		char state[3], name[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
		size_t n;

		/* NOLINTNEXTLINE(cert-err34-c): text only */
		if (sscanf(line, "%*s %*s %*s %*s %*s %2s %*s %108s", state, name) != 2 ||
		    strcmp(state, "02") != 0)
			continue;
		/* QEMU may have bound it to a relative path. */
		n = strlen(name);
		if (n <= len && !strcmp(path + len - n, name) &&
		    (n == len || path[len - n - 1] == '/'))
			return true;
	}
	return false;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct vmadj_qga_socket *qga = userdata;

	(void)source;
	(void)usec;
	finish(qga, is_queued(qga->address.sun_path) ? -EBUSY : -ETIMEDOUT);
	return 0;
}

/* The path may be another QEMU's by now, or another one's in this program's file systems. */
static bool is_targets(int fd, const struct vmadj_target *target)
{
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);
	uint64_t start_ticks;

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) &&
	       (!peer.pid || peer.pid == target->pid) &&
	       !vmadj_process_start(target->pid, &start_ticks) &&
	       start_ticks == target->start_ticks;
}

/* Return: the descriptor; why there is no connection. */
static int connect_to(const char *path, const struct vmadj_target *target,
		      struct sockaddr_un *address)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	memcpy(address->sun_path, path, strlen(path));
	/* EAGAIN: more clients wait already than the socket lets wait. */
	if (connect(fd, (struct sockaddr *)address, sizeof(*address)))
		return errno == EAGAIN ? -EBUSY : -errno;
	return is_targets(fd, target) ? vmadj_steal_fd(&fd) : -ESRCH;
}

static uint64_t random_id(void)
{
	uint32_t id = 0;

	/* After boot it neither waits nor fails. */
	(void)!getrandom(&id, sizeof(id), GRND_NONBLOCK);
	return id;
}

/* Asks for synchronisation. */
static int begin(struct vmadj_qga_socket *qga, const char *commands)
{
	const char *text;
	size_t len;

	vmadj_qga_exchange_begin(&qga->exchange, commands, random_id());
	len = vmadj_qga_exchange_next(&qga->exchange, &text);
	return send_all(qga->fd, text, len);
}

/* NOLINTNEXTLINE(readability-function-size): a question, and who asks it */
int vmadj_qga_socket_ask(sd_event *event, const char *path, const struct vmadj_target *target,
			 const char *commands, vmadj_qga_answered done, void *userdata,
			 struct vmadj_qga_socket **ret_socket)
{
	struct vmadj_qga_socket *qga = calloc(1, sizeof(*qga));
	int err;

	if (!qga)
		return -ENOMEM;
	qga->done = done;
	qga->userdata = userdata;
	qga->fd = err = connect_to(path, target, &qga->address);
	if (err >= 0) {
		err = sd_event_add_time_relative(event, &qga->timer, CLOCK_MONOTONIC, answer_us, 0,
						 on_timer, qga);
	}
	/* What came in time did, however late this program looks. */
	if (err >= 0)
		err = sd_event_source_set_priority(qga->timer, SD_EVENT_PRIORITY_NORMAL + 1);
	if (err >= 0)
		err = sd_event_add_io(event, &qga->io, qga->fd, EPOLLIN, on_io, qga);
	if (err >= 0)
		err = begin(qga, commands);
	if (err < 0) {
		vmadj_qga_socket_end(qga);
		return err;
	}
	*ret_socket = qga;
	return 0;
}

void vmadj_qga_socket_end(struct vmadj_qga_socket *qga)
{
	if (!qga)
		return;
	sd_event_source_disable_unref(qga->io);
	sd_event_source_disable_unref(qga->timer);
	if (qga->fd >= 0)
		(void)close(qga->fd);
	free(qga);
}

/* --- without an answer -------------------------------------------------- */

static void close_fd(void *userdata)
{
	int *fd = userdata;

	(void)close(*fd);
	free(fd);
}

static int on_left(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)usec;
	(void)userdata;
	return sd_event_source_set_floating(source, 0); /* its last reference */
}

/* QEMU forgets what it has not read when a connection ends, so that is left open for a while. */
void vmadj_qga_socket_leave(sd_event *event, const char *path, const struct vmadj_target *target,
			    const char *commands)
{
	int *fd = malloc(sizeof(*fd));
	struct sockaddr_un address;
	sd_event_source *timer;

	if (!fd)
		return;
	*fd = connect_to(path, target, &address);
	/* The sentinel ends what somebody else has left half said. */
	if (*fd < 0 || send_all(*fd, "\xff", 1) || send_all(*fd, commands, strlen(commands)) ||
	    sd_event_add_time_relative(event, &timer, CLOCK_MONOTONIC, LEAVE_US, 0, on_left, fd) <
		    0) {
		if (*fd >= 0)
			(void)close(*fd);
		free(fd);
		return;
	}
	(void)sd_event_source_set_destroy_callback(timer, close_fd);
	/* The event loop holds it until it is due. */
	(void)sd_event_source_set_floating(timer, 1);
	(void)sd_event_source_unref(timer);
}
