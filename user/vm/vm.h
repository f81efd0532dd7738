/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vm.h - one VM, its threads and what they used
 *
 * Units:     ns, pages and counts since the observer attached to the VM.
 * Ownership: the inventory owns VMs, a VM owns its threads.
 */
#pragma once

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/sched.h"
#include "user/vm/identity.h"

struct vmadj_inventory;
struct vmadj_observer;

struct vmadj_usage {
	uint64_t run_ns, wait_ns;
	uint64_t switches, preemptions, migrations;
	uint64_t accessed_pages, missed_pages;
};

struct vmadj_vm_thread {
	uint32_t slot; /* 0: it has ended, usage is final */
	pid_t tid;
	uint64_t start_ns; /* boot time */
	int vcpu_id;	   /* -1: not a vCPU */
	int cpu;	   /* ran there last; -1: not known */
	struct vmadj_usage usage;
	uint64_t reported_run_ns, reported_wait_ns; /* in the last snapshot */
	uint64_t waits_switches;		    /* the thread's when waits_before was read */
	uint32_t *waits_before; /* the histogram at the last snapshot; NULL: empty then */
};

#define VMADJ_VM_CULPRITS_MAX 256 /* names kept a VM; the rest is "other" */

struct vmadj_culprit {
	struct vmadj_who who;
	char name[64];
	uint64_t kept_ns; /* taken over from the kernel's tables, which have been emptied */
	uint64_t wait_ns; /* all */
};

/* KVM's word that the thread @tid ran vCPU @id at @seen_ns (boot time). */
struct vmadj_vcpu_seen {
	pid_t tid;
	int id;
	uint64_t seen_ns;
};

enum vmadj_vm_state {
	VMADJ_VM_PENDING, /* a QEMU of which it is not known yet whether it is a VM */
	VMADJ_VM_LIVE,
	VMADJ_VM_ENDED,
	VMADJ_VM_REPORTED, /* its end was in a snapshot */
};

struct vmadj_vm {
	uint32_t serial; /* unique while the observer runs */
	pid_t pid;
	uint64_t start_ticks;
	char id[48];
	enum vmadj_vm_state state;
	struct vmadj_identity identity;
	bool kvm;	       /* else TCG */
	bool told;	       /* KVM or QEMU told which thread is a vCPU */
	uint64_t found_ns;     /* boot time, when the inventory met it */
	uint64_t kvm_seen_ns;  /* when KVM's descriptor was seen last */
	uint64_t changed_ns;   /* when its threads changed last */
	uint64_t next_scan_ns; /* when to ask KVM for its vCPUs again */
	const char *note;      /* why it could not be counted; NULL: it could */
	unsigned int live_threads;
	struct vmadj_usage ended_vcpus; /* of vCPU threads that are no longer listed */
	struct vmadj_usage ended_others;
	struct vmadj_usage last; /* totals in the last snapshot */
	uint64_t last_hit_pages;
	uint64_t last_others_run_ns;
	size_t n_threads;
	struct vmadj_vm_thread *threads;
	size_t n_culprits;
	struct vmadj_culprit *culprits;
	size_t n_seen;
	struct vmadj_vcpu_seen *seen;
};

void vmadj_vm_free(struct vmadj_vm *vm);

/** vmadj_vm_see_vcpu() - remember that KVM runs vCPU @id in @tid; Return: 0, -ENOMEM. */
int vmadj_vm_see_vcpu(struct vmadj_vm *vm, pid_t tid, int id, uint64_t now_ns);

/** vmadj_vm_add_thread() - Return: 0; -ENOMEM. */
int vmadj_vm_add_thread(struct vmadj_vm *vm, uint32_t slot, pid_t tid, uint64_t start_ns);

/* The thread in @slot; NULL: not one of this VM's. */
struct vmadj_vm_thread *vmadj_vm_thread_at(struct vmadj_vm *vm, uint32_t slot);

/* Says which threads are vCPUs: by KVM's word, else by QEMU's names, else by QEMU's order. */
void vmadj_vm_classify(struct vmadj_vm *vm, uint64_t now_ns);

/* Whether run time and waiting of the vCPUs can be told from that of other threads. */
bool vmadj_vm_vcpus_known(const struct vmadj_vm *vm);

/** vmadj_vm_name_vcpu() - "CPU 3/KVM" is 3, "ALL CPUs/TCG" is 0; Return: -1: no vCPU's name. */
int vmadj_vm_name_vcpu(const char *thread_name);

/* Inventory, for the snapshot. VMs are sorted by pid. */
size_t vmadj_inventory_count(const struct vmadj_inventory *inventory);
struct vmadj_vm *vmadj_inventory_vm(const struct vmadj_inventory *inventory, size_t i);
struct vmadj_observer *vmadj_inventory_observer(const struct vmadj_inventory *inventory);

/* Name of the VM with that serial, also a while after its end; NULL: not known. */
const char *vmadj_inventory_name(const struct vmadj_inventory *inventory, uint32_t serial);

/* Frees VMs whose end was reported. */
void vmadj_inventory_forget(struct vmadj_inventory *inventory);

uint64_t vmadj_inventory_lost(const struct vmadj_inventory *inventory);

/* Reads the counters of all threads of @vm: usage, culprits. */
void vmadj_vm_read(struct vmadj_inventory *inventory, struct vmadj_vm *vm, uint64_t now_ns);

/* Takes over what the kernel's tables say in the half that is not being written. */
void vmadj_vm_keep_blame(struct vmadj_inventory *inventory, struct vmadj_vm *vm);

/* The last words of the thread in @slot, which has ended. */
void vmadj_vm_read_final(struct vmadj_inventory *inventory, struct vmadj_vm *vm, uint32_t slot,
			 uint64_t now_ns);

/**
 * vmadj_vm_waits() - the waits of its vCPUs since the last call, as a histogram
 *
 * @sum: VMADJ_WAIT_SLOTS counts, added to.
 */
void vmadj_vm_waits(struct vmadj_inventory *inventory, struct vmadj_vm *vm, uint64_t *sum);
