/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * identity.h - who a VM is, by what its process tells everybody
 *
 * Name, uuid and manager come from the command line and the control group. libvirt puts its
 * domain's name and uuid on the command line of every QEMU that it starts, so they
 * are known without asking a libvirtd that may hang (docs, hazards).
 *
 * Ownership: strings are copies; vmadj_identity_clear() frees them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct vmadj_identity {
	char *name;
	char *uuid;	     /* NULL: not known */
	char *vmm;	     /* "qemu", "firecracker", ... or the program's name */
	const char *manager; /* "libvirt", "proxmox" or NULL */
	bool is_qemu;
	bool no_machine;	   /* QEMU asked what it can do: no VM at all */
	bool kvm_only;		   /* QEMU that would not run under TCG */
	unsigned int cpus;	   /* vCPU threads that QEMU under TCG will have; 0: not known */
	unsigned int helpers;	   /* threads that QEMU makes before those, beside its main one */
	unsigned int late_helpers; /* and after */
};

/**
 * vmadj_identity_read() - read /proc of @pid; @program is its file's name or NULL
 *
 * Return: 0; -ESRCH: it is gone; -ENOMEM. On failure @ret_identity is left alone.
 */
int vmadj_identity_read(pid_t pid, const char *program, struct vmadj_identity *ret_identity);

/**
 * vmadj_identity_parse() - the same from texts
 *
 * @cmdline: @len bytes, words ended by NUL. Return: 0; -ENOMEM.
 */
int vmadj_identity_parse(const char *cmdline, size_t len, const char *comm, const char *cgroup,
			 struct vmadj_identity *ret_identity);

void vmadj_identity_clear(struct vmadj_identity *identity);
