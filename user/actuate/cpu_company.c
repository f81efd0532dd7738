// SPDX-License-Identifier: GPL-2.0-only
/* cpu_company.c - who else is in a VM's group or session */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/actuate/cpu_private.h"
#include "user/util/cleanup.h"

#define DEPTH_MAX    8
#define ANCESTRY_MAX 8
#define KTHREADD     2

struct search {
	const struct vmadj_cpu *cpu;
	pid_t pid;
	pid_t session; /* 0: any */
	const char *comm;
	const char *skip; /* a folder not to look into; NULL: none */
	struct vmadj_cpu_company found;
	bool (*meet)(struct search *search, pid_t pid); /* Return: enough is known */
};

/*
 * The kernel's threads that work for a VM (vhost-PID, kvm-nx-lpage-recovery) are moved to its
 * group, and others never are in any but the root.
 */
static bool belongs(const struct search *search, const struct vmadj_cpu_stat *stat)
{
	struct vmadj_cpu_stat above = *stat;

	if (stat->ppid == KTHREADD)
		return true;
	for (int i = 0; i < ANCESTRY_MAX && above.ppid > 1; i++) {
		if (above.ppid == search->pid)
			return true;
		if (vmadj_cpu_stat(search->cpu, above.ppid, &above))
			return false;
	}
	return false;
}

static bool meet(struct search *search, pid_t pid)
{
	struct vmadj_cpu_stat stat;

	if (pid == search->pid)
		return false;
	if (vmadj_cpu_stat(search->cpu, pid, &stat)) {
		/* Ended, or hidden from us (hidepid, another PID namespace). */
		search->found.others |= !kill(pid, 0) || errno != ESRCH;
		return false;
	}
	if ((search->session && stat.session != search->session) || belongs(search, &stat))
		return false;
	search->found.others = true;
	search->found.peers |= !strcmp(stat.comm, search->comm);
	return search->found.peers;
}

static bool meet_anybody(struct search *search, pid_t pid)
{
	(void)pid;
	search->found.others = true;
	return true;
}

/* Version 2 refuses to list processes in a threaded group: its domain has listed them. */
static bool list(struct search *search, const char *folder)
{
	_cleanup_fclose_ FILE *file = NULL;
	_cleanup_free_ char *line = NULL;
	char path[PATH_MAX];
	size_t size = 0;
	bool enough = false;

	if (snprintf(path, sizeof(path), "%s/cgroup.procs", folder) >= (int)sizeof(path))
		return false;
	file = fopen(path, "re");
	while (file && !enough && getline(&line, &size, file) > 0)
		enough = search->meet(search, (pid_t)strtol(line, NULL, 10));
	return enough;
}

static bool descend(struct search *search, const char *folder, int depth)
{
	char path[PATH_MAX];
	struct dirent *entry;
	bool enough = list(search, folder);
	DIR *dir = enough || !depth ? NULL : opendir(folder);

	while (dir && !enough && (entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
		    snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) >=
			    (int)sizeof(path) ||
		    (search->skip && !strcmp(path, search->skip)))
			continue;
		enough = descend(search, path, depth - 1);
	}
	if (dir)
		(void)closedir(dir);
	return enough;
}

int vmadj_cpu_company_of_group(const struct vmadj_cpu *cpu, pid_t pid, const char *folder,
			       struct vmadj_cpu_company *ret_company)
{
	struct search search = { .cpu = cpu, .pid = pid, .meet = meet };
	struct vmadj_cpu_stat self;
	int err = vmadj_cpu_stat(cpu, pid, &self);

	if (err)
		return err;
	search.comm = self.comm;
	(void)descend(&search, folder, DEPTH_MAX);
	*ret_company = search.found;
	return 0;
}

int vmadj_cpu_company_of_session(const struct vmadj_cpu *cpu, pid_t pid,
				 struct vmadj_cpu_company *ret_company)
{
	struct search search = { .cpu = cpu, .pid = pid };
	struct vmadj_cpu_stat self;
	struct dirent *entry;
	bool enough = false;
	DIR *dir;
	int err = vmadj_cpu_stat(cpu, pid, &self);

	if (err)
		return err;
	/* Into the session that a process has made, others come only as its children. */
	dir = self.session == pid ? NULL : opendir(cpu->proc);
	search.comm = self.comm;
	search.session = self.session;
	while (dir && !enough && (entry = readdir(dir))) {
		pid_t other = (pid_t)strtol(entry->d_name, NULL, 10);

		enough = other > 0 && meet(&search, other);
	}
	if (dir)
		(void)closedir(dir);
	*ret_company = search.found;
	return 0;
}

bool vmadj_cpu_alone(const struct vmadj_cpu *cpu, const char *folder)
{
	struct search search = { .cpu = cpu, .skip = folder, .meet = meet_anybody };
	char parent[PATH_MAX];
	char *slash;

	(void)snprintf(parent, sizeof(parent), "%s", folder);
	slash = strrchr(parent, '/');
	if (!slash)
		return false;
	*slash = '\0';
	/* In the root there are the kernel's threads at least. */
	if (!strcmp(parent, cpu->cgroup1) || !strcmp(parent, cpu->cgroup2))
		return false;
	return !descend(&search, parent, DEPTH_MAX);
}
