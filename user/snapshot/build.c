// SPDX-License-Identifier: GPL-2.0-only
/* build.c - one snapshot a tick, from the inventory's totals and those of the tick before */
#include "user/snapshot/snapshot.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include <linux/types.h>

#include "bpf/sched.h"

#include "bpf/histogram.h"
#include "user/observe/observer.h"
#include "user/observe/parts.h"
#include "user/snapshot/host.h"
#include "user/vm/inventory.h"
#include "user/vm/vm.h"

struct vmadj_snapshot_builder {
	struct vmadj_inventory *inventory;
	struct utsname uts;
	struct vmadj_cpu_ticks ticks;
	uint64_t last_ns; /* monotonic */
	struct vmadj_snapshot snapshot;
	size_t room;
	vmadj_snapshot_fill fill;
	vmadj_snapshot_complete complete;
	void *userdata;
};

static uint64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

int vmadj_snapshot_builder_new(struct vmadj_inventory *inventory,
			       struct vmadj_snapshot_builder **ret_builder)
{
	struct vmadj_snapshot_builder *builder = calloc(1, sizeof(*builder));
	struct vmadj_snap_host host;

	if (!builder)
		return -ENOMEM;
	builder->inventory = inventory;
	builder->last_ns = now_ns(CLOCK_MONOTONIC);
	(void)uname(&builder->uts);
	if (vmadj_snap_host_read(&host, &builder->ticks)) {
		free(builder);
		return -EIO;
	}
	*ret_builder = builder;
	return 0;
}

void vmadj_snapshot_builder_fill_by(struct vmadj_snapshot_builder *builder,
				    vmadj_snapshot_fill fill, vmadj_snapshot_complete complete,
				    void *userdata)
{
	builder->complete = complete;
	builder->fill = fill;
	builder->userdata = userdata;
}

static void clear(struct vmadj_snapshot_builder *builder)
{
	struct vmadj_snapshot *snapshot = &builder->snapshot;

	for (size_t i = 0; i < snapshot->n_vms; i++) {
		free(snapshot->vms[i].cpu.waited_for);
		free(snapshot->vms[i].vcpus);
	}
	snapshot->n_vms = 0;
}

void vmadj_snapshot_builder_free(struct vmadj_snapshot_builder *builder)
{
	if (!builder)
		return;
	clear(builder);
	free(builder->snapshot.vms);
	free(builder);
}

static int by_vcpu(const void *a, const void *b)
{
	const struct vmadj_snap_vcpu *x = a, *y = b;

	return x->id != y->id ? (x->id > y->id) - (x->id < y->id)
			      : (x->tid > y->tid) - (x->tid < y->tid);
}

/* Of a live VM the vCPUs that it has, of an ended one those that it had. */
static int build_vcpus(const struct vmadj_vm *vm, struct vmadj_snap_vm *row)
{
	row->vcpus = calloc(vm->n_threads + 1, sizeof(*row->vcpus));
	if (!row->vcpus)
		return -ENOMEM;
	for (size_t i = 0; i < vm->n_threads; i++) {
		const struct vmadj_vm_thread *thread = &vm->threads[i];

		if (thread->vcpu_id < 0 || (!row->ended && !thread->slot))
			continue;
		row->vcpus[row->n_vcpus++] = (struct vmadj_snap_vcpu){
			.id = thread->vcpu_id,
			.tid = thread->tid,
			.cpu = thread->cpu,
			.run_ns = thread->usage.run_ns,
			.wait_ns = thread->usage.wait_ns,
			.switches = thread->usage.switches,
			.preemptions = thread->usage.preemptions,
			.migrations = thread->usage.migrations,
		};
	}
	qsort(row->vcpus, row->n_vcpus, sizeof(*row->vcpus), by_vcpu);
	return 0;
}

static void sum_threads(struct vmadj_vm *vm, struct vmadj_snap_vm *row)
{
	struct vmadj_snap_cpu *cpu = &row->cpu;
	struct vmadj_snap_cache *cache = &row->host_cache;
	const struct vmadj_usage *ended = &vm->ended_vcpus;

	cpu->run_ns = ended->run_ns;
	cpu->wait_ns = ended->wait_ns;
	cpu->switches = ended->switches;
	cpu->preemptions = ended->preemptions;
	cpu->migrations = ended->migrations;
	cpu->emulator_run_ns = vm->ended_others.run_ns;
	cache->accessed_pages = ended->accessed_pages + vm->ended_others.accessed_pages;
	cache->miss_pages = ended->missed_pages + vm->ended_others.missed_pages;
	for (size_t i = 0; i < vm->n_threads; i++) {
		struct vmadj_usage *usage = &vm->threads[i].usage;

		vm->threads[i].reported_run_ns = usage->run_ns;
		vm->threads[i].reported_wait_ns = usage->wait_ns;
		cache->accessed_pages += usage->accessed_pages;
		cache->miss_pages += usage->missed_pages;
		if (vm->threads[i].vcpu_id < 0) {
			cpu->emulator_run_ns += usage->run_ns;
			continue;
		}
		cpu->run_ns += usage->run_ns;
		cpu->wait_ns += usage->wait_ns;
		cpu->switches += usage->switches;
		cpu->preemptions += usage->preemptions;
		cpu->migrations += usage->migrations;
	}
	/* A thread that turns out to be a vCPU is no longer one of the others. */
	if (cpu->known && cpu->emulator_run_ns > vm->last_others_run_ns)
		vm->last_others_run_ns = cpu->emulator_run_ns;
	cpu->emulator_run_ns = vm->last_others_run_ns;
	cache->hit_pages = cache->accessed_pages > cache->miss_pages
				   ? cache->accessed_pages - cache->miss_pages
				   : 0;
	/* Pages read ahead are missed before they are asked for: totals do not go back for that. */
	if (cache->hit_pages < vm->last_hit_pages)
		cache->hit_pages = vm->last_hit_pages;
}

