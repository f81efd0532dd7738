// SPDX-License-Identifier: GPL-2.0-only
/* vm.c - one VM, its threads, and which of them are vCPUs */
#include "user/vm/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/util/file.h"
#include "user/util/scan.h"

/* QEMU names its threads when they start; until then their order tells nothing. */
#define ORDER_AFTER_NS 2000000000ULL
#define TICK_NS	       10000000ULL /* of start times in /proc */

void vmadj_vm_free(struct vmadj_vm *vm)
{
	if (!vm)
		return;
	for (size_t i = 0; i < vm->n_threads; i++)
		free(vm->threads[i].waits_before);
	vmadj_identity_clear(&vm->identity);
	free(vm->threads);
	free(vm->culprits);
	free(vm->seen);
	free(vm);
}

int vmadj_vm_see_vcpu(struct vmadj_vm *vm, pid_t tid, int id, uint64_t now_ns)
{
	struct vmadj_vcpu_seen *seen;

	for (size_t i = 0; i < vm->n_seen; i++) {
		if (vm->seen[i].tid == tid && vm->seen[i].id == id) {
			vm->seen[i].seen_ns = now_ns;
			return 0;
		}
	}
	seen = reallocarray(vm->seen, vm->n_seen + 1, sizeof(*seen));
	if (!seen)
		return -ENOMEM;
	vm->seen = seen;
	seen[vm->n_seen++] = (struct vmadj_vcpu_seen){ tid, id, now_ns };
	return 0;
}

/* Threads are kept in the order in which they began. */
int vmadj_vm_add_thread(struct vmadj_vm *vm, uint32_t slot, pid_t tid, uint64_t start_ns)
{
	struct vmadj_vm_thread *threads;
	size_t at = vm->n_threads;

	threads = reallocarray(vm->threads, vm->n_threads + 1, sizeof(*threads));
	if (!threads)
		return -ENOMEM;
	vm->threads = threads;
	while (at && threads[at - 1].start_ns > start_ns) {
		threads[at] = threads[at - 1];
		at--;
	}
	threads[at] = (struct vmadj_vm_thread){
		.slot = slot,
		.tid = tid,
		.start_ns = start_ns,
		.vcpu_id = -1,
		.cpu = -1,
	};
	vm->n_threads++;
	vm->live_threads++;
	return 0;
}

struct vmadj_vm_thread *vmadj_vm_thread_at(struct vmadj_vm *vm, uint32_t slot)
{
	for (size_t i = 0; i < vm->n_threads; i++) {
		if (vm->threads[i].slot == slot)
			return &vm->threads[i];
	}
	return NULL;
}

int vmadj_vm_name_vcpu(const char *thread_name)
{
	const char *at = thread_name + 4;
	uint64_t id;

	if (!strncmp(thread_name, "ALL CPUs/TCG", 12))
		return 0;
	if (strncmp(thread_name, "CPU ", 4) != 0 || !vmadj_scan_u64(&at, &id) || id > INT_MAX)
		return -1;
	return !strncmp(at, "/KVM", 4) || !strncmp(at, "/TCG", 4) ? (int)id : -1;
}

/* A thread that began after KVM's word was given only has the same id. */
static int vcpu_by_kvm(const struct vmadj_vm *vm, const struct vmadj_vm_thread *thread)
{
	for (size_t i = 0; i < vm->n_seen; i++) {
		if (vm->seen[i].tid == thread->tid && thread->start_ns <= vm->seen[i].seen_ns)
			return vm->seen[i].id;
	}
	return -1;
}

static int vcpu_by_name(const struct vmadj_vm *vm, const struct vmadj_vm_thread *thread)
{
	char path[64], name[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", vm->pid, thread->tid);
	if (vmadj_file_read(AT_FDCWD, path, name, sizeof(name)) < 0)
		return -1;
	return vmadj_vm_name_vcpu(name);
}

/* What it did before it was known for a vCPU is not of the interval under way. */
static void set_vcpu(struct vmadj_vm *vm, struct vmadj_vm_thread *thread, int id)
{
	thread->vcpu_id = id;
	vm->last.run_ns += thread->reported_run_ns;
	vm->last.wait_ns += thread->reported_wait_ns;
}

bool vmadj_vm_vcpus_known(const struct vmadj_vm *vm)
{
	for (size_t i = 0; i < vm->n_threads; i++) {
		if (vm->threads[i].vcpu_id >= 0)
			return true;
	}
	/* Of a KVM VM we know that no vCPU has run yet; of another only that we do not know. */
	return vm->kvm;
}

/*
 * A QEMU that was not asked to name its threads makes them in a fixed order: itself, RCU and
 * I/O threads, vCPUs, the VNC server. Workers come and go in between; only
 * when the number is exactly right are there none, and the order tells.
 */
static void classify_by_order(struct vmadj_vm *vm)
{
	const struct vmadj_identity *is = &vm->identity;
	size_t first = 1 + is->helpers, last = first + is->cpus;

	if (vmadj_vm_vcpus_known(vm) || !is->cpus || vm->n_threads != last + is->late_helpers ||
	    vm->live_threads != vm->n_threads)
		return;
	for (size_t i = first; i < last; i++)
		set_vcpu(vm, &vm->threads[i], (int)(i - first));
}

void vmadj_vm_classify(struct vmadj_vm *vm, uint64_t now_ns)
{
	bool by_kvm = vm->n_seen > 0;

	for (size_t i = 0; i < vm->n_threads; i++) {
		struct vmadj_vm_thread *thread = &vm->threads[i];
		int id;

		if (thread->vcpu_id >= 0)
			continue;
		id = vcpu_by_kvm(vm, thread);
		if (id < 0 && !by_kvm && vm->identity.is_qemu && thread->slot)
			id = vcpu_by_name(vm, thread);
		if (id < 0)
			continue;
		set_vcpu(vm, thread, id);
		vm->told = true;
	}
	if (!vm->kvm && !vm->told && now_ns - vm->start_ticks * TICK_NS > ORDER_AFTER_NS)
		classify_by_order(vm);
}
