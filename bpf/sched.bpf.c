// SPDX-License-Identifier: GPL-2.0-only
/*
 * sched.bpf.c - run time and waiting of each thread of a VM, and who caused the waiting
 *
 * At each context switch. Run time, waiting and switches are the kernel's own
 * counters of the task that leaves (they are complete at that moment); ours is
 * only to say whose they are. A switch between two tasks of no VM ends after
 * two loads: task->bpf_storage is NULL for whoever carries no tag (life.bpf.c).
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
 * began on is laid to whoever preempted the thread; sched_waiting may stay too high
 * after a VM was taken out (costs time, not truth).
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "bpf/life.h"
#include "bpf/sched.h"
#include "bpf/histogram.h"

#define PF_KTHREAD 0x00200000
#define TASK_DEAD  0x00000080

char LICENSE[] SEC("license") = "GPL";

/* life.bpf.c's; shared when the programs are loaded. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct vmadj_tag);
} life_task SEC(".maps");

/* Key: slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, VMADJ_SLOTS);
	__type(key, __u32);
	__type(value, struct vmadj_sched);
} sched_thread SEC(".maps");

/* Key: slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, VMADJ_SLOTS);
	__type(key, __u32);
	__type(value, struct vmadj_wait_hist);
} sched_wait SEC(".maps");

/* Key: slot of the thread that waited. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, VMADJ_SLOTS);
	__type(key, __u32);
	__type(value, struct vmadj_blames);
} sched_blame SEC(".maps");

__u32 sched_epoch; /* which half of sched_blame is written: its lowest bit */

/* Key: CPU; sized to the possible CPUs before loading. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct vmadj_cpu);
} sched_cpu SEC(".maps");

/* Per CPU, a cache line each: threads of VMs that were preempted there and are still runnable. */
struct {
	__u32 threads;
	__u32 pad[15];
} sched_waiting[VMADJ_CPUS];

static __always_inline typeof(sched_waiting[0]) *waiting_on(__u32 cpu_id)
{
	return &sched_waiting[cpu_id & (VMADJ_CPUS - 1)];
}

static __always_inline void who_is(struct vmadj_who *who, struct task_struct *task,
				   struct vmadj_tag *tag)
{
	who->word[0] = 0;
	who->word[1] = 0;
	if (tag) {
		who->vm = tag->vm;
		who->kind = VMADJ_WHO_VM;
	} else if (!task->pid) {
		who->kind = VMADJ_WHO_WAKEUP;
	} else {
		bpf_probe_read_kernel(who->comm, sizeof(who->comm), task->group_leader->comm);
		who->kind = task->flags & PF_KTHREAD ? VMADJ_WHO_KERNEL : VMADJ_WHO_HOST;
	}
}

/*
 * The stint of @prev that ends @now. All switches since the one before were remembered if
 * @prev is a VM's thread or somebody is waiting; else @prev may have shared that
 * time with others, and has had the CPU since its own run time began to grow.
 */
static __always_inline void stint_add(struct vmadj_cpu *cpu, bool all_seen,
				      struct task_struct *prev, struct vmadj_tag *tag, __u64 now)
{
	struct vmadj_stint *stint = &cpu->stints[cpu->head & (VMADJ_STINTS - 1)];
	__u64 ran = prev->se.sum_exec_runtime - prev->se.prev_sum_exec_runtime;

	stint->start_ns = cpu->end_ns;
	if (!all_seen && !tag && prev->pid && now - ran > cpu->end_ns)
		stint->start_ns = now - ran;
	stint->end_ns = now;
	who_is(&stint->who, prev, tag);
	cpu->end_ns = now;
	cpu->head++;
}

static __always_inline bool who_same(const struct vmadj_who *a, const struct vmadj_who *b)
{
	return a->word[0] == b->word[0] && a->word[1] == b->word[1];
}

/*
 * The three functions that follow are global, so that the verifier looks at each
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

/* The wait lies in [came - wait_ns, came) on this CPU, whose youngest stint ended at came. */
__noinline int blame_stints(struct vmadj_blame *blame, struct vmadj_cpu *cpu,
			    struct vmadj_sched *sched, __u64 wait_ns)
{
	__u64 from, until, left = wait_ns;

	if (!blame || !cpu || !sched)
		return 0;
	until = sched->since_ns;
	from = until - wait_ns;

	for (__u32 i = 1; i <= VMADJ_STINTS; i++) {
		struct vmadj_stint *stint = &cpu->stints[(cpu->head - i) & (VMADJ_STINTS - 1)];
		struct vmadj_who who = stint->who;
		__u64 start = stint->start_ns > from ? stint->start_ns : from;
		__u64 end = stint->end_ns < until ? stint->end_ns : until;

		if (end <= from || !stint->end_ns)
			break;
		if (end <= start)
			continue;
		/* Runnable since it was preempted, and yet the CPU idled: not let run. */
		if (who.kind == VMADJ_WHO_WAKEUP && sched->preempted_by.kind)
			who.kind = VMADJ_WHO_LIMIT;
		blame_add(blame, &who, end - start);
		left -= end - start;
		until = start;
	}
	if (left <= wait_ns)
		blame->by[0].wait_ns += left;
	return 0;
}

