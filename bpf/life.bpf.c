// SPDX-License-Identifier: GPL-2.0-only
/*
 * life.bpf.c - which threads belong to VMs, from birth to death
 *
 * A thread of a VM carries a tag in task storage. Storage belongs to the task
 * itself, so a reused thread id is never taken for its predecessor, and
 * `task->bpf_storage` being NULL tells every other task apart in one load
 * (sched.bpf.c lives from that).
 *
 * User space decides which processes are VMs (life_process); the programs here
 * tag their threads: those that are there (life_scan_task), and those that a
 * tagged thread creates (life_newtask). Both run where storage may be created,
 * never under the run-queue lock.
 *
 * Cost: one load per fork and per exec of a process that is no VM; nothing a
 * context switch. Racy on purpose: a thread that an untagged thread creates while
 * the scan is under way is found by the next scan.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "bpf/life.h"
#include "bpf/tags.bpf.h"

#define CLONE_THREAD	    0x00010000
#define PF_EXITING	    0x00000004
#define PF_KTHREAD	    0x00200000
#define ANON_INODE_FS_MAGIC 0x09041934
#define SLOT_TRIES	    8
#define TICK_NS		    10000000 /* /proc counts start times in hundredths */

char LICENSE[] SEC("license") = "GPL";

/* The ring of emptied slots that life_slots describes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, VMADJ_SLOTS);
	__type(key, __u32);
	__type(value, __u64);
} life_free SEC(".maps");

/* Key: tgid. Read only outside of hot paths. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VMADJ_VMS);
	__type(key, __u32);
	__type(value, struct vmadj_process);
} life_process SEC(".maps");

/* Wakes user space; what does not fit is found by the next scan. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} life_event SEC(".maps");

struct vmadj_slots life_slots = { .fresh = 1 };
__u64 life_lost; /* events that found the ring buffer full */

/* Written by user space; the module of KVM may be loaded after us. */
volatile struct vmadj_kvm_layout life_kvm = { -1, -1, -1, -1 };

static __always_inline __u32 slot_take(void)
{
	for (int i = 0; i < SLOT_TRIES; i++) {
		__u32 head = *(volatile __u32 *)&life_slots.head;
		__u32 at = head % VMADJ_SLOTS;
		__u64 *slot;

		if (head == *(volatile __u32 *)&life_slots.tail)
			break;
		slot = bpf_map_lookup_elem(&life_free, &at);
		if (!slot)
			break;
		__u32 taken = *slot;

		if (__sync_val_compare_and_swap(&life_slots.head, head, head + 1) == head)
			return taken;
	}
	if (life_slots.fresh < VMADJ_SLOTS) {
		__u32 slot = __sync_fetch_and_add(&life_slots.fresh, 1);

		if (slot < VMADJ_SLOTS)
			return slot;
	}
	__sync_fetch_and_add(&life_slots.lost, 1);
	return 0;
}

static __always_inline void thread_fill(struct vmadj_thread *thread, struct task_struct *task)
{
	thread->tid = task->pid;
	thread->tgid = task->tgid;
	thread->start_ns = task->start_boottime;
}

static __always_inline void thread_count(struct vmadj_thread *thread, struct task_struct *task)
{
	thread->seen.run_ns = task->se.sum_exec_runtime;
	thread->seen.wait_ns = task->sched_info.run_delay;
	thread->seen.preemptions = task->nivcsw;
	thread->seen.switches = task->nvcsw + thread->seen.preemptions;
	thread->seen.migrations = task->se.nr_migrations;
	thread->on_cpu_ns = task->on_cpu ? bpf_ktime_get_ns() : 0;
}

/*
 * The record is filled before the tag makes it visible to a switch. Whoever
 * loses a race for the same thread gives its slot back through user space.
 */
