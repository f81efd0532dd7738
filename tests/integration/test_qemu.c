/* SPDX-License-Identifier: GPL-2.0-only */
/* test_qemu.c - Linux guests under QEMU's TCG: their vCPUs and names, and what is no VM */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lab/require.h"
#include "tests/lib/truth.h"
#include "tests/lib/world.h"

#define QEMU "qemu-system-x86_64"

#define PROGRAMS_MAX 8

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static pid_t programs[PROGRAMS_MAX];
static size_t n_programs;
static char copies[] = "/tmp/vmadj-test-XXXXXX"; /* a folder, once it is made */
static bool copies_made;

static void clean_up(void)
{
	for (size_t i = 0; i < n_programs; i++) {
		(void)kill(programs[i], SIGKILL);
		(void)waitpid(programs[i], NULL, 0);
	}
	if (copies_made)
		(void)nftw(copies, remove_one, 4, FTW_DEPTH | FTW_PHYS);
	vmadj_world_close_all();
}

TestSuite(qemu, .timeout = 120, .fini = clean_up);

/* The threads that QEMU itself calls its vCPUs, with the kernel's counters. */
static void check_vcpus(struct vmadj_world *world, const struct vmadj_lab_vm *vm)
{
	pid_t pid = vmadj_lab_vm_pid(vm);
	struct vmadj_world_vm a, b;
	struct vmadj_truth s, t;

	vmadj_truth_stop(pid);
	(void)vmadj_world_sample(world, 0);
	a = vmadj_world_vm(world, pid);
	s = vmadj_truth_thread(pid, vmadj_lab_vm_vcpu_tid(vm, 0));
	vmadj_truth_continue(pid);
	(void)vmadj_world_sample(world, 1);
	vmadj_truth_stop(pid);
	(void)vmadj_world_sample(world, 0);
	b = vmadj_world_vm(world, pid);
	t = vmadj_truth_thread(pid, vmadj_lab_vm_vcpu_tid(vm, 0));
	vmadj_truth_continue(pid);
	cr_assert(eq(sz, b.vm.n_vcpus, vmadj_lab_vm_vcpus(vm)));
	for (unsigned int i = 0; i < b.vm.n_vcpus; i++) {
		cr_expect(eq(int, b.vcpus[i].id, (int)i));
		cr_expect(eq(int, b.vcpus[i].tid, vmadj_lab_vm_vcpu_tid(vm, i)));
	}
	cr_expect(vmadj_truth_agrees("ran", b.vcpus[0].run_ns - a.vcpus[0].run_ns,
				     t.run_ns - s.run_ns));
	cr_expect(vmadj_truth_agrees("waited", b.vcpus[0].wait_ns - a.vcpus[0].wait_ns,
				     t.wait_ns - s.wait_ns));
}

Test(qemu, vcpus_are_known_by_their_names)
{
	const struct vmadj_lab_linux want = {
		.name = "with,,comma", .load = "busy", .vcpus = 2, .thread_names = true
	};
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	struct vmadj_world *world = vmadj_world_open();
	struct vmadj_world_vm row;

	vmadj_lab_require(vmadj_lab_linux_start(&want, &vm));
	(void)vmadj_world_sample(world, 1);
	row = vmadj_world_vm(world, vmadj_lab_vm_pid(vm));
	cr_expect(eq(str, row.name, "with,comma"));
	cr_expect(eq(str, row.vmm, "qemu"));
	cr_expect(eq(str, row.accel, "tcg"));
	cr_expect(eq(str, row.manager, ""));
	cr_expect(row.vm.cpu.known);
	check_vcpus(world, vm);
}

