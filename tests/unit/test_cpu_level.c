// SPDX-License-Identifier: GPL-2.0-only
/* test_cpu_level.c - the control group in which a VM competes for CPU time */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/cpu_tree.h"

#define QEMU   "qemu-system-x86"
#define OTHER  900 /* another process */
#define THREAD 901 /* another thread of the VM */

static const struct vmadj_cpu_roots *roots;

static void make(void)
{
	roots = cpu_tree_make();
}

TestSuite(cpu_level, .timeout = 10, .init = make, .fini = cpu_tree_remove);

static void another(const char *comm, pid_t ppid, pid_t session)
{
	cpu_tree_process(&(struct cpu_tree_process){
		.pid = OTHER, .ppid = ppid, .session = session, .comm = comm });
}

static void systemd_runs(void)
{
	cpu_tree_write("run/systemd/system/x", "");
}

static void neighbour(int version, const char *path)
{
	cpu_tree_group(version, path, "950");
}

/* --- libvirt --- */

#define LIBVIRT_UNIT "/machine.slice/machine-qemu\\x2d1\\x2dweb1.scope"

/* As libvirt does it: a group a vCPU and one for the rest, threaded in version 2. */
static void libvirt_domain(int version, const char *controllers, const char *unit)
{
	const char *nested = version == 1 ? "" : "/libvirt";
	char text[256], path[256];
	struct cpu_tree_process vcpu = { .pid = getpid(), .comm = "CPU 0/KVM", .cgroup = text };

	(void)snprintf(text, sizeof(text), "%s:%s%s/emulator\n0::/\n", controllers, unit, nested);
	cpu_tree_vm_in(text);
	(void)snprintf(text, sizeof(text), "%s:%s%s/vcpu0\n0::/\n", controllers, unit, nested);
	cpu_tree_thread(&vcpu, THREAD);
	cpu_tree_group(version, "", "1");
	cpu_tree_group_of_vm(version, unit, "");
	(void)snprintf(path, sizeof(path), "%s%s", unit, version == 1 ? "/emulator" : "/libvirt");
	cpu_tree_group_of_vm(version, path, "");
}

Test(cpu_level, a_libvirt_domain_on_v1_without_systemd_is_its_group)
{
	struct vmadj_cpu_place place;

	libvirt_domain(1, "4:cpu,cpuacct", "/machine/qemu-1-web1.libvirt-qemu");
	neighbour(1, "/machine/qemu-2-db1.libvirt-qemu/emulator");
	place = cpu_tree_find();
	cpu_tree_expect(&place, VMADJ_CPU_CGROUP1, "v1/cpu/machine/qemu-1-web1.libvirt-qemu");
	cr_expect(place.effective, "%s", place.why_not);
	cr_expect(place.owner == NULL);
	cr_expect(eq(str, place.value, "shares=1024"));
	cr_expect(zero(int, place.nice));
}

Test(cpu_level, a_libvirt_domain_on_v2_with_systemd_is_its_scope)
{
	struct vmadj_cpu_place place;

	systemd_runs();
	libvirt_domain(2, "0:", LIBVIRT_UNIT);
	neighbour(2, "/machine.slice/machine-qemu\\x2d2\\x2ddb1.scope");
	place = cpu_tree_find();
	cpu_tree_expect(&place, VMADJ_CPU_CGROUP2, "v2" LIBVIRT_UNIT);
	cr_expect(place.effective, "%s", place.why_not);
	cr_expect(eq(str, (char *)place.owner, "systemd"));
	cr_expect(eq(str, place.unit, "machine-qemu\\x2d1\\x2dweb1.scope"));
	cr_expect(eq(str, place.value, "weight=100"));
}

Test(cpu_level, a_libvirt_domain_is_turned_by_libvirt_where_that_is_there)
{
	struct vmadj_target vm = cpu_tree_vm();
	struct vmadj_cpu_place place;
	int somebody;

	systemd_runs();
	libvirt_domain(2, "0:", LIBVIRT_UNIT);
	vm.manager = "libvirt";
	vm.uuid = "5f0c2c1e-8a38-4f0a-9d9c-0242ac120002";
	place = cpu_tree_find_of(&vm, (struct vmadj_libvirt *)&somebody);
	cr_expect(eq(str, (char *)place.owner, "libvirt"));
}

