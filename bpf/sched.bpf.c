// SPDX-License-Identifier: GPL-2.0-only
/*
 * sched.bpf.c - run time and waiting of each thread of a VM, and who caused the waiting
 *
 * At each context switch; polling is at the end of this file. Run time, waiting and switches are
 * the kernel's own counters of the task that leaves (they are complete at that moment); ours is
 * only to say whose they are. A switch between two tasks of no VM ends after
 * three loads: task->bpf_storage is NULL for whoever carries no tag (life.bpf.c).
 *
 * Who caused a wait: each CPU remembers its last VMADJ_STINTS stints (who had it, from
 * when to when). When a thread leaves the CPU, the kernel's run_delay tells how
 * long it had waited before it came; the stints that lie in that span
 * are the culprits. Example, two VMs on one CPU:
 *
 *     time   0     4     8
 *     CPU    | A   | B   |      A waits from 4 to 8. When A next leaves (say at 12),
 *                               run_delay has grown by 4, A came at 8: span [4, 8) is B's.
 *
 * Stints are remembered at every switch that involves a VM's thread and, while a thread of
 * a VM was preempted on this CPU and is still runnable (sched_waiting), at every switch. A
 * thread that was woken instead sees the stint before its own whole, and what lay
 * before as VMADJ_WHO_OTHER.
 *
 * Cost: see `make bench`. Racy on purpose: a wait that ended on another CPU than it
 * began on is laid to whoever preempted the thread.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "bpf/life.h"
#include "bpf/tags.bpf.h"
#include "bpf/sched.h"
#include "bpf/histogram.h"
#include "bpf/compat.bpf.h"

#define PF_IDLE	   0x00000002
#define PF_KTHREAD 0x00200000
#define TASK_DEAD  0x00000080

char LICENSE[] SEC("license") = "GPL";

/* Key: slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, VMADJ_SLOTS);
	__type(key, __u32);
	__type(value, struct vmadj_sched);
} sched_thread SEC(".maps");

/* Key: CPU; sized to the possible CPUs before loading. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct vmadj_past);
} sched_past SEC(".maps");

struct vmadj_cpu sched_cpu[VMADJ_CPUS];

static __always_inline struct vmadj_cpu *cpu_at(__u32 id)
{
	return &sched_cpu[id & (VMADJ_CPUS - 1)];
}

static __always_inline void who_is(struct vmadj_who *who, struct task_struct *task,
				   const struct vmadj_sched *sched)
{
	who->word[0] = 0;
	who->word[1] = 0;
	if (sched) {
		who->vm = sched->vm;
		who->kind = VMADJ_WHO_VM;
	} else if (task->flags & PF_IDLE) {
		who->kind = VMADJ_WHO_WAKEUP;
	} else {
		/* Two loads instead of a helper's call; the kind takes the place of the last byte.
		 */
		const __u64 *comm = (const __u64 *)task->group_leader->comm;

		who->word[0] = comm[0];
		who->word[1] = comm[1];
		who->kind = task->flags & PF_KTHREAD ? VMADJ_WHO_KERNEL : VMADJ_WHO_HOST;
	}
}

static __always_inline bool who_same(const struct vmadj_who *a, const struct vmadj_who *b)
{
	return a->word[0] == b->word[0] && a->word[1] == b->word[1];
}

/*
 * The stint of @prev that ends @now. All switches since the one before were remembered if
 * @prev is a VM's thread or somebody is waiting; else @prev may have shared that
 * time with others, and has had the CPU since its own run time began to grow.
 */
static __always_inline void stint_add(struct vmadj_cpu *cpu, struct vmadj_past *past,
				      struct task_struct *prev, const struct vmadj_sched *sched,
				      __u64 now)
{
	__u64 start_ns = cpu->last.end_ns, ran;
	struct vmadj_who who;

	if (!sched && !cpu->waiting && !(prev->flags & PF_IDLE)) {
		ran = prev->se.sum_exec_runtime - prev->se.prev_sum_exec_runtime;
		if (now - ran > start_ns)
			start_ns = now - ran;
	}
	who_is(&who, prev, sched);
	if (who_same(&who, &cpu->last.who) && start_ns == cpu->last.end_ns) {
		cpu->last.end_ns = now;
		return;
	}
	past->older[cpu->head & (VMADJ_STINTS - 1)] = cpu->last;
	cpu->head++;
	cpu->last.start_ns = start_ns;
	cpu->last.end_ns = now;
	cpu->last.who = who;
}

