// SPDX-License-Identifier: GPL-2.0-only
/*
 * blame.c - mode=trace: who had the CPU while a thread of a VM waited
 *
 * As bpf/sched.bpf.c: each CPU remembers who had it lately, and a wait that has ended is laid
 * to the stints that lie in it. Each thread has two halves for this, of which one is written; once
 * an interval the other one is added to its VM's and emptied, and they change places.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/sched/signal.h>

#include "kmod.h"

DEFINE_PER_CPU(struct vmadj_here, vmadj_here);

static struct vmadj_past __percpu *past;
static unsigned int epoch;   /* its lowest bit: the half that is written */
static unsigned long turned; /* RCU's state then: later, all write the new half */

void vmadj_who_is(struct vmadj_who *who, const struct task_struct *task,
		  const struct vmadj_sched *sched)
{
	who->word[0] = 0;
	who->word[1] = 0;
	if (sched) {
		who->vm = sched->vm;
		who->kind = VMADJ_WHO_VM;
	} else if (!task->pid) {
		who->kind = VMADJ_WHO_WAKEUP;
	} else {
		memcpy(who->comm, task->group_leader->comm, sizeof(who->comm));
		who->kind = task->flags & PF_KTHREAD ? VMADJ_WHO_KERNEL : VMADJ_WHO_HOST;
	}
}

static inline bool is_same(const struct vmadj_who *a, const struct vmadj_who *b)
{
	return a->word[0] == b->word[0] && a->word[1] == b->word[1];
}

/*
 * The stint of @prev that ends @now. All switches since the one before were remembered if @prev
 * is a VM's thread or somebody is waiting; else @prev may have shared that time with others,
 * and has had the CPU since its own run time began to grow.
 */
void vmadj_stint_add(struct vmadj_here *here, const struct task_struct *prev,
		     const struct vmadj_sched *sched, u64 now)
{
	u64 ran = prev->se.sum_exec_runtime - prev->se.prev_sum_exec_runtime;
	u64 start_ns = here->last.end_ns;
	struct vmadj_who who;

	if (!sched && prev->pid && !atomic_read(&here->waiting) && now - ran > start_ns)
		start_ns = now - ran;
	vmadj_who_is(&who, prev, sched);
	if (is_same(&who, &here->last.who) && start_ns == here->last.end_ns) {
		here->last.end_ns = now;
		return;
	}
	this_cpu_ptr(past)->older[here->head & (VMADJ_STINTS - 1)] = here->last;
	here->head++;
	here->last.start_ns = start_ns;
	here->last.end_ns = now;
	here->last.who = who;
}

/* To the culprit's entry, else to a free one, else to "other", the first. */
static void add(struct vmadj_blame *blame, const struct vmadj_who *who, u64 wait_ns)
{
	int i;

	for (i = 1; i < VMADJ_CULPRITS; i++) {
		if (!blame->by[i].wait_ns)
			blame->by[i].who = *who;
		else if (!is_same(&blame->by[i].who, who))
			continue;
		blame->by[i].wait_ns += wait_ns;
		return;
	}
	blame->by[0].wait_ns += wait_ns;
}

/* The part of a wait that no stint has explained yet: [from_ns, until_ns), less what lay between.
 */
struct span {
	u64 from_ns;
	u64 until_ns;
	u64 left_ns;
};

/* Return: whether older stints may explain more. */
static bool explain(struct vmadj_sched *sched, struct vmadj_blame *blame,
		    const struct vmadj_stint *stint, struct span *span)
{
	u64 start = max(stint->start_ns, span->from_ns);
	u64 end = min(stint->end_ns, span->until_ns);
	struct vmadj_who who;

	if (stint->end_ns <= span->from_ns)
		return false;
	if (end <= start)
		return true;
	who = stint->who;
	/* Runnable since it was preempted, and yet the CPU idled: not let run. */
	if (who.kind == VMADJ_WHO_WAKEUP && sched->preempted_by.kind)
		who.kind = VMADJ_WHO_LIMIT;
	add(blame, &who, end - start);
	span->left_ns -= end - start;
	span->until_ns = start;
	return true;
}

/* The wait ended when the thread came, as did this CPU's youngest stint. */
void vmadj_blame_wait(struct vmadj_here *here, struct vmadj_sched *sched, u64 wait_ns)
{
	struct vmadj_blame *blame = &sched->blame[READ_ONCE(epoch) & 1];
	struct span span = {
		.from_ns = sched->since_ns - wait_ns,
		.until_ns = sched->since_ns,
		.left_ns = wait_ns,
	};
	const struct vmadj_past *mine = this_cpu_ptr(past);
	bool more;
	u64 i;

	if (sched->state != VMADJ_SCHED_RUNNING) {
		/* It ran when it was found: when it had come is not known. */
		blame->by[0].wait_ns += wait_ns;
		return;
	}
	if (sched->moved) {
		add(blame, &sched->preempted_by, wait_ns);
		return;
	}
	more = explain(sched, blame, &here->last, &span);
	for (i = 1; i <= VMADJ_STINTS && more && span.left_ns; i++)
		more = explain(sched, blame, &mine->older[(here->head - i) & (VMADJ_STINTS - 1)],
			       &span);
	blame->by[0].wait_ns += span.left_ns;
}

void vmadj_blame_merge(struct vmadj_blame *into, const struct vmadj_blame *from)
{
	int i;

	into->by[0].wait_ns += from->by[0].wait_ns;
	for (i = 1; i < VMADJ_CULPRITS && from->by[i].wait_ns; i++)
		add(into, &from->by[i].who, from->by[i].wait_ns);
}

/* Return: whether nobody writes the other half any more. */
bool vmadj_blame_turn_begin(void)
{
	return poll_state_synchronize_rcu(turned);
}

void vmadj_blame_take(struct vmadj_vm *vm)
{
	struct vmadj_thread *thread;

	list_for_each_entry (thread, &vm->threads, node) {
		struct vmadj_blame *idle = &thread->sched.blame[~epoch & 1];

		vmadj_blame_merge(&vm->blame, idle);
		memset(idle, 0, sizeof(*idle));
	}
}

void vmadj_blame_turn_end(void)
{
	WRITE_ONCE(epoch, epoch + 1);
	turned = get_state_synchronize_rcu();
}

int vmadj_blame_open(void)
{
	past = alloc_percpu(struct vmadj_past);
	turned = get_state_synchronize_rcu();
	if (!past)
		pr_err("no memory\n");
	return past ? 0 : -ENOMEM;
}

void vmadj_blame_close(void)
{
	free_percpu(past);
}
