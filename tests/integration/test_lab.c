// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_lab.c - does the lab tell the truth, and does it leave nothing behind?
 *
 * Of the tool under test nothing is used here.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lab/lab.h"
#include "tests/lab/require.h"

#define PAGES 256

TestSuite(lab, .timeout = 120);

static bool alive(pid_t pid)
{
	return !kill(pid, 0);
}

static bool is_thread_of(pid_t pid, pid_t tid)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d", (int)pid, (int)tid);
	return !access(path, F_OK);
}

/* run time of a thread in ns, as the scheduler has it */
static unsigned long long run_ns(pid_t tid)
{
	unsigned long long ns = 0;
	char path[64];
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)tid);
	f = fopen(path, "r");
	cr_assert(f != NULL);
	cr_assert(fscanf(f, "%llu", &ns) == 1);
	(void)fclose(f);
	return ns;
}

static bool wait_gone(pid_t pid)
{
	for (int i = 0; i < 100 && alive(pid); i++)
		(void)usleep(50000);
	return !alive(pid);
}

Test(lab, a_kvm_guest_names_its_vcpus)
{
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	const struct vmadj_lab_kvm want = { .load = "idle", .vcpus = 3 };

	vmadj_lab_require(vmadj_lab_kvm_start(&want, &vm));
	cr_assert(eq(uint, vmadj_lab_vm_vcpus(vm), 3));
	for (unsigned int i = 0; i < 3; i++)
		cr_assert(is_thread_of(vmadj_lab_vm_pid(vm), vmadj_lab_vm_vcpu_tid(vm, i)));
	cr_assert(eq(int, vmadj_lab_vm_vcpu_tid(vm, 3), -ENOENT));
	cr_assert(zero(int, vmadj_lab_kvm_command(vm, "hotplug")));
	cr_assert(is_thread_of(vmadj_lab_vm_pid(vm), vmadj_lab_vm_vcpu_tid(vm, 3)));
}

Test(lab, busy_burns_and_idle_does_not)
{
	_cleanup_lab_vm_ struct vmadj_lab_vm *busy = NULL, *idle = NULL;
	const struct vmadj_lab_kvm burns = { .load = "busy" }, sleeps = { .load = "idle" };

	vmadj_lab_require(vmadj_lab_kvm_start(&burns, &busy));
	vmadj_lab_require(vmadj_lab_kvm_start(&sleeps, &idle));
	(void)usleep(500000);
	cr_assert(gt(ullong, run_ns(vmadj_lab_vm_vcpu_tid(busy, 0)), 50000000));
	cr_assert(lt(ullong, run_ns(vmadj_lab_vm_vcpu_tid(idle, 0)), 20000000));
}

Test(lab, cold_pages_are_absent_and_warm_ones_are_not)
{
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	_cleanup_lab_file_ char *file = NULL;
	const struct vmadj_lab_kvm want = { .load = "idle" };
	struct vmadj_lab_io io;

	vmadj_lab_require(vmadj_lab_kvm_start(&want, &vm));
	vmadj_lab_require(vmadj_lab_file_new(PAGES, &file));
	cr_assert(zero(int, vmadj_lab_kvm_io(vm, "cold", file, PAGES, &io)));
	cr_assert(eq(ulong, io.accessed, PAGES));
	cr_assert(eq(ulong, io.absent, PAGES));
	cr_assert(eq(ulong, io.added, PAGES));
	cr_assert(zero(int, vmadj_lab_kvm_io(vm, "worker warm", file, PAGES, &io)));
	cr_assert(eq(ulong, io.accessed, PAGES));
	cr_assert(zero(ulong, io.absent));
	cr_assert(eq(int, vmadj_lab_kvm_io(vm, "no-such", file, PAGES, &io), -EBADMSG));
}

Test(lab, a_refused_load_says_why)
{
	struct vmadj_lab_vm *vm = NULL;
	const struct vmadj_lab_kvm want = { .load = "no-such" };
	int err = vmadj_lab_kvm_start(&want, &vm);

	if (err == -ENODEV)
		vmadj_lab_require(err);
	cr_assert(eq(int, err, -EIO));
	cr_assert(vm == NULL);
	cr_assert(strstr(vmadj_lab_why(), "no-such") != NULL, "%s", vmadj_lab_why());
}

Test(lab, a_hundred_start_at_once)
{
	struct vmadj_lab_vm *vms[100];
	const struct vmadj_lab_kvm want = { .load = "idle" };

	vmadj_lab_require(vmadj_lab_kvm_start_many(&want, vms, 100));
	cr_assert(alive(vmadj_lab_vm_pid(vms[99])));
	vmadj_lab_stop_many(vms, 100);
}

typedef int (*linux_start_fn)(const struct vmadj_lab_linux *want, struct vmadj_lab_vm **ret_vm);

static const struct vmadj_lab_linux linux_want = {
	.load = "busy",
	.vcpus = 2,
	.disk_mib = 16,
	.balloon = true,
	.virtio_serial = true,
};

static void check_linux(linux_start_fn start)
{
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	const char *disk;

	vmadj_lab_require(start(&linux_want, &vm));
	cr_assert(eq(uint, vmadj_lab_vm_vcpus(vm), 2));
	for (unsigned int i = 0; i < 2; i++)
		cr_assert(is_thread_of(vmadj_lab_vm_pid(vm), vmadj_lab_vm_vcpu_tid(vm, i)));
	disk = vmadj_lab_vm_path(vm, VMADJ_LAB_DISK);
	cr_assert(zero(int, access(disk, R_OK | W_OK)));
	cr_assert(zero(int, access(vmadj_lab_vm_path(vm, VMADJ_LAB_SERIAL), F_OK)));
}

Test(lab, a_linux_guest_boots_by_hand)
{
	check_linux(vmadj_lab_linux_start);
}

Test(lab, a_linux_guest_boots_under_libvirt)
{
	check_linux(vmadj_lab_libvirt_start);
}

/* a process that starts a VM, tells its pid, and is then killed */
static void check_dies_with_its_test(linux_start_fn start)
{
	int fds[2], status = 0;
	pid_t child, pid = 0;

	cr_assert(zero(int, pipe(fds)));
	child = fork();
	if (!child) {
		struct vmadj_lab_vm *vm = NULL;
		int err = start(&linux_want, &vm);

		pid = err ? err : vmadj_lab_vm_pid(vm);
		if (write(fds[1], &pid, sizeof(pid)) == sizeof(pid))
			pause();
		_exit(1);
	}
	cr_assert(read(fds[0], &pid, sizeof(pid)) == sizeof(pid));
	kill(child, SIGKILL);
	(void)waitpid(child, &status, 0);
	if (pid == -ENODEV)
		cr_skip_test("no such VM here");
	cr_assert(gt(int, pid, 0));
	cr_assert(wait_gone(pid));
}

Test(lab, a_linux_guest_dies_with_its_test)
{
	check_dies_with_its_test(vmadj_lab_linux_start);
}

Test(lab, a_libvirt_guest_dies_with_its_test)
{
	check_dies_with_its_test(vmadj_lab_libvirt_start);
}
