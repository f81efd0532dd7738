// SPDX-License-Identifier: GPL-2.0-only
/* test_cpu_effect.c - competing in the root, and what keeps a weight from having an effect */
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

TestSuite(cpu_effect, .timeout = 10, .init = make, .fini = cpu_tree_remove);

static void another(const char *comm, pid_t ppid, pid_t session)
{
	cpu_tree_process(&(struct cpu_tree_process){
		.pid = OTHER, .ppid = ppid, .session = session, .comm = comm });
}

static void neighbour(int version, const char *path)
{
	cpu_tree_group(version, path, "950");
}

/* --- the root --- */

static void autogroup(const char *on, const char *text)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "proc/%d/autogroup", getpid());
	cpu_tree_write(path, text);
	cpu_tree_write("proc/sys/kernel/sched_autogroup_enabled", on);
}

Test(cpu_effect, a_daemon_of_its_own_session_is_its_autogroup)
{
	struct vmadj_cpu_place place;

	cpu_tree_vm_in("1:cpu:/\n0::/\n");
	cpu_tree_group(1, "", "1");
	autogroup("1\n", "/autogroup-12 nice -3\n");
	place = cpu_tree_find();
	cpu_tree_expect(&place, VMADJ_CPU_AUTOGROUP, "");
	cr_expect(place.effective, "%s", place.why_not);
	cr_expect(eq(str, place.value, "autogroup=-3"));
	cr_expect(eq(int, place.nice, -3));
}

/* qemu -daemonize: who made the session is gone, and it is alone in there. */
Test(cpu_effect, what_is_left_of_a_session_is_its_autogroup)
{
	struct vmadj_cpu_place place;

	cpu_tree_process(&(struct cpu_tree_process){
		.pid = getpid(), .ppid = 1, .session = 800, .comm = QEMU });
	another("elsewhere", 1, 801);
	autogroup("1\n", "/autogroup-12 nice 0\n");
	place = cpu_tree_find();
	cpu_tree_expect(&place, VMADJ_CPU_AUTOGROUP, "");
}

Test(cpu_effect, beside_its_shell_nice_counts_in_the_session_only)
{
	struct vmadj_cpu_place place;

	cpu_tree_process(&(struct cpu_tree_process){
		.pid = getpid(), .ppid = OTHER, .session = OTHER, .comm = QEMU });
	another("bash", 1, OTHER);
	autogroup("1\n", "/autogroup-12 nice 0\n");
	place = cpu_tree_find();
	cpu_tree_expect(&place, VMADJ_CPU_THREADS, "");
	cpu_tree_expect_why(&place, "shares a session");
}

Test(cpu_effect, two_vms_of_one_session_are_told_apart_by_thread_nice)
{
	struct vmadj_cpu_place place;

	cpu_tree_process(&(struct cpu_tree_process){
		.pid = getpid(), .ppid = 1, .session = 800, .comm = QEMU });
	another(QEMU, 1, 800);
	autogroup("1\n", "/autogroup-12 nice 0\n");
	place = cpu_tree_find();
	cpu_tree_expect(&place, VMADJ_CPU_THREADS, "");
	cr_expect(place.effective, "%s", place.why_not);
}

Test(cpu_effect, without_autogroup_threads_compete_with_everybody)
{
	struct vmadj_cpu_place place;

	cpu_tree_vm_in(NULL);
	another("bash", 1, getpid());
	autogroup("0\n", "/autogroup-12 nice 0\n");
	place = cpu_tree_find();
	cpu_tree_expect(&place, VMADJ_CPU_THREADS, "");
	cr_expect(place.effective, "%s", place.why_not);
}

Test(cpu_effect, the_first_session_of_all_is_no_autogroup)
{
	struct vmadj_cpu_place place;

	cpu_tree_vm_in(NULL);
	autogroup("1\n", "");
	place = cpu_tree_find();
	cpu_tree_expect(&place, VMADJ_CPU_THREADS, "");
	cr_expect(place.effective, "%s", place.why_not);
}

/* --- what keeps a weight from having an effect --- */

static void plain_group(void)
{
	cpu_tree_vm_in("0::/vms/a\n");
	cpu_tree_group_of_vm(2, "/vms/a", "");
	neighbour(2, "/vms/b");
}

Test(cpu_effect, a_real_time_thread_knows_no_weight)
{
	const struct cpu_tree_process fifo = { .pid = getpid(),
					       .cgroup = "0::/vms/a\n",
					       .policy = 1 };
	struct vmadj_cpu_place place;

	plain_group();
	cpu_tree_thread(&fifo, THREAD);
	place = cpu_tree_find();
	cpu_tree_expect_why(&place, "real-time");
}

Test(cpu_effect, a_sched_ext_scheduler_may_ignore_weights)
{
	struct vmadj_cpu_place place;

	plain_group();
	cpu_tree_write("sys/kernel/sched_ext/state", "enabled\n");
	place = cpu_tree_find();
	cpu_tree_expect_why(&place, "sched_ext");
	cpu_tree_write("sys/kernel/sched_ext/state", "disabled\n");
	place = cpu_tree_find();
	cr_expect(place.effective, "%s", place.why_not);
}

Test(cpu_effect, an_idle_group_has_no_weight)
{
	struct vmadj_cpu_place place;

	plain_group();
	cpu_tree_write("v2/vms/a/cpu.idle", "1\n");
	place = cpu_tree_find();
	cpu_tree_expect_why(&place, "cpu.idle");
}

