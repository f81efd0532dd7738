// SPDX-License-Identifier: GPL-2.0-only
/* usage.c - what the threads of a VM used and whom they waited for */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/observe/life.h"
#include "user/observe/pagecache.h"
#include "user/observe/parts.h"
#include "user/observe/sched.h"
#include "user/util/log.h"
#include "user/vm/vm.h"

static uint64_t since(uint64_t now, uint64_t base)
{
	return now > base ? now - base : 0;
}

/* Counters never go back: what was extrapolated may be a little ahead of what is counted later. */
static void grow(uint64_t *value, uint64_t now)
{
	if (now > *value)
		*value = now;
}

static void read_sched(const struct vmadj_thread *known, const struct vmadj_sched *sched,
		       struct vmadj_vm_thread *thread, uint64_t now_ns)
{
	const struct vmadj_counters *base = &known->base;
	struct vmadj_counters now = known->seen;
	struct vmadj_usage *usage = &thread->usage;

	if (sched->state != VMADJ_SCHED_UNSEEN) {
		now.run_ns = vmadj_sched_run_ns(sched, now_ns);
		now.wait_ns = sched->wait_ns;
		now.switches = sched->switches;
		now.preemptions = sched->preemptions;
		now.migrations = sched->migrations;
		thread->cpu = (int)sched->cpu;
	} else if (known->on_cpu_ns) {
		/* Not switched since it was met running: it has been running all the time. */
		now.run_ns += since(now_ns, known->on_cpu_ns);
	}
	grow(&usage->run_ns, since(now.run_ns, base->run_ns));
	grow(&usage->wait_ns, since(now.wait_ns, base->wait_ns));
	grow(&usage->switches, since(now.switches, base->switches));
	grow(&usage->preemptions, since(now.preemptions, base->preemptions));
	grow(&usage->migrations, since(now.migrations, base->migrations));
}

static void read_thread(struct vmadj_inventory *inventory, struct vmadj_vm_thread *thread,
			uint64_t now_ns)
{
	const struct vmadj_observer *observer = vmadj_inventory_observer(inventory);
	const struct vmadj_pagecache_view *cache = vmadj_observer_pagecache(observer);
	const struct vmadj_thread *known =
		vmadj_life_thread(vmadj_observer_life(observer), thread->slot);
	const struct vmadj_sched *sched =
		vmadj_sched_at(vmadj_observer_sched(observer), thread->slot);
	const struct vmadj_pagecache *use = cache ? vmadj_pagecache_at(cache, thread->slot) : NULL;

	if (known && sched)
		read_sched(known, sched, thread, now_ns);
	if (use) {
		thread->usage.accessed_pages = use->accessed_pages;
		thread->usage.missed_pages = use->missed_pages;
	}
}

static void name_culprit(const struct vmadj_inventory *inventory, const struct vmadj_who *who,
			 char *buf, size_t size)
{
	const char *name;

	switch (who->kind) {
	case VMADJ_WHO_VM:
		name = vmadj_inventory_name(inventory, who->vm);
		(void)snprintf(buf, size, "vm:%s", name ? name : "(ended)");
		break;
	case VMADJ_WHO_HOST:
		(void)snprintf(buf, size, "host:%.15s", who->comm);
		break;
	case VMADJ_WHO_KERNEL:
		(void)snprintf(buf, size, "kernel:%.15s", who->comm);
		break;
	case VMADJ_WHO_WAKEUP:
		(void)snprintf(buf, size, "kernel:idle-wakeup");
		break;
	case VMADJ_WHO_LIMIT:
		(void)snprintf(buf, size, "limit:cpu.max");
		break;
	default:
		(void)snprintf(buf, size, "other");
	}
}

/* The VM's entry for that culprit; a full list or memory gives the first, "other". */
static struct vmadj_culprit *culprit_of(const struct vmadj_inventory *inventory,
					struct vmadj_vm *vm, const struct vmadj_who *who)
{
	struct vmadj_culprit *culprits;

	for (size_t i = 0; i < vm->n_culprits; i++) {
		if (vm->culprits[i].who.word[0] == who->word[0] &&
		    vm->culprits[i].who.word[1] == who->word[1])
			return &vm->culprits[i];
	}
	if (vm->n_culprits >= VMADJ_VM_CULPRITS_MAX)
		return &vm->culprits[0];
	culprits = reallocarray(vm->culprits, vm->n_culprits + 1, sizeof(*culprits));
	if (!culprits)
		return vm->n_culprits ? &vm->culprits[0] : NULL;
	vm->culprits = culprits;
	culprits += vm->n_culprits++;
	*culprits = (struct vmadj_culprit){ .who = *who };
	name_culprit(inventory, who, culprits->name, sizeof(culprits->name));
	return culprits;
}

/* Entries of a blame table are used from the front; the first is "other". */
static void read_blame(struct vmadj_inventory *inventory, struct vmadj_vm *vm,
		       const struct vmadj_blame *blame, bool keep)
{
	static const struct vmadj_who other;
	struct vmadj_culprit *culprit;

	for (int i = 0; i < VMADJ_CULPRITS; i++) {
		uint64_t wait_ns = blame->by[i].wait_ns;

		if (i && !wait_ns)
			break;
		culprit = culprit_of(inventory, vm, i ? &blame->by[i].who : &other);
		if (!culprit)
			return;
		culprit->wait_ns += wait_ns;
		if (keep)
			culprit->kept_ns += wait_ns;
	}
}

