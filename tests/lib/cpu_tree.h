/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cpu_tree.h - a made-up /proc and control groups in a folder of their own, for the CPU knob
 *
 * The VM is the test's own process id, so that it is there to be held, with everything else
 * about it made up.
 *
 * Ownership: cpu_tree_remove(), as the suite's .fini, removes it also after a failure.
 */
#pragma once

#include "user/actuate/cpu.h"

#define CPU_TREE_START 777 /* of each process, in ticks */

struct cpu_tree_process {
	pid_t pid, ppid, session; /* session 0: its own */
	const char *comm;	  /* NULL: "vmm" */
	const char *cgroup;	  /* what /proc/PID/cgroup says of all threads */
	int nice;
	unsigned int policy;
};

/* Makes the folders; the roots of everything in there, with no group hierarchy. */
const struct vmadj_cpu_roots *cpu_tree_make(void);
void cpu_tree_remove(void);

/* A process with one thread, or one thread more of it. */
void cpu_tree_process(const struct cpu_tree_process *process);
void cpu_tree_thread(const struct cpu_tree_process *process, pid_t tid);

/* A group with its weight's files at nice 0, and the processes in it, "1 2 3"; as many files of
 * version 1 or 2 as the knob reads. @path starts with "/". */
void cpu_tree_group(int version, const char *path, const char *pids);

/* The VM, of one thread, and a group with it and perhaps others. */
void cpu_tree_vm_in(const char *cgroup);
void cpu_tree_group_of_vm(int version, const char *path, const char *others);

/* Any file: its path from the top ("v2/a/cpu.idle", "proc/1/autogroup"), and all of its text. */
void cpu_tree_write(const char *path, const char *text);
const char *cpu_tree_read(
	const char *path); /* valid until the next call; fails if it is not there */

/* A knob on that tree, and the VM in it. */
struct vmadj_cpu *cpu_tree_knob(const struct vmadj_cpu_roots *roots, struct vmadj_libvirt *libvirt);
struct vmadj_target cpu_tree_vm(void);
sd_event *cpu_tree_event(void);

/* Where that VM competes, without and with libvirt; what is wrong about it fails the test. */
struct vmadj_cpu_place cpu_tree_find(void);
struct vmadj_cpu_place cpu_tree_find_of(const struct vmadj_target *target,
					struct vmadj_libvirt *libvirt);

/* @path is the group's from the top of the tree, "" for none. */
void cpu_tree_expect(const struct vmadj_cpu_place *place, enum vmadj_cpu_kind kind,
		     const char *path);
void cpu_tree_expect_why(const struct vmadj_cpu_place *place, const char *words);
