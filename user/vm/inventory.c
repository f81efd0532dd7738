// SPDX-License-Identifier: GPL-2.0-only
/*
 * inventory.c - which VMs there are
 *
 * News comes from three sides: KVM's uevents (a VM was created or destroyed), BPF
 * events (a QEMU was started, a VM's process executed another program), and scans, which
 * settle what the events cannot tell. A VM is scanned often while it is young or changing, then
 * ever more seldom.
 */
#include "user/vm/inventory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/observe/life.h"
#include "user/observe/parts.h"
#include "user/util/log.h"
#include "user/util/process.h"
#include "user/vm/inventory_private.h"

#define TICK_NS	       10000000ULL  /* of start times in /proc */
#define BORN_WITHIN_NS 500000000ULL /* a process that young has done nothing but become a VM */

uint64_t vmadj_inventory_now_ns(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static size_t lower_bound(const struct vmadj_inventory *inventory, pid_t pid)
{
	size_t from = 0, to = inventory->n;

	while (from < to) {
		size_t mid = (from + to) / 2;

		if (inventory->vms[mid]->pid < pid) {
			from = mid + 1;
		} else {
			to = mid;
		}
	}
	return from;
}

bool vmadj_vm_is_over(const struct vmadj_vm *vm)
{
	return vm->state == VMADJ_VM_ENDED || vm->state == VMADJ_VM_REPORTED;
}

void vmadj_vm_confirm(struct vmadj_vm *vm)
{
	if (vm->state == VMADJ_VM_PENDING && !vm->identity.no_machine)
		vm->state = VMADJ_VM_LIVE;
}

/* The VM that this process is now; NULL: none. */
struct vmadj_vm *vmadj_inventory_find(const struct vmadj_inventory *inventory, pid_t pid)
{
	for (size_t i = lower_bound(inventory, pid); i < inventory->n; i++) {
		if (inventory->vms[i]->pid != pid)
			return NULL;
		if (!vmadj_vm_is_over(inventory->vms[i]))
			return inventory->vms[i];
	}
	return NULL;
}

struct vmadj_vm *vmadj_inventory_by_serial(const struct vmadj_inventory *inventory, uint32_t serial)
{
	struct vmadj_vm *vm = inventory->by_serial[serial % VMADJ_VMS];

	return vm && vm->serial == serial ? vm : NULL;
}

static int take_serial(struct vmadj_inventory *inventory, struct vmadj_vm *vm)
{
	for (int tries = 0; tries < VMADJ_VMS; tries++) {
		uint32_t serial = ++inventory->last_serial;

		if (inventory->by_serial[serial % VMADJ_VMS])
			continue;
		inventory->by_serial[serial % VMADJ_VMS] = vm;
		vm->serial = serial;
		return 0;
	}
	return -E2BIG;
}

static int insert(struct vmadj_inventory *inventory, struct vmadj_vm *vm)
{
	struct vmadj_vm **vms = reallocarray(inventory->vms, inventory->n + 1, sizeof(*vms));
	size_t at;

	if (!vms)
		return -ENOMEM;
	inventory->vms = vms;
	at = lower_bound(inventory, vm->pid);
	memmove(vms + at + 1, vms + at, (inventory->n - at) * sizeof(*vms));
	vms[at] = vm;
	inventory->n++;
	return 0;
}

static void discard(struct vmadj_inventory *inventory, struct vmadj_vm *vm)
{
	struct vmadj_ghost *ghost = &inventory->ghosts[vm->serial % VMADJ_GHOSTS];

	if (vm->serial) {
		inventory->by_serial[vm->serial % VMADJ_VMS] = NULL;
		ghost->serial = vm->serial;
		(void)snprintf(ghost->name, sizeof(ghost->name), "%s", vm->identity.name);
	}
	vmadj_vm_free(vm);
}

/* Tag the process's threads, of which the kernel side gives each a slot. */
static int start_counting(struct vmadj_inventory *inventory, struct vmadj_vm *vm)
{
	struct vmadj_life *life = vmadj_observer_life(inventory->observer);
	const struct vmadj_process process = {
		.vm = vm->serial,
		.born = vm->found_ns < vm->start_ticks * TICK_NS + BORN_WITHIN_NS,
		.start_ticks = vm->start_ticks,
	};
	uint64_t lost = vmadj_life_lost(life);
	int err = vmadj_life_set_process(life, vm->pid, &process);

	/* The first scan tags all VMs at once when it has found them. */
	if (err || inventory->first_scan)
		return err;
	err = vmadj_life_scan_threads(life, vm->pid, NULL, NULL);
	if (err == -ESRCH) {
		vm->note = "it ended before it could be counted";
		return 0;
	}
	return err || vmadj_life_lost(life) == lost ? err : -ENOSPC;
}

/* What cannot be taken in is named, not silently missed; once, though it is met again and again. */
static void refuse(struct vmadj_inventory *inventory, const struct vmadj_vm *vm, int err)
{
	pid_t *said = &inventory->refused_pid[(unsigned int)vm->pid % VMADJ_GHOSTS];

	if (err == -ESRCH || *said == vm->pid)
		return;
	*said = vm->pid;
	inventory->refused++;
	log_warning("VM %s, process %d, is not shown: %s",
		    vm->identity.name ? vm->identity.name : "without a name", vm->pid,
		    err == -ENOSPC || err == -E2BIG ? "no room for so many VMs and threads"
						    : strerror(-err));
}

static int vm_new(struct vmadj_inventory *inventory, pid_t pid, const char *program,
		  struct vmadj_vm **ret_vm)
{
	struct vmadj_vm *vm = calloc(1, sizeof(*vm));
	int err;

	if (!vm)
		return -ENOMEM;
	vm->pid = pid;
	vm->found_ns = vm->changed_ns = vmadj_inventory_now_ns(CLOCK_BOOTTIME);
	vm->next_scan_ns = vm->found_ns + VMADJ_FIRST_SCAN_NS;
	err = vmadj_process_start(pid, &vm->start_ticks);
	if (!err)
		err = vmadj_identity_read(pid, program, &vm->identity);
	if (!err)
		err = take_serial(inventory, vm);
	if (!err)
		err = insert(inventory, vm);
	if (err) {
		refuse(inventory, vm, err);
		discard(inventory, vm);
		return err;
	}
	(void)snprintf(vm->id, sizeof(vm->id), "%d-%llu", pid, (unsigned long long)vm->start_ticks);
	*ret_vm = vm;
	return 0;
}

void vmadj_inventory_end(struct vmadj_inventory *inventory, struct vmadj_vm *vm)
{
	(void)vmadj_life_unset_process(vmadj_observer_life(inventory->observer), vm->pid);
	vm->state = vm->state == VMADJ_VM_PENDING ? VMADJ_VM_REPORTED : VMADJ_VM_ENDED;
}

/* It is no VM any more, but its process lives: nothing of it may be counted from now on. */
void vmadj_inventory_let_go(struct vmadj_inventory *inventory, struct vmadj_vm *vm)
{
	struct vmadj_life *life = vmadj_observer_life(inventory->observer);

	vmadj_inventory_end(inventory, vm);
	(void)vmadj_life_scan_threads(life, vm->pid, NULL, NULL);
}

struct vmadj_vm *vmadj_inventory_meet(struct vmadj_inventory *inventory, pid_t pid,
				      const char *program)
{
	struct vmadj_vm *vm = vmadj_inventory_find(inventory, pid);
	int err;

	if (vm)
		return vm;
	err = vm_new(inventory, pid, program, &vm);
	if (!err) {
		err = start_counting(inventory, vm);
		if (err) {
			refuse(inventory, vm, err);
			vmadj_inventory_let_go(inventory, vm);
		}
	}
	return err ? NULL : vm;
}

void vmadj_inventory_thread_gone(struct vmadj_inventory *inventory, struct vmadj_vm *vm)
{
	if (vm->live_threads || vmadj_vm_is_over(vm))
		return;
	/* A QEMU that never got so far as to be judged was a VM if it could have been one. */
	if (vm->state == VMADJ_VM_PENDING && vm->identity.is_qemu && !vm->identity.no_machine &&
	    !vm->identity.kvm_only && vm->told)
		vm->state = VMADJ_VM_LIVE;
	vmadj_inventory_end(inventory, vm);
}

void vmadj_inventory_forget(struct vmadj_inventory *inventory)
{
	size_t kept = 0;

	for (size_t i = 0; i < inventory->n; i++) {
		struct vmadj_vm *vm = inventory->vms[i];

		/* Threads that still hold slots must be followed to their end. */
		if (vm->state == VMADJ_VM_REPORTED && !vm->live_threads) {
			discard(inventory, vm);
		} else {
			inventory->vms[kept++] = vm;
		}
	}
	inventory->n = kept;
}

size_t vmadj_inventory_count(const struct vmadj_inventory *inventory)
{
	return inventory->n;
}

struct vmadj_vm *vmadj_inventory_vm(const struct vmadj_inventory *inventory, size_t i)
{
	return inventory->vms[i];
}

struct vmadj_observer *vmadj_inventory_observer(const struct vmadj_inventory *inventory)
{
	return inventory->observer;
}

const char *vmadj_inventory_name(const struct vmadj_inventory *inventory, uint32_t serial)
{
	const struct vmadj_vm *vm = vmadj_inventory_by_serial(inventory, serial);

	const struct vmadj_ghost *ghost = &inventory->ghosts[serial % VMADJ_GHOSTS];

	if (vm)
		return vm->identity.name;
	return ghost->serial == serial ? ghost->name : NULL;
}

uint64_t vmadj_inventory_lost(const struct vmadj_inventory *inventory)
{
	return vmadj_life_lost(vmadj_observer_life(inventory->observer)) + inventory->refused;
}
