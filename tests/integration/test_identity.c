/* SPDX-License-Identifier: GPL-2.0-only */
/* test_identity.c - a process id, a descriptor, a namespace: what is the VM, and what only looks so
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/lab/require.h"
#include "tests/lib/truth.h"
#include "tests/lib/vmm.h"
#include "tests/lib/world.h"

#define REUSE_TRIES 200

static struct vmadj_vmm *vmm;
static pid_t other;

static void end_other(void)
{
	if (other > 0) {
		(void)kill(other, SIGKILL);
		(void)waitpid(other, NULL, 0);
	}
	other = 0;
}

static void clean_up(void)
{
	end_other();
	vmadj_vmm_stop(vmm);
	vmadj_world_close_all();
}

TestSuite(identity, .timeout = 60, .fini = clean_up);

/* Runs @child in a process with just that id, which has become free; skips if it cannot. */
static void fork_as(pid_t pid, void (*child)(void *data), void *data)
{
	int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", pid - 1);

	if (fd < 0)
		cr_skip_test("the next process id cannot be chosen on this kernel");
	for (int tries = 0; tries < REUSE_TRIES; tries++) {
		if (pwrite(fd, text, (size_t)len, 0) != len)
			cr_skip_test("the next process id cannot be chosen: %m");
		other = fork();
		if (!other) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getpid() == pid)
				child(data);
			_exit(0);
		}
		if (other == pid)
			break;
		/* Somebody else was quicker; as long as it has not that id, try again. */
		end_other();
	}
	(void)close(fd);
	if (other != pid)
		cr_skip_test("process id %d is not to be had again", pid);
}

static void burn(void *data)
{
	(void)data;
	(void)close_range(3, ~0U, 0);
	for (;;)
		;
}

static void become_vm(void *data)
{
	(void)data;
	(void)close_range(3, ~0U, 0);
	(void)vmadj_vmm_create_vm();
	for (;;)
		;
}

static pid_t start_and_end_a_vm(struct vmadj_world *world, struct vmadj_world_vm *ret_row)
{
	pid_t pid;

	vmm = vmadj_vmm_start(NULL);
	pid = vmadj_vmm_pid(vmm);
	(void)vmadj_world_sample(world, 0.3);
	*ret_row = vmadj_world_vm(world, pid);
	vmadj_vmm_stop(vmm);
	vmm = NULL;
	return pid;
}

Test(identity, a_process_that_takes_over_a_vms_id_is_not_the_vm)
{
	struct vmadj_world *world = vmadj_world_open();
	struct vmadj_world_vm row;
	pid_t pid = start_and_end_a_vm(world, &row);

	/* The observer has not looked since: it has to find out that this is somebody else. */
	fork_as(pid, burn, NULL);
	(void)vmadj_world_sample(world, 0.5);
	row = vmadj_world_vm(world, pid);
	cr_expect(row.vm.ended);
	cr_expect(lt(u64, row.vm.cpu.emulator_run_ns, 400000000), "its own, not the other's");
	for (int i = 0; i < 3; i++) {
		(void)vmadj_world_sample(world, 0.5);
		cr_expect(not(vmadj_world_find(world, pid, &row)));
	}
}

Test(identity, a_vm_that_takes_over_a_vms_id_is_another_vm)
{
	struct vmadj_world *world = vmadj_world_open();
	struct vmadj_world_vm first, second;
	pid_t pid = start_and_end_a_vm(world, &first);
	struct vmadj_truth truth;

	/* Start times are told in hundredths. */
	usleep(20000);
	fork_as(pid, become_vm, NULL);
	(void)vmadj_world_sample(world, 0.3);
	(void)vmadj_world_sample(world, 1);
	second = vmadj_world_vm(world, pid);
	cr_expect(not(second.vm.ended));
	cr_expect(ne(str, second.id, first.id));
	vmadj_truth_stop(pid);
	(void)vmadj_world_sample(world, 0);
	second = vmadj_world_vm(world, pid);
	truth = vmadj_truth_process(pid);
	cr_expect(vmadj_truth_agrees("ran", second.vm.cpu.emulator_run_ns, truth.run_ns));
}

