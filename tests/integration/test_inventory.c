/* SPDX-License-Identifier: GPL-2.0-only */
/* test_inventory.c - VMs come, change and go: each is seen, once, with the right totals */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lab/require.h"
#include "tests/lib/obituary.h"
#include "tests/lib/truth.h"
#include "tests/lib/vmm.h"
#include "tests/lib/world.h"
#include "user/observe/life.h"
#include "user/observe/parts.h"

static struct vmadj_vmm *vmm;

static void clean_up(void)
{
	vmadj_vmm_stop(vmm);
	vmadj_obituary_close();
	vmadj_world_close_all();
}

TestSuite(inventory, .timeout = 90, .fini = clean_up);

static const struct vmadj_lab_kvm idle = { .load = "idle" };
static const struct vmadj_lab_kvm busy = { .load = "busy", .vcpus = 2 };

/* How many rows of that process the next samples have, until there is none. */
static unsigned int count_ends(struct vmadj_world *world, pid_t pid)
{
	struct vmadj_world_vm row;
	unsigned int ends = 0;

	for (int i = 0; i < 4; i++) {
		(void)vmadj_world_sample(world, 0.2);
		if (vmadj_world_find(world, pid, &row))
			ends += row.vm.ended;
	}
	cr_expect(not(vmadj_world_find(world, pid, &row)));
	return ends;
}

Test(inventory, a_new_vm_is_in_the_next_sample)
{
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	struct vmadj_world *world = vmadj_world_open();
	struct vmadj_lab_kvm want = idle;
	struct vmadj_world_vm row;

	want.name = "here I am";
	(void)vmadj_world_sample(world, 0);
	vmadj_lab_require(vmadj_lab_kvm_start(&want, &vm));
	(void)vmadj_world_sample(world, 0);
	row = vmadj_world_vm(world, vmadj_lab_vm_pid(vm));
	cr_expect(eq(str, row.name, "here I am"));
	cr_expect(eq(str, row.accel, "kvm"));
	cr_expect(eq(str, row.vmm, "kvmvm"));
	cr_expect(not(row.vm.ended));
}

Test(inventory, a_vm_that_was_there_before_is_in_the_first_sample)
{
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	struct vmadj_world *world;
	struct vmadj_world_vm row;

	vmadj_lab_require(vmadj_lab_kvm_start(&busy, &vm));
	world = vmadj_world_open();
	(void)vmadj_world_sample(world, 0);
	row = vmadj_world_vm(world, vmadj_lab_vm_pid(vm));
	cr_expect(eq(sz, row.vm.n_vcpus, 2));
	for (unsigned int i = 0; i < 2; i++)
		cr_expect(eq(int, row.vcpus[i].tid, vmadj_lab_vm_vcpu_tid(vm, i)));
}

VMADJ_WORLD_TEST(inventory, a_vm_that_ended_is_shown_once_more)
{
	struct vmadj_world *world = vmadj_world_open_as(*mode);
	struct vmadj_lab_vm *vm;
	pid_t pid;

	vmadj_lab_require(vmadj_lab_kvm_start(&idle, &vm));
	pid = vmadj_lab_vm_pid(vm);
	(void)vmadj_world_sample(world, 0.3);
	(void)vmadj_world_vm(world, pid);
	vmadj_lab_vm_stop(vm);
	cr_expect(eq(u32, count_ends(world, pid), 1));
}

/*
 * What all threads used is told to the parent of the process when they are gone; of each vCPU the
 * kernel says how much it had used when its end began, which may take some time more.
 */