__noinline int hist_add(struct vmadj_wait_hist *hist, __u64 wait_ns)
{
	__u32 slot = vmadj_wait_slot(wait_ns);

	if (hist && slot < VMADJ_WAIT_SLOTS)
		hist->slots[slot]++;
	return 0;
}

static __always_inline void wait_add(struct vmadj_cpu *cpu, __u32 slot, struct vmadj_sched *sched,
				     __u64 wait_ns)
{
	struct vmadj_wait_hist *hist = bpf_map_lookup_elem(&sched_wait, &slot);
	struct vmadj_blames *blames = bpf_map_lookup_elem(&sched_blame, &slot);
	struct vmadj_blame *blame;

	if (!hist || !blames)
		return;
	hist_add(hist, wait_ns);
	blame = &blames->half[*(volatile __u32 *)&sched_epoch & 1];
	if (sched->moved)
		blame_add(blame, &sched->preempted_by, wait_ns);
	else
		blame_stints(blame, cpu, sched, wait_ns);
}

static __always_inline void switch_out(struct vmadj_cpu *cpu, struct vmadj_tag *tag,
				       struct task_struct *prev, struct task_struct *next,
				       struct vmadj_tag *next_tag)
{
	struct vmadj_sched *sched = bpf_map_lookup_elem(&sched_thread, &tag->slot);
	__u64 wait_ns = prev->sched_info.run_delay;
	unsigned int state = prev->__state;

	if (!sched)
		return;
	/* The first wait after registration cannot be told from those before it. */
	if (sched->state == VMADJ_SCHED_RUNNING && wait_ns > sched->wait_ns)
		wait_add(cpu, tag->slot, sched, wait_ns - sched->wait_ns);
	sched->run_ns = prev->se.sum_exec_runtime;
	sched->run_clock = sched->run_ns << 1;
	sched->wait_ns = wait_ns;
	sched->preemptions = prev->nivcsw;
	sched->switches = prev->nvcsw + sched->preemptions;
	sched->migrations = prev->se.nr_migrations;
	sched->state = state & TASK_DEAD ? VMADJ_SCHED_DEAD : VMADJ_SCHED_SLEEPING;
	if (!state) {
		sched->state = VMADJ_SCHED_PREEMPTED;
		sched->waits_on = sched->cpu + 1;
		who_is(&sched->preempted_by, next, next_tag);
		__sync_fetch_and_add(&waiting_on(sched->cpu)->threads, 1);
	}
}

static __always_inline void wait_end(struct vmadj_sched *sched, __u32 cpu_id)
{
	__u32 waited_on = sched->waits_on - 1;

	__sync_fetch_and_add(&waiting_on(waited_on)->threads, -1);
	sched->moved = waited_on != cpu_id;
	sched->waits_on = 0;
}

static __always_inline void switch_in(__u32 cpu_id, struct vmadj_tag *tag, struct task_struct *next,
				      __u64 now)
{
	struct vmadj_sched *sched = bpf_map_lookup_elem(&sched_thread, &tag->slot);

	if (!sched)
		return;
	if (sched->state == VMADJ_SCHED_UNSEEN) {
		sched->wait_ns = next->sched_info.run_delay;
		sched->run_ns = next->se.sum_exec_runtime;
	}
	if (sched->waits_on) {
		wait_end(sched, cpu_id);
	} else {
		sched->moved = 0;
		sched->preempted_by.kind = VMADJ_WHO_OTHER;
	}
	sched->run_clock = (next->se.sum_exec_runtime - now) << 1 | 1;
	sched->since_ns = now;
	sched->cpu = cpu_id;
	sched->state = VMADJ_SCHED_RUNNING;
}

/* Any switch that the fast path lets through. Not inlined: the fast path then saves no registers.
 */
static __noinline int switch_slow(__u64 *ctx)
{
	struct task_struct *prev = (void *)ctx[1], *next = (void *)ctx[2];
	struct vmadj_tag *prev_tag = NULL, *next_tag = NULL;
	__u32 cpu_id = prev->thread_info.cpu;
	struct vmadj_cpu *cpu = bpf_map_lookup_elem(&sched_cpu, &cpu_id);
	__u64 now;

	if (!cpu)
		return 0;
	if (prev->bpf_storage)
		prev_tag = bpf_task_storage_get(&life_task, prev, NULL, 0);
	if (next->bpf_storage)
		next_tag = bpf_task_storage_get(&life_task, next, NULL, 0);
	/* Storage of somebody else's. (The verifier lets no two pointers be tested as one.) */
	barrier_var(prev_tag);
	if (!prev_tag) {
		barrier_var(next_tag);
		if (!next_tag && !waiting_on(cpu_id)->threads)
			return 0;
	}
	now = bpf_ktime_get_ns();
	if (prev_tag)
		switch_out(cpu, prev_tag, prev, next, next_tag);
	stint_add(cpu, waiting_on(cpu_id)->threads, prev, prev_tag, now);
	if (next_tag)
		switch_in(cpu_id, next_tag, next, now);
	return 0;
}

SEC("tp_btf/sched_switch")
int sched_switch(__u64 *ctx)
{
	struct task_struct *prev = (void *)ctx[1], *next = (void *)ctx[2];

	if (!prev->bpf_storage && !next->bpf_storage && !waiting_on(prev->thread_info.cpu)->threads)
		return 0;
	return switch_slow(ctx);
}
