// SPDX-License-Identifier: GPL-2.0-only
/* world.c - an observer in the test's own process, and what it says of each VM */
#include "tests/lib/world.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/observe/parts.h"
#include "user/vm/inventory.h"
#include "user/vm/vm.h"

#define WORLDS_MAX 4
#define FDS_MAX	   8
#define TICK_NS	   1000000000LL

struct vmadj_world {
	struct vmadj_observer *observer;
	struct vmadj_inventory *inventory;
	struct vmadj_snapshot_builder *builder;
	const struct vmadj_snapshot *last;
	int64_t tick_ns; /* monotonic: when the next tick is due */
};

static struct vmadj_world *worlds[WORLDS_MAX];

static int64_t now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static struct vmadj_world *world_new(void)
{
	for (size_t i = 0; i < WORLDS_MAX; i++) {
		if (worlds[i])
			continue;
		worlds[i] = calloc(1, sizeof(*worlds[i]));
		return worlds[i];
	}
	return NULL;
}

/* What the observer itself calls fatal: rights or the kernel are a reason to skip, a wrong count
 * is not. */
static void say_why_not(const struct vmadj_observer *observer)
{
	const struct vmadj_checks *checks = vmadj_observer_checks(observer);

	for (size_t i = 0; i < checks->n; i++) {
		const struct vmadj_check *check = &checks->check[i];

		if (check->state != VMADJ_CHECK_FATAL)
			continue;
		if (!strcmp(check->area, "rights") || !strcmp(check->area, "kernel"))
			cr_skip_test("cannot observe here: %s: %s", check->name, check->found);
		cr_fatal("cannot observe: %s: %s", check->name, check->found);
	}
	cr_fatal("cannot observe, and no check says why");
}

struct vmadj_world *vmadj_world_open_as(enum vmadj_mode mode)
{
	const struct vmadj_observer_options options = { .mode = mode, .self_test = true };
	struct vmadj_world *world = world_new();
	int err;

	if (!world)
		cr_fatal("no room for a world");
	err = vmadj_observer_open(&options, &world->observer);
	if (err)
		cr_fatal("observer: %s", strerror(-err));
	if (!vmadj_observer_running(world->observer))
		say_why_not(world->observer);
	err = vmadj_inventory_new(world->observer, &world->inventory);
	if (!err)
		err = vmadj_snapshot_builder_new(world->inventory, &world->builder);
	if (err)
		cr_fatal("inventory: %s", strerror(-err));
	world->tick_ns = now_ns() + TICK_NS;
	return world;
}

struct vmadj_world *vmadj_world_open(void)
{
	const char *mode = getenv("VMADJ_MODE");
	bool poll = mode && strcmp(mode, vmadj_mode_names[VMADJ_MODE_POLL]) == 0;

	return vmadj_world_open_as(poll ? VMADJ_MODE_POLL : VMADJ_MODE_TRACE);
}

void vmadj_world_close(struct vmadj_world *world)
{
	if (!world)
		return;
	for (size_t i = 0; i < WORLDS_MAX; i++) {
		if (worlds[i] == world)
			worlds[i] = NULL;
	}
	vmadj_snapshot_builder_free(world->builder);
	vmadj_inventory_free(world->inventory);
	vmadj_observer_close(world->observer);
	free(world);
}

void vmadj_world_close_all(void)
{
	for (size_t i = 0; i < WORLDS_MAX; i++)
		vmadj_world_close(worlds[i]);
}

