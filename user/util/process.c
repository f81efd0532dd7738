// SPDX-License-Identifier: GPL-2.0-only
/* process.c - what /proc says of a process */
#include "user/util/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "user/util/file.h"
#include "user/util/scan.h"

int vmadj_process_start(pid_t pid, uint64_t *ret_ticks)
{
	char path[32], stat[1024];
	const char *at;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (vmadj_file_read(AT_FDCWD, path, stat, sizeof(stat)) < 0)
		return -ESRCH;
	/* The name, field 2, may hold anything; field 22 counts from behind it. */
	at = strrchr(stat, ')');
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at && vmadj_scan_u64(&at, ret_ticks) ? 0 : -EIO;
}

int vmadj_process_of_thread(pid_t tid, pid_t *ret_pid)
{
	char path[32], status[4096];
	const char *at;
	uint64_t pid;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", tid);
	if (vmadj_file_read(AT_FDCWD, path, status, sizeof(status)) < 0)
		return -ESRCH;
	at = vmadj_scan_after(status, "\nTgid:");
	if (!at || !vmadj_scan_u64(&at, &pid))
		return -EIO;
	*ret_pid = (pid_t)pid;
	return 0;
}
