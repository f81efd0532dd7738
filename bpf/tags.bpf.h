/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tags.bpf.h - whose thread is this? life.bpf.c's maps, which all programs share
 *
 * User space gives the maps of life.bpf.c to the other objects when it loads them.
 */
#pragma once

/* Tag of each thread of a VM. Sized by the tasks themselves. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct vmadj_tag);
} life_task SEC(".maps");

/* Key: thread id >> VMADJ_TIDS_SHIFT; sized to the host's greatest id before loading. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct vmadj_tids);
} life_slot_of SEC(".maps");

/* Key: slot. Read by user space through mmap. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, VMADJ_SLOTS);
	__type(key, __u32);
	__type(value, struct vmadj_thread);
} life_thread SEC(".maps");

/* Where the slot of that thread id is written; NULL: it is greater than the host's greatest was. */
static __always_inline __u16 *slot_of_tid(__u32 tid)
{
	__u32 key = tid >> VMADJ_TIDS_SHIFT;
	struct vmadj_tids *tids = bpf_map_lookup_elem(&life_slot_of, &key);

	return tids ? &tids->slot[tid & ((1 << VMADJ_TIDS_SHIFT) - 1)] : NULL;
}

/* The slot of a thread; 0: it is no VM's. Storage alone may be somebody else's. */
static __always_inline __u32 slot_of(struct task_struct *task)
{
	__u16 *slot;

	if (!task->bpf_storage)
		return 0;
	slot = slot_of_tid(task->pid);
	return slot ? *slot : 0;
}
