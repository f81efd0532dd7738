/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmm.h - a VM whose process does whatever the test tells it
 *
 * A child of the test that has opened /dev/kvm and made a VM without vCPUs, so that it is one
 * to the observer. What it is told runs in the child's main thread, and sees the test's
 * memory as it was when the child was started.
 *
 *	static void work(void *data) { struct job *job = data; job->done = read(...); }
 *
 *	struct vmadj_vmm *vmm = vmadj_vmm_start();
 *	vmadj_vmm_do(vmm, work, &job, sizeof(job));	(job comes back as the child left it)
 *
 * Errors:    what cannot be done here skips the test, a child that dies fails it.
 * Ownership: a child ends with the test; vmadj_vmm_stop() takes NULL.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct vmadj_vmm;

struct vmadj_vmm_options {
	const char *cgroup; /* a folder whose cgroup.procs it enters; NULL: stays in the test's */
	bool no_vm;	    /* a process like it, but no VM yet */
	bool own_pid_ns;    /* it is process 1 there; vmadj_vmm_pid() is the host's */
};

struct vmadj_vmm *vmadj_vmm_start(const struct vmadj_vmm_options *options);
void vmadj_vmm_stop(struct vmadj_vmm *vmm);
pid_t vmadj_vmm_pid(const struct vmadj_vmm *vmm);

/* Runs @work in the child, with a copy of @data that is copied back; waits for it. */
void vmadj_vmm_do(struct vmadj_vmm *vmm, void (*work)(void *data), void *data, size_t size);

/* For @work: makes a VM in the calling process; Return: its descriptor, -errno. */
int vmadj_vmm_create_vm(void);

/*
 * For @work: the calling thread runs a vCPU of VM @vm_fd once, which is enough for KVM to know the
 * vCPU's thread: a guest without memory stops at once. Return: 0, -errno.
 */
int vmadj_vmm_run_vcpu(int vm_fd, unsigned int id);
