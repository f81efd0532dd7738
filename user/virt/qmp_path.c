// SPDX-License-Identifier: GPL-2.0-only
/* qmp_path.c - where QEMU listens for QMP, as its command line says */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/util/cleanup.h"
#include "user/util/file.h"
#include "user/virt/qmp.h"
#include "user/vm/qemu_args.h"

#define CMDLINE_BYTES_MAX 1048576
#define PART_MAX	  512

/* Whether @key is on: "server", "server=on", and as old versions of QEMU had it, "server,nowait".
 */
static bool is_on(const char *value, const char *key)
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

static int copy(const char *path, char *buf, size_t size)
{
	if (strlen(path) >= size)
		return -ENAMETOOLONG;
	(void)snprintf(buf, size, "%s", path);
	return 0;
}

/* -qmp unix:PATH,server=on */
static int from_qmp(const char *cmdline, const char *end, char *buf, size_t size)
{
	const char *at = cmdline, *value;
	char first[PATH_MAX];

	while ((value = vmadj_qemu_next_option(&at, end, "-qmp"))) {
		if (!strncmp(value, "unix:", 5) && is_on(value, "server") &&
		    vmadj_qemu_part(value + 5, "path", "path", first, sizeof(first)))
			return copy(first, buf, size);
	}
	return -ENOENT;
}

/* -chardev socket,id=@id,path=PATH,server=on */
static int from_chardev(const char *cmdline, const char *end, const char *id, char *buf,
			size_t size)
{
	const char *at = cmdline, *value;
	char part[PART_MAX], path[PATH_MAX];

	while ((value = vmadj_qemu_next_option(&at, end, "-chardev"))) {
		if (vmadj_qemu_part(value, "backend", "backend", part, sizeof(part)) &&
		    !strcmp(part, "socket") &&
		    vmadj_qemu_part(value, "id", NULL, part, sizeof(part)) && !strcmp(part, id) &&
		    is_on(value, "server") &&
		    vmadj_qemu_part(value, "path", NULL, path, sizeof(path)))
			return copy(path, buf, size);
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
		    strcmp(part, "control") != 0 || is_on(value, "pretty") ||
		    !vmadj_qemu_part(value, "chardev", "chardev", part, sizeof(part)))
			continue;
		err = from_chardev(cmdline, end, part, buf, size);
	}
	return err;
}

int vmadj_qmp_path_parse(const char *cmdline, size_t len, char *buf, size_t size)
{
	int err = from_qmp(cmdline, cmdline + len, buf, size);

	return err == -ENOENT ? from_mon(cmdline, cmdline + len, buf, size) : err;
}

int vmadj_qmp_path(pid_t pid, char *buf, size_t size)
{
	_cleanup_free_ char *cmdline = malloc(CMDLINE_BYTES_MAX);
	char proc[32], path[PATH_MAX], cwd[PATH_MAX];
	ssize_t len;
	int err;

	(void)snprintf(proc, sizeof(proc), "/proc/%d/cmdline", pid);
	len = cmdline ? vmadj_file_read(AT_FDCWD, proc, cmdline, CMDLINE_BYTES_MAX) : -ENOMEM;
	if (len < 0)
		return len == -ENOENT ? -ESRCH : (int)len;
	err = vmadj_qmp_path_parse(cmdline, (size_t)len, path, sizeof(path));
	if (err || path[0] == '/')
		return err ? err : copy(path, buf, size);
	(void)snprintf(proc, sizeof(proc), "/proc/%d/cwd", pid);
	len = readlink(proc, cwd, sizeof(cwd) - 1);
	if (len < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	cwd[len] = '\0';
	if ((size_t)len + 1 + strlen(path) >= size)
		return -ENAMETOOLONG;
	(void)snprintf(buf, size, "%s/%s", cwd, path);
	return 0;
}