Test(cpu_effect, own_cpus_are_not_shared)
{
	struct vmadj_cpu_place place;

	plain_group();
	cpu_tree_write("v2/vms/a/cpuset.cpus.partition", "isolated\n");
	place = cpu_tree_find();
	cpu_tree_expect_why(&place, "exclusive");
	cpu_tree_write("v2/vms/a/cpuset.cpus.partition", "root invalid (no cpus)\n");
	place = cpu_tree_find();
	cr_expect(place.effective, "%s", place.why_not);
}

Test(cpu_effect, own_cpus_are_not_shared_on_v1)
{
	struct vmadj_cpu_place place;

	cpu_tree_vm_in("3:cpu:/vms/a\n");
	cpu_tree_group(1, "", "1");
	cpu_tree_group_of_vm(1, "/vms/a", "");
	neighbour(1, "/vms/b");
	cpu_tree_write("v1/cpuset/vms/a/cpuset.cpu_exclusive", "1\n");
	place = cpu_tree_find();
	cpu_tree_expect_why(&place, "exclusive");
}

Test(cpu_effect, nice_values_set_by_hand_are_left_alone)
{
	const struct cpu_tree_process reniced = { .pid = getpid(), .nice = 7 };
	const struct vmadj_target vm = cpu_tree_vm();
	struct vmadj_cpu_place place;

	cpu_tree_vm_in(NULL);
	cpu_tree_thread(&reniced, THREAD);
	place = cpu_tree_find();
	cpu_tree_expect_why(&place, "by hand");
	cr_expect(eq(str, place.value, "threads=mixed"));
	cr_expect(eq(int, vmadj_cpu_set(cpu_tree_knob(roots, NULL), &vm, &place, 5, NULL, NULL),
		     -EOPNOTSUPP));
}

Test(cpu_effect, a_quota_used_up_is_seen_at_the_second_look)
{
	const struct vmadj_target vm = cpu_tree_vm();
	struct vmadj_cpu *knob = cpu_tree_knob(roots, NULL);
	struct vmadj_cpu_place place;

	plain_group();
	knob = cpu_tree_knob(roots, NULL);
	cpu_tree_write("v2/vms/a/cpu.stat", "usage_usec 5\nnr_periods 9\nnr_throttled 4\n");
	cr_assert(zero(int, vmadj_cpu_find(knob, &vm, &place)));
	cr_expect(eq(u64, place.throttled, 4));
	cr_expect(place.effective, "%s", place.why_not);
	/* libvirt's quotas are below */
	cpu_tree_write("v2/vms/a/vcpu0/cpu.stat", "nr_throttled 1\n");
	cr_assert(zero(int, vmadj_cpu_read(knob, &vm, &place)));
	cr_expect(eq(u64, place.throttled, 5));
	cpu_tree_expect_why(&place, "quota");
	cr_assert(zero(int, vmadj_cpu_read(knob, &vm, &place)));
	cr_expect(place.effective, "%s", place.why_not);
}

/* --- what is gone --- */

Test(cpu_effect, a_reused_process_id_is_not_the_vm)
{
	struct vmadj_target vm = cpu_tree_vm();
	struct vmadj_cpu_place place = { .nice = 42 };
	struct vmadj_cpu *knob;

	plain_group();
	knob = cpu_tree_knob(roots, NULL);
	vm.start_ticks++;
	cr_expect(eq(int, vmadj_cpu_find(knob, &vm, &place), -ESRCH));
	cr_expect(eq(int, vmadj_cpu_read(knob, &vm, &place), -ESRCH));
	cr_expect(eq(int, place.nice, 42), "a failed call changes nothing");
	vm.pid = OTHER;
	cr_expect(eq(int, vmadj_cpu_find(knob, &vm, &place), -ESRCH));
}

Test(cpu_effect, hierarchies_are_found_where_they_are_mounted)
{
	const struct vmadj_target vm = cpu_tree_vm();
	struct vmadj_cpu_roots kernels = *roots;
	struct vmadj_cpu_place place;
	struct vmadj_cpu *knob;
	char line[512], text[160];

	(void)snprintf(
		line, sizeof(line),
		"30 1 0:26 / %s/cpuset rw - cgroup cgroup rw,cpuset\n"
		"31 1 0:27 /docker/x /elsewhere rw - cgroup cgroup rw,cpu\n"
		"32 1 0:27 / %s/../v1/cpu rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
		"33 1 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
		roots->proc, roots->proc);
	cpu_tree_write("proc/self/mountinfo", line);
	kernels.cgroup1 = NULL;
	kernels.cgroup2 = NULL;
	cpu_tree_vm_in("3:cpu,cpuacct:/vms/a\n0::/\n");
	cpu_tree_group_of_vm(1, "/vms/a", "");
	cpu_tree_write("proc/sys/kernel/sched_autogroup_enabled", "1\n");
	knob = cpu_tree_knob(&kernels, NULL);
	cr_assert(zero(int, vmadj_cpu_find(knob, &vm, &place)));
	cr_expect(eq(int, place.kind, VMADJ_CPU_CGROUP1));
	(void)vmadj_cpu_describe(knob, text, sizeof(text));
	cr_expect(eq(str, text, "cgroup v1 cpu.shares, autogroup on, no systemd, sched_ext off"));
}
