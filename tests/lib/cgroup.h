/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cgroup.h - control groups of the test's own with a limit, version 1 or 2
 *
 * A group is removed by vmadj_cgroup_remove_all() once it is empty, or by the next
 * test program if this one was killed. Where limits cannot be set, the test is skipped.
 *
 * Units: bytes; a share of one CPU in per cent.
 */
#pragma once

#include <stdint.h>

/* At most that much of one CPU in each 100 ms. Return: the group's folder. */
const char *vmadj_cgroup_with_quota(unsigned int cpu_pct);

/* With the cpu controller and no limit. Return: the group's folder. */
const char *vmadj_cgroup_with_cpu(void);

/* How long that group has been kept off its CPUs by its quota. */
uint64_t vmadj_cgroup_throttled_ns(const char *group);

/* At most that much memory, page cache included. Return: the group's folder. */
const char *vmadj_cgroup_with_memory(unsigned long bytes);

/* To call when what was in them has ended. */
void vmadj_cgroup_remove_all(void);
