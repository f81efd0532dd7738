/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * private.h - what the files of the lab share; tests include lab.h
 */
#ifndef VMADJ_LAB_PRIVATE_H
#define VMADJ_LAB_PRIVATE_H

#include "tests/lab/lab.h"

#define VMADJ_LAB_VCPUS_MAX   64
#define VMADJ_LAB_LINE_MAX    512
#define VMADJ_LAB_LIBVIRT_URI "qemu:///system"
#define VMADJ_LAB_PORT	      "org.vmadjust.0"
#define VMADJ_LAB_QGA_PORT    "org.qemu.guest_agent.0"
#define VMADJ_LAB_AGENT_PORT  "org.vmadjust.guest.0"

/* a peer that talks in lines, over a socket; buf[0..len) is not yet a whole line */
struct vmadj_lab_lines {
	int fd;
	size_t len;
	char buf[VMADJ_LAB_LINE_MAX];
};

struct vmadj_lab_vm_ops {
	void (*stop)(struct vmadj_lab_vm *vm); /* end it, wait, release "priv" */
	const char *(*path)(const struct vmadj_lab_vm *vm, enum vmadj_lab_path which);
};

struct vmadj_lab_vm {
	const struct vmadj_lab_vm_ops *ops;
	void *priv;
	char *name;
	pid_t pid; /* 0: not started */
	unsigned int nr_vcpus;
	pid_t vcpu_tid[VMADJ_LAB_VCPUS_MAX];
};

/* what every VMM needs between fork() and exec() */
struct vmadj_lab_place {
	const char *cgroup;
	unsigned int cpu;
	bool pinned;
	bool own_session;
};

/* vm.c: Return: err, so that "return vmadj_lab_fail(-EIO, ...)" reads well */
int vmadj_lab_fail(int err, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct vmadj_lab_vm *vmadj_lab_vm_new(const struct vmadj_lab_vm_ops *ops, const char *name);

/* lines.c: -ETIME: no line came; -EPIPE: the peer is gone */
int vmadj_lab_lines_read(struct vmadj_lab_lines *lines, unsigned int timeout_ms, char *ret_line);
int vmadj_lab_lines_write(struct vmadj_lab_lines *lines, const char *line);

/* place.c: where a VM is on the host; where the lab's programs and images are */
int vmadj_lab_place_enter(const struct vmadj_lab_place *place);
int vmadj_lab_find(const char *what, char **ret_path);
bool vmadj_lab_have(const char *program);

/* a program that ends with this process, whatever ends this process (guard.c) */
struct vmadj_lab_job {
	char *const *argv; /* NULL: no program, only what follows its end */
	const char *log;   /* the file where its output goes */
	struct vmadj_lab_place place;
	const char *wait_users; /* goes on while somebody holds a lock on this file; NULL: no */
	const char *wait_gone;	/* goes on while there is such a file, for a while; NULL: no */
	int end_signal;
	const char *remove_dir, *remove_file; /* go when it has ended; NULL: none */
	void (*at_end)(void);		      /* NULL: nothing */
};

struct vmadj_lab_guard {
	pid_t guard; /* 0: none */
	pid_t pid;   /* of the program */
	struct vmadj_lab_lines lines;
};

int vmadj_lab_guard_start(const struct vmadj_lab_job *job, struct vmadj_lab_guard *guard);
bool vmadj_lab_guard_ended(struct vmadj_lab_guard *guard);
void vmadj_lab_guard_stop(struct vmadj_lab_guard *guard);

/* what a Linux guest needs on the host, whoever starts it (guest.c) */
struct vmadj_lab_guest {
	char *kernel, *initrd;
	char dir[64]; /* private to the VM; on a disk */
	char disk[96], console[96], log[96], serial[96], agent[96], qga[96], qmp[96], lab_qmp[96];
};

void vmadj_lab_guest_cmdline(const struct vmadj_lab_linux *want, char *ret_text, size_t size);
int vmadj_lab_guest_prepare(const struct vmadj_lab_linux *want, struct vmadj_lab_guest *guest);
int vmadj_lab_guest_wait(const struct vmadj_lab_guest *guest, bool (*ended)(void *), void *arg);
const char *vmadj_lab_guest_path(const struct vmadj_lab_guest *guest, enum vmadj_lab_path which);
void vmadj_lab_guest_release(struct vmadj_lab_guest *guest);
void vmadj_lab_remove(const char *dir);

/* qmp.c: thread ids of vCPUs, as QEMU tells them */
int vmadj_lab_qmp_learn(struct vmadj_lab_vm *vm, const char *socket_path);
int vmadj_lab_qmp_parse_vcpus(struct vmadj_lab_vm *vm, const char *reply);

/* daemon.c: libvirt's daemons, started if none runs; as long as the process lives */
int vmadj_lab_daemon_use(void);

#endif
