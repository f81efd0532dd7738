// SPDX-License-Identifier: GPL-2.0-only
/* chardev_path.c - UNIX sockets that QEMU's command line says it listens on */
#include "user/virt/chardev_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/util/cleanup.h"
#include "user/util/file.h"
#include "user/vm/qemu_args.h"

#define CMDLINE_BYTES_MAX 1048576
#define PART_MAX	  512

bool vmadj_chardev_is_on(const char *value, const char *key)
{
	char part[PART_MAX];

	if (vmadj_qemu_part(value, key, NULL, part, sizeof(part)))
		return !strcmp(part, "on") || !strcmp(part, "yes");
	for (const char *at = strchr(value, ','); at; at = strchr(at + 1, ',')) {
		size_t len = strlen(key);

		if (!strncmp(at + 1, key, len) && (at[1 + len] == ',' || !at[1 + len]))
			return true;
	}
	return false;
}

int vmadj_chardev_socket(const char *cmdline, size_t len, const char *id, char *buf, size_t size)
{
	const char *at = cmdline, *value;
	char part[PART_MAX], path[PATH_MAX];

	while ((value = vmadj_qemu_next_option(&at, cmdline + len, "-chardev"))) {
		if (vmadj_qemu_part(value, "backend", "backend", part, sizeof(part)) &&
		    !strcmp(part, "socket") &&
		    vmadj_qemu_part(value, "id", NULL, part, sizeof(part)) && !strcmp(part, id) &&
		    vmadj_chardev_is_on(value, "server") &&
		    vmadj_qemu_part(value, "path", NULL, path, sizeof(path))) {
			if (strlen(path) >= size)
				return -ENAMETOOLONG;
			(void)snprintf(buf, size, "%s", path);
			return 0;
		}
	}
	return -ENOENT;
}

int vmadj_chardev_path(pid_t pid, vmadj_chardev_find find, const char *what, char *buf, size_t size)
{
	_cleanup_free_ char *cmdline = malloc(CMDLINE_BYTES_MAX);
	char proc[32], path[PATH_MAX], cwd[PATH_MAX];
	bool relative;
	ssize_t len;
	int err;

	(void)snprintf(proc, sizeof(proc), "/proc/%d/cmdline", pid);
	len = cmdline ? vmadj_file_read(AT_FDCWD, proc, cmdline, CMDLINE_BYTES_MAX) : -ENOMEM;
	if (len < 0)
		return len == -ENOENT ? -ESRCH : (int)len;
	err = find(cmdline, (size_t)len, what, path, sizeof(path));
	if (err)
		return err;
	(void)snprintf(proc, sizeof(proc), "/proc/%d/cwd", pid);
	relative = path[0] != '/';
	len = relative ? readlink(proc, cwd, sizeof(cwd) - 1) : 0;
	if (len < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	cwd[len] = '\0';
	if ((size_t)len + relative + strlen(path) >= size)
		return -ENAMETOOLONG;
	(void)snprintf(buf, size, "%s%s%s", cwd, relative ? "/" : "", path);
	return 0;
}
