/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cpu.h - the CPU knob: give a VM the share that a nice value means
 *
 * The nice value of a thread changes nothing between VMs when each is in a control group or a
 * session of its own. So the level is looked for at which this VM competes with the others, and
 * turned there (cpu_level.c says how it is found):
 *
 *	cgroup2-weight	cpu.weight.nice of its own group (the scope, service or leaf that holds
 *			all threads of this VM and nobody else's)
 *	cgroup1-shares	cpu.shares of it, from the kernel's table of nice values to weights
 *	autogroup	/proc/PID/autogroup, where it is alone in a session, in the root group
 *	thread-nice	the nice value of all its threads, where it shares its group with others
 *
 * Where libvirt or systemd own the group, it is set through them, for what is written behind their
 * backs is lost at their next reload. Their weights are whole per cents, which is a third off at
 * nice 19: so the kernel's exact weight is written over theirs afterwards.
 *
 * Values: the text in which a level's present setting is kept so that it can be put back:
 * "weight=100", "shares=1024", "autogroup=0", "threads=0" (all the same; "threads=mixed" cannot be
 * put back). A group's cpu.weight and cpu.weight.nice are two views of one number, and do not tell
 * by which it was written: a value is always the weight, which is what managers write;
 * vmadj_cpu_put() also takes "nice=5".
 *
 * Units:     nice values -20..19; weights as in the kernel's sched_prio_to_weight.
 * Errors:    0 or a negative errno, vmadj_cpu_why() in words; -ESRCH: the VM or its group is gone,
 *            or its process id is another's now; -EOPNOTSUPP: it cannot be turned;
 *            -EINPROGRESS: the owner was asked, its answer comes by callback.
 * Threads:   one thread, that of the event loop.
 * Ownership: vmadj_cpu_free() takes NULL and calls back nobody. A place is a plain struct.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "user/virt/target.h"

struct vmadj_cpu;
struct vmadj_libvirt;

enum vmadj_cpu_kind {
	VMADJ_CPU_NONE, /* no level could be found: why_not says why */
	VMADJ_CPU_CGROUP2,
	VMADJ_CPU_CGROUP1,
	VMADJ_CPU_AUTOGROUP,
	VMADJ_CPU_THREADS,
};

#define VMADJ_CPU_VALUE_MAX 32

/* Folders with longer names are not turned: a VM's place is kept, and copied often. */
#define VMADJ_CPU_GROUP_MAX 512

/* Where one VM competes, and how it stands there. */
struct vmadj_cpu_place {
	enum vmadj_cpu_kind kind;
	const char *owner;		 /* "libvirt", "systemd"; NULL: nobody */
	char group[VMADJ_CPU_GROUP_MAX]; /* the group's folder; "" for autogroup and threads */
	char unit[256];			 /* systemd's, where it owns the group; "" */
	char value[VMADJ_CPU_VALUE_MAX]; /* as it is now, see above */
	int nice;			 /* the nice value whose share it has now, the nearest */
	bool effective;
	const char *why_not; /* a constant text; NULL: effective */
	uint64_t throttled;  /* nr_throttled of the group and those in it; 0: there is none */

	/* found with the level, and so until it is found anew; NULL: nothing against it */
	const char *level_why_not;
};

/* Where things are: tests have folders of their own. NULL members: the kernel's. */
struct vmadj_cpu_roots {
	const char *proc;    /* "/proc" */
	const char *cgroup1; /* the cpu hierarchy of version 1; NULL: from /proc/self/mountinfo */
	const char *cgroup2; /* "" in either: there is none */
	const char *sys;     /* "/sys" */
	const char *run;     /* "/run" */
};

/** vmadj_cpu_new() - @libvirt and @roots may be NULL; Return: 0; -ENOMEM. */
int vmadj_cpu_new(sd_event *event, struct vmadj_libvirt *libvirt,
		  const struct vmadj_cpu_roots *roots, struct vmadj_cpu **ret_cpu);
void vmadj_cpu_free(struct vmadj_cpu *cpu);

/* The connection to systemd, instead of one to the system bus; it is kept by reference. */
void vmadj_cpu_use_bus(struct vmadj_cpu *cpu, sd_bus *bus);

/* What there is on this host, in a line. Return: the length, as snprintf(). */
int vmadj_cpu_describe(const struct vmadj_cpu *cpu, char *buf, size_t size);

/* Why the last call that failed did: one line; "" where none has. */
const char *vmadj_cpu_why(const struct vmadj_cpu *cpu);

/**
 * vmadj_cpu_find() - the level at which @target competes, and its present value
 *
 * Reads two small files a thread, one a process of its group, and one of every process where it
 * did not make its session itself: not for every VM at every tick.
 *
 * Return: 0, also with kind VMADJ_CPU_NONE; -ESRCH.
 */
int vmadj_cpu_find(struct vmadj_cpu *cpu, const struct vmadj_target *target,
		   struct vmadj_cpu_place *ret_place);

/**
 * vmadj_cpu_read() - value, nice, effective and throttled of a place anew
 *
 * Where throttled has grown since the last reading, the VM is held back by its quota.
 *
 * Return: 0; -ESRCH; on failure @place is left alone.
 */
int vmadj_cpu_read(struct vmadj_cpu *cpu, const struct vmadj_target *target,
		   struct vmadj_cpu_place *place);

typedef void (*vmadj_cpu_done)(void *userdata, int err, const char *why);

/* The value that vmadj_cpu_set() with @nice will leave at @place. */
void vmadj_cpu_value_of(const struct vmadj_cpu_place *place, int nice,
			char value[VMADJ_CPU_VALUE_MAX]);

/**
 * vmadj_cpu_set() - turn it; or with vmadj_cpu_put(), put an older value back
 *
 * Whether it is still the same process is checked before and after, by pidfd and start time.
 *
 * Return: 0: done, @done is not called; -EINPROGRESS: it will be, once; -ESRCH; -EOPNOTSUPP;
 * -EACCES; -EINVAL: no such nice value, or not a value of that kind; -EBUSY, -EAGAIN: libvirt, as
 * vmadj_libvirt_ask(); -ENOTCONN: no system bus; -ENOMEM; -EIO: what was written is not what is
 * read back. To the callback: 0; the same; -ETIMEDOUT.
 */
int vmadj_cpu_set(struct vmadj_cpu *cpu, const struct vmadj_target *target,
		  const struct vmadj_cpu_place *place, int nice, vmadj_cpu_done done,
		  void *userdata);
int vmadj_cpu_put(struct vmadj_cpu *cpu, const struct vmadj_target *target,
		  const struct vmadj_cpu_place *place, const char *value, vmadj_cpu_done done,
		  void *userdata);

/* Whether a change of this VM's is under way. */
bool vmadj_cpu_is_turning(const struct vmadj_cpu *cpu, const struct vmadj_target *target);

/* Changes that are under way go on, but @done is not called with @userdata any more. */
void vmadj_cpu_forget(struct vmadj_cpu *cpu, const void *userdata);

/* "cgroup2-weight", ...; and back, VMADJ_CPU_NONE for what is none. */
const char *vmadj_cpu_kind_name(enum vmadj_cpu_kind kind);
enum vmadj_cpu_kind vmadj_cpu_kind_of(const char *name);

/* The kernel's weight of a nice value (kernel/sched/core.c: sched_prio_to_weight), and the nice
 * value whose weight is nearest by ratio. */
unsigned int vmadj_nice_to_weight(int nice);
int vmadj_weight_to_nice(unsigned int weight);