/* Until something is to be read or @until_ns; Return: whether that time has not come. */
static bool wait_readable(const struct vmadj_world *world, int64_t until_ns)
{
	struct pollfd pollfds[FDS_MAX];
	int fds[FDS_MAX], n = vmadj_inventory_fds(world->inventory, fds, FDS_MAX);
	int64_t left_ns = until_ns - now_ns();
	struct timespec left = { left_ns / 1000000000, left_ns % 1000000000 };

	if (left_ns <= 0)
		return false;
	for (int i = 0; i < n; i++)
		pollfds[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
	return ppoll(pollfds, (nfds_t)n, &left, NULL) > 0;
}

void vmadj_world_serve(struct vmadj_world *world, double seconds)
{
	int64_t end_ns = now_ns() + (int64_t)(seconds * 1e9);
	int err = 0;

	while (!err && now_ns() < end_ns) {
		int64_t until_ns = world->tick_ns < end_ns ? world->tick_ns : end_ns;

		if (wait_readable(world, until_ns))
			err = vmadj_inventory_dispatch(world->inventory);
		if (err || now_ns() < world->tick_ns)
			continue;
		world->tick_ns += TICK_NS;
		err = vmadj_inventory_tick(world->inventory);
	}
	if (err)
		cr_fatal("inventory: %s", strerror(-err));
}

const struct vmadj_snapshot *vmadj_world_sample(struct vmadj_world *world, double seconds)
{
	int err;

	vmadj_world_serve(world, seconds);
	err = vmadj_inventory_dispatch(world->inventory);
	if (!err)
		err = vmadj_snapshot_build(world->builder, &world->last);
	if (err)
		cr_fatal("sample: %s", strerror(-err));
	return world->last;
}

static void keep_text(char *copy, size_t size, const char **text)
{
	if (!*text)
		return;
	(void)snprintf(copy, size, "%s", *text);
	*text = NULL;
}

static void keep(const struct vmadj_snap_vm *vm, struct vmadj_world_vm *row)
{
	size_t n = vm->n_vcpus < VMADJ_WORLD_VCPUS ? vm->n_vcpus : VMADJ_WORLD_VCPUS;

	memset(row, 0, sizeof(*row));
	row->vm = *vm;
	row->vm.n_vcpus = n;
	row->vm.vcpus = NULL; /* a copy of this struct would point to the original */
	memcpy(row->vcpus, vm->vcpus, n * sizeof(row->vcpus[0]));
	row->vm.cpu.waited_for = NULL;
	if (vm->cpu.n_waited) {
		memcpy(row->waited, vm->cpu.waited_for, vm->cpu.n_waited * sizeof(row->waited[0]));
	}
	keep_text(row->id, sizeof(row->id), &row->vm.id);
	keep_text(row->name, sizeof(row->name), &row->vm.name);
	keep_text(row->uuid, sizeof(row->uuid), &row->vm.uuid);
	keep_text(row->manager, sizeof(row->manager), &row->vm.manager);
	keep_text(row->note, sizeof(row->note), &row->vm.note);
	keep_text(row->accel, sizeof(row->accel), &row->vm.accel);
	keep_text(row->vmm, sizeof(row->vmm), &row->vm.vmm);
}

bool vmadj_world_find(const struct vmadj_world *world, pid_t pid, struct vmadj_world_vm *ret_vm)
{
	const struct vmadj_snapshot *last = world->last;
	const struct vmadj_snap_vm *found = NULL;

	for (size_t i = 0; last && i < last->n_vms; i++) {
		const struct vmadj_snap_vm *vm = &last->vms[i];

		if (vm->pid != pid)
			continue;
		if (found && found->ended == vm->ended)
			cr_fatal("process %d is listed twice in one sample", pid);
		if (!found || found->ended)
			found = vm;
	}
	if (found)
		keep(found, ret_vm);
	return found;
}

/* For the report of a failure. */
static void say_what_is_known(const struct vmadj_world *world, pid_t pid)
{
	static const char *const states[] = { "pending", "live", "ended", "reported" };

	for (size_t i = 0; i < vmadj_inventory_count(world->inventory); i++) {
		const struct vmadj_vm *vm = vmadj_inventory_vm(world->inventory, i);

		if (vm->pid == pid)
			(void)fprintf(stderr, "%s %s is %s, %zu threads, %u live\n", vm->id,
				      vm->identity.name, states[vm->state], vm->n_threads,
				      vm->live_threads);
	}
	(void)fprintf(stderr, "lost: %llu\n",
		      (unsigned long long)vmadj_inventory_lost(world->inventory));
}

struct vmadj_world_vm vmadj_world_vm(const struct vmadj_world *world, pid_t pid)
{
	struct vmadj_world_vm row;

	if (!vmadj_world_find(world, pid, &row)) {
		say_what_is_known(world, pid);
		cr_fatal("process %d is not in the sample", pid);
	}
	if (row.vm.ended)
		(void)fprintf(stderr, "%s has ended\n", row.id);
	return row;
}

uint64_t vmadj_world_waited_ns(const struct vmadj_world_vm *row, const char *who)
{
	for (size_t i = 0; i < row->vm.cpu.n_waited; i++) {
		if (!strcmp(row->waited[i].who, who))
			return row->waited[i].wait_ns;
	}
	return 0;
}

const struct vmadj_snap_vcpu *vmadj_world_vcpu(const struct vmadj_world_vm *row, pid_t tid)
{
	for (size_t i = 0; i < row->vm.n_vcpus; i++) {
		if (row->vcpus[i].tid == tid)
			return &row->vcpus[i];
	}
	return NULL;
}

void vmadj_world_need_trace(const struct vmadj_world *world)
{
	if (vmadj_observer_mode(world->observer) != VMADJ_MODE_TRACE)
		cr_skip_test("polling does not tell of single waits");
}

void vmadj_world_need_pagecache(const struct vmadj_world *world)
{
	const struct vmadj_checks *checks = vmadj_observer_checks(world->observer);

	if (vmadj_observer_pagecache(world->observer))
		return;
	for (size_t i = 0; i < checks->n; i++) {
		const struct vmadj_check *check = &checks->check[i];

		if (check->state == VMADJ_CHECK_OK || strcmp(check->name, "host page cache") != 0)
			continue;
		if (!strcmp(check->area, "events") || !strncmp(check->found, "not tested", 10))
			cr_skip_test("the page cache cannot be observed here: %s", check->found);
		cr_fatal("the page cache is refused: %s", check->found);
	}
	cr_fatal("the page cache is not known, and no check says why");
}

unsigned int vmadj_world_cpu(void)
{
	unsigned int found = 0, n = 0;
	cpu_set_t allowed;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		cr_fatal("sched_getaffinity: %m");
	for (unsigned int cpu = 0; cpu < CPU_SETSIZE && n < 2; cpu++) {
		if (!CPU_ISSET(cpu, &allowed))
			continue;
		found = cpu;
		n++;
	}
	return found;
}

struct vmadj_observer *vmadj_world_observer(const struct vmadj_world *world)
{
	return world->observer;
}

struct vmadj_inventory *vmadj_world_inventory(const struct vmadj_world *world)
{
	return world->inventory;
}
