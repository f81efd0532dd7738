// SPDX-License-Identifier: GPL-2.0-only
/* cpu_proc.c - what /proc says of a VM's process and all its threads */
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/actuate/cpu_private.h"
#include "user/util/cleanup.h"

/* Fields of /proc/PID/stat, counted as proc(5) does. */
enum { PPID = 4, SESSION = 6, NICE = 19, START = 22, POLICY = 41, FIELDS };

static int parse_stat(const char *text, struct vmadj_cpu_stat *ret_stat)
{
	const char *open = strchr(text, '('), *at = strrchr(text, ')');
	long long field[FIELDS] = { 0 };

	if (!open || !at || at < open)
		return -EIO;
	(void)snprintf(ret_stat->comm, sizeof(ret_stat->comm), "%.*s", (int)(at - open - 1),
		       open + 1);
	/* The name may hold anything; field 3, a letter, is the first behind it. */
	at = strchr(at + 1, ' ');
	for (int i = 4; at && i < FIELDS; i++) {
		at = strchr(at + 1, ' ');
		if (at)
			field[i] = strtoll(at, NULL, 10);
	}
	if (!at)
		return -EIO;
	ret_stat->ppid = (pid_t)field[PPID];
	ret_stat->session = (pid_t)field[SESSION];
	ret_stat->nice = (int)field[NICE];
	ret_stat->start_ticks = (uint64_t)field[START];
	ret_stat->policy = (unsigned int)field[POLICY];
	return 0;
}

int vmadj_cpu_stat(const struct vmadj_cpu *cpu, pid_t pid, struct vmadj_cpu_stat *ret_stat)
{
	char text[1024];

	if (vmadj_cpu_file(text, sizeof(text), "%s/%d/stat", cpu->proc, pid) <= 0)
		return -ESRCH;
	return parse_stat(text, ret_stat);
}

int vmadj_cpu_stat_thread(const struct vmadj_cpu *cpu, pid_t pid, pid_t tid,
			  struct vmadj_cpu_stat *ret_stat)
{
	char text[1024];

	if (vmadj_cpu_file(text, sizeof(text), "%s/%d/task/%d/stat", cpu->proc, pid, tid) <= 0)
		return -ESRCH;
	return parse_stat(text, ret_stat);
}

int vmadj_cpu_check(const struct vmadj_cpu *cpu, pid_t pid, uint64_t start_ticks)
{
	struct vmadj_cpu_stat stat;
	int err = vmadj_cpu_stat(cpu, pid, &stat);

	if (err)
		return err;
	return stat.start_ticks == start_ticks ? 0 : -ESRCH;
}

/* "cpu" among "cpu,cpuacct". */
static bool lists_cpu(const char *at, const char *end)
{
	while (at < end) {
		size_t len = strcspn(at, ",:");

		if (len == 3 && !strncmp(at, "cpu", 3))
			return true;
		at += len + 1;
	}
	return false;
}

/* The path in one line of /proc/PID/cgroup, "N:CONTROLLERS:PATH"; NULL: another hierarchy's. */
static const char *path_in(const char *line, bool version1)
{
	const char *list = strchr(line, ':');
	const char *path = list ? strchr(list + 1, ':') : NULL;

	if (!path)
		return NULL;
	if (version1)
		return lists_cpu(list + 1, path) ? path + 1 : NULL;
	return !strncmp(line, "0::", 3) ? path + 1 : NULL;
}

static bool find_path(const char *text, bool version1, char path[PATH_MAX])
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		const char *found;

		line += *line == '\n';
		found = path_in(line, version1);
		if (!found || *found != '/')
			continue;
		(void)snprintf(path, PATH_MAX, "%.*s", (int)strcspn(found, "\n"), found);
		return true;
	}
	return false;
}

/* Cuts @path to what it has in common with @other, whole names only. */
static void cut_to_common(char path[PATH_MAX], const char *other)
{
	size_t i = 0, end = 0;

	while (path[i] && path[i] == other[i]) {
		i++;
		/* Here ends a name of both. */
		if ((path[i] == '/' || !path[i]) && (other[i] == '/' || !other[i]))
			end = i;
	}
	path[end] = '\0';
	if (end <= 1)
		(void)snprintf(path, PATH_MAX, "/");
}

static void add_path(struct vmadj_cpu_common *common, bool version1, const char *path)
{
	if (!common->n) {
		common->version1 = version1;
		(void)snprintf(common->path, sizeof(common->path), "%s", path);
		return;
	}
	if (!strcmp(common->path, path))
		return;
	common->split = true;
	cut_to_common(common->path, path);
}

static void add_thread(const struct vmadj_cpu *cpu, pid_t pid, pid_t tid,
		       struct vmadj_cpu_common *common)
{
	struct vmadj_cpu_stat stat;
	char text[8192], path[PATH_MAX] = "/";
	bool version1;

	if (vmadj_cpu_stat_thread(cpu, pid, tid, &stat) ||
	    vmadj_cpu_file(text, sizeof(text), "%s/%d/task/%d/cgroup", cpu->proc, pid, tid) < 0)
		return; /* it has ended */
	/* A controller is in one hierarchy only, and version 1 names it. */
	version1 = find_path(text, true, path);
	if (!version1)
		(void)find_path(text, false, path);
	add_path(common, version1, path);
	if (common->n++ && common->nice != stat.nice) {
		common->nice_mixed = true;
	} else {
		common->nice = stat.nice;
	}
	if (stat.policy == SCHED_FIFO || stat.policy == SCHED_RR || stat.policy == 6)
		common->realtime = true; /* 6: SCHED_DEADLINE, which glibc does not name */
	if (stat.policy == SCHED_IDLE)
		common->idle_class = true;
}

int vmadj_cpu_common(const struct vmadj_cpu *cpu, pid_t pid, struct vmadj_cpu_common *ret_common)
{
	struct dirent *entry;
	char path[VMADJ_CPU_ROOT_MAX + 32];
	DIR *dir;

	memset(ret_common, 0, sizeof(*ret_common));
	(void)snprintf(path, sizeof(path), "%s/%d/task", cpu->proc, pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (tid > 0)
			add_thread(cpu, pid, tid, ret_common);
	}
	if (dir)
		(void)closedir(dir);
	return ret_common->n ? 0 : -ESRCH;
}
