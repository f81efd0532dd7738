/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_full.c - more threads than there is room for: who is refused is named, and no slot has two
 *
 * The room is made small by taking slots that were never used away: to the programs it is as if
 * they had been given.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include <linux/types.h>

#include "tests/lab/require.h"
#include "tests/lib/grab_log.h"
#include "tests/lib/truth.h"
#include "tests/lib/world.h"
#include "user/observe/life.h"
#include "user/observe/parts.h"
#include "user/vm/inventory.h"
#include "user/vm/vm.h"

#define FULL_SCAN_S 12 /* who was refused is looked at again by then */
#define CHURN	    60 /* VMs, one after the other */
#define ALIVE	    6  /* at once, for which there is no room */

TestSuite(full, .timeout = 120, .fini = vmadj_world_close_all);

static struct vmadj_life *life_of(const struct vmadj_world *world)
{
	return vmadj_observer_life(vmadj_world_observer(world));
}

/* Leaves @slots that were never used, and none that was given back. */
static void leave_room(const struct vmadj_world *world, uint32_t slots)
{
	struct bpf_object *object = vmadj_life_object(life_of(world));
	struct vmadj_slots *state = NULL;
	struct bpf_map *map;
	size_t size = 0;

	/* life_slots is the first of what the programs have in .data. */
	bpf_object__for_each_map (map, object) {
		if (strstr(bpf_map__name(map), ".data"))
			state = (struct vmadj_slots *)bpf_map__initial_value(map, &size);
	}
	cr_assert(ne(ptr, state, NULL));
	cr_assert(ge(sz, size, sizeof(*state)));
	cr_assert(eq(u32, state->fresh, vmadj_life_slots(life_of(world))));
	state->fresh = VMADJ_SLOTS - slots;
	state->head = state->tail;
}

/* Other VMs of this host may have new threads at any time: what ends leaves more room than is
 * asked. */
static void open_full(struct vmadj_world **ret_world, uint32_t slots)
{
	*ret_world = vmadj_world_open();
	(void)vmadj_world_sample(*ret_world, 0.1);
	leave_room(*ret_world, slots);
	grab_log_start();
}

Test(full, a_vm_without_room_is_named_and_shown_once_there_is)
{
	const struct vmadj_lab_kvm one = { .name = "full-first", .load = "tick:10", .vcpus = 16 };
	const struct vmadj_lab_kvm other = { .name = "full-second", .load = "tick:10", .vcpus = 4 };
	_cleanup_lab_vm_ struct vmadj_lab_vm *a = NULL, *b = NULL;
	struct vmadj_world_vm row;
	struct vmadj_world *world;
	char line[128];
	bool shown = false;

	open_full(&world, 32);
	vmadj_lab_require(vmadj_lab_kvm_start(&one, &a));
	(void)vmadj_world_sample(world, 1);
	row = vmadj_world_vm(world, vmadj_lab_vm_pid(a));
	cr_assert(row.vm.cpu.known);
	cr_assert(eq(sz, row.vm.n_vcpus, 16));

	leave_room(world, 0);
	vmadj_lab_require(vmadj_lab_kvm_start(&other, &b));
	(void)vmadj_world_sample(world, 1);
	cr_expect(not(vmadj_world_find(world, vmadj_lab_vm_pid(b), &row)));
	(void)snprintf(line, sizeof(line), "VM full-second, process %d, is not shown: no room",
		       vmadj_lab_vm_pid(b));
	cr_expect(ne(ptr, strstr(grab_log_text(), line), NULL), "%s", grab_log_text());
	cr_expect(gt(u64, vmadj_inventory_lost(vmadj_world_inventory(world)), 0));
	row = vmadj_world_vm(world, vmadj_lab_vm_pid(a));
	cr_expect(row.vm.cpu.known);

	vmadj_lab_vm_stop(a);
	a = NULL;
	for (int i = 0; i < FULL_SCAN_S && !shown; i++) {
		(void)vmadj_world_sample(world, 1);
		shown = vmadj_world_find(world, vmadj_lab_vm_pid(b), &row) && row.vm.cpu.known;
	}
	cr_expect(shown, "%s", grab_log_text());
	cr_expect(eq(sz, row.vm.n_vcpus, 4));
}

