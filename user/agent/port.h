/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * port.h - the virtio-serial port to the host, which may be absent, deserted or deaf
 *
 * Nothing here waits. A host that is not there, or does not read, makes a report be dropped:
 * neither the agent nor what the kernel keeps for it grows. A port that is gone is looked for
 * again at every vmadj_port_ready().
 *
 * Errors:    0 or a negative errno.
 * Ownership: the path must outlive the port; vmadj_port_close() takes one that is not open.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define VMADJ_PORT_NAME "org.vmadjust.guest.0"

struct vmadj_port {
	const char *path; /* NULL: it is looked for by its name */
	int fd;		  /* -1: it is not open */
	bool torn;	  /* the host has half a line, which the next one must end */
	int err;	  /* why it could not be opened last; 0: it could */
};

/**
 * vmadj_port_find() - the device of the port called VMADJ_PORT_NAME
 *
 * As udev names it, else, without udev, by what sysfs says. @root: "" or a folder with a tree like
 * this system's. Return: 0; -ENOENT; -ENAMETOOLONG.
 */
int vmadj_port_find(const char *root, char *ret_path, size_t size);

/* Opens it if it is not open. Return: whether a host is at the other end. */
bool vmadj_port_ready(struct vmadj_port *port);

/**
 * vmadj_port_read() - what the host has sent
 *
 * Return: the bytes; 0: nothing now, or no host; -errno: the port is gone, and closed.
 */
ssize_t vmadj_port_read(struct vmadj_port *port, char *buf, size_t size);

/**
 * vmadj_port_write() - a line with its end, whole or not at all as far as the port lets us
 *
 * Return: 0; -EAGAIN: the host does not read, the line is dropped; -errno: the port is gone, and
 * closed.
 */
int vmadj_port_write(struct vmadj_port *port, const char *line, size_t len);

void vmadj_port_close(struct vmadj_port *port);
