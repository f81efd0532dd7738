/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sched.h - what each thread of a VM got and waited for: the records of sched.bpf.c
 *
 * Indexed by slot (life.h). A thread is switched on one CPU at a time, so each
 * record has one writer and needs no atomics.
 */
#pragma once

enum vmadj_sched_state {
	VMADJ_SCHED_UNSEEN = 0, /* not switched since its registration */
	VMADJ_SCHED_RUNNING = 1,
	VMADJ_SCHED_SLEEPING = 2,  /* and whoever was polled */
	VMADJ_SCHED_PREEMPTED = 3, /* off its CPU, and runnable */
	VMADJ_SCHED_DEAD = 4,	   /* its last switch has been counted */
};

enum vmadj_who_kind {
	VMADJ_WHO_OTHER = 0, /* host processes that were not told apart */
	VMADJ_WHO_VM = 1,
	VMADJ_WHO_HOST = 2,
	VMADJ_WHO_KERNEL = 3,
	VMADJ_WHO_WAKEUP = 4, /* the CPU was idle: the time an idle CPU needs to wake up */
	VMADJ_WHO_LIMIT = 5,  /* the CPU was idle although the thread was runnable: cpu.max */
};

/* Who had the CPU. Names, not ids: ten processes of one program are one culprit. */
struct vmadj_who {
	union {
		struct {
			char comm[15]; /* a name has at most 15 characters */
			__u8 kind;     /* enum vmadj_who_kind */
		};
		__u32 vm; /* WHO_VM: serial of the VM; the rest of comm is 0 */
		__u64 word[2];
	};
};

/*
 * Histogram of waits: slots[i] counts waits in [lo(i), lo(i + 1)), four slots an
 * octave from 1 us on (histogram.h); slot 0 holds what is shorter, the last one what is longer.
 */
#define VMADJ_WAIT_SLOTS 96

#define VMADJ_CULPRITS 16 /* entries; the first is "other", for whoever finds no room */

struct vmadj_blame {
	struct {
		struct vmadj_who who;
		__u64 wait_ns;
	} by[VMADJ_CULPRITS];
};

/*
 * One slot of sched_thread: totals of the kernel's own counters, as of the thread's last
 * switch, or of the last poll, which fills in only those and cpu. All of it in one place, what
 * every switch needs in the first 64 bytes: most switches find it in no cache.
 */
struct vmadj_sched {
	/*
	 * Run time readable at any moment without tearing, one word: twice the run
	 * time while off the CPU; while on it, twice (run time - monotonic time of
	 * the switch) plus one, so that adding the time of reading gives run time.
	 */
	__u64 run_clock;
	__u64 run_ns;
	__u64 wait_ns;
	__u64 switches;
	__u64 preemptions;
	__u64 since_ns; /* monotonic: when it was last switched in */
	__u32 state;	/* enum vmadj_sched_state */
	__u32 cpu;	/* it ran there last */
	__u32 vm;	/* serial of its VM */
	__u32 waits_on; /* one more than the CPU it was preempted on, while PREEMPTED; else 0 */

	__u64 migrations;
	struct vmadj_who preempted_by; /* before it ran last; OTHER: it had slept */
	__u32 task;  /* whose it was when it was last switched in: of task_struct's address, a half
		      */
	__u32 moved; /* that wait is all laid to preempted_by: it ended on another CPU, or is a
			limit's */
	__u32 waits[VMADJ_WAIT_SLOTS];
	/*
	 * One half is written, as the CPU's epoch says; the other one user space empties and
	 * then turns the epoch, about once a second. So few entries serve any number of culprits.
	 */
	struct vmadj_blame blame[2];
} __attribute__((aligned(64)));

struct vmadj_stint {
	__u64 start_ns; /* monotonic */
	__u64 end_ns;
	struct vmadj_who who;
};

#define VMADJ_CPUS 4096

/*
 * Instead of the slot of the VM's thread that runs on a CPU: the thread has to be looked up when it
 * leaves, since it may have been registered while it ran.
 */
#define VMADJ_SLOT_ASK 0xffffffff

/* What a switch needs of its CPU, one cache line, written by that CPU (waiting: by any). */
struct vmadj_cpu {
	union {
		struct {
			__u32 waiting; /* threads of VMs preempted here and still runnable */
			__u32 slot;    /* of the VM's thread that runs here; 0: none does */
		};
		__u64 busy; /* 0: a switch to a thread of no VM is none of ours */
	};
	__u64 epoch; /* which half of the blame is written: its lowest bit */
	__u64 head;  /* older[head - 1] is the youngest of the older stints */
	struct vmadj_stint last;
} __attribute__((aligned(64)));

#define VMADJ_STINTS 128 /* a power of two: how far back a wait can be explained */

struct vmadj_past {
	struct vmadj_stint older[VMADJ_STINTS];
};
