// SPDX-License-Identifier: GPL-2.0-only
/* vmm.c - a VM whose process does whatever the test tells it */
#include "tests/lib/vmm.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DATA_MAX 65536

struct shared {
	void (*work)(void *data);
	char data[DATA_MAX] __attribute__((aligned(16)));
};

struct vmadj_vmm {
	pid_t pid;
	int fd;
	struct shared *shared;
};

int vmadj_vmm_create_vm(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm;

	if (kvm < 0)
		return -errno;
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0)
		vm = -errno;
	(void)close(kvm);
	return vm;
}

int vmadj_vmm_run_vcpu(int vm_fd, unsigned int id)
{
	int vcpu = ioctl(vm_fd, KVM_CREATE_VCPU, (unsigned long)id);

	if (vcpu < 0)
		return -errno;
	/* Whatever it returns with: the thread has run it. The descriptor stays, as a VMM's does.
	 */
	(void)ioctl(vcpu, KVM_RUN, 0);
	return 0;
}

static int enter(const char *cgroup)
{
	char path[512];
	int fd, err = 0;

	(void)snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, "0", 1) != 1)
		err = -errno;
	(void)close(fd);
	return err;
}

/*
 * The child's own program is in mapped files, too, and its faults on them would be counted: so all
 * of it is there from the start. By the system call, since the sanitizer's mlock() does nothing.
 */
static void lock_program(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long from, to;
	char line[512];

	(void)mlockall(MCL_CURRENT);
	while (maps && fgets(line, sizeof(line), maps)) {
		if (strchr(line, '/') && sscanf(line, "%lx-%lx r", &from, &to) == 2)
			(void)syscall(SYS_mlock, from, to - from);
	}
	if (maps)
		(void)fclose(maps);
}

static __attribute__((noreturn)) void child_main(const struct vmadj_vmm_options *options, int fd,
						 struct shared *shared)
{
	int err = 0;
	char order;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Above all the descriptors of an observer, which would live on here. */
	if (dup2(fd, 3) < 0)
		_exit(1);
	(void)close_range(4, ~0U, 0);
	lock_program();
	if (options->cgroup)
		err = enter(options->cgroup);
	if (!err && !options->no_vm)
		err = vmadj_vmm_create_vm();
	err = err < 0 ? err : 0;
	if (write(3, &err, sizeof(err)) != sizeof(err) || err)
		_exit(1);
	while (read(3, &order, 1) == 1) {
		shared->work(shared->data);
		if (write(3, &order, 1) != 1)
			break;
	}
	_exit(0);
}

struct vmadj_vmm *vmadj_vmm_start(const struct vmadj_vmm_options *options)
{
	static const struct vmadj_vmm_options none;
	struct vmadj_vmm *vmm = calloc(1, sizeof(*vmm));
	int fds[2], err = 0;

	if (access("/dev/kvm", R_OK | W_OK))
		cr_skip_test("/dev/kvm: %s", strerror(errno));
	if (!vmm || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		cr_fatal("no child: %s", strerror(errno));
	vmm->shared = mmap(NULL, sizeof(*vmm->shared), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (vmm->shared == MAP_FAILED)
		cr_fatal("no shared memory");
	vmm->fd = fds[0];
	options = options ? options : &none;
	vmm->pid = (pid_t)syscall(SYS_clone, SIGCHLD | (options->own_pid_ns ? CLONE_NEWPID : 0), 0,
				  0, 0, 0);
	if (!vmm->pid)
		child_main(options, fds[1], vmm->shared);
	(void)close(fds[1]);
	if (vmm->pid < 0 && options->own_pid_ns)
		cr_skip_test("no process-id namespace: %s", strerror(errno));
	if (vmm->pid < 0 || read(vmm->fd, &err, sizeof(err)) != sizeof(err) || err)
		cr_fatal("the child makes no VM: %s", strerror(-err));
	return vmm;
}

void vmadj_vmm_stop(struct vmadj_vmm *vmm)
{
	if (!vmm)
		return;
	(void)kill(vmm->pid, SIGKILL);
	(void)waitpid(vmm->pid, NULL, 0);
	(void)close(vmm->fd);
	(void)munmap(vmm->shared, sizeof(*vmm->shared));
	free(vmm);
}

pid_t vmadj_vmm_pid(const struct vmadj_vmm *vmm)
{
	return vmm->pid;
}

void vmadj_vmm_do(struct vmadj_vmm *vmm, void (*work)(void *data), void *data, size_t size)
{
	char order = 'x';

	if (size > DATA_MAX)
		cr_fatal("too much data for the child");
	vmm->shared->work = work;
	if (size)
		memcpy(vmm->shared->data, data, size);
	if (write(vmm->fd, &order, 1) != 1 || read(vmm->fd, &order, 1) != 1)
		cr_fatal("the child has died");
	if (size)
		memcpy(data, vmm->shared->data, size);
}
