// SPDX-License-Identifier: GPL-2.0-only
/* served_load.c - what the daemon and all processes that it started take */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/bench/served.h"
#include "user/util/file.h"

#define PROCESSES_MAX 64 /* of the daemon's */
#define KIB_IN_MIB    1024
#define NS_IN_S	      1000000000ULL

struct tree {
	size_t n;
	pid_t pid[PROCESSES_MAX];
};

struct stat_line {
	pid_t ppid;
	uint64_t children_ticks; /* of those that it waited for */
};

static int read_stat(pid_t pid, struct stat_line *ret_stat)
{
	char path[32], text[1024];
	uint64_t user, system;
	const char *at;
	int ppid;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (vmadj_file_read(AT_FDCWD, path, text, sizeof(text)) < 0)
		return -ESRCH;
	at = strrchr(text, ')');
	if (!at)
		return -EIO;
	/* NOLINTNEXTLINE(cert-err34-c): the kernel prints what fits */
	if (sscanf(at, ") %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64,
		   &ppid, &user, &system) != 3)
		return -EIO;
	*ret_stat = (struct stat_line){ .ppid = ppid, .children_ticks = user + system };
	return 0;
}

static bool is_in(const struct tree *tree, pid_t pid)
{
	for (size_t i = 0; i < tree->n; i++) {
		if (tree->pid[i] == pid)
			return true;
	}
	return false;
}

/* Adds the children of those that are in it; Return: how many came to it. */
static size_t grow(struct tree *tree)
{
	size_t before = tree->n;
	struct dirent *entry;
	DIR *proc = opendir("/proc");

	while (proc && (entry = readdir(proc)) && tree->n < PROCESSES_MAX) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		struct stat_line stat;

		if (pid > 0 && !is_in(tree, pid) && !read_stat(pid, &stat) &&
		    is_in(tree, stat.ppid))
			tree->pid[tree->n++] = pid;
	}
	if (proc)
		(void)closedir(proc);
	return tree->n - before;
}

static double resident_mib(pid_t pid)
{
	char path[32], text[4096];
	const char *line;
	uint64_t kib;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (vmadj_file_read(AT_FDCWD, path, text, sizeof(text)) < 0)
		return 0;
	line = strstr(text, "\nVmRSS:");
	/* NOLINTNEXTLINE(cert-err34-c): the kernel prints what fits */
	if (!line || sscanf(line, "\nVmRSS: %" SCNu64, &kib) != 1)
		return 0;
	return (double)kib / KIB_IN_MIB;
}

/* Maps of BPF programs, which are there whether somebody has mapped them or not. */
static double maps_mib(pid_t pid)
{
	char path[32], line[512];
	uint64_t kib, all_kib = 0;
	bool is_map = false;
	FILE *smaps;

	(void)snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	smaps = fopen(path, "re");
	while (smaps && fgets(line, sizeof(line), smaps)) {
		if (strchr("0123456789abcdef", line[0]))
			is_map = strstr(line, "anon_inode:bpf-map") != NULL;
		/* NOLINTNEXTLINE(cert-err34-c): the kernel prints what fits */
		else if (is_map && sscanf(line, "Rss: %" SCNu64, &kib) == 1)
			all_kib += kib;
	}
	if (smaps)
		(void)fclose(smaps);
	return (double)all_kib / KIB_IN_MIB;
}

/* "vmadjust-bpf", "libvirt-helper", ... */
static bool is_helper(pid_t pid)
{
	static const char word[] = "libvirt-helper";
	char path[32], text[256];
	const char *second;

	(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	if (vmadj_file_read(AT_FDCWD, path, text, sizeof(text)) < 0)
		return false;
	second = text + strlen(text) + 1;
	return second + sizeof(word) <= text + sizeof(text) && !strcmp(second, word);
}

/* All its threads, ended ones too, and the children that it waited for. */
static int add(pid_t pid, struct vmadj_bench_load *load)
{
	struct stat_line stat;
	struct timespec run;
	clockid_t clock;
	int err = clock_getcpuclockid(pid, &clock);

	if (err || clock_gettime(clock, &run))
		return -ESRCH;
	err = read_stat(pid, &stat);
	if (err)
		return err;
	load->run_ns += (uint64_t)run.tv_sec * NS_IN_S + (uint64_t)run.tv_nsec +
			stat.children_ticks * (NS_IN_S / (uint64_t)sysconf(_SC_CLK_TCK));
	load->processes++;
	return 0;
}

int vmadj_bench_served_load(const struct vmadj_bench_served *served,
			    struct vmadj_bench_load *ret_load)
{
	struct tree tree = { .n = 1, .pid = { served->pid } };
	struct vmadj_bench_load load = { 0 };
	int err;

	while (grow(&tree))
		;
	for (size_t i = 0; i < tree.n; i++) {
		err = add(tree.pid[i], &load);
		/* A child that has just ended counts with who waited for it. */
		if (err && !i)
			return err;
		if (i)
			load.others_mib += resident_mib(tree.pid[i]);
		if (i && is_helper(tree.pid[i]))
			load.helper_mib = resident_mib(tree.pid[i]);
	}
	load.daemon_mib = resident_mib(served->pid);
	load.maps_mib = maps_mib(served->pid);
	*ret_load = load;
	return 0;
}