Test(qemu, vcpus_without_names_are_known_by_their_order_or_not_at_all)
{
	const struct vmadj_lab_linux want = {
		.load = "busy",
		.vcpus = 2,
		.extra_args = "-object iothread,id=one -object iothread,id=two -vnc none",
	};
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	struct vmadj_world *world;
	struct vmadj_world_vm row;

	vmadj_lab_require(vmadj_lab_linux_start(&want, &vm));
	world = vmadj_world_open();
	(void)vmadj_world_sample(world, 3);
	row = vmadj_world_vm(world, vmadj_lab_vm_pid(vm));
	cr_assert(row.vm.cpu.known, "%s", row.note);
	cr_expect(eq(str, row.note, ""));
	check_vcpus(world, vm);
}

Test(qemu, a_libvirt_domain_has_its_name_and_uuid)
{
	const struct vmadj_lab_linux want = { .name = "lab domain 1", .load = "busy" };
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	struct vmadj_world *world = vmadj_world_open();
	struct vmadj_world_vm row;

	vmadj_lab_require(vmadj_lab_libvirt_start(&want, &vm));
	(void)vmadj_world_sample(world, 1);
	row = vmadj_world_vm(world, vmadj_lab_vm_pid(vm));
	cr_expect(zero(int, strcmp(row.name, vmadj_lab_vm_name(vm))), "%s", row.name);
	cr_expect(eq(sz, strlen(row.uuid), 36));
	cr_expect(eq(str, row.manager, "libvirt"));
	cr_expect(eq(str, row.accel, "tcg"));
	check_vcpus(world, vm);
}

static void start_program(char *const argv[])
{
	pid_t pid = fork();

	if (!pid) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)close_range(3, ~0U, 0);
		execvp(argv[0], argv);
		_exit(127);
	}
	programs[n_programs++] = pid;
}

static void expect_no_vm(struct vmadj_world *world)
{
	struct vmadj_world_vm row;

	(void)vmadj_world_sample(world, 0.4);
	for (size_t i = 0; i < n_programs; i++) {
		cr_expect(not(vmadj_world_find(world, programs[i], &row)), "%s", row.name);
		cr_assert(zero(int, kill(programs[i], 0)));
	}
}

static void check_no_vm(struct vmadj_world *world)
{
	for (int i = 0; i < 3; i++)
		expect_no_vm(world);
	vmadj_world_close(world);
	/* One that was there before the observer is judged by other means. */
	world = vmadj_world_open();
	for (int i = 0; i < 2; i++)
		expect_no_vm(world);
}

/* libvirt starts such ones to ask what QEMU can do. */
Test(qemu, one_that_has_no_machine_is_no_vm)
{
	char *const argv[] = { QEMU,	     "-S",	 "-no-user-config",    "-nodefaults",
			       "-nographic", "-machine", "none,accel=kvm:tcg", "-qmp",
			       "null",	     NULL };
	struct vmadj_world *world = vmadj_world_open();

	if (access("/usr/bin/" QEMU, X_OK))
		cr_skip_test(QEMU " is not installed");
	start_program(argv);
	check_no_vm(world);
}

/* Return: the copy's path, until the next call. */
static char *copy_program(const char *from, const char *name)
{
	static char path[64];
	struct stat st;
	int in, out;

	if (!copies_made && !mkdtemp(copies))
		cr_fatal("%s: %m", copies);
	copies_made = true;
	(void)snprintf(path, sizeof(path), "%s/%s", copies, name);
	in = open(from, O_RDONLY | O_CLOEXEC);
	out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (in < 0 || out < 0 || fstat(in, &st))
		cr_fatal("%s cannot be copied", from);
	while (sendfile(out, in, NULL, (size_t)st.st_size) > 0)
		;
	(void)close(in);
	(void)close(out);
	return path;
}

Test(qemu, its_tools_are_no_vms)
{
	static const char *const tools[] = { "qemu-img", "qemu-nbd", "qemu-ga",
					     "qemu-storage-daemon", "qemu-x86_64" };
	struct vmadj_world *world = vmadj_world_open();

	for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++) {
		char *const argv[] = { copy_program("/bin/sleep", tools[i]), "60", NULL };

		start_program(argv);
	}
	check_no_vm(world);
}
