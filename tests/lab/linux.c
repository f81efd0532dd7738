// SPDX-License-Identifier: GPL-2.0-only
/*
 * linux.c - a Linux guest under QEMU's TCG, started by hand
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/private.h"

#define QEMU	      "qemu-system-x86_64"
#define LINUX_MEM_MIB 128
#define ARGS_MAX      64

struct linux_vm {
	struct vmadj_lab_guest guest;
	struct vmadj_lab_guard guard;
};

/* argv[0..n) are ours to free; with "failed", there was no memory or no room for one */
struct args {
	char *argv[ARGS_MAX + 1];
	size_t n;
	bool failed;
};

static __attribute__((format(printf, 2, 3))) void args_add(struct args *args, const char *format,
							   ...)
{
	va_list ap;

	va_start(ap, format);
	if (args->n == ARGS_MAX || vasprintf(&args->argv[args->n], format, ap) < 0) {
		args->failed = true;
	} else {
		args->n++;
	}
	va_end(ap);
	args->argv[args->n] = NULL;
}

static void args_add_words(struct args *args, const char *words)
{
	while (words && *words) {
		size_t len = strcspn(words, " ");

		if (len)
			args_add(args, "%.*s", (int)len, words);
		words += len + (words[len] == ' ');
	}
}

static void args_free(struct args *args)
{
	for (size_t i = 0; i < args->n; i++)
		free(args->argv[i]);
}

/* cx16: QEMU 7.2 loses the flags of cmpxchg16b now and then, and newer kernels die of it */
static void add_machine(struct args *args, const struct vmadj_lab_linux *want, const char *name)
{
	args_add_words(args, QEMU " -accel tcg -cpu qemu64,cx16=off -nodefaults -no-user-config"
				  " -display none -no-reboot -name");
	args_add(args, "%s%s", name, want->thread_names ? ",debug-threads=on" : "");
	args_add_words(args, "-smp");
	args_add(args, "%u", want->vcpus ? want->vcpus : 1);
	args_add_words(args, "-m");
	args_add(args, "%u", want->mem_mib ? want->mem_mib : LINUX_MEM_MIB);
}

static void add_guest(struct args *args, const struct vmadj_lab_linux *want,
		      const struct vmadj_lab_guest *guest)
{
	char cmdline[256];

	args_add_words(args, "-kernel");
	args_add(args, "%s", guest->kernel);
	args_add_words(args, "-initrd");
	args_add(args, "%s", guest->initrd);
	args_add_words(args, "-append");
	vmadj_lab_guest_cmdline(want, cmdline, sizeof(cmdline));
	args_add(args, "%s", cmdline);
	args_add_words(args, "-serial");
	args_add(args, "file:%s", guest->console);
	args_add_words(args, "-qmp");
	args_add(args, "unix:%s,server=on,wait=off", guest->lab_qmp);
	args_add_words(args, "-qmp");
	args_add(args, "unix:%s,server=on,wait=off", guest->qmp);
}

static void add_devices(struct args *args, const struct vmadj_lab_linux *want,
			const struct vmadj_lab_guest *guest)
{
	if (want->disk_mib) {
		args_add_words(args, "-drive");
		args_add(args, "file=%s,if=virtio,format=raw,cache=%s", guest->disk,
			 want->cache ? want->cache : "writeback");
	}
	if (want->balloon)
		args_add_words(args, "-device virtio-balloon-pci");
	if (want->virtio_serial || want->qga || want->agent)
		args_add_words(args, "-device virtio-serial");
	if (want->virtio_serial) {
		args_add_words(args, "-chardev");
		args_add(args, "socket,id=lab,path=%s,server=on,wait=off", guest->serial);
		args_add_words(args, "-device virtserialport,chardev=lab,name=" VMADJ_LAB_PORT);
	}
	if (want->qga) {
		args_add_words(args, "-chardev");
		args_add(args, "socket,id=qga,path=%s,server=on,wait=off", guest->qga);
		args_add_words(args, "-device virtserialport,chardev=qga,name=" VMADJ_LAB_QGA_PORT);
	}
	if (want->agent) {
		args_add_words(args, "-chardev");
		args_add(args, "socket,id=agent,path=%s,server=on,wait=off", guest->agent);
		args_add_words(args,
			       "-device virtserialport,chardev=agent,name=" VMADJ_LAB_AGENT_PORT);
	}
	args_add_words(args, want->extra_args);
}

