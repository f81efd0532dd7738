// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm.c - kvmvm processes: start, ask, stop
 *
 * One socket is a kvmvm's stdin, stdout and stderr: when this process ends, the
 * socket does, and so does the VM.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lab/private.h"

#define KVM_READY_MS   20000 /* a thousand start at once, on few CPUs */
#define KVM_COMMAND_MS 60000 /* "io" may read a large file */
#define KVM_ARGS_MAX   20

struct kvm_args {
	char *argv[KVM_ARGS_MAX + 1];
	char numbers[3][16];
};

static void kvm_stop(struct vmadj_lab_vm *vm)
{
	struct vmadj_lab_lines *lines = vm->priv;

	if (vm->pid > 0) {
		kill(vm->pid, SIGKILL);
		while (waitpid(vm->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (lines) {
		close(lines->fd);
		free(lines);
	}
}

static const struct vmadj_lab_vm_ops kvm_ops = {
	.stop = kvm_stop,
};

static void kvm_build_args(const struct vmadj_lab_kvm *want, const char *program, const char *name,
			   struct kvm_args *args)
{
	const unsigned int numbers[3] = { want->vcpus ? want->vcpus : 1, want->cpu,
					  want->lifetime_ms };
	size_t n = 0;

	for (size_t i = 0; i < 3; i++)
		(void)snprintf(args->numbers[i], sizeof(args->numbers[i]), "%u", numbers[i]);
	args->argv[n++] = (char *)program;
	args->argv[n++] = "--name";
	args->argv[n++] = (char *)name;
	args->argv[n++] = "--load";
	args->argv[n++] = (char *)(want->load ? want->load : "idle");
	args->argv[n++] = "--vcpus";
	args->argv[n++] = args->numbers[0];
	if (want->pinned) {
		args->argv[n++] = "--cpu";
		args->argv[n++] = args->numbers[1];
	}
	if (want->lifetime_ms) {
		args->argv[n++] = "--lifetime";
		args->argv[n++] = args->numbers[2];
	}
	if (want->emulator_busy)
		args->argv[n++] = "--emulator-busy";
	if (want->thread_names)
		args->argv[n++] = "--thread-names";
	args->argv[n] = NULL;
}

static __attribute__((noreturn)) void kvm_child(const struct vmadj_lab_kvm *want, int fd,
						const struct kvm_args *args)
{
	/* only the vCPU threads are pinned, by kvmvm: a VMM's other threads float */
	const struct vmadj_lab_place place = { .cgroup = want->cgroup,
					       .own_session = want->own_session };
	int err;

	/* should it become another program, that still ends with the test */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < 3; i++)
		(void)dup2(fd, i);
	err = vmadj_lab_place_enter(&place);
	if (!err) {
		execv(args->argv[0], args->argv);
		err = -errno;
	}
	dprintf(STDOUT_FILENO, "cannot start: %s\n", strerror(-err));
	_exit(127);
}

/* two thousand descriptors are no leak here */
static void raise_nofile(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int kvm_spawn(const struct vmadj_lab_kvm *want, const char *program, struct vmadj_lab_vm *vm)
{
	struct vmadj_lab_lines *lines = calloc(1, sizeof(*lines));
	struct kvm_args args;
	int fds[2];

	if (!lines)
		return vmadj_lab_fail(-ENOMEM, "no memory");
	raise_nofile();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds)) {
		free(lines);
		return vmadj_lab_fail(-errno, "socketpair");
	}
	lines->fd = fds[0];
	vm->priv = lines;
	kvm_build_args(want, program, vm->name, &args);
	vm->pid = fork();
	if (!vm->pid)
		kvm_child(want, fds[1], &args);
	close(fds[1]);
	return vm->pid < 0 ? vmadj_lab_fail(-errno, "fork") : 0;
}

static void kvm_learn_vcpu(struct vmadj_lab_vm *vm, const char *line)
{
	unsigned int index;
	int tid;

	/* NOLINTNEXTLINE(cert-err34-c): kvmvm is ours, and prints what fits */
	if (sscanf(line, "vcpu %u tid %d", &index, &tid) != 2 || index >= VMADJ_LAB_VCPUS_MAX)
		return;
	vm->vcpu_tid[index] = tid;
	if (vm->nr_vcpus <= index)
		vm->nr_vcpus = index + 1;
}

static int kvm_wait_ready(struct vmadj_lab_vm *vm)
{
	char line[VMADJ_LAB_LINE_MAX], last[VMADJ_LAB_LINE_MAX] = "";
	int err;

	while (!(err = vmadj_lab_lines_read(vm->priv, KVM_READY_MS, line))) {
		if (!strcmp(line, "ready"))
			return 0;
		kvm_learn_vcpu(vm, line);
		memcpy(last, line, sizeof(last));
	}
	/* ended before it was ready: its last words say why */
	return vmadj_lab_fail(err == -EPIPE ? -EIO : err, "%s", *last ? last : "kvmvm: no answer");
}

static int kvm_spawn_many(const struct vmadj_lab_kvm *want, struct vmadj_lab_vm **vms, size_t n)
{
	char *program = NULL;
	int err = vmadj_lab_find("tools/lab/kvmvm", &program);

	if (err)
		return vmadj_lab_fail(err, "tools/lab/kvmvm is not built");
	for (size_t i = 0; i < n && !err; i++) {
		vms[i] = vmadj_lab_vm_new(&kvm_ops, want->name);
		err = vms[i] ? kvm_spawn(want, program, vms[i])
			     : vmadj_lab_fail(-ENOMEM, "no memory");
	}
	free(program);
	return err;
}

/**
 * vmadj_lab_kvm_start_many - start the same VM n times, all at once
 *
 * With a name, they all have that name. All start, or none does.
 *
 * Return: 0; -ENODEV: /dev/kvm cannot be used; -ENOENT: kvmvm is not built;
 * -EIO: it ended at once; -ETIME: it hangs; -ENOMEM; or what fork() gave.
 */
int vmadj_lab_kvm_start_many(const struct vmadj_lab_kvm *want, struct vmadj_lab_vm **ret_vms,
			     size_t n)
{
	struct vmadj_lab_vm **vms;
	int err;

	if (access("/dev/kvm", R_OK | W_OK))
		return vmadj_lab_fail(-ENODEV, "/dev/kvm: %s", strerror(errno));
	vms = calloc(n, sizeof(struct vmadj_lab_vm *));
	if (!vms)
		return vmadj_lab_fail(-ENOMEM, "no memory");
	err = kvm_spawn_many(want, vms, n);
	for (size_t i = 0; i < n && !err; i++)
		err = kvm_wait_ready(vms[i]);
	if (err) {
		vmadj_lab_stop_many(vms, n);
	} else {
		memcpy(ret_vms, vms, n * sizeof(struct vmadj_lab_vm *));
	}
	free(vms);
	return err;
}

/**
 * vmadj_lab_kvm_start - start a KVM guest
 *
 * Return: as vmadj_lab_kvm_start_many().
 */
int vmadj_lab_kvm_start(const struct vmadj_lab_kvm *want, struct vmadj_lab_vm **ret_vm)
{
	return vmadj_lab_kvm_start_many(want, ret_vm, 1);
}

static int kvm_ask(struct vmadj_lab_vm *vm, const char *command, char *ret_answer)
{
	char line[VMADJ_LAB_LINE_MAX];
	int err;

	if (vm->ops != &kvm_ops)
		return vmadj_lab_fail(-EOPNOTSUPP, "%s is no kvmvm", vm->name);
	err = vmadj_lab_lines_write(vm->priv, command);
	if (!err)
		err = vmadj_lab_lines_read(vm->priv, KVM_COMMAND_MS, line);
	if (err)
		return vmadj_lab_fail(err, "%s: no answer to \"%s\"", vm->name, command);
	if (strncmp(line, "ok", 2) != 0)
		return vmadj_lab_fail(-EBADMSG, "%s: \"%s\": %s", vm->name, command, line);
	memcpy(ret_answer, line, sizeof(line));
	return 0;
}

/**
 * vmadj_lab_kvm_command - have a KVM guest's VMM do something
 * @command: hotplug, rename, destroy, exec PATH [keep-fds] (kvmvm --help)
 *
 * A vCPU added is known to vmadj_lab_vm_vcpu_tid() when this returns.
 *
 * Return: 0; -EBADMSG: refused, and why in vmadj_lab_why(); -EPIPE: it is gone;
 * -ETIME: it hangs; -EOPNOTSUPP: not a KVM guest.
 */
int vmadj_lab_kvm_command(struct vmadj_lab_vm *vm, const char *command)
{
	char answer[VMADJ_LAB_LINE_MAX];
	int err = kvm_ask(vm, command, answer);

	if (!err && !strncmp(answer, "ok vcpu", 7))
		kvm_learn_vcpu(vm, answer + 3);
	return err;
}

/**
 * vmadj_lab_kvm_io - have the VMM access a file
 * @pattern: cold, warm, random, random-cold, big, big-cold, mmap, write, direct;
 *           "worker " before it: by a thread made for it, not by the main one
 *
 * Return: as vmadj_lab_kvm_command().
 */
int vmadj_lab_kvm_io(struct vmadj_lab_vm *vm, const char *pattern, const char *file,
		     unsigned long pages, struct vmadj_lab_io *ret_io)
{
	bool worker = !strncmp(pattern, "worker ", 7);
	char command[VMADJ_LAB_LINE_MAX], answer[VMADJ_LAB_LINE_MAX];
	struct vmadj_lab_io io;
	int err;

	(void)snprintf(command, sizeof(command), "%s %s %s %lu", worker ? "io-worker" : "io",
		       pattern + (worker ? 7 : 0), file, pages);
	err = kvm_ask(vm, command, answer);
	if (err)
		return err;
	/* NOLINTNEXTLINE(cert-err34-c): kvmvm is ours, and prints what fits */
	if (sscanf(answer, "ok accessed %lu absent %lu added %lu", &io.accessed, &io.absent,
		   &io.added) != 3)
		return vmadj_lab_fail(-EBADMSG, "%s: \"%s\"", vm->name, answer);
	*ret_io = io;
	return 0;
}