void vmadj_vm_keep_blame(struct vmadj_inventory *inventory, struct vmadj_vm *vm)
{
	const struct vmadj_sched_view *view =
		vmadj_observer_sched(vmadj_inventory_observer(inventory));

	for (size_t i = 0; i < vm->n_threads; i++) {
		struct vmadj_sched *sched = vmadj_sched_at(view, vm->threads[i].slot);
		struct vmadj_blame *blame;

		if (!vm->threads[i].slot || !sched)
			continue;
		blame = vmadj_sched_blame(view, sched, 1);
		if (!blame->by[0].wait_ns && !blame->by[1].wait_ns)
			continue;
		if (vm->threads[i].vcpu_id >= 0)
			read_blame(inventory, vm, blame, true);
		memset(blame, 0, sizeof(*blame));
	}
}

void vmadj_vm_read(struct vmadj_inventory *inventory, struct vmadj_vm *vm, uint64_t now_ns)
{
	const struct vmadj_sched_view *view =
		vmadj_observer_sched(vmadj_inventory_observer(inventory));

	for (size_t i = 0; i < vm->n_culprits; i++)
		vm->culprits[i].wait_ns = vm->culprits[i].kept_ns;
	for (size_t i = 0; i < vm->n_threads; i++) {
		struct vmadj_vm_thread *thread = &vm->threads[i];
		const struct vmadj_sched *sched;

		if (!thread->slot)
			continue;
		read_thread(inventory, thread, now_ns);
		sched = vmadj_sched_at(view, thread->slot);
		for (unsigned int half = 0; half < 2 && sched && thread->vcpu_id >= 0; half++)
			read_blame(inventory, vm, &sched->blame[half], false);
	}
}

static void add(struct vmadj_usage *sum, const struct vmadj_usage *usage)
{
	sum->run_ns += usage->run_ns;
	sum->wait_ns += usage->wait_ns;
	sum->switches += usage->switches;
	sum->preemptions += usage->preemptions;
	sum->migrations += usage->migrations;
	sum->accessed_pages += usage->accessed_pages;
	sum->missed_pages += usage->missed_pages;
}

static void drop(struct vmadj_vm *vm, struct vmadj_vm_thread *thread)
{
	size_t at = (size_t)(thread - vm->threads);

	free(thread->waits_before);
	memmove(thread, thread + 1, (vm->n_threads - at - 1) * sizeof(*thread));
	vm->n_threads--;
}

/* A vCPU stays listed, for the VM's last snapshot, until a later thread of its ends. */
static void drop_predecessor(struct vmadj_vm *vm, int vcpu_id)
{
	for (size_t i = 0; i < vm->n_threads; i++) {
		struct vmadj_vm_thread *thread = &vm->threads[i];

		if (thread->slot || thread->vcpu_id != vcpu_id)
			continue;
		add(&vm->ended_vcpus, &thread->usage);
		drop(vm, thread);
		return;
	}
}

void vmadj_vm_read_final(struct vmadj_inventory *inventory, struct vmadj_vm *vm, uint32_t slot,
			 uint64_t now_ns)
{
	const struct vmadj_sched_view *view =
		vmadj_observer_sched(vmadj_inventory_observer(inventory));
	const struct vmadj_sched *sched = vmadj_sched_at(view, slot);
	struct vmadj_vm_thread *thread = vmadj_vm_thread_at(vm, slot);

	if (!thread)
		return;
	read_thread(inventory, thread, now_ns);
	vm->live_threads--;
	if (thread->vcpu_id < 0) {
		add(&vm->ended_others, &thread->usage);
		drop(vm, thread);
		return;
	}
	for (unsigned int half = 0; half < 2 && sched; half++)
		read_blame(inventory, vm, &sched->blame[half], true);
	drop_predecessor(vm, thread->vcpu_id);
	thread = vmadj_vm_thread_at(vm, slot);
	thread->slot = 0;
}

void vmadj_vm_waits(struct vmadj_inventory *inventory, struct vmadj_vm *vm, uint64_t *sum)
{
	const struct vmadj_sched_view *view =
		vmadj_observer_sched(vmadj_inventory_observer(inventory));

	for (size_t i = 0; i < vm->n_threads; i++) {
		struct vmadj_vm_thread *thread = &vm->threads[i];
		const struct vmadj_sched *sched;

		if (thread->vcpu_id < 0 || !thread->slot)
			continue;
		sched = vmadj_sched_at(view, thread->slot);
		/* A wait is written down with the switch that follows it. */
		if (!sched || sched->switches == thread->waits_switches)
			continue;
		if (!thread->waits_before)
			thread->waits_before = calloc(VMADJ_WAIT_SLOTS, sizeof(uint32_t));
		if (!thread->waits_before)
			continue;
		thread->waits_switches = sched->switches;
		for (int slot = 0; slot < VMADJ_WAIT_SLOTS; slot++) {
			sum[slot] += sched->waits[slot] - thread->waits_before[slot];
			thread->waits_before[slot] = sched->waits[slot];
		}
	}
}
