// SPDX-License-Identifier: GPL-2.0-only
/*
 * trace.c - mode=trace: what bpf/sched.bpf.c does at each context switch, natively
 *
 * Its head says how, with an example. A switch between two tasks of no VM on a CPU where no VM's
 * thread waits ends after two loads of marks (kmod.h) and one of the CPU's own.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitops.h>
#include <linux/sched/clock.h>

#include "kmod.h"

static bool is_hooked;

/* As vmadj_wait_slot() of bpf/histogram.h, with the processor's own way to find the top bit. */
static inline unsigned int wait_slot(u64 wait_ns)
{
	u64 us = wait_ns / 1000;
	unsigned int octave;

	if (us < 4)
		return us;
	octave = fls64(us) - 1;
	return min_t(unsigned int, (octave - 1) * 4 + (us >> (octave - 2) & 3),
		     VMADJ_WAIT_SLOTS - 1);
}

static void switch_out(struct vmadj_here *here, struct vmadj_sched *sched,
		       const struct task_struct *prev)
{
	u64 wait_ns = prev->sched_info.run_delay - sched->wait_ns;

	if (wait_ns) {
		if (sched->state == VMADJ_SCHED_RUNNING)
			sched->waits[wait_slot(wait_ns)]++;
		vmadj_blame_wait(here, sched, wait_ns);
	}
	vmadj_count(sched, prev);
	sched->state = VMADJ_SCHED_SLEEPING;
}

static void wait_begin(struct vmadj_here *here, struct vmadj_sched *sched,
		       const struct task_struct *next, const struct vmadj_sched *next_sched)
{
	sched->state = VMADJ_SCHED_PREEMPTED;
	vmadj_who_is(&sched->preempted_by, next, next_sched);
	sched->waits_on = raw_smp_processor_id() + 1;
	atomic_inc(&here->waiting);
}

static void wait_end(struct vmadj_sched *sched)
{
	atomic_dec(&per_cpu(vmadj_here, sched->waits_on - 1).waiting);
	sched->moved = sched->waits_on - 1 != raw_smp_processor_id();
	sched->waits_on = 0;
}

static void switch_in(struct vmadj_sched *sched, const struct task_struct *next, u64 now)
{
	if (sched->waits_on) {
		wait_end(sched);
	} else {
		sched->preempted_by.kind = VMADJ_WHO_OTHER;
		sched->moved = 0;
	}
	sched->run_clock = (next->se.sum_exec_runtime - now) << 1 | 1;
	sched->since_ns = now;
	sched->cpu = raw_smp_processor_id();
	sched->state = VMADJ_SCHED_RUNNING;
}

/* Its counters stay until the thread is reaped; the id is free for another from now on. */
static void last_switch(struct vmadj_thread *thread)
{
	cmpxchg(&vmadj_tids[thread->tid >> VMADJ_TIDS_SHIFT]->thread[thread->tid & VMADJ_TIDS_MASK],
		thread, NULL);
	thread->sched.state = VMADJ_SCHED_DEAD;
}

/* Not inlined, and called with the same arguments: the fast path then saves and moves nothing. */
static noinline __noclone void switch_slow(void *unused, bool preempt, struct task_struct *prev,
					   struct task_struct *next, unsigned int prev_state)
{
	struct vmadj_here *here = this_cpu_ptr(&vmadj_here);
	struct vmadj_thread *from = vmadj_thread_of(prev), *to = vmadj_thread_of(next);
	struct vmadj_sched *from_sched = from ? &from->sched : NULL;
	struct vmadj_sched *to_sched = to ? &to->sched : NULL;
	u64 now;

	if (!from && !to && !atomic_read(&here->waiting))
		return; /* marked for another's sake */
	now = local_clock();
	if (from)
		switch_out(here, from_sched, prev);
	vmadj_stint_add(here, prev, from_sched, now);
	if (from && (preempt || !prev_state))
		wait_begin(here, from_sched, next, to_sched);
	else if (from && prev_state & TASK_DEAD)
		last_switch(from);
	if (to)
		switch_in(to_sched, next, now);
}

static void sched_switch(void *unused, bool preempt, struct task_struct *prev,
			 struct task_struct *next, unsigned int prev_state)
{
	if (unlikely(vmadj_mark(prev) | vmadj_mark(next) |
		     this_cpu_read(vmadj_here.waiting.counter)))
		switch_slow(unused, preempt, prev, next, prev_state);
}

/* When no switch can see it any more: it waits no longer, as far as its CPU is concerned. */
void vmadj_trace_forget(struct vmadj_thread *thread)
{
	if (thread->sched.waits_on)
		wait_end(&thread->sched);
}

int vmadj_trace_open(void)
{
	int err = vmadj_blame_open();

	if (err)
		return err;
	err = vmadj_hook("sched_switch", sched_switch);
	is_hooked = !err;
	return err;
}

void vmadj_trace_unhook(void)
{
	if (is_hooked)
		vmadj_unhook("sched_switch", sched_switch);
}
