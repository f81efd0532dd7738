// SPDX-License-Identifier: GPL-2.0-only
/* news.c - what the kernel tells of VMs between two samples */
#include "user/vm/inventory.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "user/observe/parts.h"
#include "user/observe/sched.h"
#include "user/util/process.h"
#include "user/vm/inventory_private.h"
#include "user/vm/uevent.h"

static void on_event(void *data, const struct vmadj_event *event)
{
	struct vmadj_inventory *inventory = data;
	struct vmadj_vm *vm = vmadj_inventory_find(inventory, (pid_t)event->tgid);
	struct vmadj_identity identity;

	if (event->kind == VMADJ_EVENT_QEMU) {
		vmadj_inventory_on_qemu(inventory, event);
		return;
	}
	if (!vm)
		return;
	/* Another program in the same process: a VM still, if it kept KVM's descriptors. */
	if (!vmadj_identity_read(vm->pid, event->program, &identity)) {
		vmadj_identity_clear(&vm->identity);
		vm->identity = identity;
	}
	vm->found_ns = 0;
	vm->changed_ns = vmadj_inventory_now_ns(CLOCK_BOOTTIME);
	if (!vm->kvm) {
		vmadj_inventory_let_go(inventory, vm);
	} else {
		vmadj_inventory_rescan(inventory, vm, vm->changed_ns);
	}
	if (vmadj_vm_is_over(vm))
		vmadj_inventory_on_qemu(inventory, event);
}

static void take_uevents(struct vmadj_inventory *inventory)
{
	uint64_t now_ns = vmadj_inventory_now_ns(CLOCK_BOOTTIME);
	struct vmadj_vm *vm;
	bool created;
	pid_t tid, pid;
	int got;

	while ((got = vmadj_uevent_read(inventory->uevents, &created, &tid)) > 0) {
		/* KVM names the thread that did it, which need not be the first of its process. */
		if (vmadj_process_of_thread(tid, &pid)) {
			/* The thread has gone; its process may be there. */
			if (created)
				inventory->next_full_ns = 0;
			continue;
		}
		vm = created ? vmadj_inventory_meet(inventory, pid, NULL)
			     : vmadj_inventory_find(inventory, pid);
		if (!vm)
			continue;
		vm->changed_ns = now_ns;
		if (created) {
			vm->kvm = true;
			vmadj_vm_confirm(vm);
			vm->next_scan_ns = now_ns + VMADJ_FIRST_SCAN_NS;
		} else {
			vm->found_ns = 0;
			vmadj_inventory_rescan(inventory, vm, now_ns);
		}
	}
	if (got == -ENOBUFS)
		(void)vmadj_inventory_scan_all(inventory);
}

static void run_due_scans(struct vmadj_inventory *inventory)
{
	uint64_t now_ns = vmadj_inventory_now_ns(CLOCK_BOOTTIME);
	uint64_t next_ns = inventory->next_full_ns;
	struct itimerspec when = { 0 };

	for (size_t i = 0; i < inventory->n; i++) {
		struct vmadj_vm *vm = inventory->vms[i];

		if (vmadj_vm_is_over(vm))
			continue;
		if (vm->next_scan_ns <= now_ns)
			vmadj_inventory_rescan(inventory, vm, now_ns);
		if (vm->next_scan_ns < next_ns)
			next_ns = vm->next_scan_ns;
	}
	when.it_value.tv_sec = (time_t)(next_ns / 1000000000);
	when.it_value.tv_nsec = (long)(next_ns % 1000000000);
	(void)timerfd_settime(inventory->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

int vmadj_inventory_dispatch(struct vmadj_inventory *inventory)
{
	struct vmadj_life *life = vmadj_observer_life(inventory->observer);
	uint64_t expired;
	int err = vmadj_life_events(life, on_event, inventory);

	if (inventory->uevents >= 0)
		take_uevents(inventory);
	if (read(inventory->timer, &expired, sizeof(expired)) < 0 && errno != EAGAIN)
		return -errno;
	vmadj_inventory_follow_threads(inventory);
	/* Here and not in the tick, so that a sample need not wait for it. */
	if (!err && (vmadj_life_later(life) != inventory->later ||
		     vmadj_inventory_now_ns(CLOCK_BOOTTIME) >= inventory->next_full_ns)) {
		err = vmadj_inventory_scan_all(inventory);
		vmadj_inventory_find_lost(inventory);
	}
	run_due_scans(inventory);
	return err;
}

int vmadj_inventory_tick(struct vmadj_inventory *inventory)
{
	int err = 0;

	/* Where KVM's news cannot be heard, the sample must look for itself. */
	if (inventory->uevents < 0)
		err = vmadj_inventory_scan_all(inventory);
	if (!err)
		err = vmadj_inventory_dispatch(inventory);
	/* Once more: what a scan let go has its last words now. */
	vmadj_inventory_follow_threads(inventory);
	for (size_t i = 0; i < inventory->n; i++)
		vmadj_vm_keep_blame(inventory, inventory->vms[i]);
	vmadj_sched_turn_epoch(vmadj_observer_sched(inventory->observer));
	return err;
}
