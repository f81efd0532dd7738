/* SPDX-License-Identifier: GPL-2.0-only */
/* control.c - the daemon's socket: who is connected, lines in, lines out */
#include "user/daemon/control.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "user/daemon/daemon.h"
#include "user/snapshot/snapshot.h"
#include "user/util/cleanup.h"
#include "user/util/log.h"

#define GROUPS_MAX 256

struct vmadj_client {
	struct vmadj_control *control;
	int fd;
	sd_event_source *source;
	bool full, watches, over;
	size_t in_len;
	char in[VMADJ_CONTROL_LINE_MAX];
	char *out;
	size_t out_len, out_at;
};

struct vmadj_control {
	struct vmadj_daemon *daemon;
	int fd;
	sd_event_source *source;
	struct sockaddr_un address;
	size_t n;
	struct vmadj_client *client[VMADJ_CONTROL_CLIENTS]; /* the oldest first */
};

/* --- clients ------------------------------------------------------------ */

static void free_client(struct vmadj_client *client)
{
	struct vmadj_control *control = client->control;

	vmadj_control_client_gone(control->daemon, client);
	for (size_t i = 0; i < control->n; i++) {
		if (control->client[i] != client)
			continue;
		memmove(&control->client[i], &control->client[i + 1],
			(--control->n - i) * sizeof(struct vmadj_client *));
		break;
	}
	(void)sd_event_source_disable_unref(client->source);
	(void)close(client->fd);
	free(client->out);
	free(client);
}

/* Sends what it takes; what is left waits until it can be written, and what it asks waits, too. */
static void flush_out(struct vmadj_client *client)
{
	while (client->out_at < client->out_len) {
		ssize_t n = send(client->fd, client->out + client->out_at,
				 client->out_len - client->out_at, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0) {
			client->over = errno != EAGAIN && errno != EINTR;
			break;
		}
		client->out_at += (size_t)n;
	}
	if (client->out_at == client->out_len) {
		free(client->out);
		client->out = NULL;
		client->out_at = client->out_len = 0;
	}
	(void)sd_event_source_set_io_events(client->source, client->out ? EPOLLOUT : EPOLLIN);
}

static void append(struct vmadj_client *client, const char *text, size_t len)
{
	size_t unread = client->out_len - client->out_at;
	char *out = client->over ? NULL : malloc(unread + len);

	if (!out) {
		client->over = true;
		return;
	}
	if (client->out)
		memcpy(out, client->out + client->out_at, unread);
	memcpy(out + unread, text, len);
	free(client->out);
	client->out = out;
	client->out_len = unread + len;
	client->out_at = 0;
	flush_out(client);
}

void vmadj_client_answer(struct vmadj_client *client, struct vmadj_jsonw *w)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	vmadj_jsonw_close(w, '}');
	vmadj_jsonw_newline(w);
	if (vmadj_jsonw_finish(w, &text, &len)) {
		client->over = true;
		return;
	}
	append(client, text, len);
}

void vmadj_client_refuse(struct vmadj_client *client, const char *fmt, ...)
{
	struct vmadj_jsonw w = { 0 };
	char text[512];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	vmadj_jsonw_open(&w, NULL, '{');
	vmadj_jsonw_bool(&w, "ok", false);
	vmadj_jsonw_string(&w, "error", text);
	vmadj_client_answer(client, &w);
}

void vmadj_client_watch(struct vmadj_client *client)
{
	client->watches = true;
}

static void take_line(struct vmadj_client *client, const char *line, size_t len)
{
	json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);

	if (json_is_object(request)) {
		vmadj_control_verb(client->control->daemon, client, request, client->full);
	} else {
		vmadj_client_refuse(client, "a request is one JSON object on one line");
	}
	json_decref(request);
}

static void take_lines(struct vmadj_client *client)
{
	char *line = client->in, *end;

	while (!client->over && !client->out && (end = memchr(line, '\n', client->in_len))) {
		size_t len = (size_t)(end - line);

		take_line(client, line, len);
		line = end + 1;
		client->in_len -= len + 1;
	}
	memmove(client->in, line, client->in_len);
	if (!client->out && client->in_len == sizeof(client->in)) {
		vmadj_client_refuse(client, "a request is at most %d bytes long",
				    VMADJ_CONTROL_LINE_MAX);
		client->over = true;
	}
}

static int on_client(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct vmadj_client *client = userdata;
	ssize_t n;

	(void)source;
	if (revents & EPOLLOUT) {
		flush_out(client);
		take_lines(client);
	} else if (!client->out) {
		n = recv(fd, client->in + client->in_len, sizeof(client->in) - client->in_len,
			 MSG_DONTWAIT);
		if (n > 0) {
			client->in_len += (size_t)n;
			take_lines(client);
		} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
			client->over = true;
		}
	}
	if (client->over)
		free_client(client);
	return 0;
}

/* --- who may ask -------------------------------------------------------- */

static bool is_member(uid_t uid, gid_t gid, const char *group_name)
{
	const struct group *group = group_name ? getgrnam(group_name) : NULL;
	const struct passwd *user;
	gid_t groups[GROUPS_MAX], wanted;
	int n = GROUPS_MAX;

	if (!group)
		return false;
	wanted = group->gr_gid;
	if (gid == wanted)
		return true;
	user = getpwuid(uid);
	if (!user || getgrouplist(user->pw_name, user->pw_gid, groups, &n) < 0)
		return false;
	for (int i = 0; i < n; i++) {
		if (groups[i] == wanted)
			return true;
	}
	return false;
}