static __always_inline void thread_register(struct task_struct *task, __u32 vm, bool born)
{
	struct vmadj_tag *tag, fresh = { .vm = vm };
	__u16 *slot = slot_of_tid(task->pid);
	struct vmadj_thread *thread;

	tag = bpf_task_storage_get(&life_task, task, NULL, 0);
	if (tag) {
		/* Again, as it may have been on its way off the CPU the first time. */
		thread = bpf_map_lookup_elem(&life_thread, &tag->slot);
		if (thread)
			thread_count(thread, task);
		return;
	}
	if (!slot) {
		__sync_fetch_and_add(&life_slots.lost, 1);
		return;
	}
	fresh.slot = slot_take();
	if (!fresh.slot)
		return;
	thread = bpf_map_lookup_elem(&life_thread, &fresh.slot);
	if (!thread)
		return;
	thread_fill(thread, task);
	thread->vm = vm;
	thread_count(thread, task);
	if (!born)
		thread->base = thread->seen;
	tag = bpf_task_storage_get(&life_task, task, &fresh, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (tag && tag->slot == fresh.slot) {
		*slot = fresh.slot;
		thread->state = VMADJ_THREAD_LIVE;
	} else {
		thread->state = VMADJ_THREAD_NONE;
	}
	/* The kernel refuses storage to whoever interrupts somebody at it on the same CPU. */
	if (!tag)
		__sync_fetch_and_add(&life_slots.later, 1);
}

static __always_inline void thread_unregister(struct task_struct *task, struct vmadj_tag *tag)
{
	struct vmadj_thread *thread = bpf_map_lookup_elem(&life_thread, &tag->slot);
	__u16 *slot = slot_of_tid(task->pid);

	if (slot)
		*slot = 0;
	if (thread)
		thread->state = VMADJ_THREAD_GONE;
	bpf_task_storage_delete(&life_task, task);
}

static __always_inline void event_fill(struct vmadj_event *event, __u32 kind,
				       struct task_struct *task, struct file *program)
{
	event->kind = kind;
	event->tgid = task->tgid;
	bpf_probe_read_kernel_str(event->program, sizeof(event->program),
				  program->f_path.dentry->d_name.name);
}

static __always_inline bool is_qemu(const struct vmadj_event *event)
{
	return event->program[0] == 'q' && event->program[1] == 'e' && event->program[2] == 'm' &&
	       event->program[3] == 'u';
}

static __always_inline void event_send(struct vmadj_event *event)
{
	if (bpf_ringbuf_output(&life_event, event, sizeof(*event), 0))
		__sync_fetch_and_add(&life_lost, 1);
}

SEC("tp_btf/task_newtask")
int BPF_PROG(life_newtask, struct task_struct *task, unsigned long clone_flags)
{
	struct task_struct *parent = bpf_get_current_task_btf();
	struct vmadj_tag *tag;

	if (!parent->bpf_storage || !(clone_flags & CLONE_THREAD))
		return 0;
	tag = bpf_task_storage_get(&life_task, parent, NULL, 0);
	if (tag)
		thread_register(task, tag->vm, true);
	return 0;
}

/* A thread that executes another program takes over its leader's id. */
static __always_inline void thread_moved(struct task_struct *task, struct vmadj_tag *tag,
					 pid_t old_tid)
{
	struct vmadj_thread *thread = bpf_map_lookup_elem(&life_thread, &tag->slot);
	__u16 *slot = slot_of_tid(task->pid), *old = slot_of_tid(old_tid);

	if (thread)
		thread_fill(thread, task);
	if (old)
		*old = 0;
	if (slot)
		*slot = tag->slot;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(life_exec, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	struct vmadj_event event = {};
	struct vmadj_tag *tag = NULL;

	event_fill(&event, VMADJ_EVENT_QEMU, task, bprm->file);
	if (task->bpf_storage)
		tag = bpf_task_storage_get(&life_task, task, NULL, 0);
	if (tag) {
		thread_moved(task, tag, old_pid);
		event.kind = VMADJ_EVENT_EXEC;
	}
	if (tag || is_qemu(&event))
		event_send(&event);
	return 0;
}

static __always_inline struct vmadj_process *process_of(struct task_struct *task)
{
	__u32 tgid = task->tgid;
	struct vmadj_process *process = bpf_map_lookup_elem(&life_process, &tgid);

	if (!process || process->start_ticks != task->group_leader->start_boottime / TICK_NS)
		return NULL;
	return process;
}

/*
 * Walks tasks: tags the threads of processes that user space named, takes the
 * tags of those that it named no longer, and writes a struct vmadj_event for each QEMU
 * process that is not named.
 */
SEC("iter/task")
int life_scan_task(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct vmadj_event event = {};
	struct vmadj_process *process;
	struct vmadj_tag *tag;

	if (!task || task->flags & (PF_EXITING | PF_KTHREAD))
		return 0;
	process = process_of(task);
	if (process) {
		thread_register(task, process->vm, process->born);
		return 0;
	}
	if (task->bpf_storage) {
		tag = bpf_task_storage_get(&life_task, task, NULL, 0);
		if (tag)
			thread_unregister(task, tag);
	}
	if (task->pid != task->tgid || !task->mm || !task->mm->exe_file)
		return 0;
	event_fill(&event, VMADJ_EVENT_QEMU, task, task->mm->exe_file);
	if (is_qemu(&event))
		bpf_seq_write(ctx->meta->seq, &event, sizeof(event));
	return 0;
}

static __always_inline void *read_pointer(void *base, __s32 offset)
{
	void *value = NULL;

	if (offset >= 0)
		bpf_probe_read_kernel(&value, sizeof(value), base + offset);
	return value;
}

static __always_inline void vcpu_fill(struct vmadj_kvm_file *found, void *vcpu)
{
	struct pid *pid = read_pointer(vcpu, life_kvm.vcpu_pid);

	found->kvm = (__u64)read_pointer(vcpu, life_kvm.vcpu_kvm);
	if (life_kvm.vcpu_id >= 0)
		bpf_probe_read_kernel(&found->vcpu_id, sizeof(found->vcpu_id),
				      vcpu + life_kvm.vcpu_id);
	if (pid)
		found->tid = BPF_CORE_READ(pid, numbers[0].nr);
}

/* Walks open files and writes a struct vmadj_kvm_file for each VM and vCPU. */
SEC("iter/task_file")
int life_scan_file(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct vmadj_kvm_file found = { .vcpu_id = -1 };
	char name[8] = {};
	void *kvm;

	if (!task || !file || file->f_inode->i_sb->s_magic != ANON_INODE_FS_MAGIC)
		return 0;
	bpf_probe_read_kernel(name, sizeof(name), file->f_path.dentry->d_name.name);
	if (name[0] != 'k' || name[1] != 'v' || name[2] != 'm' || name[3] != '-' || name[4] != 'v')
		return 0;
	found.tgid = task->tgid;
	if (name[5] == 'c' && name[6] == 'p' && name[7] == 'u') {
		vcpu_fill(&found, file->private_data);
		if (found.vcpu_id < 0)
			return 0;
	} else if (name[5] == 'm' && !name[6]) {
		found.kvm = (__u64)file->private_data;
	} else {
		return 0;
	}
	kvm = (void *)found.kvm;
	found.is_owner = life_kvm.kvm_mm < 0 || !kvm ||
			 read_pointer(kvm, life_kvm.kvm_mm) == (void *)task->mm;
	bpf_seq_write(ctx->meta->seq, &found, sizeof(found));
	return 0;
}
