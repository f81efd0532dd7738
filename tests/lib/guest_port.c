// SPDX-License-Identifier: GPL-2.0-only
/* guest_port.c - the host's end of a guest's ports */
#include "tests/lib/guest_port.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_MS 60000
#define LINE_BYTES  4096

struct vmadj_guest_port {
	int fd;
	size_t len;    /* of buf */
	size_t parsed; /* of these, the line that was returned last */
	char buf[LINE_BYTES + 1];
};

struct vmadj_guest_port *vmadj_guest_port_open(const char *socket_path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct vmadj_guest_port *port = calloc(1, sizeof(*port));

	cr_assert(port != NULL);
	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", socket_path);
	port->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(port->fd, (const struct sockaddr *)&addr, sizeof(addr)))
		cr_fatal("%s: nobody listens", socket_path);
	return port;
}

void vmadj_guest_port_close(struct vmadj_guest_port *port)
{
	if (port)
		(void)close(port->fd);
	free(port);
}

const char *vmadj_guest_port_read(struct vmadj_guest_port *port)
{
	char *end;

	port->len -= port->parsed;
	memmove(port->buf, port->buf + port->parsed, port->len);
	port->parsed = 0;
	while (!(end = memchr(port->buf, '\n', port->len))) {
		struct pollfd pfd = { .fd = port->fd, .events = POLLIN };
		ssize_t n;

		if (port->len == LINE_BYTES)
			cr_fatal("a line of more than %d bytes", LINE_BYTES);
		if (poll(&pfd, 1, PATIENCE_MS) <= 0)
			cr_fatal("the guest says nothing");
		n = recv(port->fd, port->buf + port->len, LINE_BYTES - port->len, 0);
		if (n <= 0)
			cr_fatal("the guest is gone");
		port->len += (size_t)n;
	}
	*end = '\0';
	port->parsed = (size_t)(end - port->buf) + 1;
	return port->buf;
}

void vmadj_guest_port_write(struct vmadj_guest_port *port, const char *text)
{
	size_t len = strlen(text);

	if (send(port->fd, text, len, MSG_NOSIGNAL) != (ssize_t)len)
		cr_fatal("the guest's port takes nothing");
}

const char *vmadj_guest_port_ask(struct vmadj_guest_port *port, const char *line)
{
	vmadj_guest_port_write(port, line);
	vmadj_guest_port_write(port, "\n");
	return vmadj_guest_port_read(port);
}

size_t vmadj_guest_port_pending(struct vmadj_guest_port *port, int ms)
{
	struct pollfd pfd = { .fd = port->fd, .events = POLLIN };
	int bytes = 0;

	(void)poll(&pfd, 1, ms);
	(void)ioctl(port->fd, FIONREAD, &bytes);
	return port->len - port->parsed + (size_t)bytes;
}

static uint64_t get_count(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_integer(value) ? (uint64_t)json_integer_value(value) : UINT64_MAX;
}

static void get_text(const json_t *object, const char *key, char *ret_text, size_t size)
{
	const char *text = json_string_value(json_object_get(object, key));

	(void)snprintf(ret_text, size, "%s", text ? text : "");
}

struct vmadj_said vmadj_guest_port_report(struct vmadj_guest_port *port)
{
	const char *line = vmadj_guest_port_read(port);
	struct vmadj_said said = { 0 };
	json_error_t error;
	json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, &error), *part;

	if (!json || json_integer_value(json_object_get(json, "vmadjust")) != 1)
		cr_fatal("no report: %s", line);
	get_text(json, "agent", said.agent, sizeof(said.agent));
	get_text(json, "mode", said.mode, sizeof(said.mode));
	get_text(json, "why", said.why, sizeof(said.why));
	said.seq = get_count(json, "seq");
	said.interval_ms = get_count(json, "interval_ms");
	part = json_object_get(json, "mem");
	said.total_bytes = get_count(part, "total_bytes");
	said.available_bytes = get_count(part, "available_bytes");
	said.cached_bytes = get_count(part, "cached_bytes");
	part = json_object_get(json, "vm");
	said.alloc_stalls = get_count(part, "alloc_stalls");
	said.disk_read_bytes = get_count(part, "disk_read_bytes");
	part = json_object_get(json, "cache");
	said.accessed_pages = get_count(part, "accessed_pages");
	said.hit_pages = get_count(part, "hit_pages");
	said.miss_pages = get_count(part, "miss_pages");
	json_decref(json);
	return said;
}

struct vmadj_said vmadj_guest_port_report_now(struct vmadj_guest_port *port)
{
	while (vmadj_guest_port_pending(port, 0))
		(void)vmadj_guest_port_report(port);
	/* The next one may have been made before; the one after it was not. */
	(void)vmadj_guest_port_report(port);
	return vmadj_guest_port_report(port);
}
