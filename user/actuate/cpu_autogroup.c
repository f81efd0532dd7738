// SPDX-License-Identifier: GPL-2.0-only
/*
 * cpu_autogroup.c - the nice value of a session
 *
 * Where autogroup is on, each session is a group of its own in the root of the cpu controller, and
 * has its weight from a nice value of its own, in /proc/PID/autogroup.
 */
#include <errno.h>
#include <stdlib.h>

#include "user/actuate/cpu_private.h"
#include "user/util/scan.h"

bool vmadj_cpu_autogroup_on(const struct vmadj_cpu *cpu)
{
	uint64_t on;

	return !vmadj_cpu_file_u64(&on, "%s/sys/kernel/sched_autogroup_enabled", cpu->proc) && on;
}

/* "/autogroup-123 nice 0"; empty in the one that the kernel started with, which is the root. */
int vmadj_cpu_autogroup_read(const struct vmadj_cpu *cpu, pid_t pid, int *ret_nice)
{
	char text[64];
	const char *at;
	ssize_t len = vmadj_cpu_file(text, sizeof(text), "%s/%d/autogroup", cpu->proc, pid);
	char *end;

	at = len > 0 ? vmadj_scan_after(text, " nice ") : NULL;
	if (!at)
		return len == -ESRCH ? -ESRCH : -ENOENT;
	*ret_nice = (int)strtol(at, &end, 10);
	return end != at ? 0 : -EIO;
}

int vmadj_cpu_autogroup_write(const struct vmadj_cpu *cpu, pid_t pid, int nice)
{
	return vmadj_cpu_file_write(nice, "%s/%d/autogroup", cpu->proc, pid);
}