/*
 * The functions that follow are global, so that the verifier looks at each
 * once and not once for every way there.
 */

/* Adds to the culprit's entry, else to a free one, else to "other", the first. */
__noinline int blame_add(struct vmadj_blame *blame, struct vmadj_who *who, __u64 wait_ns)
{
	if (!blame || !who)
		return 0;
	for (int i = 1; i < VMADJ_CULPRITS; i++) {
		if (!blame->by[i].wait_ns)
			blame->by[i].who = *who;
		else if (!who_same(&blame->by[i].who, who))
			continue;
		blame->by[i].wait_ns += wait_ns;
		return 0;
	}
	blame->by[0].wait_ns += wait_ns;
	return 0;
}

/* The part of a wait that no stint has explained yet: [from_ns, until_ns), less what lay between.
 */
struct span {
	__u64 from_ns;
	__u64 until_ns;
	__u64 left_ns;
};

/* Lays what overlaps with @stint to whoever ran then. Return: whether older ones may explain more.
 */
__noinline int blame_stint(struct vmadj_sched *sched, struct vmadj_cpu *cpu,
			   struct vmadj_stint *stint, struct span *span)
{
	struct vmadj_who who;
	__u64 start, end;

	if (!sched || !cpu || !stint || !span)
		return 0;
	start = stint->start_ns > span->from_ns ? stint->start_ns : span->from_ns;
	end = stint->end_ns < span->until_ns ? stint->end_ns : span->until_ns;
	if (stint->end_ns <= span->from_ns)
		return 0;
	if (end <= start)
		return 1;
	who = stint->who;
	/* Runnable since it was preempted, and yet the CPU idled: not let run. */
	if (who.kind == VMADJ_WHO_WAKEUP && sched->preempted_by.kind)
		who.kind = VMADJ_WHO_LIMIT;
	blame_add(&sched->blame[cpu->epoch & 1], &who, end - start);
	span->left_ns -= end - start;
	span->until_ns = start;
	return 1;
}

/* The wait ended when the thread came, as did this CPU's youngest stint. */
__noinline int blame_stints(struct vmadj_sched *sched, struct vmadj_cpu *cpu,
			    struct vmadj_past *past, __u64 wait_ns)
{
	struct span span = { .left_ns = wait_ns };
	int more;

	if (!sched || !cpu || !past)
		return 0;
	span.until_ns = sched->since_ns;
	span.from_ns = span.until_ns - wait_ns;
	more = blame_stint(sched, cpu, &cpu->last, &span);
	for (__u32 i = 1; i <= VMADJ_STINTS && more && span.left_ns; i++)
		more = blame_stint(sched, cpu, &past->older[(cpu->head - i) & (VMADJ_STINTS - 1)],
				   &span);
	sched->blame[cpu->epoch & 1].by[0].wait_ns += span.left_ns;
	return 0;
}

__noinline int hist_add(struct vmadj_sched *sched, __u64 wait_ns)
{
	__u32 slot = vmadj_wait_slot(wait_ns);

	if (sched && slot < VMADJ_WAIT_SLOTS)
		sched->waits[slot]++;
	return 0;
}

/* The record of a thread, NULL if it is no VM's; what life.bpf.c knows is filled in when it is seen
 * first. */
static __always_inline struct vmadj_sched *sched_of(struct task_struct *task, __u32 slot)
{
	struct vmadj_thread *thread;
	struct vmadj_sched *sched;

	if (!slot)
		return NULL;
	sched = bpf_map_lookup_elem(&sched_thread, &slot);
	if (!sched)
		return NULL;
	sched->task = (__u32)(__u64)task;
	if (!sched->vm) {
		thread = bpf_map_lookup_elem(&life_thread, &slot);
		if (thread) {
			sched->vm = thread->vm;
			sched->wait_ns = thread->seen.wait_ns;
			sched->blame[0].by[0].wait_ns = thread->seen.wait_ns - thread->base.wait_ns;
		}
	}
	return sched;
}

/* Of the thread that goes, as it came; NULL too if the slot is another's meanwhile. */
static __always_inline struct vmadj_sched *sched_of_prev(struct task_struct *task, __u32 slot)
{
	struct vmadj_sched *sched;

	if (!slot)
		return NULL;
	if (slot == VMADJ_SLOT_ASK)
		return sched_of(task, slot_of(task));
	sched = bpf_map_lookup_elem(&sched_thread, &slot);
	return sched && sched->task == (__u32)(__u64)task ? sched : NULL;
}

