// SPDX-License-Identifier: GPL-2.0-only
/*
 * threads.c - whose thread is this? All threads of the processes that have VMs
 *
 * task_struct::preempt_notifiers tells a vCPU thread in one load, but only within KVM_RUN; between
 * two of them, and for the other threads of a VMM, it says nothing. So there are marks and a table
 * by thread id.
 *
 * Threads come when their VM does and when one of them creates another (task_newtask), and go some
 * time after their last switch. Not followed: a thread that executes another
 * program, since KVM's descriptors are closed on exec and the VM ends.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/sched/clock.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "kmod.h"

static struct vmadj_tids empty;
u8 vmadj_marks[1 << 16]; /* no more than 64 ids end in the same bits */
struct vmadj_tids *vmadj_tids[PID_MAX_LIMIT >> VMADJ_TIDS_SHIFT];
static bool is_hooked;

/* NULL: no memory. Once there it stays until the module goes. */
static struct vmadj_thread **place_of(pid_t tid)
{
	struct vmadj_tids **tids = &vmadj_tids[tid >> VMADJ_TIDS_SHIFT];

	if (*tids == &empty) {
		struct vmadj_tids *fresh = kmalloc(sizeof(*fresh), VMADJ_GFP);

		if (!fresh)
			return NULL;
		smp_store_release(tids, fresh);
	}
	return &(*tids)->thread[tid & VMADJ_TIDS_MASK];
}

static struct vmadj_thread *add(struct vmadj_vm *vm, struct task_struct *task)
{
	struct vmadj_thread **place = place_of(task->pid);
	struct vmadj_thread *thread = place ? kmalloc(sizeof(*thread), VMADJ_GFP) : NULL;

	if (!thread) {
		atomic_inc(&vmadj_lost);
		return NULL;
	}
	thread->vm = vm;
	thread->task = get_task_struct(task);
	thread->tid = task->pid;
	thread->vcpu_id = -1;
	thread->sched.vm = vm->serial;
	vmadj_count(&thread->sched, task);
	list_add_tail_rcu(&thread->node, &vm->threads);
	vmadj_marks[(u16)thread->tid]++;
	smp_store_release(place, thread);
	return thread;
}

/*
 * One that its process creates meanwhile is seen here, or its creator is known by the time that
 * task_newtask comes: it joins the process before that.
 */
void vmadj_threads_add(struct vmadj_vm *vm)
{
	struct task_struct *task;

	rcu_read_lock();
	for_each_thread(vm->leader, task)
	{
		if (!(task->flags & PF_EXITING) && !vmadj_thread_of(task))
			add(vm, task);
	}
	rcu_read_unlock();
}

static void thread_free(struct rcu_head *rcu)
{
	struct vmadj_thread *thread = container_of(rcu, struct vmadj_thread, rcu);

	vmadj_trace_forget(thread);
	put_task_struct(thread->task);
	kfree(thread);
}

/* Its id may be another's by now. */
static void remove(struct vmadj_thread *thread)
{
	struct vmadj_thread **place = place_of(thread->tid);

	if (place)
		cmpxchg(place, thread, NULL);
	vmadj_marks[(u16)thread->tid]--;
	list_del_rcu(&thread->node);
	call_rcu(&thread->rcu, thread_free);
}

void vmadj_threads_remove(struct vmadj_vm *vm)
{
	struct vmadj_thread *thread, *next;

	list_for_each_entry_safe(thread, next, &vm->threads, node) remove(thread);
}

/* After its last switch its counters are final. */
static bool is_over(const struct task_struct *task)
{
	return READ_ONCE(task->__state) & TASK_DEAD && !READ_ONCE(task->on_cpu);
}

void vmadj_threads_reap(struct vmadj_vm *vm)
{
	struct vmadj_thread *thread, *next;
	struct vmadj_counts counts;

	list_for_each_entry_safe(thread, next, &vm->threads, node)
	{
		if (!is_over(thread->task))
			continue;
		vmadj_count(&thread->sched, thread->task);
		counts = vmadj_thread_counts(thread);
		vmadj_counts_add(&vm->dead[thread->vcpu_id < 0 ? VMADJ_EMULATOR : VMADJ_VCPU],
				 &counts);
		vmadj_waits_add(vm->waits, thread);
		vmadj_blame_merge(&vm->blame, &thread->sched.blame[0]);
		vmadj_blame_merge(&vm->blame, &thread->sched.blame[1]);
		remove(thread);
	}
}

/* Those of vCPUs: a VMM's own threads wait for other reasons. */
void vmadj_waits_add(u64 *sum, const struct vmadj_thread *thread)
{
	unsigned int i;

	if (READ_ONCE(thread->vcpu_id) < 0)
		return;
	for (i = 0; i < VMADJ_WAIT_SLOTS; i++)
		sum[i] += READ_ONCE(thread->sched.waits[i]);
}

void vmadj_counts_add(struct vmadj_counts *sum, const struct vmadj_counts *more)
{
	sum->run_ns += more->run_ns;
	sum->wait_ns += more->wait_ns;
	sum->switches += more->switches;
	sum->preemptions += more->preemptions;
	sum->migrations += more->migrations;
}

/* One that runs now has run until now (sched.h on run_clock). */
struct vmadj_counts vmadj_thread_counts(const struct vmadj_thread *thread)
{
	struct vmadj_sched unseen;
	const struct vmadj_sched *sched = &thread->sched;
	struct vmadj_counts counts;
	u64 clock;

	if (vmadj_is_trace && READ_ONCE(sched->state) == VMADJ_SCHED_UNSEEN) {
		vmadj_count(&unseen, thread->task);
		sched = &unseen;
	}
	clock = READ_ONCE(sched->run_clock);
	counts = (struct vmadj_counts){
		.run_ns = clock & 1 ? (u64)((s64)clock >> 1) + local_clock() : clock >> 1,
		.wait_ns = READ_ONCE(sched->wait_ns),
		.switches = READ_ONCE(sched->switches),
		.preemptions = READ_ONCE(sched->preemptions),
		.migrations = READ_ONCE(sched->migrations),
	};

	return counts;
}

static void newtask(void *unused, struct task_struct *task, unsigned long clone_flags)
{
	struct vmadj_thread *parent, *child = NULL;

	if (!(clone_flags & CLONE_THREAD) || !vmadj_thread_at(current->pid))
		return;
	spin_lock(&vmadj_lock);
	parent = vmadj_thread_of(current);
	if (parent && !vmadj_thread_of(task))
		child = add(parent->vm, task);
	if (child)
		vmadj_policy_inherit(child, parent);
	spin_unlock(&vmadj_lock);
}

int vmadj_threads_open(void)
{
	size_t i;
	int err;

	for (i = 0; i < ARRAY_SIZE(vmadj_tids); i++)
		vmadj_tids[i] = &empty;
	err = vmadj_hook("task_newtask", newtask);
	is_hooked = !err;
	return err;
}

void vmadj_threads_unhook(void)
{
	if (is_hooked)
		vmadj_unhook("task_newtask", newtask);
}

void vmadj_threads_close(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vmadj_tids); i++)
		if (vmadj_tids[i] != &empty)
			kfree(vmadj_tids[i]);
}
