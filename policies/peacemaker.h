/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * peacemaker.h - thirteen functions for policies, after K. Higashi (IPSJ SIG OS-122-15, 2012)
 *
 * A policy's text is a loop of its own, with an interval of its own, as in the paper:
 *
 *	#include "peacemaker.h"
 *
 *	static void policy(void)
 *	{
 *		struct cpu_loadavg load;
 *
 *		while (get_nr_kvms() > 0) {
 *			get_physical_cpus_loadavg(&load);
 *			if (load.avg15 > 90)
 *				...
 *			peacemaker_sleep(60);
 *		}
 *	}
 *	PEACEMAKER_POLICY(my_policy, "what it does", policy);
 *
 * It runs on a stack of its own within decide(), and stops in peacemaker_sleep(): there the wishes
 * of the round are handed over. A text that ends is begun anew with the next snapshot.
 *
 * The list has the VMs whose CPU share the daemon can turn and may; not those that the
 * administrator left unmanaged. Its entries are valid until the next peacemaker_sleep().
 *
 * Units:     loads in per cent of all physical CPUs together, usage in per cent of one CPU.
 * Priority:  the administrator's first, then the kernel's: of the same, a lower nice is more.
 */
#ifndef VMADJ_PEACEMAKER_H
#define VMADJ_PEACEMAKER_H

#include <stdbool.h>
#include <stdlib.h>
#include <sys/types.h>
#include <ucontext.h>

#include "policy.h"

#define PEACEMAKER_STACK_SIZE (256 * 1024)
#define PEACEMAKER_NICE_MIN   (-20)
#define PEACEMAKER_NICE_MAX   19

struct task_struct {
	pid_t pid;
	const char *comm; /* the VM's name */
	long nice;	  /* with what was wished in this round */
	long nice_before;
	bool wished, listed;
	const struct vmadj_policy_vm *vm;
};

struct kvm_list {
	struct task_struct *task;
	pid_t pid;
	struct kvm_list *next; /* by pid; NULL at the end */
};

struct cpu_loadavg {
	long avg1, avg5, avg15;
};

static struct {
	const struct vmadj_policy_snapshot *now;
	struct task_struct *tasks; /* all that could be on the list */
	struct kvm_list *entries, *head;
	uint32_t n_tasks, room;
	char (*removed)[48]; /* ids that the policy took off the list */
	size_t n_removed;
	struct cpu_loadavg load; /* as the text read it last */
	bool load_was_read, in_text;
	double wake_s; /* on the daemon's clock */
	void (*text)(void);
	ucontext_t daemon_side, text_side;
	char stack[PEACEMAKER_STACK_SIZE] __attribute__((aligned(64)));
} peacemaker_;

/* --- the list ------------------------------------------------------------ */

static inline void peacemaker_link_(void)
{
	struct kvm_list **end = &peacemaker_.head;

	for (uint32_t i = 0; i < peacemaker_.n_tasks; i++) {
		struct task_struct *task = &peacemaker_.tasks[i];

		if (!task->listed)
			continue;
		peacemaker_.entries[i] = (struct kvm_list){ .task = task, .pid = task->pid };
		*end = &peacemaker_.entries[i];
		end = &peacemaker_.entries[i].next;
	}
	*end = NULL;
}

static inline void *peacemaker_grow_(void *array, size_t n, size_t size)
{
	void *grown = realloc(array, n * size);

	if (!grown)
		abort();
	return grown;
}

static inline size_t peacemaker_find_removed_(const char *id)
{
	size_t i = 0;

	while (i < peacemaker_.n_removed && strcmp(peacemaker_.removed[i], id) != 0)
		i++;
	return i;
}

