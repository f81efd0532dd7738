// SPDX-License-Identifier: GPL-2.0-only
/* threads.c - threads come and go: from a slot's first use to its return */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/observe/pagecache.h"
#include "user/observe/parts.h"
#include "user/observe/sched.h"
#include "user/util/log.h"
#include "user/vm/inventory_private.h"

/*
 * A slot goes back one round after it was read for the last time: a switch that was under way when
 * the tag was taken may still have written to it.
 */
static void give_back(struct vmadj_inventory *inventory)
{
	struct vmadj_observer *observer = inventory->observer;

	for (size_t i = 0; i < inventory->n_emptied; i++) {
		uint32_t slot = inventory->emptied[i];

		vmadj_sched_clear(vmadj_observer_sched(observer), slot);
		if (vmadj_observer_pagecache(observer))
			vmadj_pagecache_clear(vmadj_observer_pagecache(observer), slot);
		vmadj_life_give_back(vmadj_observer_life(observer), slot);
	}
	inventory->n_emptied = 0;
}

static void came(struct vmadj_inventory *inventory, uint32_t slot,
		 const struct vmadj_thread *thread, uint64_t now_ns)
{
	struct vmadj_vm *vm = vmadj_inventory_by_serial(inventory, thread->vm);

	if (!vm)
		return;
	if (vmadj_vm_add_thread(vm, slot, (pid_t)thread->tid, thread->start_ns)) {
		log_err("out of memory: thread %u of VM %s is not counted", thread->tid, vm->id);
		return;
	}
	inventory->by_slot[slot] = vm;
	vm->changed_ns = now_ns;
	vm->next_scan_ns = now_ns;
}

static void went(struct vmadj_inventory *inventory, uint32_t slot, uint64_t now_ns)
{
	struct vmadj_vm *vm = inventory->by_slot[slot];

	if (vm) {
		vmadj_vm_classify(vm, now_ns);
		vmadj_vm_read_final(inventory, vm, slot, vmadj_inventory_now_ns(CLOCK_MONOTONIC));
		vmadj_inventory_thread_gone(inventory, vm);
		inventory->by_slot[slot] = NULL;
	}
	inventory->emptied[inventory->n_emptied++] = slot;
}

void vmadj_inventory_follow_threads(struct vmadj_inventory *inventory)
{
	struct vmadj_life *life = vmadj_observer_life(inventory->observer);
	struct vmadj_sched_view *view = vmadj_observer_sched(inventory->observer);
	uint64_t now_ns = vmadj_inventory_now_ns(CLOCK_BOOTTIME);

	give_back(inventory);
	if (vmadj_observer_refresh(inventory->observer))
		return;
	for (uint32_t slot = 1; slot < vmadj_life_slots(life); slot++) {
		const struct vmadj_thread *thread = vmadj_life_thread(life, slot);
		const struct vmadj_sched *sched = vmadj_sched_at(view, slot);

		if (!thread || !sched || thread->state == VMADJ_THREAD_FREE)
			continue;
		if (thread->state == VMADJ_THREAD_NONE) {
			inventory->emptied[inventory->n_emptied++] = slot;
			continue;
		}
		if (!inventory->by_slot[slot])
			came(inventory, slot, thread, now_ns);
		if (thread->state == VMADJ_THREAD_GONE || sched->state == VMADJ_SCHED_DEAD)
			went(inventory, slot, now_ns);
	}
}
