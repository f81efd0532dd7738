/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kmod.h - what the files of vmadj_kmod.ko know of each other; main.c says what it is
 *
 * Units:   times in nanoseconds, as the kernel counts them since a thread's birth.
 * Locking: vmadj_lock guards the list of VMs, their lists of threads, and writing to the table of
 *          thread ids. Lists may be read under RCU alone, the table by a switch as it is.
 *          A struct kvm may be looked into while its VM is listed and the lock is held: KVM
 *          cannot free it without taking it off the list first.
 */
#pragma once

#include <linux/cache.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/threads.h>
#include <linux/types.h>

#include "bpf/sched.h"

#define VMADJ_GFP (GFP_ATOMIC | __GFP_NOWARN | __GFP_ZERO)

struct kvm;

struct vmadj_counts {
	u64 run_ns;
	u64 wait_ns;
	u64 switches;
	u64 preemptions;
	u64 migrations;
};

/* A thread of a process that has a VM. Freed after a grace period, with its task reference. */
struct vmadj_thread {
	struct vmadj_sched sched; /* trace: written by its switches; poll: once an interval */
	struct vmadj_vm *vm;	  /* as long as the thread is in its list */
	struct task_struct *task;
	pid_t tid; /* its place in the table; an exec may change that of the task */
	struct list_head node;
	struct rcu_head rcu;
	int vcpu_id;	 /* -1: none, or not known yet */
	int nice_before; /* valid while is_adjusted */
	int nice_set;
	bool is_adjusted;
};

enum vmadj_role { VMADJ_VCPU, VMADJ_EMULATOR, VMADJ_ROLES };

struct vmadj_vm {
	struct list_head node;
	struct list_head threads;
	struct rcu_head rcu;
	struct kvm *kvm;
	struct task_struct *leader; /* a reference */
	u32 serial;
	unsigned int vcpus_known;
	bool is_gone;
	struct vmadj_counts dead[VMADJ_ROLES]; /* of threads that are no more */
	u64 waits[VMADJ_WAIT_SLOTS];	       /* of vCPU threads that are no more */
	struct vmadj_blame blame;	       /* taken out of its threads so far */
};

extern spinlock_t vmadj_lock;
extern struct list_head vmadj_vms;
extern bool vmadj_is_trace;
extern unsigned int vmadj_interval_ms;
extern atomic_t vmadj_lost; /* VMs and threads that found no memory */

/*
 * Whose thread is this? First how many threads of VMs have an id that ends in these 16 bits: one
 * load, and 0 for almost every other task. Then a table by thread id, in two levels; parts of it
 * that have no thread of a VM are all the same empty part.
 */
extern u8 vmadj_marks[1 << 16];

#define VMADJ_TIDS_SHIFT 9
#define VMADJ_TIDS_MASK	 ((1 << VMADJ_TIDS_SHIFT) - 1)

struct vmadj_tids {
	struct vmadj_thread *thread[1 << VMADJ_TIDS_SHIFT];
};

extern struct vmadj_tids *vmadj_tids[PID_MAX_LIMIT >> VMADJ_TIDS_SHIFT];

static __always_inline unsigned int vmadj_mark(const struct task_struct *task)
{
	return READ_ONCE(vmadj_marks[(u16)task->pid]);
}

/* An id may have changed hands: compare the task, too. */
static __always_inline struct vmadj_thread *vmadj_thread_at(unsigned int tid)
{
	struct vmadj_tids *tids = READ_ONCE(vmadj_tids[tid >> VMADJ_TIDS_SHIFT]);

	return READ_ONCE(tids->thread[tid & VMADJ_TIDS_MASK]);
}

static inline struct vmadj_thread *vmadj_thread_of(const struct task_struct *task)
{
	struct vmadj_thread *thread = vmadj_thread_at(task->pid);

	return thread && thread->task == task ? thread : NULL;
}

static __always_inline void vmadj_count(struct vmadj_sched *sched, const struct task_struct *task)
{
	sched->run_ns = task->se.sum_exec_runtime;
	sched->run_clock = sched->run_ns << 1;
	sched->wait_ns = task->sched_info.run_delay;
	sched->preemptions = task->nivcsw;
	sched->switches = task->nvcsw + sched->preemptions;
	sched->migrations = task->se.nr_migrations;
}

/* vms.c */
int vmadj_vms_open(void);
void vmadj_vms_unhook(void);
void vmadj_vms_close(void);
void vmadj_vm_learn_vcpus(struct vmadj_vm *vm);
unsigned long vmadj_vms_missed(void);

/* threads.c; the lock is held, but for open, unhook, close */
int vmadj_threads_open(void);
void vmadj_threads_unhook(void);
void vmadj_threads_close(void);
void vmadj_threads_add(struct vmadj_vm *vm);
void vmadj_threads_remove(struct vmadj_vm *vm);
void vmadj_threads_reap(struct vmadj_vm *vm);
struct vmadj_counts vmadj_thread_counts(const struct vmadj_thread *thread);
void vmadj_waits_add(u64 *sum, const struct vmadj_thread *thread);
void vmadj_counts_add(struct vmadj_counts *sum, const struct vmadj_counts *more);

/* poll.c: reads the task_structs of a VM; the lock is held */
void vmadj_poll(struct vmadj_vm *vm);

/* trace.c */
int vmadj_trace_open(void);
void vmadj_trace_unhook(void);
void vmadj_trace_forget(struct vmadj_thread *thread);

/* What a switch needs of its CPU, in one cache line. */
struct vmadj_here {
	atomic_t waiting; /* threads of VMs that were preempted here and are still runnable */
	u64 head;	  /* how many stints there have been before the last one */
	struct vmadj_stint last;
} ____cacheline_aligned;

DECLARE_PER_CPU(struct vmadj_here, vmadj_here);

/* blame.c: who caused a wait; the three of a stint and a wait are called under the run queue's
 * lock, take and turn by the kernel thread alone */
int vmadj_blame_open(void);
void vmadj_blame_close(void);
void vmadj_who_is(struct vmadj_who *who, const struct task_struct *task,
		  const struct vmadj_sched *sched);
void vmadj_stint_add(struct vmadj_here *here, const struct task_struct *prev,
		     const struct vmadj_sched *sched, u64 now);
void vmadj_blame_wait(struct vmadj_here *here, struct vmadj_sched *sched, u64 wait_ns);
void vmadj_blame_merge(struct vmadj_blame *into, const struct vmadj_blame *from);
bool vmadj_blame_turn_begin(void);
void vmadj_blame_take(struct vmadj_vm *vm);
void vmadj_blame_turn_end(void);

/* proc.c */
int vmadj_proc_open(void);
void vmadj_proc_close(void);

/* policy.c; the lock is held */
void vmadj_policy_decide(void);
void vmadj_policy_inherit(struct vmadj_thread *child, const struct vmadj_thread *parent);
void vmadj_policy_restore(struct vmadj_vm *vm);

/* main.c: a hook on a tracepoint of this kernel; for the log and the errno if there is none */
int vmadj_hook(const char *tracepoint, void *probe);
void vmadj_unhook(const char *tracepoint, void *probe);