static inline void peacemaker_meet_(const struct vmadj_policy_snapshot *now)
{
	if (now->n_vms > peacemaker_.room) {
		peacemaker_.room = now->n_vms;
		peacemaker_.tasks = (struct task_struct *)peacemaker_grow_(
			peacemaker_.tasks, now->n_vms, sizeof(*peacemaker_.tasks));
		peacemaker_.entries = (struct kvm_list *)peacemaker_grow_(
			peacemaker_.entries, now->n_vms, sizeof(*peacemaker_.entries));
	}
	peacemaker_.now = now;
	peacemaker_.n_tasks = 0;
	for (uint32_t i = 0; i < now->n_vms; i++) {
		const struct vmadj_policy_vm *vm = vmadj_policy_vm_at(now, i);

		if (!(vm->knobs & VMADJ_KNOB_CPU))
			continue;
		peacemaker_.tasks[peacemaker_.n_tasks++] = (struct task_struct){
			.pid = vm->pid,
			.comm = vm->name,
			.nice = vm->nice,
			.nice_before = vm->nice,
			.listed = peacemaker_find_removed_(vm->id) == peacemaker_.n_removed,
			.vm = vm,
		};
	}
	peacemaker_link_();
}

/* The entry with the greatest @key (the least with @sign -1); the first of several. NAN: none. */
static inline struct kvm_list *peacemaker_most_(double (*key)(const struct task_struct *), int sign)
{
	struct kvm_list *most = NULL;

	for (struct kvm_list *kvm = peacemaker_.head; kvm; kvm = kvm->next) {
		double value = sign * key(kvm->task);

		if (value == value && (!most || value > sign * key(most->task)))
			most = kvm;
	}
	return most;
}

static inline double peacemaker_nice_(const struct task_struct *task)
{
	return (double)task->nice;
}

static inline double peacemaker_prio_(const struct task_struct *task)
{
	return task->vm->priority * 100.0 - (double)task->nice;
}

static inline double peacemaker_usage_(const struct task_struct *task)
{
	return task->vm->usage_pct;
}

/* --- the thirteen functions ---------------------------------------------- */

/* 1: what is beyond -20..19 is the nearest of them, as in the kernel */
static inline void set_kvm_nice(struct task_struct *task, long nice)
{
	if (nice < PEACEMAKER_NICE_MIN)
		nice = PEACEMAKER_NICE_MIN;
	task->nice = nice > PEACEMAKER_NICE_MAX ? PEACEMAKER_NICE_MAX : nice;
	task->wished = true;
}

/* 2 */
static inline int get_kvm_nice(const struct task_struct *task)
{
	return (int)task->nice;
}

/* 3 */
static inline int get_nr_kvms(void)
{
	int n = 0;

	for (const struct kvm_list *kvm = peacemaker_.head; kvm; kvm = kvm->next)
		n++;
	return n;
}

/* 4 */
static inline void get_physical_cpus_loadavg(struct cpu_loadavg *load)
{
	const struct vmadj_policy_snapshot *now = peacemaker_.now;
	double times = 100.0 / (now->cpus ? now->cpus : 1);

	load->avg1 = (long)(now->load1 * times + 0.5);
	load->avg5 = (long)(now->load5 * times + 0.5);
	load->avg15 = (long)(now->load15 * times + 0.5);
	peacemaker_.load = *load;
	peacemaker_.load_was_read = true;
}

/* 5 to 10: NULL when the list is empty, or no VM's usage is known */
static inline struct kvm_list *get_max_kvms_nice(void)
{
	return peacemaker_most_(peacemaker_nice_, 1);
}

static inline struct kvm_list *get_min_kvms_nice(void)
{
	return peacemaker_most_(peacemaker_nice_, -1);
}

static inline struct kvm_list *get_max_kvms_prio(void)
{
	return peacemaker_most_(peacemaker_prio_, 1);
}

static inline struct kvm_list *get_min_kvms_prio(void)
{
	return peacemaker_most_(peacemaker_prio_, -1);
}

static inline struct kvm_list *get_max_kvms_usage(void)
{
	return peacemaker_most_(peacemaker_usage_, 1);
}

static inline struct kvm_list *get_min_kvms_usage(void)
{
	return peacemaker_most_(peacemaker_usage_, -1);
}

/* 11: NULL when there is none */
static inline struct kvm_list *search_pid_from_peace_list(pid_t pid)
{
	struct kvm_list *kvm = peacemaker_.head;

	while (kvm && kvm->pid != pid)
		kvm = kvm->next;
	return kvm;
}

