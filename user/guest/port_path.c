// SPDX-License-Identifier: GPL-2.0-only
/* port_path.c - the host's socket of a virtio-serial port */
#include "user/guest/port_path.h"

#include <errno.h>
#include <string.h>

#include "user/virt/chardev_path.h"
#include "user/vm/qemu_args.h"

#define PART_MAX 512

int vmadj_guest_port_find(const char *cmdline, size_t len, const char *port_name, char *path,
			  size_t size)
{
	const char *at = cmdline, *value;
	char part[PART_MAX];

	while ((value = vmadj_qemu_next_option(&at, cmdline + len, "-device"))) {
		if (vmadj_qemu_part(value, "driver", "driver", part, sizeof(part)) &&
		    (!strcmp(part, "virtserialport") || !strcmp(part, "virtconsole")) &&
		    vmadj_qemu_part(value, "name", NULL, part, sizeof(part)) &&
		    !strcmp(part, port_name) &&
		    vmadj_qemu_part(value, "chardev", NULL, part, sizeof(part)))
			return vmadj_chardev_socket(cmdline, len, part, path, size);
	}
	return -ENOENT;
}

int vmadj_guest_port_path(const struct vmadj_target *target, const char *port_name, char *path,
			  size_t size)
{
	return vmadj_chardev_path(target->pid, vmadj_guest_port_find, port_name, path, size);
}
