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
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "user/observe/life.h"
#include "user/observe/parts.h"
#include "user/observe/sched.h"
#include "user/util/log.h"
#include "user/util/process.h"
#include "user/vm/inventory_private.h"
#include "user/vm/uevent.h"

#define MS		 1000000ULL
#define FIRST_SCAN_NS	 (5 * MS)
#define SETTLED_AFTER_NS (20000 * MS)
#define FULL_SCAN_NS	 (10000 * MS)
#define PENDING_NS	 (300 * MS)
#define NO_DESCRIPTOR_NS (1000 * MS)
#define TICK_NS		 (10 * MS)  /* of start times in /proc */
#define BORN_WITHIN_NS	 (500 * MS) /* a process that young has done nothing but become a VM */

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

static bool is_over(const struct vmadj_vm *vm)
{
	return vm->state == VMADJ_VM_ENDED || vm->state == VMADJ_VM_REPORTED;
}

/* The VM that this process is now; NULL: none. */
static struct vmadj_vm *find(const struct vmadj_inventory *inventory, pid_t pid)
{
	for (size_t i = lower_bound(inventory, pid); i < inventory->n; i++) {
		if (inventory->vms[i]->pid != pid)
			return NULL;
		if (!is_over(inventory->vms[i]))
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

static int vm_new(struct vmadj_inventory *inventory, pid_t pid, const char *program,
		  struct vmadj_vm **ret_vm)
{
	struct vmadj_vm *vm = calloc(1, sizeof(*vm));
	int err;

	if (!vm)
		return -ENOMEM;
	vm->pid = pid;
	vm->found_ns = vm->changed_ns = vmadj_inventory_now_ns(CLOCK_BOOTTIME);
	vm->next_scan_ns = vm->found_ns + FIRST_SCAN_NS;
	err = vmadj_process_start(pid, &vm->start_ticks);
	if (!err)
		err = vmadj_identity_read(pid, program, &vm->identity);
	if (!err)
		err = take_serial(inventory, vm);
	if (!err)
		err = insert(inventory, vm);
	if (err) {
		discard(inventory, vm);
		return err;
	}
	(void)snprintf(vm->id, sizeof(vm->id), "%d-%llu", pid, (unsigned long long)vm->start_ticks);
	*ret_vm = vm;
	return 0;
}

static void end(struct vmadj_inventory *inventory, struct vmadj_vm *vm)
{
	(void)vmadj_life_unset_process(vmadj_observer_life(inventory->observer), vm->pid);
	vm->state = vm->state == VMADJ_VM_PENDING ? VMADJ_VM_REPORTED : VMADJ_VM_ENDED;
}

/* It is no VM any more, but its process lives: nothing of it may be counted from now on. */
static void let_go(struct vmadj_inventory *inventory, struct vmadj_vm *vm)
{
	struct vmadj_life *life = vmadj_observer_life(inventory->observer);

	end(inventory, vm);
	(void)vmadj_life_scan_threads(life, vm->pid, NULL, NULL);
}

/* Meet a process; what cannot be taken in is named, not silently missed. */
static struct vmadj_vm *meet(struct vmadj_inventory *inventory, pid_t pid, const char *program)
{
	struct vmadj_vm *vm = find(inventory, pid);
	int err;

	if (vm)
		return vm;
	err = vm_new(inventory, pid, program, &vm);
	if (!err) {
		err = start_counting(inventory, vm);
		if (err)
			let_go(inventory, vm);
	}
	if (err && err != -ESRCH) {
		inventory->refused++;
		log_warning("VM of process %d is not shown: %s", pid,
			    err == -ENOSPC || err == -E2BIG ? "no room for so many VMs and threads"
							    : strerror(-err));
	}
	return err ? NULL : vm;
}

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
	vm = scan->only ? scan->only : meet(scan->inventory, (pid_t)file->tgid, NULL);
	if (!vm)
		return;
	scan->found = true;
	vm->kvm = true;
	vm->kvm_seen_ns = scan->now_ns;
	if (vm->state == VMADJ_VM_PENDING)
		vm->state = VMADJ_VM_LIVE;
	if (file->vcpu_id >= 0 && file->tid)
		(void)vmadj_vm_see_vcpu(vm, (pid_t)file->tid, file->vcpu_id, scan->now_ns);
}

/* A QEMU without a VM of KVM's: is it one under TCG, will it become one of KVM's, or neither? */
static void judge_pending(struct vmadj_inventory *inventory, struct vmadj_vm *vm, uint64_t now_ns)
{
	if (vm->identity.no_machine || !vm->identity.is_qemu) {
		let_go(inventory, vm);
	} else if (!vm->identity.kvm_only && (vm->told || now_ns - vm->found_ns > PENDING_NS)) {
		vm->state = VMADJ_VM_LIVE;
	}
}

static void rescan(struct vmadj_inventory *inventory, struct vmadj_vm *vm, uint64_t now_ns)
{
	struct vmadj_life *life = vmadj_observer_life(inventory->observer);
	struct scan scan = { inventory, vm, false, now_ns };
	uint64_t still = now_ns - vm->changed_ns;
	int err;

	vm->next_scan_ns = now_ns + (still < FIRST_SCAN_NS ? FIRST_SCAN_NS : still);
	if (still > SETTLED_AFTER_NS)
		vm->next_scan_ns = UINT64_MAX;
	err = vmadj_life_scan_files(life, vm->pid, on_kvm_file, &scan);
	if (err == -ESRCH && !vm->live_threads)
		end(inventory, vm);
	if (err)
		return;
	/* The news of a VM comes a moment before its descriptor. */
	if (vm->kvm && !scan.found && now_ns - vm->found_ns > NO_DESCRIPTOR_NS) {
		let_go(inventory, vm);
	} else if (vm->state == VMADJ_VM_PENDING) {
		judge_pending(inventory, vm, now_ns);
	}
	vmadj_vm_classify(vm, now_ns);
}

static void on_qemu(void *data, const struct vmadj_event *event)
{
	struct vmadj_inventory *inventory = data;

	/* qemu-img, qemu-nbd and the like run no guest. */
	if (strncmp(event->program, "qemu-system-", 12) != 0 &&
	    strcmp(event->program, "qemu-kvm") != 0)
		return;
	(void)meet(inventory, (pid_t)event->tgid, event->program);
}

int vmadj_inventory_scan_all(struct vmadj_inventory *inventory)
{
	struct vmadj_life *life = vmadj_observer_life(inventory->observer);
	uint64_t now_ns = vmadj_inventory_now_ns(CLOCK_BOOTTIME);
	struct scan scan = { inventory, NULL, false, now_ns };
	int err;

	inventory->next_full_ns = now_ns + FULL_SCAN_NS;
	err = vmadj_life_scan_files(life, 0, on_kvm_file, &scan);
	/* The first pass names the QEMUs that are no KVM VMs, the second tags their threads. */
	for (int pass = 0; pass < (inventory->first_scan ? 2 : 1) && !err; pass++)
		err = vmadj_life_scan_threads(life, 0, on_qemu, inventory);
	for (size_t i = 0; i < inventory->n && !err; i++) {
		struct vmadj_vm *vm = inventory->vms[i];

		if (vm->kvm && !is_over(vm) && vm->kvm_seen_ns != now_ns &&
		    now_ns - vm->found_ns > NO_DESCRIPTOR_NS)
			let_go(inventory, vm);
	}
	return err;
}

static void on_event(void *data, const struct vmadj_event *event)
{
	struct vmadj_inventory *inventory = data;
	struct vmadj_vm *vm = find(inventory, (pid_t)event->tgid);
	struct vmadj_identity identity;

	if (event->kind == VMADJ_EVENT_QEMU) {
		on_qemu(inventory, event);
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
		let_go(inventory, vm);
	} else {
		rescan(inventory, vm, vm->changed_ns);
	}
	if (is_over(vm))
		on_qemu(inventory, event);
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
			inventory->refused += created;
			continue;
		}
		vm = created ? meet(inventory, pid, NULL) : find(inventory, pid);
		if (!vm)
			continue;
		vm->changed_ns = now_ns;
		if (created) {
			vm->kvm = true;
			vm->state = VMADJ_VM_LIVE;
			vm->next_scan_ns = now_ns + FIRST_SCAN_NS;
		} else {
			vm->found_ns = 0;
			rescan(inventory, vm, now_ns);
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

		if (is_over(vm))
			continue;
		if (vm->next_scan_ns <= now_ns)
			rescan(inventory, vm, now_ns);
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
	if (!err && vmadj_inventory_now_ns(CLOCK_BOOTTIME) >= inventory->next_full_ns)
		err = vmadj_inventory_scan_all(inventory);
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

void vmadj_inventory_thread_gone(struct vmadj_inventory *inventory, struct vmadj_vm *vm)
{
	if (vm->live_threads || is_over(vm))
		return;
	/* A QEMU that never got so far as to be judged was a VM if it could have been one. */
	if (vm->state == VMADJ_VM_PENDING && vm->identity.is_qemu && !vm->identity.no_machine &&
	    !vm->identity.kvm_only && vm->told)
		vm->state = VMADJ_VM_LIVE;
	end(inventory, vm);
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