/* Return: whether it may ask at all. */
static bool identify(const struct vmadj_control *control, int fd, bool *ret_full)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return false;
	*ret_full = peer.uid == 0 || peer.uid == geteuid();
	return *ret_full || is_member(peer.uid, peer.gid, control->daemon->config->control_group);
}

/* Who stays connected and asks nothing must not keep others out: the oldest that does not watch is
 * let go, or for one who may do everything also one that watches and may not. */
static bool make_room(struct vmadj_control *control, bool full)
{
	for (size_t i = 0; control->n == VMADJ_CONTROL_CLIENTS && i < control->n; i++) {
		struct vmadj_client *client = control->client[i];

		if (client->full < full || (client->full == full && !client->watches))
			free_client(client);
	}
	return control->n < VMADJ_CONTROL_CLIENTS;
}

static int on_connect(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	static const char refusal[] =
		"{\"ok\":false,\"error\":\"you may not ask this daemon: be root, or a member of "
		"the group that control_group names\"}\n";
	static const char crowd[] = "{\"ok\":false,\"error\":\"too many are connected already\"}\n";
	struct vmadj_control *control = userdata;
	struct vmadj_client *client;
	_cleanup_close_ int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	bool full;

	(void)source;
	(void)revents;
	if (peer < 0)
		return 0;
	if (!identify(control, peer, &full)) {
		(void)send(peer, refusal, sizeof(refusal) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		return 0;
	}
	client = make_room(control, full) ? calloc(1, sizeof(*client)) : NULL;
	if (!client || sd_event_add_io(control->daemon->event, &client->source, peer, EPOLLIN,
				       on_client, client) < 0) {
		(void)send(peer, crowd, sizeof(crowd) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		free(client);
		return 0;
	}
	client->control = control;
	client->full = full;
	client->fd = vmadj_steal_fd(&peer);
	control->client[control->n++] = client;
	return 0;
}

/* --- the socket --------------------------------------------------------- */

static int set_address(struct vmadj_control *control)
{
	int n = snprintf(control->address.sun_path, sizeof(control->address.sun_path), "%s/%s",
			 control->daemon->config->run_dir, VMADJ_CONTROL_SOCKET);

	control->address.sun_family = AF_UNIX;
	return n < 0 || (size_t)n >= sizeof(control->address.sun_path) ? -ENAMETOOLONG : 0;
}

/* A socket file of one that died is in the way; one on which somebody listens is not ours. */
static int remove_old(const struct vmadj_control *control)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (!connect(fd, (const struct sockaddr *)&control->address, sizeof(control->address)))
		return -EADDRINUSE;
	return unlink(control->address.sun_path) && errno != ENOENT ? -errno : 0;
}

static int listen_there(struct vmadj_control *control)
{
	const struct group *group = control->daemon->config->control_group
					    ? getgrnam(control->daemon->config->control_group)
					    : NULL;
	int err = remove_old(control);

	if (err)
		return err;
	control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (control->fd < 0)
		return -errno;
	/* Nobody comes in before the mode is right: it listens only then. */
	if (bind(control->fd, (const struct sockaddr *)&control->address,
		 sizeof(control->address)) ||
	    chmod(control->address.sun_path, group ? 0660 : 0600) ||
	    (group && chown(control->address.sun_path, (uid_t)-1, group->gr_gid)) ||
	    listen(control->fd, 16))
		return -errno;
	err = sd_event_add_io(control->daemon->event, &control->source, control->fd, EPOLLIN,
			      on_connect, control);
	return err < 0 ? err : 0;
}

int vmadj_control_new(struct vmadj_daemon *daemon, struct vmadj_control **ret_control)
{
	struct vmadj_control *control = calloc(1, sizeof(*control));
	int err;

	if (!control)
		return -ENOMEM;
	control->daemon = daemon;
	control->fd = -1;
	err = mkdir(daemon->config->run_dir, 0755) && errno != EEXIST ? -errno : 0;
	if (!err)
		err = set_address(control);
	if (!err)
		err = listen_there(control);
	if (err) {
		vmadj_control_free(control);
		return err;
	}
	*ret_control = control;
	return 0;
}

void vmadj_control_free(struct vmadj_control *control)
{
	if (!control)
		return;
	while (control->n)
		free_client(control->client[control->n - 1]);
	(void)sd_event_source_disable_unref(control->source);
	if (control->source)
		(void)unlink(control->address.sun_path);
	if (control->fd >= 0)
		(void)close(control->fd);
	free(control);
}

void vmadj_control_show(struct vmadj_control *control, const struct vmadj_snapshot *snapshot)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;

	for (size_t i = control->n; i--;) {
		struct vmadj_client *client = control->client[i];

		/* One that is behind misses some, so that what waits for it stays bounded. */
		if (!client->watches || client->out)
			continue;
		if (!text) {
			if (vmadj_snapshot_to_json(snapshot, &text, &len))
				return;
			text[len++] = '\n'; /* instead of the NUL */
		}
		append(client, text, len);
		if (client->over)
			free_client(client);
	}
}
