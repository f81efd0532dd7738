/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kvmvm_vm.h - a VM of two pages, by the KVM ioctls
 *
 * Threads: everything here belongs to the main thread.
 */
#ifndef VMADJ_LAB_KVMVM_VM_H
#define VMADJ_LAB_KVMVM_VM_H

#include <fcntl.h>

#include "kvmvm_vcpu.h"

static inline int vm_add_vcpu(struct vm *vm)
{
	struct vcpu *vcpu = &vm->vcpus[vm->nr_vcpus];
	char name[16];
	int err;

	if (vm->nr_vcpus == VCPUS_MAX)
		return -ENOSPC;
	vcpu->vm = vm;
	vcpu->index = vm->nr_vcpus;
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)vcpu->index);
	if (vcpu->fd < 0)
		return -errno;
	vcpu->run =
		mmap(NULL, (size_t)vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED)
		return -errno;
	vcpu_set_cpuid(vcpu->fd);
	vcpu_set_registers(vcpu->fd);
	if (vm->load->timed)
		vcpu_set_timer(vcpu->fd, vm->period_ms);
	err = thread_start(&vcpu->thread, vcpu_thread, vcpu);
	if (err)
		return err;
	while (!vcpu->tid)
		sched_yield();
	if (vm->thread_names) {
		(void)snprintf(name, sizeof(name), "CPU %u/KVM", vcpu->index);
		pthread_setname_np(vcpu->thread, name);
	}
	vm->nr_vcpus++;
	return 0;
}

static inline void vm_create(struct vm *vm)
{
	/* APICs in the kernel, so that HLT blocks there; nothing else, to stay small */
	struct kvm_enable_cap split = { .cap = KVM_CAP_SPLIT_IRQCHIP };
	struct kvm_userspace_memory_region region = { .memory_size = LAB_MEM_BYTES };

	vm->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm_fd < 0)
		die("/dev/kvm");
	vm->run_size = ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	vm->fd = ioctl(vm->kvm_fd, KVM_CREATE_VM, 0);
	if (vm->run_size <= 0 || vm->fd < 0)
		die("KVM_CREATE_VM");
	vm->mem = mmap(NULL, LAB_MEM_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);
	if (vm->mem == MAP_FAILED)
		die("guest memory");
	lab_guest_write(vm->mem, vm->load);
	region.userspace_addr = (uintptr_t)vm->mem;
	/* Intel wants three pages to enter real mode with; elsewhere it is not known */
	(void)ioctl(vm->fd, KVM_SET_TSS_ADDR, 0xfffbd000UL);
	if (ioctl(vm->fd, KVM_ENABLE_CAP, &split) ||
	    ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region))
		die("KVM_SET_USER_MEMORY_REGION");
}

static inline void vm_destroy(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		vm->vcpus[i].stop = true;
		/* again until it has seen it: a signal just before KVM_RUN is lost */
		while (!vm->vcpus[i].stopped) {
			pthread_kill(vm->vcpus[i].thread, SIGUSR1);
			sleep_ms(1);
		}
	}
	vm->nr_vcpus = 0;
	close(vm->fd);
	vm->fd = -1;
	munmap(vm->mem, LAB_MEM_BYTES);
}

#endif
