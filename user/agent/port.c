// SPDX-License-Identifier: GPL-2.0-only
/* port.c - the virtio-serial port to the host */
#include "user/agent/port.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "user/util/file.h"

static int join(char *ret_path, size_t size, const char *root, const char *dir, const char *name)
{
	int len = snprintf(ret_path, size, "%s%s%s", root, dir, name);

	return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

/* Whether @dir's file "name" says VMADJ_PORT_NAME. */
static bool is_ours(const char *dir)
{
	char path[512], name[64];

	if (join(path, sizeof(path), dir, "/", "name") ||
	    vmadj_file_read(AT_FDCWD, path, name, sizeof(name)) <= 0)
		return false;
	name[strcspn(name, "\n")] = '\0';
	return !strcmp(name, VMADJ_PORT_NAME);
}

int vmadj_port_find(const char *root, char *ret_path, size_t size)
{
	static const char class_dir[] = "/sys/class/virtio-ports/";
	char dir_path[256], path[512];
	const struct dirent *entry;
	int err = join(path, sizeof(path), root, "/dev/virtio-ports/", VMADJ_PORT_NAME);
	DIR *dir;

	if (!err && !access(path, F_OK))
		return join(ret_path, size, path, "", "");
	if (join(dir_path, sizeof(dir_path), root, class_dir, ""))
		return -ENAMETOOLONG;
	dir = opendir(dir_path);
	if (!dir)
		return -ENOENT;
	err = -ENOENT;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	while (err == -ENOENT && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.' &&
		    !join(path, sizeof(path), dir_path, "", entry->d_name) && is_ours(path))
			err = join(ret_path, size, root, "/dev/", entry->d_name);
	}
	(void)closedir(dir);
	return err;
}

static void port_open(struct vmadj_port *port)
{
	char found[512];
	const char *path = port->path;

	if (!path) {
		port->err = vmadj_port_find("", found, sizeof(found));
		if (port->err)
			return;
		path = found;
	}
	port->fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	port->err = port->fd < 0 ? -errno : 0;
	port->torn = false;
}

void vmadj_port_close(struct vmadj_port *port)
{
	if (port->fd >= 0)
		(void)close(port->fd);
	port->fd = -1;
}

bool vmadj_port_ready(struct vmadj_port *port)
{
	struct pollfd pfd = { .events = POLLOUT };

	if (port->fd < 0)
		port_open(port);
	if (port->fd < 0)
		return false;
	pfd.fd = port->fd;
	/* POLLHUP: no host has connected; it may at any time. POLLERR: the device is gone. */
	if (poll(&pfd, 1, 0) < 0 || pfd.revents & (POLLERR | POLLNVAL)) {
		vmadj_port_close(port);
		return false;
	}
	return !(pfd.revents & POLLHUP);
}

/* What is an error for now only. */
static bool is_passing(int err)
{
	return err == EAGAIN || err == EINTR;
}

ssize_t vmadj_port_read(struct vmadj_port *port, char *buf, size_t size)
{
	ssize_t n = read(port->fd, buf, size);

	if (n < 0 && is_passing(errno))
		return 0;
	if (n < 0) {
		n = -errno;
		vmadj_port_close(port);
	}
	return n;
}

int vmadj_port_write(struct vmadj_port *port, const char *line, size_t len)
{
	ssize_t n;
	int err;

	/* A virtio port takes a line whole; another kind of port may not. */
	if (port->torn) {
		n = write(port->fd, "\n", 1);
		if (n != 1)
			return -EAGAIN;
		port->torn = false;
	}
	n = write(port->fd, line, len);
	if (n == (ssize_t)len)
		return 0;
	if (n >= 0 || is_passing(errno)) {
		port->torn = n > 0;
		return -EAGAIN;
	}
	err = -errno;
	vmadj_port_close(port);
	return err;
}
