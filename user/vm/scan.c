// SPDX-License-Identifier: GPL-2.0-only
/* scan.c - look for VMs, and for what became of those that are known */
#include <errno.h>
#include <string.h>

#include "user/observe/parts.h"
#include "user/util/log.h"
#include "user/vm/inventory_private.h"

#define MS		 1000000ULL
#define SETTLED_AFTER_NS (20000 * MS)
#define FULL_SCAN_NS	 (10000 * MS)
#define PENDING_NS	 (300 * MS)
#define NO_DESCRIPTOR_NS (1000 * MS)

struct scan {
	struct vmadj_inventory *inventory;
	struct vmadj_vm *only; /* NULL: all processes */
	bool found;
	uint64_t now_ns;
};

static void on_kvm_file(void *data, const struct vmadj_kvm_file *file)
{
	struct scan *scan = data;
	struct vmadj_vm *vm;

	if (!file->is_owner)
		return;
	vm = scan->only ? scan->only
			: vmadj_inventory_meet(scan->inventory, (pid_t)file->tgid, NULL);
	if (!vm)
		return;
	scan->found = true;
	vm->kvm = true;
	vm->kvm_seen_ns = scan->now_ns;
	vmadj_vm_confirm(vm);
	if (file->vcpu_id >= 0 && file->tid)
		(void)vmadj_vm_see_vcpu(vm, (pid_t)file->tid, file->vcpu_id, scan->now_ns);
}

/* A QEMU without a VM of KVM's: is it one under TCG, will it become one of KVM's, or neither? */
static void judge_pending(struct vmadj_inventory *inventory, struct vmadj_vm *vm, uint64_t now_ns)
{
	if (vm->identity.no_machine || !vm->identity.is_qemu) {
		vmadj_inventory_let_go(inventory, vm);
	} else if (!vm->identity.kvm_only && (vm->told || now_ns - vm->found_ns > PENDING_NS)) {
		vm->state = VMADJ_VM_LIVE;
	}
}

/*
 * A thread without a slot is in no figure, so the VM has none that is right. Once there is room,
 * the thread is counted from its beginning.
 */
static void scan_threads(struct vmadj_life *life, struct vmadj_vm *vm)
{
	static const char no_room[] =
		"no room for all of its threads: too many are observed on this host";
	uint64_t lost = vmadj_life_lost(life);

	(void)vmadj_life_scan_threads(life, vm->pid, NULL, NULL);
	if (vmadj_life_lost(life) != lost) {
		if (!vm->note)
			log_warning("VM %s, process %d: %s", vm->identity.name, vm->pid, no_room);
		vm->note = no_room;
	} else if (vm->note == no_room) {
		vm->note = NULL;
	}
}

void vmadj_inventory_find_lost(struct vmadj_inventory *inventory)
{
	struct vmadj_life *life = vmadj_observer_life(inventory->observer);
	bool more = vmadj_life_lost(life) != inventory->lost;

	for (size_t i = 0; i < inventory->n; i++) {
		struct vmadj_vm *vm = inventory->vms[i];

		if (!vmadj_vm_is_over(vm) && (more || vm->note))
			scan_threads(life, vm);
	}
	inventory->lost = vmadj_life_lost(life);
}

void vmadj_inventory_rescan(struct vmadj_inventory *inventory, struct vmadj_vm *vm, uint64_t now_ns)
{
	struct vmadj_life *life = vmadj_observer_life(inventory->observer);
	struct scan scan = { inventory, vm, false, now_ns };
	uint64_t still = now_ns - vm->changed_ns;
	int err;

	vm->next_scan_ns = now_ns + (still < VMADJ_FIRST_SCAN_NS ? VMADJ_FIRST_SCAN_NS : still);
	if (still > SETTLED_AFTER_NS)
		vm->next_scan_ns = UINT64_MAX;
	err = vmadj_life_scan_files(life, vm->pid, on_kvm_file, &scan);
	if (err == -ESRCH && !vm->live_threads)
		vmadj_inventory_end(inventory, vm);
	if (err)
		return;
	scan_threads(life, vm);
	/* The news of a VM comes a moment before its descriptor. */
	if (vm->kvm && !scan.found && now_ns - vm->found_ns > NO_DESCRIPTOR_NS) {
		vmadj_inventory_let_go(inventory, vm);
	} else if (vm->state == VMADJ_VM_PENDING) {
		judge_pending(inventory, vm, now_ns);
	}
	vmadj_vm_classify(vm, now_ns);
}

void vmadj_inventory_on_qemu(void *data, const struct vmadj_event *event)
{
	struct vmadj_inventory *inventory = data;

	/* qemu-img, qemu-nbd and the like run no guest. */
	if (strncmp(event->program, "qemu-system-", 12) != 0 &&
	    strcmp(event->program, "qemu-kvm") != 0)
		return;
	(void)vmadj_inventory_meet(inventory, (pid_t)event->tgid, event->program);
}

int vmadj_inventory_scan_all(struct vmadj_inventory *inventory)
{
	struct vmadj_life *life = vmadj_observer_life(inventory->observer);
	uint64_t now_ns = vmadj_inventory_now_ns(CLOCK_BOOTTIME);
	struct scan scan = { inventory, NULL, false, now_ns };
	int err;

	inventory->next_full_ns = now_ns + FULL_SCAN_NS;
	inventory->later = vmadj_life_later(life);
	err = vmadj_life_scan_files(life, 0, on_kvm_file, &scan);
	/* The first pass names the QEMUs that are no KVM VMs, the second tags their threads. */
	for (int pass = 0; pass < (inventory->first_scan ? 2 : 1) && !err; pass++)
		err = vmadj_life_scan_threads(life, 0, vmadj_inventory_on_qemu, inventory);
	for (size_t i = 0; i < inventory->n && !err; i++) {
		struct vmadj_vm *vm = inventory->vms[i];

		if (vm->kvm && !vmadj_vm_is_over(vm) && vm->kvm_seen_ns != now_ns &&
		    now_ns - vm->found_ns > NO_DESCRIPTOR_NS)
			vmadj_inventory_let_go(inventory, vm);
	}
	return err;
}
