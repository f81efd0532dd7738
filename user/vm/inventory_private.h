/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * inventory_private.h - what the files of the inventory share among themselves
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "user/observe/life.h"
#include "user/vm/vm.h"

#define VMADJ_FIRST_SCAN_NS 5000000ULL /* a new VM is looked at again so soon */
#define VMADJ_GHOSTS	    1024       /* ended VMs whose names are kept, the youngest */

struct vmadj_ghost {
	uint32_t serial;
	char name[60];
};

struct vmadj_inventory {
	struct vmadj_observer *observer;
	int uevents; /* -1: KVM's news cannot be heard, each tick looks for itself */
	int timer;
	bool first_scan;
	uint64_t next_full_ns; /* boot time */
	uint64_t refused;
	pid_t refused_pid[VMADJ_GHOSTS]; /* those that were named, at pid modulo their number */
	uint64_t lost;	/* vmadj_life_lost() when it was asked whose threads those are */
	uint32_t later; /* vmadj_life_later() when all threads were scanned last */
	uint32_t last_serial;
	size_t n;
	struct vmadj_vm **vms; /* by pid */
	struct vmadj_vm *by_serial[VMADJ_VMS];
	struct vmadj_vm *by_slot[VMADJ_SLOTS];	 /* whose thread is in that slot */
	struct vmadj_ghost ghosts[VMADJ_GHOSTS]; /* at serial modulo their number */
	size_t n_emptied;
	uint32_t emptied[VMADJ_SLOTS]; /* read for the last time, given back by the next tick */
};

uint64_t vmadj_inventory_now_ns(clockid_t clock);
struct vmadj_vm *vmadj_inventory_by_serial(const struct vmadj_inventory *inventory,
					   uint32_t serial);

bool vmadj_vm_is_over(const struct vmadj_vm *vm);

/* It is a VM: but for a QEMU that was only asked what it can do, which has KVM's descriptors too.
 */
void vmadj_vm_confirm(struct vmadj_vm *vm);

/* The VM that this process is now; NULL: none. */
struct vmadj_vm *vmadj_inventory_find(const struct vmadj_inventory *inventory, pid_t pid);

/* The same, and where it is none so far, from now on; NULL: refused, and said so. */
struct vmadj_vm *vmadj_inventory_meet(struct vmadj_inventory *inventory, pid_t pid,
				      const char *program);

/* It has ended; and: it is no VM any more, but its process lives. */
void vmadj_inventory_end(struct vmadj_inventory *inventory, struct vmadj_vm *vm);
void vmadj_inventory_let_go(struct vmadj_inventory *inventory, struct vmadj_vm *vm);

/* Asks KVM what it knows of this VM, and settles what is open (scan.c). */
void vmadj_inventory_rescan(struct vmadj_inventory *inventory, struct vmadj_vm *vm,
			    uint64_t now_ns);
void vmadj_inventory_on_qemu(void *inventory, const struct vmadj_event *event);

/* The kernel's side only counts the threads that find no slot: asks VM by VM whose they are. */
void vmadj_inventory_find_lost(struct vmadj_inventory *inventory);

/** vmadj_inventory_scan_all() - look at every process; Return: 0, -errno. */
int vmadj_inventory_scan_all(struct vmadj_inventory *inventory);

/* Meets threads that came, and reads those that went for the last time (threads.c). */
void vmadj_inventory_follow_threads(struct vmadj_inventory *inventory);

/* Called when a thread of @vm has ended. */
void vmadj_inventory_thread_gone(struct vmadj_inventory *inventory, struct vmadj_vm *vm);
