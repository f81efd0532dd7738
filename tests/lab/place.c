// SPDX-License-Identifier: GPL-2.0-only
/*
 * place.c - where things are: a VM on the host, the lab's programs and images
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lab/private.h"

static int cgroup_enter(const char *dir)
{
	char path[512];
	int fd, err = 0;

	(void)snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, "0", 1) != 1)
		err = -errno;
	close(fd);
	return err;
}

/**
 * vmadj_lab_place_enter - put this process where its VM is wanted
 *
 * Between fork() and exec().
 *
 * Return: 0, or what setsid(), sched_setaffinity() or the cgroup gave.
 */
int vmadj_lab_place_enter(const struct vmadj_lab_place *place)
{
	cpu_set_t set;

	if (place->own_session && setsid() < 0)
		return -errno;
	if (place->pinned) {
		CPU_ZERO(&set);
		CPU_SET(place->cpu, &set);
		if (sched_setaffinity(0, sizeof(set), &set))
			return -errno;
	}
	return place->cgroup ? cgroup_enter(place->cgroup) : 0;
}

static int find_below(const char *dir, const char *what, char **ret_path)
{
	char *path;

	if (asprintf(&path, "%s/%s", dir, what) < 0)
		return -ENOMEM;
	if (!access(path, R_OK)) {
		*ret_path = path;
		return 0;
	}
	free(path);
	return -ENOENT;
}

/* The output folder need not be called "build": the test itself is somewhere below it. */
static int find_above_self(const char *what, char **ret_path)
{
	char self[512];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (len < 0)
		return -errno;
	self[len] = '\0';
	while ((slash = strrchr(self, '/')) != NULL && slash != self) {
		int err;

		*slash = '\0';
		err = find_below(self, what, ret_path);
		if (err != -ENOENT)
			return err;
	}
	return -ENOENT;
}

/**
 * vmadj_lab_find - find a file of the output folder
 * @what: its path in there, as "tools/lab/kvmvm"; it has a slash
 *
 * Looks in $VMADJ_LAB_BUILD; else above the running program, in build/ and in
 * /usr/bin, where run-in.sh packs it.
 *
 * Return: 0 and a path to free(); -ENOENT; -ENOMEM.
 */
int vmadj_lab_find(const char *what, char **ret_path)
{
	const char *build = getenv("VMADJ_LAB_BUILD");
	int err;

	if (build)
		return find_below(build, what, ret_path);
	err = find_above_self(what, ret_path);
	if (err == -ENOENT)
		err = find_below("build", what, ret_path);
	if (err == -ENOENT)
		err = find_below("/usr/bin", strrchr(what, '/') + 1, ret_path);
	return err;
}

/* Return: whether $PATH has this program. */
bool vmadj_lab_have(const char *program)
{
	const char *dir = getenv("PATH");

	while (dir && *dir) {
		size_t len = strcspn(dir, ":");
		char path[512];

		(void)snprintf(path, sizeof(path), "%.*s/%s", (int)len, dir, program);
		if (!access(path, X_OK))
			return true;
		dir += len + (dir[len] == ':');
	}
	return false;
}