static uint64_t grown(uint64_t *last, uint64_t now)
{
	uint64_t by = now > *last ? now - *last : 0;

	*last = now;
	return by;
}

static void build_delta(struct vmadj_vm *vm, struct vmadj_snap_vm *row, double interval_ns)
{
	struct vmadj_snap_delta *delta = &row->delta;
	struct vmadj_usage *last = &vm->last;

	delta->run_ns = grown(&last->run_ns, row->cpu.run_ns);
	delta->wait_ns = grown(&last->wait_ns, row->cpu.wait_ns);
	delta->accessed_pages = grown(&last->accessed_pages, row->host_cache.accessed_pages);
	delta->miss_pages = grown(&last->missed_pages, row->host_cache.miss_pages);
	delta->hit_pages = grown(&vm->last_hit_pages, row->host_cache.hit_pages);
	row->cpu.usage_pct = 100.0 * (double)delta->run_ns / interval_ns;
	row->cpu.wait_pct = 100.0 * (double)delta->wait_ns / interval_ns;
	row->host_cache.hit_pct = NAN;
	if (delta->accessed_pages) {
		uint64_t hits = delta->accessed_pages > delta->miss_pages
					? delta->accessed_pages - delta->miss_pages
					: 0;

		row->host_cache.hit_pct = 100.0 * (double)hits / (double)delta->accessed_pages;
	}
}

/* The wait that @part of all waits do not exceed, within its slot by the middle. */
static double percentile_us(const uint64_t *waits, double part)
{
	uint64_t all = 0, seen = 0;

	for (uint32_t slot = 0; slot < VMADJ_WAIT_SLOTS; slot++)
		all += waits[slot];
	for (uint32_t slot = 0; slot < VMADJ_WAIT_SLOTS; slot++) {
		seen += waits[slot];
		if (all && (double)seen >= part * (double)all) {
			return (double)(vmadj_wait_slot_us(slot) + vmadj_wait_slot_us(slot + 1)) /
			       2.0;
		}
	}
	return NAN;
}

static int by_wait(const void *a, const void *b)
{
	const struct vmadj_snap_waited *x = a, *y = b;

	return (x->wait_ns < y->wait_ns) - (x->wait_ns > y->wait_ns);
}

/* Lays what does not fit to "other", so that the sum stays whole. Return: how many are left. */
static size_t fold_rest(struct vmadj_snap_waited *all, size_t n)
{
	size_t kept = VMADJ_WAITED_MAX - 1, other;

	for (other = 0; other < n && strcmp(all[other].who, "other") != 0; other++)
		;
	if (other >= kept) {
		/* It takes the last place, whatever stood there counts with the rest. */
		uint64_t rest_ns = 0;

		for (size_t i = kept; i < n; i++)
			rest_ns += all[i].wait_ns;
		(void)snprintf(all[kept].who, sizeof(all[kept].who), "other");
		all[kept].wait_ns = rest_ns;
		return kept + 1;
	}
	for (size_t i = kept; i < n; i++)
		all[other].wait_ns += all[i].wait_ns;
	return kept;
}

/* VMs that bear one name, and one program's past and present, are one line. */
static int build_waited(const struct vmadj_vm *vm, struct vmadj_snap_cpu *cpu)
{
	struct vmadj_snap_waited all[VMADJ_VM_CULPRITS_MAX + 1];
	size_t n = 0, j;

	for (size_t i = 0; i < vm->n_culprits && i < VMADJ_VM_CULPRITS_MAX; i++) {
		const struct vmadj_culprit *culprit = &vm->culprits[i];

		if (!culprit->wait_ns)
			continue;
		for (j = 0; j < n && strcmp(all[j].who, culprit->name) != 0; j++)
			;
		if (j == n) {
			memcpy(all[n].who, culprit->name, sizeof(all[n].who));
			all[n++].wait_ns = 0;
		}
		all[j].wait_ns += culprit->wait_ns;
	}
	if (!n)
		return 0;
	qsort(all, n, sizeof(all[0]), by_wait);
	if (n > VMADJ_WAITED_MAX)
		n = fold_rest(all, n);
	cpu->waited_for = malloc(n * sizeof(all[0]));
	if (!cpu->waited_for)
		return -ENOMEM;
	cpu->n_waited = n;
	memcpy(cpu->waited_for, all, n * sizeof(all[0]));
	return 0;
}