/* 12: takes back what del_kvm_list() did */
static inline void add_kvm_list(struct task_struct *task)
{
	size_t i = peacemaker_find_removed_(task->vm->id);

	if (i < peacemaker_.n_removed)
		memcpy(peacemaker_.removed[i], peacemaker_.removed[--peacemaker_.n_removed],
		       sizeof(peacemaker_.removed[i]));
	task->listed = true;
	peacemaker_link_();
}

/* 13: this policy leaves it alone from now on; what it wished for it in this round is void */
static inline void del_kvm_list(pid_t pid)
{
	struct kvm_list *kvm = search_pid_from_peace_list(pid);

	if (!kvm)
		return;
	peacemaker_.removed = (char(*)[48])peacemaker_grow_(
		peacemaker_.removed, peacemaker_.n_removed + 1, sizeof(*peacemaker_.removed));
	memcpy(peacemaker_.removed[peacemaker_.n_removed++], kvm->task->vm->id,
	       sizeof(*peacemaker_.removed));
	kvm->task->listed = false;
	kvm->task->wished = false;
	peacemaker_link_();
}

/* --- the loop ------------------------------------------------------------ */

/* Hands over what was wished for, and comes back when @seconds have passed. */
static inline void peacemaker_sleep(double seconds)
{
	peacemaker_.wake_s = peacemaker_.now->monotonic_s + seconds;
	(void)swapcontext(&peacemaker_.text_side, &peacemaker_.daemon_side);
}

static inline void peacemaker_begin_(void)
{
	peacemaker_.text();
	peacemaker_.in_text = false;
	peacemaker_.wake_s = 0;
}

static inline void peacemaker_hand_over_(struct vmadj_policy_wishes *wishes)
{
	const struct cpu_loadavg *load = &peacemaker_.load;
	char why[96] = "";

	if (peacemaker_.load_was_read)
		(void)snprintf(why, sizeof(why),
			       "load %ld/%ld/%ld %% of the CPUs over 1/5/15 minutes; ", load->avg1,
			       load->avg5, load->avg15);
	for (const struct kvm_list *kvm = peacemaker_.head; kvm; kvm = kvm->next) {
		const struct task_struct *task = kvm->task;

		if (task->wished)
			vmadj_wish_nice(wishes, task->vm, (double)task->nice, "%snice %ld -> %ld",
					why, task->nice_before, task->nice);
	}
}

static inline void peacemaker_decide_(void (*text)(void), const struct vmadj_policy_snapshot *now,
				      struct vmadj_policy_wishes *wishes)
{
	/* The nearest snapshot, not the one after it because of a moment. */
	if (now->monotonic_s + now->interval_s / 2 < peacemaker_.wake_s)
		return;
	peacemaker_.text = text;
	peacemaker_.load_was_read = false;
	peacemaker_meet_(now);
	if (!peacemaker_.in_text) {
		(void)getcontext(&peacemaker_.text_side);
		peacemaker_.text_side.uc_stack.ss_sp = peacemaker_.stack;
		peacemaker_.text_side.uc_stack.ss_size = sizeof(peacemaker_.stack);
		peacemaker_.text_side.uc_link = &peacemaker_.daemon_side;
		makecontext(&peacemaker_.text_side, peacemaker_begin_, 0);
		peacemaker_.in_text = true;
	}
	(void)swapcontext(&peacemaker_.daemon_side, &peacemaker_.text_side);
	peacemaker_hand_over_(wishes);
}

#define PEACEMAKER_POLICY(policy_name, policy_summary, text)                                      \
	static void peacemaker_tick_(void *state, const struct vmadj_policy_snapshot *now,        \
				     struct vmadj_policy_wishes *wishes)                          \
	{                                                                                         \
		(void)state;                                                                      \
		peacemaker_decide_(text, now, wishes);                                            \
	}                                                                                         \
	const struct vmadj_policy_ops vmadj_policy = {                                            \
		VMADJ_POLICY_HEADER,	 .name = #policy_name,	     .summary = (policy_summary), \
		.knobs = VMADJ_KNOB_CPU, .decide = peacemaker_tick_,                              \
	}

#endif