Test(cpu_level, helpers_that_libvirt_puts_beside_a_domain_belong_to_it)
{
	struct vmadj_cpu_place place;

	libvirt_domain(2, "0:", LIBVIRT_UNIT);
	cpu_tree_group_of_vm(2, LIBVIRT_UNIT "/libvirt", "900");
	another("virtiofsd", 1, 0);
	place = cpu_tree_find();
	cpu_tree_expect(&place, VMADJ_CPU_CGROUP2, "v2" LIBVIRT_UNIT);
}

Test(cpu_level, a_domain_alone_in_its_slice_has_nobody_to_share_with)
{
	struct vmadj_cpu_place place;

	libvirt_domain(2, "0:", LIBVIRT_UNIT);
	cpu_tree_group(2, "/machine.slice", "");
	place = cpu_tree_find();
	cpu_tree_expect(&place, VMADJ_CPU_CGROUP2, "v2" LIBVIRT_UNIT);
	cpu_tree_expect_why(&place, "only one on its level");
}

/* --- other managers --- */

Test(cpu_level, a_vm_of_proxmox_is_its_scope)
{
	struct vmadj_cpu_place place;

	systemd_runs();
	cpu_tree_vm_in("0::/qemu.slice/100.scope\n");
	cpu_tree_group_of_vm(2, "/qemu.slice/100.scope", "900");
	another("swtpm", 1, 0);
	neighbour(2, "/qemu.slice/101.scope");
	place = cpu_tree_find();
	cpu_tree_expect(&place, VMADJ_CPU_CGROUP2, "v2/qemu.slice/100.scope");
	cr_expect(place.effective, "%s", place.why_not);
	cr_expect(eq(str, (char *)place.owner, "systemd"));
	cr_expect(eq(str, place.unit, "100.scope"));
}

Test(cpu_level, the_kernels_threads_and_the_vms_children_are_nobody_else)
{
	struct vmadj_cpu_place place;

	cpu_tree_vm_in("0::/system.slice/vm.service\n");
	cpu_tree_group_of_vm(2, "/system.slice/vm.service", "900 902");
	another("vhost-1234", 2, 0);
	cpu_tree_process(&(struct cpu_tree_process){
		.pid = 902, .ppid = getpid(), .session = 5, .comm = "child" });
	place = cpu_tree_find();
	cpu_tree_expect(&place, VMADJ_CPU_CGROUP2, "v2/system.slice/vm.service");
}

Test(cpu_level, two_vms_in_one_service_are_told_apart_by_thread_nice)
{
	struct vmadj_cpu_place place;

	systemd_runs();
	cpu_tree_vm_in("0::/system.slice/vms.service\n");
	cpu_tree_group_of_vm(2, "/system.slice/vms.service", "900");
	another(QEMU, 1, 0);
	place = cpu_tree_find();
	cpu_tree_expect(&place, VMADJ_CPU_THREADS, "");
	cr_expect(place.effective, "%s", place.why_not);
	cr_expect(eq(str, place.value, "threads=0"));
}

Test(cpu_level, beside_other_programs_in_one_group_nice_says_nothing_to_other_vms)
{
	struct vmadj_cpu_place place;

	cpu_tree_vm_in("0::/kubepods.slice/pod1.scope\n");
	cpu_tree_group_of_vm(2, "/kubepods.slice/pod1.scope", "900");
	another("virt-launcher", 1, 0);
	place = cpu_tree_find();
	cpu_tree_expect(&place, VMADJ_CPU_THREADS, "");
	cpu_tree_expect_why(&place, "shares a control group");
}

Test(cpu_level, a_process_that_cannot_be_seen_is_somebody_else)
{
	struct vmadj_cpu_place place;
	char parent[16];

	(void)snprintf(parent, sizeof(parent), "%d", getppid());
	cpu_tree_vm_in("0::/system.slice/vm.service\n");
	cpu_tree_group_of_vm(2, "/system.slice/vm.service", parent);
	place = cpu_tree_find();
	cpu_tree_expect(&place, VMADJ_CPU_THREADS, "");
	cpu_tree_expect_why(&place, "shares a control group");
}

