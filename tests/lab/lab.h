/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lab.h - real VMs for tests, benchmarks and the demo
 *
 * A VM is described by a struct whose zeroes are sensible, started, asked, and
 * stopped when its variable goes out of scope:
 *
 *	_cleanup_lab_vm_ struct vmadj_lab_vm *a = NULL, *b = NULL;
 *	const struct vmadj_lab_kvm want = { .load = "busy", .pinned = true, .cpu = 1 };
 *
 *	vmadj_lab_require(vmadj_lab_kvm_start(&want, &a));	(require.h)
 *	vmadj_lab_require(vmadj_lab_kvm_start(&want, &b));
 *	sleep(1);
 *	... what the tool under test says of vmadj_lab_vm_vcpu_tid(a, 0) ...
 *
 * Nothing outlives the test, killed or crashed: a kvmvm ends with its control
 * socket, QEMU has a supervisor that waits for the test's end, libvirt destroys
 * a domain with the connection that made it.
 *
 * Units:     memory in MiB, times in ms; a vCPU index counts from 0.
 * Errors:    0, or a negative errno, with the reason in vmadj_lab_why().
 *            -ENODEV: this host cannot do it (no /dev/kvm, no libvirtd, no guest
 *            image): skip the test with that reason.
 * Threads:   a VM belongs to the thread that started it, which must live as long.
 * Ownership: vmadj_lab_vm_stop() takes NULL and half-started VMs.
 */
#ifndef VMADJ_LAB_H
#define VMADJ_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct vmadj_lab_vm;

/* a guest of two pages, made with the KVM ioctls: started in ms, by the hundred */
struct vmadj_lab_kvm {
	const char *name; /* NULL: "lab-PID-N" */
	const char *load; /* NULL: "idle"; busy, tick:MS, short:MS, mix, spin-user (kvmvm --help) */
	const char *cgroup;	  /* folder of the cgroup to start in; NULL: that of the test */
	unsigned int vcpus;	  /* 0: one */
	unsigned int cpu;	  /* where the vCPU threads are pinned, if "pinned" */
	unsigned int lifetime_ms; /* 0: until stopped */
	bool pinned;
	bool own_session;   /* as a daemonised VMM: an autogroup of its own */
	bool emulator_busy; /* a thread that is no vCPU burns */
	bool thread_names;  /* "CPU 0/KVM", as under QEMU with debug-threads */
};

/* a Linux guest under QEMU's TCG, booted in seconds; the same by hand or by libvirt */
struct vmadj_lab_linux {
	const char *name;
	/* NULL: "idle"; busy, mix, diskread, memory:MIB, memory-wave:MIN:MAX:SECONDS,
	 * unixlike:SECONDS, report:SECONDS, filework (init.guest)
	 */
	const char *load;
	const char *cgroup;	/* not with libvirt, which makes its own */
	const char *cache;	/* of the disk; NULL: "writeback"; "none" is O_DIRECT */
	const char *kernel;	/* "6.12": that version; NULL: the guests' usual one */
	const char *agent_mode; /* of the agent; NULL: "1"; measure, nobpf, nobtf,
				 * mortal (init.guest) */
	const char *extra_args; /* more arguments for QEMU, separated by spaces; not with libvirt */
	unsigned int vcpus;	/* 0: one */
	unsigned int mem_mib;	/* 0: 128 */
	unsigned int disk_mib;	/* 0: no disk; else /dev/vda, a sparse file */
	unsigned int cpu;
	bool pinned;	  /* all threads on "cpu" */
	bool own_session; /* libvirt's always have one */
	bool balloon;
	bool virtio_serial; /* a port "org.vmadjust.0" (vmadj_lab_vm_path()) */
	bool qga;	    /* an unmodified qemu-ga runs in it, on its usual port */
	bool qga_blocked;   /* with it: its administrator allows no guest-file-open */
	bool thread_names;  /* debug-threads; libvirt always asks for it */
	bool agent;	    /* vmadjust-guest runs, with its port */
};

/* what a VM's process really did to a file (tools/lab/kvmvm_io.h) */
struct vmadj_lab_io {
	unsigned long accessed; /* accesses to pages, repeats counted, O_DIRECT too */
	unsigned long absent;	/* first accesses to pages that were not in the cache at first */
	unsigned long added;	/* pages in the cache now that were not before: with read-ahead */
};

enum vmadj_lab_path {
	VMADJ_LAB_DISK,	   /* the host's file behind /dev/vda */
	VMADJ_LAB_QMP,	   /* a QMP socket that nobody uses (by hand only) */
	VMADJ_LAB_SERIAL,  /* the socket of the virtio-serial port */
	VMADJ_LAB_QGA,	   /* the socket of qemu-ga's port (by hand only) */
	VMADJ_LAB_AGENT,   /* the socket of the agent's port */
	VMADJ_LAB_CONSOLE, /* a file with what the guest has printed so far */
};

const char *vmadj_lab_why(void);

int vmadj_lab_kvm_start(const struct vmadj_lab_kvm *want, struct vmadj_lab_vm **ret_vm);
int vmadj_lab_kvm_start_many(const struct vmadj_lab_kvm *want, struct vmadj_lab_vm **ret_vms,
			     size_t n);
int vmadj_lab_linux_start(const struct vmadj_lab_linux *want, struct vmadj_lab_vm **ret_vm);
int vmadj_lab_libvirt_start(const struct vmadj_lab_linux *want, struct vmadj_lab_vm **ret_vm);
void vmadj_lab_vm_stop(struct vmadj_lab_vm *vm);
void vmadj_lab_stop_many(struct vmadj_lab_vm **vms, size_t n);

/* the truth, told by the VM itself; -ENOENT: no such vCPU */
pid_t vmadj_lab_vm_pid(const struct vmadj_lab_vm *vm);
const char *vmadj_lab_vm_name(const struct vmadj_lab_vm *vm);
unsigned int vmadj_lab_vm_vcpus(const struct vmadj_lab_vm *vm);
pid_t vmadj_lab_vm_vcpu_tid(const struct vmadj_lab_vm *vm, unsigned int index);
const char *vmadj_lab_vm_path(const struct vmadj_lab_vm *vm, enum vmadj_lab_path which);

/* KVM guests only: kvmvm's commands, "hotplug" and so on; -EBADMSG: it answered "error ..." */
int vmadj_lab_kvm_command(struct vmadj_lab_vm *vm, const char *command);
int vmadj_lab_kvm_io(struct vmadj_lab_vm *vm, const char *pattern, const char *file,
		     unsigned long pages, struct vmadj_lab_io *ret_io);

/* a file on a disk, for the above, out of the page cache; vmadj_lab_file_free() removes it */
int vmadj_lab_file_new(unsigned long pages, char **ret_path);
int vmadj_lab_file_warm(const char *path);
void vmadj_lab_file_free(char *path);

static inline void vmadj_lab_vm_cleanup(struct vmadj_lab_vm **vm)
{
	vmadj_lab_vm_stop(*vm);
}

static inline void vmadj_lab_file_cleanup(char **path)
{
	vmadj_lab_file_free(*path);
}

#define _cleanup_lab_vm_   __attribute__((cleanup(vmadj_lab_vm_cleanup)))
#define _cleanup_lab_file_ __attribute__((cleanup(vmadj_lab_file_cleanup)))

#endif
