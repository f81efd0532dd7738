/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * life.h - which threads belong to which VM: the records of life.bpf.c
 *
 * Every thread of a VM has a slot from its registration to its death; all other
 * maps are indexed by that slot. Slot 0 is never given out.
 */
#pragma once

#define VMADJ_SLOTS 16384 /* threads of all VMs together */
#define VMADJ_VMS   8192  /* processes registered at once */

enum vmadj_thread_state {
	VMADJ_THREAD_FREE = 0,
	VMADJ_THREAD_LIVE = 1,
	VMADJ_THREAD_GONE = 2, /* taken out while alive: nothing more will be counted */
	VMADJ_THREAD_NONE = 3, /* the slot was taken, but no thread could be put into it */
};

/*
 * What task storage holds: the truth about whose thread this is. It is slow to look up, so
 * life_slot_of repeats it by thread id for the tasks that have storage.
 */
struct vmadj_tag {
	__u32 slot;
	__u32 vm; /* the VM's serial number, unique while the observer runs */
};

#define VMADJ_TIDS_SHIFT 11

/* One entry of life_slot_of: the slots of 2048 thread ids that follow each other; 0: none. */
struct vmadj_tids {
	__u16 slot[1 << VMADJ_TIDS_SHIFT];
};

/* The kernel's own counters of a thread. */
struct vmadj_counters {
	__u64 run_ns;
	__u64 wait_ns;
	__u64 switches;
	__u64 preemptions;
	__u64 migrations;
};

/* One slot of life_thread. */
struct vmadj_thread {
	__u32 state; /* enum vmadj_thread_state */
	__u32 vm;
	__u32 tid;
	__u32 tgid;
	__u64 start_ns; /* boot time */
	struct vmadj_counters
		seen; /* when it was scanned last, for one that has not been switched since */
	struct vmadj_counters base; /* the same, or 0 for one that was born under observation */
	__u64 on_cpu_ns;	    /* monotonic; it was running when it was registered, else 0 */
};

/* Value of life_process, keyed by tgid: the processes that are VMs. Written by user space. */
struct vmadj_process {
	__u32 vm;
	__u32 born;	   /* 1: began under observation, its counters count from 0 */
	__u64 start_ticks; /* its start since boot, 100 a second, so that a reused id is not taken
			      for it */
};

/* Slots that user space has emptied, for BPF to take: a ring with one producer. */
struct vmadj_slots {
	__u32 fresh; /* slots below this have been used at least once */
	__u32 head;  /* taken by BPF */
	__u32 tail;  /* given by user space */
	__u32 lost;  /* threads that found no slot */
	__u32 later; /* threads that could not be tagged at that moment: the next scan will */
};

enum vmadj_event_kind {
	VMADJ_EVENT_EXEC = 1, /* a thread of a VM executed another program */
	VMADJ_EVENT_QEMU = 2, /* a program called qemu* runs that is no VM yet */
};

/* What the ring buffer brings, and life_scan_task writes. */
struct vmadj_event {
	__u32 kind;
	__u32 tgid;
	char program[24]; /* name of the file, cut */
};

/* What life_scan_file writes for each descriptor of KVM. */
struct vmadj_kvm_file {
	__u64 kvm;	/* identity of the VM, for comparing */
	__s32 vcpu_id;	/* -1: this is the VM's own descriptor */
	__u32 tgid;	/* who holds the descriptor */
	__u32 tid;	/* the thread that runs this vCPU; 0: it has not run yet */
	__u32 is_owner; /* the VM lives in the holder's memory */
};

/* Offsets in the structures of KVM, which may be a module; -1: not known. */
struct vmadj_kvm_layout {
	__s32 vcpu_id;
	__s32 vcpu_pid;
	__s32 vcpu_kvm;
	__s32 kvm_mm;
};
