// SPDX-License-Identifier: GPL-2.0-only
/*
 * cpu_threads.c - the nice value of all threads of a process
 *
 * A thread is born with the nice value of its maker, which may not be set yet: so it is gone over
 * again until no thread has another value.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "user/actuate/cpu_private.h"

#define ROUNDS_MAX 20

/* The others, and how many there were; Return: 0; -ESRCH; -EACCES. */
static int set_others(const struct vmadj_cpu *cpu, pid_t pid, int nice, size_t *ret_n)
{
	char path[VMADJ_CPU_ROOT_MAX + 32];
	struct dirent *entry;
	size_t n = 0;
	int err = 0;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s/%d/task", cpu->proc, pid);
	dir = opendir(path);
	if (!dir)
		return -ESRCH;
	while (!err && (entry = readdir(dir))) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);
		struct vmadj_cpu_stat stat;

		/* Read just before, so that a thread that ended is not taken for a new one. */
		if (tid <= 0 || vmadj_cpu_stat_thread(cpu, pid, tid, &stat) || stat.nice == nice)
			continue;
		n++;
		if (setpriority(PRIO_PROCESS, (id_t)tid, nice) && errno != ESRCH)
			err = errno == EPERM ? -EACCES : -errno;
	}
	(void)closedir(dir);
	*ret_n = n;
	return err;
}

static int set_all(const struct vmadj_cpu *cpu, pid_t pid, int nice)
{
	size_t n = 1;
	int err = 0;

	for (int i = 0; i < ROUNDS_MAX && n && !err; i++)
		err = set_others(cpu, pid, nice, &n);
	return err ? err : n ? -EIO : 0;
}

int vmadj_cpu_threads_write(const struct vmadj_cpu *cpu, pid_t pid, int nice)
{
	struct vmadj_cpu_common before;
	int err = vmadj_cpu_common(cpu, pid, &before);

	if (err)
		return err;
	err = set_all(cpu, pid, nice);
	if (err && err != -ESRCH && !before.nice_mixed)
		(void)set_all(cpu, pid, before.nice); /* as far as it is allowed */
	return err;
}