/* By its tag, not by its id: an id may have changed hands in an exec. */
static __always_inline __u32 slot_by_tag(struct task_struct *task)
{
	struct vmadj_tag *tag = bpf_task_storage_get(&life_task, task, NULL, 0);

	return tag ? tag->slot : 0;
}

/* Nothing more will be counted. */
static __always_inline void thread_dies(struct task_struct *task, __u32 tagged)
{
	struct vmadj_sched *sched = bpf_map_lookup_elem(&sched_thread, &tagged);
	__u16 *slot = slot_of_tid(task->pid);

	if (!tagged)
		return;
	if (slot && *slot == tagged)
		*slot = 0;
	if (sched)
		sched->state = VMADJ_SCHED_DEAD;
}

/* The kernel's own counters: complete when the thread is off its CPU. */
static __always_inline void thread_count(struct vmadj_sched *sched, struct task_struct *task)
{
	sched->run_ns = task->se.sum_exec_runtime;
	sched->run_clock = sched->run_ns << 1;
	sched->wait_ns = task->sched_info.run_delay;
	sched->preemptions = task->nivcsw;
	sched->switches = task->nvcsw + sched->preemptions;
	sched->migrations = task->se.nr_migrations;
	sched->state = VMADJ_SCHED_SLEEPING;
}

/* Most waits were for one, who has been waited for before. */
static __always_inline void blame(struct vmadj_cpu *cpu, struct vmadj_past *past,
				  struct vmadj_sched *sched, __u64 wait_ns)
{
	struct vmadj_blame *blame = &sched->blame[cpu->epoch & 1];
	struct vmadj_who *who = &cpu->last.who;

	if (sched->moved) {
		who = &sched->preempted_by;
	} else if (cpu->last.start_ns + wait_ns > sched->since_ns ||
		   who->kind == VMADJ_WHO_WAKEUP) {
		blame_stints(sched, cpu, past, wait_ns);
		return;
	}
	if (blame->by[1].wait_ns && who_same(&blame->by[1].who, who))
		blame->by[1].wait_ns += wait_ns;
	else
		blame_add(blame, who, wait_ns);
}

static __always_inline void switch_out(struct vmadj_cpu *cpu, struct vmadj_past *past,
				       struct vmadj_sched *sched, struct task_struct *prev)
{
	__u64 wait_ns = prev->sched_info.run_delay, waited = wait_ns - sched->wait_ns;

	if (wait_ns > sched->wait_ns && sched->state == VMADJ_SCHED_RUNNING) {
		hist_add(sched, waited);
		blame(cpu, past, sched, waited);
	} else if (wait_ns > sched->wait_ns) {
		/* It ran when it was registered: when it had come is not known. */
		sched->blame[cpu->epoch & 1].by[0].wait_ns += waited;
	}
	thread_count(sched, prev);
}

static __always_inline void wait_begin(struct vmadj_cpu *cpu, __u32 cpu_id,
				       struct vmadj_sched *sched, struct task_struct *prev,
				       struct task_struct *next,
				       const struct vmadj_sched *next_sched)
{
	sched->state = VMADJ_SCHED_PREEMPTED;
	who_is(&sched->preempted_by, next, next_sched);
	if (compat_throttled(prev)) {
		/* Whoever runs meanwhile is not to blame. */
		sched->preempted_by.kind = VMADJ_WHO_LIMIT;
		sched->moved = 1;
		return;
	}
	sched->waits_on = cpu_id + 1;
	__sync_fetch_and_add(&cpu->waiting, 1);
}

static __always_inline void switch_in(__u32 cpu_id, struct vmadj_sched *sched,
				      struct task_struct *next, __u64 now)
{
	if (sched->state == VMADJ_SCHED_UNSEEN)
		sched->run_ns = next->se.sum_exec_runtime;
	if (sched->waits_on) {
		__sync_fetch_and_add(&cpu_at(sched->waits_on - 1)->waiting, -1);
		sched->moved = sched->waits_on - 1 != cpu_id;
		sched->waits_on = 0;
	} else if (sched->state != VMADJ_SCHED_PREEMPTED) {
		sched->preempted_by.kind = VMADJ_WHO_OTHER;
		sched->moved = 0;
	}
	/* It has not run since it left. */
	sched->run_clock = (sched->run_ns - now) << 1 | 1;
	sched->since_ns = now;
	sched->cpu = cpu_id;
	sched->state = VMADJ_SCHED_RUNNING;
}

