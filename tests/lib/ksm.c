// SPDX-License-Identifier: GPL-2.0-only
/* ksm.c - a kernel thread that is busy on a given CPU */
#include "tests/lib/ksm.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/util/file.h"

#define KSM	     "/sys/kernel/mm/ksm/"
#define MERGED_BYTES (16UL << 20)

static const struct {
	const char *file, *value;
} settings[] = {
	{ KSM "sleep_millisecs", "0" },
	{ KSM "pages_to_scan", "100000" },
	{ KSM "run", "1" }, /* the last: nothing runs before it is set up */
};

#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

static char before[SETTINGS][32];
static cpu_set_t before_cpus;
static pid_t keeper, ksmd;
static int keeper_fd = -1;

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	(void)close(fd);
	return err;
}

static pid_t find_ksmd(void)
{
	struct dirent *entry;
	char path[300], comm[32];
	pid_t found = 0;
	DIR *dir = opendir("/proc");

	while (dir && !found && (entry = readdir(dir))) {
		(void)snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		if (vmadj_file_read(AT_FDCWD, path, comm, sizeof(comm)) > 0 &&
		    !strcmp(comm, "ksmd\n"))
			found = (pid_t)strtol(entry->d_name, NULL, 10);
	}
	if (dir)
		(void)closedir(dir);
	return found;
}

/* Holds the memory that is scanned until the test lets go or dies, then puts all back. */
static __attribute__((noreturn)) void keeper_main(int fd)
{
	char *memory = mmap(NULL, MERGED_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	char byte;

	(void)setpgid(0, 0);
	(void)close_range(4, ~0U, 0);
	if (memory == MAP_FAILED || madvise(memory, MERGED_BYTES, MADV_MERGEABLE))
		_exit(1);
	/* Pages that differ are looked at again and again. */
	for (size_t i = 0; i < MERGED_BYTES; i += 64)
		*(size_t *)(void *)(memory + i) = i;
	while (read(fd, &byte, 1) < 0 && errno == EINTR)
		;
	for (size_t i = SETTINGS; i-- > 0;)
		(void)put(settings[i].file, before[i]);
	(void)sched_setaffinity(ksmd, sizeof(before_cpus), &before_cpus);
	_exit(0);
}

pid_t vmadj_ksm_burn(unsigned int cpu)
{
	cpu_set_t set;
	int fds[2];

	ksmd = find_ksmd();
	if (!ksmd)
		cr_skip_test("this kernel has no ksmd");
	for (size_t i = 0; i < SETTINGS; i++) {
		if (vmadj_file_read(AT_FDCWD, settings[i].file, before[i], sizeof(before[i])) <= 0)
			cr_skip_test("%s cannot be read", settings[i].file);
	}
	if (before[SETTINGS - 1][0] != '0')
		cr_skip_test("ksmd is in use on this host");
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_getaffinity(ksmd, sizeof(before_cpus), &before_cpus) || pipe2(fds, O_CLOEXEC))
		cr_fatal("ksmd: %s", strerror(errno));
	keeper = fork();
	if (!keeper) {
		(void)dup2(fds[0], 3);
		keeper_main(3);
	}
	(void)close(fds[0]);
	keeper_fd = fds[1];
	(void)sched_setaffinity(ksmd, sizeof(set), &set);
	for (size_t i = 0; i < SETTINGS; i++) {
		if (put(settings[i].file, settings[i].value))
			cr_fatal("%s cannot be set", settings[i].file);
	}
	return ksmd;
}

void vmadj_ksm_stop(void)
{
	if (keeper_fd < 0)
		return;
	(void)close(keeper_fd);
	keeper_fd = -1;
	(void)waitpid(keeper, NULL, 0);
}