Test(cpu_level, a_scope_below_somebody_elses_service_is_not_systemds)
{
	struct vmadj_cpu_place place;

	systemd_runs();
	cpu_tree_vm_in("0::/user.slice/user@1000.service/app.slice/vm.scope\n");
	cpu_tree_group_of_vm(2, "/user.slice/user@1000.service/app.slice/vm.scope", "");
	cpu_tree_group(2, "/user.slice/user@1000.service/init.scope", "900");
	cpu_tree_group(2, "/user.slice/user@1000.service", "");
	another("systemd", 1, 0);
	place = cpu_tree_find();
	cpu_tree_expect(&place, VMADJ_CPU_CGROUP2,
			"v2/user.slice/user@1000.service/app.slice/vm.scope");
	cr_expect(place.owner == NULL);
}

Test(cpu_level, a_slice_is_never_touched)
{
	struct vmadj_cpu_place place;

	cpu_tree_vm_in("0::/vm.slice\n");
	cpu_tree_group_of_vm(2, "/vm.slice", "");
	place = cpu_tree_find();
	cpu_tree_expect(&place, VMADJ_CPU_THREADS, "");
	cpu_tree_expect_why(&place, "alone in a slice");
}

Test(cpu_level, a_plain_group_of_its_own_is_turned)
{
	struct vmadj_cpu_place place;

	cpu_tree_vm_in("3:cpu:/vms/a\n0::/\n");
	cpu_tree_group(1, "", "1");
	cpu_tree_group_of_vm(1, "/vms/a", "");
	neighbour(1, "/vms/b");
	place = cpu_tree_find();
	cpu_tree_expect(&place, VMADJ_CPU_CGROUP1, "v1/cpu/vms/a");
	cr_expect(place.effective, "%s", place.why_not);
}

/* The controller is off below the root: to the scheduler there is no such group. */
Test(cpu_level, a_scope_without_the_controller_competes_in_the_root)
{
	struct vmadj_cpu_place place;

	cpu_tree_vm_in("0::/machine.slice/vm.scope\n");
	cpu_tree_group(2, "", "1");
	cpu_tree_write("v2/machine.slice/vm.scope/cgroup.procs", "");
	cpu_tree_write("proc/sys/kernel/sched_autogroup_enabled", "0\n");
	place = cpu_tree_find();
	cpu_tree_expect(&place, VMADJ_CPU_THREADS, "");
	cr_expect(place.effective, "%s", place.why_not);
}

Test(cpu_level, threads_spread_over_groups_that_are_not_its_own_cannot_be_turned)
{
	const struct cpu_tree_process more = { .pid = getpid(), .cgroup = "0::/pod/b\n" };
	struct vmadj_cpu_place place;

	cpu_tree_vm_in("0::/pod/a\n");
	cpu_tree_thread(&more, THREAD);
	cpu_tree_group_of_vm(2, "/pod", "900");
	another("sidecar", 1, 0);
	place = cpu_tree_find();
	cpu_tree_expect(&place, VMADJ_CPU_NONE, "");
	cpu_tree_expect_why(&place, "several control groups");
	cr_expect(eq(int,
		     vmadj_cpu_set(cpu_tree_knob(roots, NULL),
				   &(struct vmadj_target){ .pid = getpid(),
							   .start_ticks = CPU_TREE_START },
				   &place, 5, NULL, NULL),
		     -EOPNOTSUPP));
}

Test(cpu_level, a_group_outside_of_our_view_is_said_so)
{
	struct vmadj_cpu_place place;

	cpu_tree_vm_in("0::/../../machine.slice/x.scope\n");
	cpu_tree_group(2, "", "");
	place = cpu_tree_find();
	cpu_tree_expect(&place, VMADJ_CPU_NONE, "");
	cpu_tree_expect_why(&place, "outside");
}
