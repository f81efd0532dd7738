/* SPDX-License-Identifier: GPL-2.0-only */
/* policy_file.c - which shared objects may be loaded */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "user/policy/runner.h"
#include "user/util/cleanup.h"

#define OTHERS_MAY_WRITE (S_IWGRP | S_IWOTH)

__attribute__((format(printf, 3, 4))) static int refuse(char **ret_why, int err, const char *why,
							...)
{
	va_list args;

	va_start(args, why);
	if (vasprintf(ret_why, why, args) < 0)
		*ret_why = NULL;
	va_end(args);
	return err;
}

static bool is_owner_trusted(const struct stat *st)
{
	return st->st_uid == 0 || st->st_uid == geteuid();
}

static int check_folder(const struct stat *st, char **ret_why)
{
	if (!is_owner_trusted(st)) {
		return refuse(ret_why, -EPERM, "its folder belongs to user %u; it must be root's",
			      st->st_uid);
	}
	/* With the sticky bit others may add files, but replace none of ours. */
	if ((st->st_mode & OTHERS_MAY_WRITE) && !(st->st_mode & S_ISVTX)) {
		return refuse(ret_why, -EPERM,
			      "its folder is writable by others; chmod go-w the folder");
	}
	return 0;
}

static int check_file(const struct stat *st, char **ret_why)
{
	if (!S_ISREG(st->st_mode))
		return refuse(ret_why, -EINVAL, "it is no regular file");
	if (!is_owner_trusted(st)) {
		return refuse(ret_why, -EPERM, "it belongs to user %u; it must be root's",
			      st->st_uid);
	}
	if (st->st_mode & OTHERS_MAY_WRITE)
		return refuse(ret_why, -EPERM, "it is writable by others; chmod go-w it");
	return 0;
}

int vmadj_policy_file_open(const char *path, char **ret_why)
{
	const char *slash = strrchr(path, '/');
	_cleanup_close_ int folder = -1;
	_cleanup_close_ int fd = -1;
	char dir[PATH_MAX] = ".";
	struct stat st;
	int err;

	*ret_why = NULL;
	if (slash && (size_t)(slash - path) + 1 >= sizeof(dir))
		return refuse(ret_why, -ENAMETOOLONG, "its name is too long");
	if (slash)
		(void)snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path) + 1, path);
	folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0 || fstat(folder, &st) < 0)
		return refuse(ret_why, -errno, "its folder: %s", strerror(errno));
	err = check_folder(&st, ret_why);
	if (err)
		return err;
	fd = openat(folder, slash ? slash + 1 : path,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ELOOP)
		return refuse(ret_why, -ELOOP, "it is a symbolic link; name the file itself");
	if (fd < 0 || fstat(fd, &st) < 0)
		return refuse(ret_why, -errno, "%s", strerror(errno));
	err = check_file(&st, ret_why);
	return err ? err : vmadj_steal_fd(&fd);
}
