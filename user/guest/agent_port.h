/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agent_port.h - a connection to the host's end of a guest's port org.vmadjust.guest.0
 *
 * The socket is on QEMU's command line; where libvirt has opened it, libvirt knows where it is. The
 * path may be another QEMU's by now, or another one's in this program's file systems: so who
 * listens must be the VM's process.
 *
 * Errors:    -EINPROGRESS: libvirt is asked, done will come; -EAGAIN: it cannot be asked now;
 *            -ENOENT: there is no such port; -EBUSY: more clients wait than the socket lets
 *            wait; -EPERM: another process listens there; -ESRCH: the VM is gone;
 *            -ENAMETOOLONG; -ENOMEM; what connect(2) gives.
 * Threads:   one thread, that of the event loop.
 * Ownership: the descriptor is the caller's. No callback comes after vmadj_agent_port_end().
 */
#pragma once

#include <stdbool.h>

#include "user/virt/libvirt.h"
#include "user/virt/target.h"

struct vmadj_agent_port {
	struct vmadj_libvirt *libvirt; /* NULL: there is none */
	const struct vmadj_target *target;
	void (*done)(void *userdata, int fd_or_err);
	void *userdata;
};

/** vmadj_agent_port_connect() - Return: a non-blocking descriptor; see above. */
int vmadj_agent_port_connect(struct vmadj_agent_port *port);
void vmadj_agent_port_end(struct vmadj_agent_port *port);
