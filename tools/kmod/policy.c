// SPDX-License-Identifier: GPL-2.0-only
/*
 * policy.c - P1's own policy, off by default
 *
 * Every interval, while there is a VM: if the load of the CPUs over 15 minutes is above 90 %, the
 * VM with the lowest priority gets 1 more of nice, up to 15; if it is below 10 %, the one with
 * the highest priority 1 less, down to -15. A VM's nice is that of all its threads; its process's
 * first thread says which it is.
 *
 * Put back is what a thread had before its first change, unless somebody else has
 * changed it since: then it is his.
 */
#include <linux/cpumask.h>
#include <linux/sched/loadavg.h>

#include "kmod.h"

#define HIGH_PCT 90
#define LOW_PCT	 10
#define NICE_MAX 15

static void set_nice(struct vmadj_vm *vm, int nice)
{
	struct vmadj_thread *thread;

	list_for_each_entry (thread, &vm->threads, node) {
		if (!thread->is_adjusted)
			thread->nice_before = task_nice(thread->task);
		thread->is_adjusted = true;
		thread->nice_set = nice;
		set_user_nice(thread->task, nice);
	}
}

/* The VM whose nice, multiplied by @sign, is greatest. */
static struct vmadj_vm *extreme(int sign)
{
	struct vmadj_vm *vm, *found = NULL;

	list_for_each_entry (vm, &vmadj_vms, node)
		if (!found || sign * task_nice(vm->leader) > sign * task_nice(found->leader))
			found = vm;
	return found;
}

static void turn(int sign)
{
	struct vmadj_vm *vm = extreme(sign);

	if (vm && sign * task_nice(vm->leader) < NICE_MAX)
		set_nice(vm, task_nice(vm->leader) + sign);
}

void vmadj_policy_decide(void)
{
	unsigned long load_pct = avenrun[2] * 100 / FIXED_1 / num_online_cpus();

	if (load_pct > HIGH_PCT)
		turn(1);
	else if (load_pct < LOW_PCT)
		turn(-1);
}

/* A new thread begins with the nice of the one that created it. */
void vmadj_policy_inherit(struct vmadj_thread *child, const struct vmadj_thread *parent)
{
	child->is_adjusted = parent->is_adjusted;
	child->nice_before = parent->nice_before;
	child->nice_set = parent->nice_set;
}

void vmadj_policy_restore(struct vmadj_vm *vm)
{
	struct vmadj_thread *thread;

	list_for_each_entry (thread, &vm->threads, node) {
		if (thread->is_adjusted && task_nice(thread->task) == thread->nice_set)
			set_user_nice(thread->task, thread->nice_before);
		thread->is_adjusted = false;
	}
}