static void check_final(const struct vmadj_lab_vm *vm, const struct vmadj_world_vm *row)
{
	struct vmadj_obituary last;
	struct rusage used;
	uint64_t all_ns;

	cr_assert(eq(int, wait4(vmadj_lab_vm_pid(vm), NULL, 0, &used), vmadj_lab_vm_pid(vm)));
	all_ns = (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000000 +
		 (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000;
	cr_expect(vmadj_truth_agrees("all threads ran",
				     row->vm.cpu.run_ns + row->vm.cpu.emulator_run_ns, all_ns));
	cr_assert(eq(sz, row->vm.n_vcpus, vmadj_lab_vm_vcpus(vm)));
	for (unsigned int i = 0; i < vmadj_lab_vm_vcpus(vm); i++) {
		pid_t tid = vmadj_lab_vm_vcpu_tid(vm, i);
		const struct vmadj_snap_vcpu *vcpu = vmadj_world_vcpu(row, tid);

		if (!vcpu)
			cr_fatal("vCPU %u is not listed", i);
		if (!vmadj_obituary_of(tid, &last))
			cr_fatal("the kernel said nothing of vCPU %u", i);
		cr_expect(ge(u64, vcpu->run_ns, last.run_ns));
		cr_expect(ge(u64, vcpu->wait_ns, last.wait_ns));
		cr_expect(ge(u64, vcpu->switches, last.voluntary + last.involuntary));
	}
}

VMADJ_WORLD_TEST(inventory, a_vm_of_200_ms_between_two_samples_is_shown_with_its_totals)
{
	struct vmadj_lab_kvm want = {
		.load = "mix", .vcpus = 2, .lifetime_ms = 200, .emulator_busy = true
	};
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	struct vmadj_world *world = vmadj_world_open_as(*mode);
	struct vmadj_world_vm row;

	vmadj_obituary_listen();
	(void)vmadj_world_sample(world, 0);
	vmadj_lab_require(vmadj_lab_kvm_start(&want, &vm));
	(void)vmadj_world_sample(world, 1);
	row = vmadj_world_vm(world, vmadj_lab_vm_pid(vm));
	cr_expect(row.vm.ended);
	cr_expect(row.vm.cpu.known);
	check_final(vm, &row);
	cr_expect(eq(u64, row.vm.delta.run_ns, row.vm.cpu.run_ns));
	(void)vmadj_world_sample(world, 0.1);
	cr_expect(not(vmadj_world_find(world, vmadj_lab_vm_pid(vm), &row)));
}

/* One that nobody had the time to look at while it lived. */
VMADJ_WORLD_TEST(inventory, a_vm_that_ended_before_its_news_was_read_is_still_shown)
{
	struct vmadj_lab_kvm want = { .load = "busy", .lifetime_ms = 60 };
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	struct vmadj_world *world = vmadj_world_open_as(*mode);
	struct vmadj_world_vm row;

	(void)vmadj_world_sample(world, 0);
	vmadj_lab_require(vmadj_lab_kvm_start(&want, &vm));
	usleep(200000);
	/* A zombie now: its threads are gone, its process id is not. */
	(void)vmadj_world_sample(world, 0);
	if (!vmadj_world_find(world, vmadj_lab_vm_pid(vm), &row))
		cr_skip_test("not served for 200 ms, the observer cannot know of it");
	cr_expect(row.vm.ended);
}

VMADJ_WORLD_TEST(inventory, a_vcpu_plugged_in_is_counted)
{
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	struct vmadj_world *world = vmadj_world_open_as(*mode);
	struct vmadj_world_vm row;
	struct vmadj_truth truth;
	pid_t pid, tid;

	vmadj_lab_require(vmadj_lab_kvm_start(&busy, &vm));
	pid = vmadj_lab_vm_pid(vm);
	(void)vmadj_world_sample(world, 0.5);
	vmadj_lab_require(vmadj_lab_kvm_command(vm, "hotplug"));
	tid = vmadj_lab_vm_vcpu_tid(vm, 2);
	(void)vmadj_world_sample(world, 0.5);
	row = vmadj_world_vm(world, pid);
	cr_assert(eq(sz, row.vm.n_vcpus, 3));
	cr_expect(eq(int, row.vcpus[2].id, 2));
	cr_expect(eq(int, row.vcpus[2].tid, tid));
	vmadj_truth_stop(pid);
	(void)vmadj_world_sample(world, 0);
	row = vmadj_world_vm(world, pid);
	truth = vmadj_truth_thread(pid, tid);
	cr_expect(vmadj_truth_agrees("ran", row.vcpus[2].run_ns, truth.run_ns));
	cr_expect(vmadj_truth_agrees("waited", row.vcpus[2].wait_ns, truth.wait_ns));
}

Test(inventory, threads_may_take_any_name)
{
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	struct vmadj_world *world = vmadj_world_open();
	struct vmadj_world_vm row;

	vmadj_lab_require(vmadj_lab_kvm_start(&busy, &vm));
	vmadj_lab_require(vmadj_lab_kvm_command(vm, "rename"));
	(void)vmadj_world_sample(world, 0.5);
	vmadj_lab_require(vmadj_lab_kvm_command(vm, "hotplug"));
	(void)vmadj_world_sample(world, 0.5);
	row = vmadj_world_vm(world, vmadj_lab_vm_pid(vm));
	cr_assert(eq(sz, row.vm.n_vcpus, 3));
	for (unsigned int i = 0; i < 3; i++) {
		cr_expect(eq(int, row.vcpus[i].id, (int)i));
		cr_expect(eq(int, row.vcpus[i].tid, vmadj_lab_vm_vcpu_tid(vm, i)));
	}
}

Test(inventory, a_vm_closed_by_a_process_that_lives_on_has_ended)
{
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	struct vmadj_world *world = vmadj_world_open();
	struct vmadj_world_vm row;

	vmadj_lab_require(vmadj_lab_kvm_start(&busy, &vm));
	(void)vmadj_world_sample(world, 1.5);
	vmadj_lab_require(vmadj_lab_kvm_command(vm, "destroy"));
	(void)vmadj_world_sample(world, 0.2);
	row = vmadj_world_vm(world, vmadj_lab_vm_pid(vm));
	cr_expect(row.vm.ended);
	cr_expect(eq(u32, count_ends(world, vmadj_lab_vm_pid(vm)), 0));
}

Test(inventory, a_vmm_that_becomes_another_program_has_ended)
{
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	struct vmadj_world *world = vmadj_world_open();
	struct vmadj_world_vm row;

	vmadj_lab_require(vmadj_lab_kvm_start(&busy, &vm));
	(void)vmadj_world_sample(world, 1.5);
	vmadj_lab_require(vmadj_lab_kvm_command(vm, "exec /bin/cat"));
	(void)vmadj_world_sample(world, 0.3);
	row = vmadj_world_vm(world, vmadj_lab_vm_pid(vm));
	cr_expect(row.vm.ended);
	cr_expect(eq(u32, count_ends(world, vmadj_lab_vm_pid(vm)), 0));
}

/* KVM lets nobody use a VM from other memory than it was made in: the descriptors alone are none.
 */
Test(inventory, a_program_that_keeps_the_descriptors_has_no_vm)
{
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	struct vmadj_world *world = vmadj_world_open();
	struct vmadj_world_vm row;

	vmadj_lab_require(vmadj_lab_kvm_start(&busy, &vm));
	(void)vmadj_world_sample(world, 1.5);
	vmadj_lab_require(vmadj_lab_kvm_command(vm, "exec /bin/cat keep-fds"));
	(void)vmadj_world_sample(world, 0.3);
	row = vmadj_world_vm(world, vmadj_lab_vm_pid(vm));
	cr_expect(row.vm.ended);
	cr_expect(eq(u32, count_ends(world, vmadj_lab_vm_pid(vm)), 0));
}