static void burn_a_vcpu(void *data)
{
	static int vm_fd = -1;
	struct timespec end, now;

	if (vm_fd < 0) {
		vm_fd = vmadj_vmm_create_vm();
		(void)vmadj_vmm_run_vcpu(vm_fd, 0);
	}
	*(int *)data = (int)syscall(SYS_gettid);
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	do {
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec - end.tv_sec < 1);
}

/* There it is process 1, whose vCPU is thread 1. */
Test(identity, a_vm_in_another_pid_namespace_is_counted_by_the_hosts_id)
{
	const struct vmadj_vmm_options options = { .own_pid_ns = true, .no_vm = true };
	struct vmadj_world *world = vmadj_world_open();
	struct vmadj_world_vm before, after;
	struct vmadj_truth truth;
	int tid = 0;

	vmm = vmadj_vmm_start(&options);
	vmadj_vmm_do(vmm, burn_a_vcpu, &tid, sizeof(tid));
	cr_assert(eq(int, tid, 1));
	(void)vmadj_world_sample(world, 0.5);
	before = vmadj_world_vm(world, vmadj_vmm_pid(vmm));
	truth = vmadj_truth_process(vmadj_vmm_pid(vmm));
	cr_assert(eq(sz, before.vm.n_vcpus, 1));
	cr_expect(eq(int, before.vcpus[0].tid, vmadj_vmm_pid(vmm)));
	vmadj_vmm_do(vmm, burn_a_vcpu, &tid, sizeof(tid));
	(void)vmadj_world_sample(world, 0.1);
	after = vmadj_world_vm(world, vmadj_vmm_pid(vmm));
	cr_expect(
		vmadj_truth_agrees("ran", after.vm.cpu.run_ns - before.vm.cpu.run_ns,
				   vmadj_truth_process(vmadj_vmm_pid(vmm)).run_ns - truth.run_ns));
	/* KVM itself may give the process a thread (kvm-nx-lpage-recovery), which hardly runs. */
	cr_expect(lt(u64, after.vm.cpu.emulator_run_ns, 1000000));
}

static void fork_an_heir(void *data)
{
	pid_t heir = fork();

	if (!heir) {
		(void)prctl(PR_SET_PDEATHSIG, 0);
		for (;;)
			pause();
	}
	*(pid_t *)data = heir;
}

/* A child of the VMM holds the same descriptors: one VM, and it ends with its own process. */
Test(identity, a_process_that_inherits_a_vm_is_no_second_one)
{
	struct vmadj_world *world = vmadj_world_open();
	struct vmadj_world_vm row;
	pid_t pid, heir = 0;

	vmm = vmadj_vmm_start(NULL);
	pid = vmadj_vmm_pid(vmm);
	vmadj_vmm_do(vmm, fork_an_heir, &heir, sizeof(heir));
	cr_assert(gt(int, heir, 0));
	(void)vmadj_world_sample(world, 0.5);
	(void)vmadj_world_vm(world, pid);
	cr_expect(not(vmadj_world_find(world, heir, &row)));
	/* Whoever comes later looks at all descriptors of all processes. */
	vmadj_world_close(world);
	world = vmadj_world_open();
	(void)vmadj_world_sample(world, 0.1);
	(void)vmadj_world_vm(world, pid);
	cr_expect(not(vmadj_world_find(world, heir, &row)));
	vmadj_vmm_stop(vmm);
	vmm = NULL;
	(void)vmadj_world_sample(world, 0.3);
	row = vmadj_world_vm(world, pid);
	cr_expect(row.vm.ended);
	cr_expect(not(vmadj_world_find(world, heir, &row)));
	(void)kill(heir, SIGKILL);
}

/* Sends the VM's descriptor, the lowest that the child has but its socket, to @fd. */
static void send_fd(int to, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(int));
	(void)sendmsg(to, &message, 0);
}

