// SPDX-License-Identifier: GPL-2.0-only
/* agent_port.c - a connection to the host's end of a guest's port org.vmadjust.guest.0 */
#include "user/guest/agent_port.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "user/guest/port_path.h"
#include "user/util/cleanup.h"
#include "user/util/process.h"
#include "user/util/text.h"

static int check_peer(int fd, const struct vmadj_target *target)
{
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);
	uint64_t start_ticks;

	if (vmadj_process_start(target->pid, &start_ticks) || start_ticks != target->start_ticks)
		return -ESRCH;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return -errno;
	/* 0: one that this program's process-id namespace does not have */
	return !peer.pid || peer.pid == target->pid ? 0 : -EPERM;
}

static int connect_to(const char *path, const struct vmadj_target *target)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int err;

	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return errno == EAGAIN ? -EBUSY : -errno;
	err = check_peer(fd, target);
	return err ? err : vmadj_steal_fd(&fd);
}

static void on_channel(void *userdata, int err, const struct vmadj_libvirt_answer *answer)
{
	struct vmadj_agent_port *port = userdata;

	if (!err) {
		err = connect_to(answer->channel, port->target);
	} else if (err == -EOPNOTSUPP) {
		err = -ENOENT;
	}
	port->done(port->userdata, err);
}

int vmadj_agent_port_connect(struct vmadj_agent_port *port)
{
	const struct vmadj_target *target = port->target;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	int err = vmadj_guest_port_path(target, VMADJ_LIBVIRT_PORT, path, sizeof(path));

	if (!err)
		return connect_to(path, target);
	if (err != -ENOENT || !port->libvirt || !target->uuid ||
	    !vmadj_text_same(target->manager, "libvirt"))
		return err;
	err = vmadj_libvirt_ask(port->libvirt, target->uuid, VMADJ_LIBVIRT_CHANNEL, 0, on_channel,
				port);
	if (!err)
		return -EINPROGRESS;
	return err == -EBUSY ? -EAGAIN : err;
}

void vmadj_agent_port_end(struct vmadj_agent_port *port)
{
	if (port->libvirt)
		vmadj_libvirt_forget(port->libvirt, port);
}
