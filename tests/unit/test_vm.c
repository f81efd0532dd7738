/* SPDX-License-Identifier: GPL-2.0-only */
/* test_vm.c - a VM's threads, and which of them are vCPUs */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdlib.h>

#include "user/vm/vm.h"

#define LONG_AGO_NS 10000000000ULL

static struct vmadj_vm *vm;

static void make_vm(void)
{
	vm = calloc(1, sizeof(*vm));
	/* No process has so great an id: none of its threads tells a name. */
	vm->pid = 0x7ffffff0;
}

static void free_vm(void)
{
	vmadj_vm_free(vm);
}

TestSuite(vm, .timeout = 10, .init = make_vm, .fini = free_vm);

struct name_case {
	char name[24];
	int id; /* -1: no vCPU's name */
};

ParameterizedTestParameters(vm, qemus_thread_names_tell_vcpus)
{
	static struct name_case cases[] = {
		{ "CPU 0/KVM", 0 },
		{ "CPU 31/KVM", 31 },
		{ "CPU 7/TCG", 7 },
		{ "ALL CPUs/TCG", 0 },
		{ "CPU 0/KVM\n", 0 },
		{ "CPU 1234/KVM", 1234 },
		{ "CPU /KVM", -1 },
		{ "CPU -1/KVM", -1 },
		{ "CPU x/KVM", -1 },
		{ "CPU 1", -1 },
		{ "CPU 1/HVF", -1 },
		{ "CPU 1KVM", -1 },
		{ "cpu 1/KVM", -1 },
		{ " CPU 1/KVM", -1 },

		{ "worker", -1 },
		{ "IO mon_iothread", -1 },
		{ "", -1 },
		{ "CPU", -1 },
		{ "C", -1 },
		{ "CPU 99999999999/KVM", -1 },
		{ "CPU 2147483648/KVM", -1 },
	};

	return cr_make_param_array(struct name_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct name_case *c, vm, qemus_thread_names_tell_vcpus)
{
	cr_assert(eq(int, vmadj_vm_name_vcpu(c->name), c->id), "\"%s\"", c->name);
}

Test(vm, threads_are_kept_in_the_order_of_their_birth)
{
	cr_assert(zero(int, vmadj_vm_add_thread(vm, 3, 103, 30)));
	cr_assert(zero(int, vmadj_vm_add_thread(vm, 1, 101, 10)));
	cr_assert(zero(int, vmadj_vm_add_thread(vm, 2, 102, 20)));
	cr_assert(zero(int, vmadj_vm_add_thread(vm, 4, 104, 20)));
	cr_assert(eq(sz, vm->n_threads, 4));
	cr_assert(eq(u32, vm->live_threads, 4));
	cr_assert(eq(int, vm->threads[0].tid, 101));
	cr_assert(eq(int, vm->threads[1].tid, 102));
	cr_assert(eq(int, vm->threads[2].tid, 104));
	cr_assert(eq(int, vm->threads[3].tid, 103));
	cr_assert(eq(int, vmadj_vm_thread_at(vm, 2)->tid, 102));
	cr_assert(vmadj_vm_thread_at(vm, 9) == NULL);
}

static void add_threads(int n)
{
	for (int i = 0; i < n; i++)
		(void)vmadj_vm_add_thread(vm, (uint32_t)i + 1, 100 + i, (uint64_t)i * 1000);
}

static void expect_vcpus(int first, int n)
{
	for (size_t i = 0; i < vm->n_threads; i++) {
		int at = (int)i - first;

		cr_expect(eq(int, vm->threads[i].vcpu_id, at >= 0 && at < n ? at : -1),
			  "thread %zu", i);
	}
	cr_expect(eq(int, vmadj_vm_vcpus_known(vm), n > 0));
}

Test(vm, kvm_tells_which_thread_runs_which_vcpu)
{
	vm->kvm = true;
	add_threads(4);
	cr_assert(zero(int, vmadj_vm_see_vcpu(vm, 102, 1, 5000)));
	cr_assert(zero(int, vmadj_vm_see_vcpu(vm, 101, 0, 5000)));
	cr_assert(zero(int, vmadj_vm_see_vcpu(vm, 101, 0, 6000)));
	cr_assert(eq(sz, vm->n_seen, 2), "the same word twice is one");
	vmadj_vm_classify(vm, LONG_AGO_NS);
	expect_vcpus(1, 2);
}

Test(vm, a_thread_that_only_has_the_id_of_a_vcpu_is_none)
{
	vm->kvm = true;
	cr_assert(zero(int, vmadj_vm_see_vcpu(vm, 101, 0, 5000)));
	(void)vmadj_vm_add_thread(vm, 1, 101, 5001);
	vmadj_vm_classify(vm, LONG_AGO_NS);
	cr_assert(eq(int, vm->threads[0].vcpu_id, -1));
}

Test(vm, a_kvm_vm_whose_vcpus_have_not_run_is_known)
{
	vm->kvm = true;
	add_threads(2);
	vmadj_vm_classify(vm, LONG_AGO_NS);
	cr_assert(vmadj_vm_vcpus_known(vm));
}

static void be_qemu(unsigned int cpus, unsigned int helpers, unsigned int late)
{
	vm->identity.is_qemu = true;
	vm->identity.cpus = cpus;
	vm->identity.helpers = helpers;
	vm->identity.late_helpers = late;
}

/* Itself, RCU, one I/O thread, two vCPUs, VNC. */
Test(vm, the_threads_of_a_qemu_without_names_are_told_by_their_order)
{
	be_qemu(2, 2, 1);
	add_threads(6);
	vmadj_vm_classify(vm, 1000000);
	expect_vcpus(0, 0); /* too early */
	vmadj_vm_classify(vm, LONG_AGO_NS);
	expect_vcpus(3, 2);
}

Test(vm, one_thread_more_or_less_tells_nothing)
{
	be_qemu(2, 2, 1);
	add_threads(5);
	vmadj_vm_classify(vm, LONG_AGO_NS);
	expect_vcpus(0, 0);
	(void)vmadj_vm_add_thread(vm, 50, 150, 50000);
	(void)vmadj_vm_add_thread(vm, 51, 151, 51000);
	vmadj_vm_classify(vm, LONG_AGO_NS);
	expect_vcpus(0, 0);
}

Test(vm, a_qemu_of_which_the_number_of_vcpus_is_not_known_tells_nothing)
{
	be_qemu(0, 1, 0);
	add_threads(2);
	vmadj_vm_classify(vm, LONG_AGO_NS);
	expect_vcpus(0, 0);
}

/* Names have been seen: the order of those that have none is nobody's. */
Test(vm, order_is_not_asked_where_names_tell)
{
	be_qemu(2, 1, 0);
	vm->told = true;
	add_threads(4);
	vmadj_vm_classify(vm, LONG_AGO_NS);
	expect_vcpus(0, 0);
}

Test(vm, freeing_nothing_is_allowed)
{
	vmadj_vm_free(NULL);
}