/* Any switch that the fast path lets through. Not inlined: the fast path then saves no registers.
 */
static __noinline int switch_slow(__u64 *ctx, struct vmadj_cpu *cpu)
{
	struct task_struct *prev = (void *)ctx[1], *next = (void *)ctx[2];
	__u32 cpu_id = bpf_get_smp_processor_id(), next_slot = slot_of(next);
	struct vmadj_past *past = bpf_map_lookup_elem(&sched_past, &cpu_id);
	struct vmadj_sched *prev_sched = sched_of_prev(prev, cpu->slot);
	struct vmadj_sched *next_sched = sched_of(next, next_slot);
	unsigned int state;
	__u64 now;

	cpu->slot = next_slot;
	if (!past)
		return 0;
	/* Storage of somebody else's. (The verifier lets no two pointers be tested as one.) */
	if (!prev_sched) {
		barrier_var(next_sched);
		if (!next_sched && !cpu->waiting)
			return 0;
	}
	now = bpf_ktime_get_ns();
	if (prev_sched)
		switch_out(cpu, past, prev_sched, prev);
	stint_add(cpu, past, prev, prev_sched, now);
	if (prev_sched) {
		state = prev->__state;
		/* Who has no slot any more is not seen to come back. */
		if (!state && slot_of(prev))
			wait_begin(cpu, cpu_id, prev_sched, prev, next, next_sched);
		else if (state & TASK_DEAD)
			thread_dies(prev, slot_by_tag(prev));
	}
	if (next_sched)
		switch_in(cpu_id, next_sched, next, now);
	return 0;
}

SEC("tp_btf/sched_switch")
int sched_switch(__u64 *ctx)
{
	struct task_struct *prev = (void *)ctx[1], *next = (void *)ctx[2];
	struct vmadj_cpu *cpu = cpu_at(prev->thread_info.cpu);

	if (!next->bpf_storage && !cpu->busy)
		return 0;
	return switch_slow(ctx, cpu);
}

/*
 * Polling, instead of all of the above: user space runs sched_poll before each sample, and a switch
 * costs nothing. Single waits and who caused them are not known, and the counters of a running
 * thread are up to one timer tick old (on a CPU without ticks, nohz_full, a second).
 *
 * A thread that has ended is counted once more, when its counters are complete: when the kernel
 * frees it, or by the poll while its parent has not asked for it.
 *
 * Cost: a quarter of a microsecond for each task of the host and poll; one load for each that ends.
 */
static __always_inline void thread_poll(struct task_struct *task, __u32 slot)
{
	struct vmadj_sched *sched = bpf_map_lookup_elem(&sched_thread, &slot);

	if (!sched)
		return;
	thread_count(sched, task);
	sched->cpu = task->thread_info.cpu;
}

/*
 * A dead task keeps the tag that tracing had counted it by, so that its slot may be another's when
 * the observer falls back to polling.
 */
static __always_inline bool slot_is_of(struct task_struct *task, __u32 slot)
{
	struct vmadj_thread *thread = bpf_map_lookup_elem(&life_thread, &slot);

	return thread && thread->start_ns == task->start_boottime;
}

SEC("iter/task")
int sched_poll(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	__u32 slot = task && task->bpf_storage ? slot_by_tag(task) : 0;
	bool over;

	if (!slot)
		return 0;
	over = task->__state & TASK_DEAD && !task->on_cpu;
	/* Its slot will be another's: without the tag it is not met again. */
	if (over && (bpf_task_storage_delete(&life_task, task) || !slot_is_of(task, slot)))
		return 0;
	thread_poll(task, slot);
	if (over)
		thread_dies(task, slot);
	return 0;
}

SEC("tp_btf/sched_process_free")
int sched_freed(__u64 *ctx)
{
	struct task_struct *task = (void *)ctx[0];
	__u32 slot = task->bpf_storage ? slot_by_tag(task) : 0;

	if (!slot)
		return 0;
	thread_poll(task, slot);
	thread_dies(task, slot);
	return 0;
}