Test(full, a_vm_with_a_thread_too_many_says_so_until_there_is_room)
{
	const struct vmadj_lab_kvm one = { .name = "full-grows", .load = "tick:10" };
	const struct vmadj_lab_kvm large = { .load = "tick:10", .vcpus = 16 };
	_cleanup_lab_vm_ struct vmadj_lab_vm *a = NULL, *b = NULL;
	struct vmadj_world_vm row;
	struct vmadj_world *world;
	bool known = false;

	open_full(&world, 48);
	vmadj_lab_require(vmadj_lab_kvm_start(&one, &a));
	vmadj_lab_require(vmadj_lab_kvm_start(&large, &b));
	(void)vmadj_world_sample(world, 1);
	leave_room(world, 0);
	vmadj_lab_require(vmadj_lab_kvm_command(a, "hotplug"));
	for (int i = 0; i < FULL_SCAN_S; i++) {
		(void)vmadj_world_sample(world, 1);
		row = vmadj_world_vm(world, vmadj_lab_vm_pid(a));
		if (!row.vm.cpu.known)
			break;
	}
	cr_assert(not(row.vm.cpu.known));
	cr_expect(ne(ptr, strstr(row.note, "no room"), NULL), "%s", row.note);
	cr_expect(ne(ptr, strstr(grab_log_text(), "VM full-grows"), NULL), "%s", grab_log_text());

	vmadj_lab_vm_stop(b);
	b = NULL;
	for (int i = 0; i < FULL_SCAN_S && !known; i++) {
		(void)vmadj_world_sample(world, 1);
		row = vmadj_world_vm(world, vmadj_lab_vm_pid(a));
		known = row.vm.cpu.known;
	}
	cr_assert(known, "%s", row.note);
	cr_expect(eq(sz, row.vm.n_vcpus, 2));
}

static struct holder {
	uint32_t tid;
	uint64_t start_ns;
} holders[VMADJ_SLOTS];

/* A thread that began at another time is another one, whatever its id. */
static bool lives(const struct holder *holder)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%u", holder->tid);
	return !access(path, F_OK);
}

/* Return: slots that another thread has now, though the one of before lives. */
static unsigned int count_reused(const struct vmadj_world *world)
{
	unsigned int reused = 0;

	for (uint32_t slot = 1; slot < vmadj_life_slots(life_of(world)); slot++) {
		const struct vmadj_thread *thread = vmadj_life_thread(life_of(world), slot);
		struct holder *holder = &holders[slot];

		if (!thread || thread->state != VMADJ_THREAD_LIVE)
			continue;
		if (holder->tid && holder->tid != thread->tid && lives(holder))
			reused++;
		*holder = (struct holder){ thread->tid, thread->start_ns };
	}
	return reused;
}

Test(full, no_slot_is_given_to_a_second_thread_while_the_first_one_lives)
{
	const struct vmadj_lab_kvm lasting = { .load = "mix", .vcpus = 2 };
	const struct vmadj_lab_kvm passing = { .load = "tick:2", .vcpus = 2 };
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	struct vmadj_lab_vm *alive[ALIVE] = { NULL };
	struct vmadj_world *world;
	struct vmadj_world_vm row;
	struct vmadj_truth truth;
	pid_t pid, tid;

	open_full(&world, 16);
	vmadj_lab_require(vmadj_lab_kvm_start(&lasting, &vm));
	pid = vmadj_lab_vm_pid(vm);
	tid = vmadj_lab_vm_vcpu_tid(vm, 0);
	(void)vmadj_world_sample(world, 1);
	for (int i = 0; i < CHURN; i++) {
		vmadj_lab_vm_stop(alive[i % ALIVE]);
		alive[i % ALIVE] = NULL;
		vmadj_lab_require(vmadj_lab_kvm_start(&passing, &alive[i % ALIVE]));
		(void)vmadj_world_sample(world, 0.05);
		cr_expect(eq(u32, count_reused(world), 0), "after %d VMs", i);
	}
	cr_expect(gt(u64, vmadj_inventory_lost(vmadj_world_inventory(world)), 0), "it was full");
	vmadj_truth_stop(pid);
	(void)vmadj_world_sample(world, 0.1);
	row = vmadj_world_vm(world, pid);
	truth = vmadj_truth_thread(pid, tid);
	cr_assert(row.vm.cpu.known, "%s", row.note);
	cr_expect(vmadj_truth_agrees("ran", vmadj_world_vcpu(&row, tid)->run_ns, truth.run_ns));
	vmadj_lab_stop_many(alive, ALIVE);
}