static int build_vm(struct vmadj_snapshot_builder *builder, struct vmadj_vm *vm,
		    struct vmadj_snap_vm *row, double interval_ns)
{
	struct vmadj_inventory *inventory = builder->inventory;
	const struct vmadj_observer *observer = vmadj_inventory_observer(inventory);
	uint64_t waits[VMADJ_WAIT_SLOTS] = { 0 };
	const char *manager = vm->identity.manager;
	int err;

	vmadj_vm_read(inventory, vm, now_ns(CLOCK_MONOTONIC));
	*row = (struct vmadj_snap_vm){
		.id = vm->id,
		.name = vm->identity.name,
		.uuid = vm->identity.uuid,
		.vmm = vm->identity.vmm,
		.accel = vm->kvm ? "kvm" : "tcg",
		.manager = manager,
		.ended = vm->state == VMADJ_VM_ENDED,
		.pid = vm->pid,
		.start_ticks = vm->start_ticks,
		.io_read_bytes = UINT64_MAX,
	};
	row->cpu.known = vmadj_vm_vcpus_known(vm) && !vm->note;
	row->cpu.polled = vmadj_observer_mode(observer) == VMADJ_MODE_POLL;
	row->note = vm->note;
	if (!row->cpu.known && !row->note) {
		row->note =
			"QEMU does not name its threads: start it with -name NAME,debug-threads=on";
	}
	sum_threads(vm, row);
	vmadj_vm_waits(inventory, vm, waits);
	/* What was traced before it fell back to polling is not all of this interval. */
	row->cpu.wait_p50_us = row->cpu.polled ? (double)NAN : percentile_us(waits, 0.50);
	row->cpu.wait_p99_us = row->cpu.polled ? (double)NAN : percentile_us(waits, 0.99);
	row->host_cache.known = !vm->note && vmadj_observer_pagecache(observer);
	build_delta(vm, row, interval_ns);
	err = row->cpu.polled ? 0 : build_waited(vm, &row->cpu);
	return err ? err : build_vcpus(vm, row);
}

static int build_vms(struct vmadj_snapshot_builder *builder, double interval_ns)
{
	struct vmadj_snapshot *snapshot = &builder->snapshot;
	size_t n = vmadj_inventory_count(builder->inventory);
	struct vmadj_snap_vm *row;
	int err;

	if (n > builder->room) {
		row = reallocarray(snapshot->vms, n, sizeof(*row));
		if (!row)
			return -ENOMEM;
		snapshot->vms = row;
		builder->room = n;
	}
	for (size_t i = 0; i < n; i++) {
		struct vmadj_vm *vm = vmadj_inventory_vm(builder->inventory, i);

		if (vm->state != VMADJ_VM_LIVE && vm->state != VMADJ_VM_ENDED)
			continue;
		row = &snapshot->vms[snapshot->n_vms];
		err = build_vm(builder, vm, row, interval_ns);
		snapshot->n_vms++;
		if (err)
			return err;
		if (builder->fill)
			builder->fill(builder->userdata, row);
		snapshot->observer.vms += !row->ended;
		snapshot->observer.vcpus += row->ended ? 0 : (unsigned int)row->n_vcpus;
		if (row->ended)
			vm->state = VMADJ_VM_REPORTED;
	}
	return 0;
}

int vmadj_snapshot_build(struct vmadj_snapshot_builder *builder,
			 const struct vmadj_snapshot **ret_snapshot)
{
	struct vmadj_observer *observer = vmadj_inventory_observer(builder->inventory);
	struct vmadj_snapshot *snapshot = &builder->snapshot;
	uint64_t now;
	int err;

	clear(builder);
	vmadj_inventory_forget(builder->inventory);
	/* Before the tick, so that it takes note of those that the poll met dead. */
	err = vmadj_observer_poll(observer);
	if (!err)
		err = vmadj_inventory_tick(builder->inventory);
	if (!err)
		err = vmadj_snap_host_read(&snapshot->host, &builder->ticks);
	if (err)
		return err;
	now = now_ns(CLOCK_MONOTONIC);
	snapshot->host.kernel = builder->uts.release;
	snapshot->time_unix_s = (double)now_ns(CLOCK_REALTIME) / 1e9;
	snapshot->interval_s = (double)(now - builder->last_ns) / 1e9;
	snapshot->mem_vms_bytes = UINT64_MAX;
	snapshot->observer = (struct vmadj_snap_observer){
		.mode = vmadj_mode_names[vmadj_observer_mode(observer)],
		.lost_events = vmadj_inventory_lost(builder->inventory),
	};
	err = build_vms(builder, (double)(now - builder->last_ns));
	builder->last_ns = now;
	if (err)
		return err;
	if (builder->complete)
		builder->complete(builder->userdata, snapshot);
	*ret_snapshot = snapshot;
	return 0;
}