struct hand_over {
	pid_t receiver;
	int received;
};

/* Another process, made before the VM, gets the VM's descriptor over a socket. */
static void hand_over(void *data)
{
	struct hand_over *job = data;
	int fds[2], vm;

	(void)socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
	job->receiver = fork();
	if (!job->receiver) {
		char control[CMSG_SPACE(sizeof(int))], byte;
		struct iovec iov = { &byte, 1 };
		struct msghdr message = { .msg_iov = &iov,
					  .msg_iovlen = 1,
					  .msg_control = control,
					  .msg_controllen = sizeof(control) };

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)recvmsg(fds[1], &message, 0);
		(void)send(fds[1], message.msg_controllen ? "1" : "0", 1, 0);
		for (;;)
			pause();
	}
	vm = vmadj_vmm_create_vm();
	send_fd(fds[0], vm);
	{
		char answer = '0';

		(void)recv(fds[0], &answer, 1, 0);
		job->received = vm >= 0 && answer == '1';
	}
}

Test(identity, a_process_that_is_handed_a_vm_is_no_second_one)
{
	const struct vmadj_vmm_options options = { .no_vm = true };
	struct vmadj_world *world = vmadj_world_open();
	struct hand_over job = { 0 };
	struct vmadj_world_vm row;

	vmm = vmadj_vmm_start(&options);
	vmadj_vmm_do(vmm, hand_over, &job, sizeof(job));
	cr_assert(job.received);
	for (int i = 0; i < 2; i++) {
		(void)vmadj_world_sample(world, 0.3);
		(void)vmadj_world_vm(world, vmadj_vmm_pid(vmm));
		cr_expect(not(vmadj_world_find(world, job.receiver, &row)));
		vmadj_world_close(world);
		world = vmadj_world_open();
	}
}

static void *make_vm(void *data)
{
	*(int *)data = vmadj_vmm_create_vm();
	return NULL;
}

static void make_vm_in_thread(void *data)
{
	pthread_t thread;

	if (!pthread_create(&thread, NULL, make_vm, data))
		(void)pthread_join(thread, NULL);
}

/* KVM's news name the thread, which is gone by the time they are read. */
Test(identity, a_vm_made_by_a_thread_that_is_gone_is_found)
{
	const struct vmadj_vmm_options options = { .no_vm = true };
	struct vmadj_world *world = vmadj_world_open();
	int vm_fd = -1;

	vmm = vmadj_vmm_start(&options);
	(void)vmadj_world_sample(world, 0);
	vmadj_vmm_do(vmm, make_vm_in_thread, &vm_fd, sizeof(vm_fd));
	cr_assert(ge(int, vm_fd, 0));
	(void)vmadj_world_sample(world, 0.5);
	(void)vmadj_world_vm(world, vmadj_vmm_pid(vmm));
}

static void make_two(void *data)
{
	static int first = -1;
	int *fds = data;

	if (first < 0) {
		first = fds[0] = vmadj_vmm_create_vm();
		fds[1] = vmadj_vmm_create_vm();
	} else {
		(void)close(first);
	}
}

/* It is one row, by its process, until the last one is closed. */
Test(identity, a_process_with_two_vms_is_shown_once)
{
	const struct vmadj_vmm_options options = { .no_vm = true };
	struct vmadj_world *world = vmadj_world_open();
	struct vmadj_world_vm row;
	int fds[2] = { -1, -1 };

	vmm = vmadj_vmm_start(&options);
	vmadj_vmm_do(vmm, make_two, fds, sizeof(fds));
	cr_assert(ge(int, fds[1], 0));
	(void)vmadj_world_sample(world, 1.5);
	row = vmadj_world_vm(world, vmadj_vmm_pid(vmm));
	vmadj_vmm_do(vmm, make_two, fds, sizeof(fds));
	(void)vmadj_world_sample(world, 0.5);
	row = vmadj_world_vm(world, vmadj_vmm_pid(vmm));
	cr_expect(not(row.vm.ended), "the second one is still there");
}
