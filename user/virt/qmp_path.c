// SPDX-License-Identifier: GPL-2.0-only
/* qmp_path.c - where QEMU listens for QMP, as its command line says */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "user/virt/chardev_path.h"
#include "user/virt/qmp.h"
#include "user/vm/qemu_args.h"

#define PART_MAX 512

/* -qmp unix:PATH,server=on */
static int from_qmp(const char *cmdline, const char *end, char *buf, size_t size)
{
	const char *at = cmdline, *value;
	char first[PATH_MAX];

	while ((value = vmadj_qemu_next_option(&at, end, "-qmp"))) {
		if (!strncmp(value, "unix:", 5) && vmadj_chardev_is_on(value, "server") &&
		    vmadj_qemu_part(value + 5, "path", "path", first, sizeof(first))) {
			if (strlen(first) >= size)
				return -ENAMETOOLONG;
			(void)snprintf(buf, size, "%s", first);
			return 0;
		}
	}
	return -ENOENT;
}

/* -mon [chardev=]X,mode=control; a pretty one answers in several lines, and is for people. */
static int from_mon(const char *cmdline, const char *end, char *buf, size_t size)
{
	const char *at = cmdline, *value;
	char part[PART_MAX];
	int err = -ENOENT;

	while (err == -ENOENT && (value = vmadj_qemu_next_option(&at, end, "-mon"))) {
		if (!vmadj_qemu_part(value, "mode", NULL, part, sizeof(part)) ||
		    strcmp(part, "control") != 0 || vmadj_chardev_is_on(value, "pretty") ||
		    !vmadj_qemu_part(value, "chardev", "chardev", part, sizeof(part)))
			continue;
		err = vmadj_chardev_socket(cmdline, (size_t)(end - cmdline), part, buf, size);
	}
	return err;
}

int vmadj_qmp_path_parse(const char *cmdline, size_t len, char *buf, size_t size)
{
	int err = from_qmp(cmdline, cmdline + len, buf, size);

	return err == -ENOENT ? from_mon(cmdline, cmdline + len, buf, size) : err;
}

static int find(const char *cmdline, size_t len, const char *unused, char *buf, size_t size)
{
	(void)unused;
	return vmadj_qmp_path_parse(cmdline, len, buf, size);
}

int vmadj_qmp_path(pid_t pid, char *buf, size_t size)
{
	return vmadj_chardev_path(pid, find, NULL, buf, size);
}
