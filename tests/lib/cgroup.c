// SPDX-License-Identifier: GPL-2.0-only
/* cgroup.c - control groups of the test's own with a limit, version 1 or 2 */
#include "tests/lib/cgroup.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/util/file.h"
#include "user/util/scan.h"

#define ROOT	   "/sys/fs/cgroup"
#define PREFIX	   "vmadj-test-"
#define GROUPS_MAX 4
#define TRIES	   200 /* of 10 ms: a killed process leaves its group a moment later */

static char groups[GROUPS_MAX][128];

static __attribute__((format(printf, 3, 4))) int put(const char *dir, const char *file,
						     const char *format, ...)
{
	char path[256], text[64];
	va_list args;
	int fd, len, err = 0;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	(void)snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, (size_t)len) != len)
		err = -errno;
	(void)close(fd);
	return err;
}

/* Groups of test programs that are gone; those of live ones are not empty or theirs to remove. */
static void sweep(const char *parent)
{
	struct dirent *entry;
	char path[512];
	int pid;
	DIR *dir = opendir(parent);

	while (dir && (entry = readdir(dir))) {
		if (sscanf(entry->d_name, PREFIX "%d-", &pid) != 1 || !kill(pid, 0))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", parent, entry->d_name);
		(void)rmdir(path);
	}
	if (dir)
		(void)closedir(dir);
}

/* Where groups with @controller are made; @ret_v2 says in which version. */
static const char *parent_with(const char *controller, bool *ret_v2)
{
	static char parent[128];
	char word[32];

	(void)snprintf(parent, sizeof(parent), ROOT "/%s", controller);
	*ret_v2 = access(parent, F_OK);
	if (*ret_v2) {
		(void)snprintf(parent, sizeof(parent), ROOT);
		(void)snprintf(word, sizeof(word), "+%s", controller);
		/* It stays on: a controller without groups that use it costs nothing. */
		if (put(parent, "cgroup.subtree_control", "%s", word))
			cr_skip_test("no cgroup controller \"%s\" here", controller);
	}
	return parent;
}

static char *group_new(const char *parent)
{
	for (size_t i = 0; i < GROUPS_MAX; i++) {
		if (groups[i][0])
			continue;
		sweep(parent);
		(void)snprintf(groups[i], sizeof(groups[i]), "%s/" PREFIX "%d-%zu", parent,
			       (int)getpid(), i);
		if (mkdir(groups[i], 0755))
			cr_skip_test("%s: %s", groups[i], strerror(errno));
		return groups[i];
	}
	cr_fatal("no room for a cgroup");
	return NULL;
}

const char *vmadj_cgroup_with_quota(unsigned int cpu_pct)
{
	bool v2;
	const char *parent = parent_with("cpu", &v2);
	const char *group = group_new(parent);
	int err;

	if (v2)
		err = put(group, "cpu.max", "%u 100000", cpu_pct * 1000);
	else
		err = put(group, "cpu.cfs_quota_us", "%u", cpu_pct * 1000);
	if (err)
		cr_skip_test("no CPU quota here: %s", strerror(-err));
	return group;
}

const char *vmadj_cgroup_with_cpu(void)
{
	bool v2;

	return group_new(parent_with("cpu", &v2));
}

uint64_t vmadj_cgroup_throttled_ns(const char *group)
{
	char path[256], text[1024];
	const char *at;
	uint64_t time;

	(void)snprintf(path, sizeof(path), "%s/cpu.stat", group);
	if (vmadj_file_read(AT_FDCWD, path, text, sizeof(text)) <= 0)
		cr_fatal("%s cannot be read", path);
	at = vmadj_scan_after(text, "throttled_usec");
	if (at && vmadj_scan_u64(&at, &time))
		return time * 1000;
	at = vmadj_scan_after(text, "throttled_time");
	if (!at || !vmadj_scan_u64(&at, &time))
		cr_fatal("%s does not tell", path);
	return time;
}

const char *vmadj_cgroup_with_memory(unsigned long bytes)
{
	bool v2;
	const char *parent = parent_with("memory", &v2);
	const char *group = group_new(parent);
	int err = put(group, v2 ? "memory.max" : "memory.limit_in_bytes", "%lu", bytes);

	if (err)
		cr_skip_test("no memory limit here: %s", strerror(-err));
	return group;
}

void vmadj_cgroup_remove_all(void)
{
	for (size_t i = 0; i < GROUPS_MAX; i++) {
		for (int tries = 0; groups[i][0] && tries < TRIES; tries++) {
			if (!rmdir(groups[i]) || errno != EBUSY)
				groups[i][0] = '\0';
			else
				(void)usleep(10000);
		}
	}
}
