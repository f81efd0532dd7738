/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cpu_private.h - what the files of the CPU knob share; others include cpu.h
 */
#pragma once

#include "user/actuate/cpu.h"
#include "user/virt/libvirt.h"

#define VMADJ_CPU_ROOT_MAX 256

struct vmadj_cpu_turn;

struct vmadj_cpu {
	sd_event *event;
	sd_bus *bus; /* NULL: not needed yet */
	struct vmadj_libvirt *libvirt;
	/* vmadj_libvirt_ask() and vmadj_libvirt_forget(); tests have their own */
	int (*ask)(struct vmadj_libvirt *libvirt, const char *uuid, enum vmadj_libvirt_what what,
		   uint64_t value, vmadj_libvirt_done done, void *userdata);
	void (*forget)(struct vmadj_libvirt *libvirt, const void *userdata);
	struct vmadj_cpu_turn *turns; /* that wait for somebody's answer */
	char proc[VMADJ_CPU_ROOT_MAX], sys[VMADJ_CPU_ROOT_MAX], run[VMADJ_CPU_ROOT_MAX];
	char cgroup1[VMADJ_CPU_ROOT_MAX], cgroup2[VMADJ_CPU_ROOT_MAX]; /* "": none */
	char why[256];
};

/* cpu_systemd.c: whether it is the host's service manager */
bool vmadj_cpu_systemd_runs(const struct vmadj_cpu *cpu);

/* --- cpu_file.c: small files by a made-up path; -ENAMETOOLONG beside what open() gives --- */

ssize_t vmadj_cpu_file(char *buf, size_t size, const char *path, ...)
	__attribute__((format(printf, 3, 4)));
int vmadj_cpu_file_u64(uint64_t *ret_value, const char *path, ...)
	__attribute__((format(printf, 2, 3)));

/* Return: 0; -ESRCH: no such file; -EACCES; -EINVAL, -EAGAIN, ... as the kernel said. */
int vmadj_cpu_file_write(long long value, const char *path, ...)
	__attribute__((format(printf, 2, 3)));

/* @err, with the reason kept for vmadj_cpu_why(). */
int vmadj_cpu_fail(struct vmadj_cpu *cpu, int err, const char *why, ...)
	__attribute__((format(printf, 3, 4)));

/* --- cpu_mounts.c --- */

/* Fills in cgroup1 and cgroup2 from mountinfo, where a hierarchy is mounted whole. */
void vmadj_cpu_mounts(struct vmadj_cpu *cpu, bool want1, bool want2);

/* --- cpu_proc.c --- */

struct vmadj_cpu_stat {
	char comm[20];
	pid_t ppid, session;
	int nice;
	unsigned int policy;
	uint64_t start_ticks;
};

/* Return: 0; -ESRCH; -EIO. */
int vmadj_cpu_stat(const struct vmadj_cpu *cpu, pid_t pid, struct vmadj_cpu_stat *ret_stat);
int vmadj_cpu_stat_thread(const struct vmadj_cpu *cpu, pid_t pid, pid_t tid,
			  struct vmadj_cpu_stat *ret_stat);

/* Whether @pid still is the process that started then; -ESRCH. */
int vmadj_cpu_check(const struct vmadj_cpu *cpu, pid_t pid, uint64_t start_ticks);

/* What all threads of a process have in common. */
struct vmadj_cpu_common {
	size_t n;
	int nice; /* of one of them */
	bool nice_mixed, realtime, idle_class;
	bool version1;	     /* the cpu controller's hierarchy, for the path */
	bool split;	     /* they are in several groups */
	char path[PATH_MAX]; /* their lowest common group, "/" for the root */
};

/* Return: 0; -ESRCH; -EIO. */
int vmadj_cpu_common(const struct vmadj_cpu *cpu, pid_t pid, struct vmadj_cpu_common *ret_common);

/* --- cpu_company.c: who else is there --- */

struct vmadj_cpu_company {
	bool others; /* neither of the VM, its children nor the kernel */
	bool peers;  /* and of the same program: other VMs, most probably */
};

int vmadj_cpu_company_of_group(const struct vmadj_cpu *cpu, pid_t pid, const char *folder,
			       struct vmadj_cpu_company *ret_company);
int vmadj_cpu_company_of_session(const struct vmadj_cpu *cpu, pid_t pid,
				 struct vmadj_cpu_company *ret_company);

/* Whether nobody but @folder's processes is right below the same group. */
bool vmadj_cpu_alone(const struct vmadj_cpu *cpu, const char *folder);

/* --- cpu_level.c --- */

/* kind, owner, group, unit and level_why_not of @ret_place; the rest is zero. Return: 0; -ESRCH. */
int vmadj_cpu_level(const struct vmadj_cpu *cpu, const struct vmadj_target *target,
		    const struct vmadj_cpu_common *common, struct vmadj_cpu_place *ret_place);

/* --- the kinds: what one is set to, and what it is --- */

/* Either a nice value or, for groups only, a weight (cpu.weight or cpu.shares). */
struct vmadj_cpu_want {
	bool by_weight;
	int nice;
	uint64_t weight;
};

/* cpu_cgroup.c; Return: 0; -ESRCH; -EACCES; -EIO. why_not is a constant or NULL. */
int vmadj_cpu_group_read(const struct vmadj_cpu *cpu, struct vmadj_cpu_place *place);
const char *vmadj_cpu_group_why_not(const struct vmadj_cpu *cpu,
				    const struct vmadj_cpu_place *place);
bool vmadj_cpu_group_holds(const struct vmadj_cpu *cpu, const struct vmadj_cpu_place *place,
			   const struct vmadj_cpu_common *common);
int vmadj_cpu_group_write(const struct vmadj_cpu_place *place, const struct vmadj_cpu_want *want);
/* Whether it is as wanted now, as far as its weight in whole per cents, or exactly. */
bool vmadj_cpu_group_is(const struct vmadj_cpu *cpu, const struct vmadj_cpu_place *place,
			const struct vmadj_cpu_want *want, bool exactly);
/* In the owners' unit: cpu.weight or cpu.shares. */
uint64_t vmadj_cpu_group_weight(const struct vmadj_cpu_place *place,
				const struct vmadj_cpu_want *want);

/* cpu_autogroup.c; Return: 0; -ENOENT: it is in none; -EAGAIN: not so often; -EACCES; -ESRCH. */
int vmadj_cpu_autogroup_read(const struct vmadj_cpu *cpu, pid_t pid, int *ret_nice);
int vmadj_cpu_autogroup_write(const struct vmadj_cpu *cpu, pid_t pid, int nice);
bool vmadj_cpu_autogroup_on(const struct vmadj_cpu *cpu);

/* cpu_threads.c: all of them or none; Return: 0; -ESRCH; -EACCES. */
int vmadj_cpu_threads_write(const struct vmadj_cpu *cpu, pid_t pid, int nice);
