// SPDX-License-Identifier: GPL-2.0-only
/* uevent.c - KVM's own news of VMs */
#include "user/vm/uevent.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "user/util/parse.h"

#define KERNEL_GROUP 1
#define ROOM	     (1 << 20) /* bytes that may wait: some thousand VMs */

int vmadj_uevent_open(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP };
	int room = ROOM;
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_KOBJECT_UEVENT);

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		int err = -errno;

		(void)close(fd);
		return err;
	}
	return fd;
}

/* The value of @key in a message of NUL-ended KEY=VALUE strings; NULL: it is not in there. */
static const char *value_of(const char *message, size_t len, const char *key)
{
	size_t key_len = strlen(key);

	for (const char *at = message; at < message + len; at += strlen(at) + 1) {
		if (!strncmp(at, key, key_len) && at[key_len] == '=')
			return at + key_len + 1;
	}
	return NULL;
}

bool vmadj_uevent_parse(const char *message, size_t len, bool *ret_created, pid_t *ret_tid)
{
	const char *path = value_of(message, len, "DEVPATH"), *event, *pid;
	uint64_t tid;

	if (!path || strcmp(path, "/devices/virtual/misc/kvm") != 0)
		return false;
	event = value_of(message, len, "EVENT");
	pid = value_of(message, len, "PID");
	if (!event || !pid || vmadj_parse_u64(pid, 1, INT32_MAX, &tid))
		return false;
	if (strcmp(event, "create") != 0 && strcmp(event, "destroy") != 0)
		return false;
	*ret_created = event[0] == 'c';
	*ret_tid = (pid_t)tid;
	return true;
}

int vmadj_uevent_read(int fd, bool *ret_created, pid_t *ret_tid)
{
	struct sockaddr_nl from = { 0 };
	socklen_t from_len = sizeof(from);
	char message[4096];
	ssize_t len;

	for (;;) {
		len = recvfrom(fd, message, sizeof(message) - 1, 0, (struct sockaddr *)&from,
			       &from_len);
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return errno == ENOBUFS ? -ENOBUFS : 0;
		message[len] = '\0';
		/* Only the kernel has port 0: others may not tell us of VMs. */
		if (from.nl_pid == 0 &&
		    vmadj_uevent_parse(message, (size_t)len + 1, ret_created, ret_tid))
			return 1;
	}
}
