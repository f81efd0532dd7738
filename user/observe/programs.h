/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * programs.h - how long our BPF programs have run, as the kernel counts it
 *
 * The kernel counts while its statistics are on (stats.h, or kernel.bpf_stats_enabled), and counts
 * some of what counting takes. Iterators are left out: they run in the process that reads
 * them, and are in its CPU time.
 *
 * Units: ns and calls, since the program was loaded.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "user/observe/observer.h"

#define VMADJ_PROGRAMS_MAX 16

struct vmadj_program_time {
	uint32_t id;   /* the kernel's */
	char name[16]; /* as in bpf/, "sched_switch" */
	uint64_t run_ns;
	uint64_t calls;
};

/** vmadj_programs_read() - those that are loaded; Return: how many, at most @max. */
size_t vmadj_programs_read(const struct vmadj_observer *observer, struct vmadj_program_time *times,
			   size_t max);