static void linux_stop(struct vmadj_lab_vm *vm)
{
	struct linux_vm *lin = vm->priv;

	if (!lin)
		return;
	vmadj_lab_guard_stop(&lin->guard);
	vmadj_lab_guest_release(&lin->guest);
	free(lin);
}

static const char *linux_path(const struct vmadj_lab_vm *vm, enum vmadj_lab_path which)
{
	const struct linux_vm *lin = vm->priv;

	return vmadj_lab_guest_path(&lin->guest, which);
}

static const struct vmadj_lab_vm_ops linux_ops = {
	.stop = linux_stop,
	.path = linux_path,
};

static bool linux_ended(void *arg)
{
	return vmadj_lab_guard_ended(arg);
}

static int linux_spawn(const struct vmadj_lab_linux *want, const char *name, struct linux_vm *lin)
{
	struct args args = { .n = 0 };
	const struct vmadj_lab_job job = {
		.argv = args.argv,
		.log = lin->guest.log,
		.place = { .cgroup = want->cgroup,
			   .cpu = want->cpu,
			   .pinned = want->pinned,
			   .own_session = want->own_session },
		.remove_dir = lin->guest.dir,
		.end_signal = SIGKILL,
	};
	int err;

	add_machine(&args, want, name);
	add_guest(&args, want, &lin->guest);
	add_devices(&args, want, &lin->guest);
	if (args.failed) {
		err = vmadj_lab_fail(-E2BIG, "too many arguments for QEMU");
	} else {
		err = vmadj_lab_guard_start(&job, &lin->guard);
	}
	args_free(&args);
	return err;
}

static int linux_boot(const struct vmadj_lab_linux *want, struct vmadj_lab_vm *vm)
{
	struct linux_vm *lin = calloc(1, sizeof(*lin));
	int err;

	if (!lin)
		return vmadj_lab_fail(-ENOMEM, "no memory");
	err = vmadj_lab_guest_prepare(want, &lin->guest);
	if (err) {
		free(lin);
		return err;
	}
	vm->priv = lin;
	err = linux_spawn(want, vm->name, lin);
	if (err)
		return err;
	vm->pid = lin->guard.pid;
	err = vmadj_lab_guest_wait(&lin->guest, linux_ended, &lin->guard);
	return err ? err : vmadj_lab_qmp_learn(vm, lin->guest.lab_qmp);
}

/**
 * vmadj_lab_linux_start - boot a Linux guest with QEMU, and wait until its load runs
 *
 * Return: 0; -ENODEV: no guest image or no QEMU here; -EIO: it ended; -ETIME: it does
 * not boot; -E2BIG: too many extra_args; -ENOMEM; or what fork() gave.
 */
int vmadj_lab_linux_start(const struct vmadj_lab_linux *want, struct vmadj_lab_vm **ret_vm)
{
	struct vmadj_lab_vm *vm;
	int err;

	if (!vmadj_lab_have(QEMU))
		return vmadj_lab_fail(-ENODEV, QEMU " is not installed");
	vm = vmadj_lab_vm_new(&linux_ops, want->name);
	if (!vm)
		return vmadj_lab_fail(-ENOMEM, "no memory");
	err = linux_boot(want, vm);
	if (err) {
		vmadj_lab_vm_stop(vm);
	} else {
		*ret_vm = vm;
	}
	return err;
}
