// SPDX-License-Identifier: GPL-2.0-only
/*
 * vm.c - what all kinds of lab VM have in common
 */
#include "tests/lab/lab.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lab/private.h"

static __thread char lab_why[512];

const char *vmadj_lab_why(void)
{
	return lab_why;
}

int vmadj_lab_fail(int err, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(lab_why, sizeof(lab_why), format, ap);
	va_end(ap);
	return err;
}

struct vmadj_lab_vm *vmadj_lab_vm_new(const struct vmadj_lab_vm_ops *ops, const char *name)
{
	static unsigned int nr;
	struct vmadj_lab_vm *vm = calloc(1, sizeof(*vm));
	char own[32];

	if (!vm)
		return NULL;
	(void)snprintf(own, sizeof(own), "lab-%d-%u", (int)getpid(), nr++);
	vm->ops = ops;
	vm->name = strdup(name ? name : own);
	if (!vm->name) {
		free(vm);
		return NULL;
	}
	return vm;
}

void vmadj_lab_vm_stop(struct vmadj_lab_vm *vm)
{
	if (!vm)
		return;
	vm->ops->stop(vm);
	free(vm->name);
	free(vm);
}

void vmadj_lab_stop_many(struct vmadj_lab_vm **vms, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		vmadj_lab_vm_stop(vms[i]);
		vms[i] = NULL;
	}
}

pid_t vmadj_lab_vm_pid(const struct vmadj_lab_vm *vm)
{
	return vm->pid;
}

const char *vmadj_lab_vm_name(const struct vmadj_lab_vm *vm)
{
	return vm->name;
}

unsigned int vmadj_lab_vm_vcpus(const struct vmadj_lab_vm *vm)
{
	return vm->nr_vcpus;
}

/**
 * vmadj_lab_vm_vcpu_tid - the thread that runs a vCPU
 *
 * Return: its thread id; -ENOENT when the VM has no such vCPU.
 */
pid_t vmadj_lab_vm_vcpu_tid(const struct vmadj_lab_vm *vm, unsigned int index)
{
	return index < vm->nr_vcpus ? vm->vcpu_tid[index] : -ENOENT;
}

/* Return: the path, which belongs to the VM; NULL when this kind of VM has none. */
const char *vmadj_lab_vm_path(const struct vmadj_lab_vm *vm, enum vmadj_lab_path which)
{
	return vm->ops->path ? vm->ops->path(vm, which) : NULL;
}
