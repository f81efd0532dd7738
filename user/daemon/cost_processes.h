/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cost_processes.h - CPU time and memory of the daemon and of the processes that it has started
 *
 * Ownership: zeroes are an empty list; vmadj_cost_processes_clear().
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct vmadj_cost_process {
	char what[48]; /* "daemon", "libvirt helper", "policy NAME", "statistics" */
	pid_t pid;
	uint64_t cpu_ns;    /* up to at_s */
	double at_s;	    /* monotonic */
	double cpu_pct;	    /* of one CPU, until at_s; NAN: it was met then */
	uint64_t rss_bytes; /* resident, with what it shares; UINT64_MAX: not known */
};

struct vmadj_cost_processes {
	size_t n;
	struct vmadj_cost_process *process;
};

/* Begins to look at that process, if it is not looked at already. @pid: 0: there is none. */
void vmadj_cost_processes_meet(struct vmadj_cost_processes *list, const char *what, pid_t pid);

/* What each has used since it was looked at before; those that have ended are left out. */
void vmadj_cost_processes_look(struct vmadj_cost_processes *list);

/* What is known of the sum; NAN: nothing. */
double vmadj_cost_processes_pct(const struct vmadj_cost_processes *list);

void vmadj_cost_processes_clear(struct vmadj_cost_processes *list);
