/* SPDX-License-Identifier: GPL-2.0-only */
/* test_blame.c - whom a vCPU waited for, by name */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lab/require.h"
#include "tests/lib/cgroup.h"
#include "tests/lib/ksm.h"
#include "tests/lib/truth.h"
#include "tests/lib/world.h"
#include "user/observe/parts.h"
#include "user/observe/sched.h"

#define PERIOD_NS 100000000 /* of a quota */

/* A wait is laid to somebody when it is over: of the one under way at either end, a slice or two.
 */
#define UNDER_WAY_NS 10000000

static pid_t burner;

static void end_burner(void)
{
	if (burner > 0) {
		(void)kill(burner, SIGKILL);
		(void)waitpid(burner, NULL, 0);
	}
	vmadj_ksm_stop();
	vmadj_world_close_all();
	vmadj_cgroup_remove_all();
}

TestSuite(blame, .timeout = 90, .fini = end_burner);

static struct vmadj_lab_kvm busy_vm(const char *name)
{
	return (struct vmadj_lab_kvm){
		.name = name, .load = "busy", .pinned = true, .cpu = vmadj_world_cpu()
	};
}

/* A process of the host called @name that wants all of CPU 1. */
static pid_t burn_as(const char *name)
{
	cpu_set_t set;

	burner = fork();
	if (burner)
		return burner;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_NAME, name);
	(void)close_range(3, ~0U, 0);
	CPU_ZERO(&set);
	CPU_SET(vmadj_world_cpu(), &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
	for (;;)
		;
}

/* What the kernel says of a VM that always wants the CPU and of another that does, too. */
struct pair {
	struct vmadj_truth victim, culprit;
	struct vmadj_world_vm row; /* the victim's */
};

static void read_pair(struct vmadj_world *world, pid_t victim, pid_t culprit, struct pair *pair)
{
	(void)vmadj_world_sample(world, 0);
	pair->row = vmadj_world_vm(world, victim);
	pair->victim = vmadj_truth_process(victim);
	pair->culprit = vmadj_truth_process(culprit);
}

/*
 * While the culprit ran, the victim waited: all of that is to be blamed on it, whoever else
 * ran there, and nothing more. Where nobody else did, that is 95 % of the wait.
 */
static void check_blame(const struct pair *a, const struct pair *b, const char *who)
{
	uint64_t blamed_ns =
		vmadj_world_waited_ns(&b->row, who) - vmadj_world_waited_ns(&a->row, who);
	uint64_t ran_ns = b->culprit.run_ns - a->culprit.run_ns;
	uint64_t waited_ns = b->victim.wait_ns - a->victim.wait_ns;

	cr_expect(ge(u64, blamed_ns + UNDER_WAY_NS, ran_ns / 100 * 95), "%s", who);
	cr_expect(le(u64, blamed_ns, ran_ns / 100 * 105 + UNDER_WAY_NS), "%s", who);
	if (ran_ns > waited_ns / 100 * 98)
		cr_expect(ge(u64, blamed_ns, waited_ns / 100 * 95), "%s", who);
	cr_log_info("%s: blamed %.1f %% of its run time, %.1f %% of the wait", who,
		    100.0 * (double)blamed_ns / (double)ran_ns,
		    100.0 * (double)blamed_ns / (double)waited_ns);
}

static uint64_t all_blamed_ns(const struct vmadj_world_vm *row)
{
	uint64_t sum_ns = 0;

	for (size_t i = 0; i < row->vm.cpu.n_waited; i++)
		sum_ns += row->waited[i].wait_ns;
	return sum_ns;
}

/* All that was waited is laid to somebody, if only to "other", and no more than that. */
static void check_sum(const struct pair *a, const struct pair *b)
{
	uint64_t sum_ns = all_blamed_ns(&b->row) - all_blamed_ns(&a->row);
	uint64_t wait_ns = b->row.vm.cpu.wait_ns - a->row.vm.cpu.wait_ns;

	cr_expect(le(u64, sum_ns, wait_ns + wait_ns / 100 + 1000000));
	cr_expect(ge(u64, sum_ns + wait_ns / 100 + 1000000, wait_ns));
}

Test(blame, two_busy_vms_blame_each_other_by_name)
{
	const struct vmadj_lab_kvm web1 = busy_vm("web,1"), db1 = busy_vm("db1");
	_cleanup_lab_vm_ struct vmadj_lab_vm *web = NULL, *db = NULL;
	struct vmadj_world *world = vmadj_world_open();
	static struct pair web_a, web_b, db_a, db_b;

	vmadj_world_need_trace(world);
	vmadj_lab_require(vmadj_lab_kvm_start(&web1, &web));
	vmadj_lab_require(vmadj_lab_kvm_start(&db1, &db));
	vmadj_world_serve(world, 0.3);
	read_pair(world, vmadj_lab_vm_pid(web), vmadj_lab_vm_pid(db), &web_a);
	read_pair(world, vmadj_lab_vm_pid(db), vmadj_lab_vm_pid(web), &db_a);
	for (int i = 0; i < 4; i++)
		(void)vmadj_world_sample(world, 1);
	read_pair(world, vmadj_lab_vm_pid(web), vmadj_lab_vm_pid(db), &web_b);
	read_pair(world, vmadj_lab_vm_pid(db), vmadj_lab_vm_pid(web), &db_b);
	check_sum(&web_a, &web_b);
	check_sum(&db_a, &db_b);
	check_blame(&web_a, &web_b, "vm:db1");
	check_blame(&db_a, &db_b, "vm:web,1");
}

Test(blame, a_host_process_is_blamed_by_name)
{
	const struct vmadj_lab_kvm busy = busy_vm(NULL);
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	struct vmadj_world *world = vmadj_world_open();
	static struct pair a, b;

	vmadj_world_need_trace(world);
	vmadj_lab_require(vmadj_lab_kvm_start(&busy, &vm));
	(void)burn_as("greedy one");
	vmadj_world_serve(world, 0.3);
	read_pair(world, vmadj_lab_vm_pid(vm), burner, &a);
	(void)vmadj_world_sample(world, 3);
	read_pair(world, vmadj_lab_vm_pid(vm), burner, &b);
	check_sum(&a, &b);
	check_blame(&a, &b, "host:greedy one");
}

Test(blame, a_kernel_thread_is_blamed_by_name)
{
	const struct vmadj_lab_kvm busy = busy_vm(NULL);
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	struct vmadj_world *world = vmadj_world_open();
	pid_t ksmd = vmadj_ksm_burn(vmadj_world_cpu());
	static struct pair a, b;

	vmadj_world_need_trace(world);
	vmadj_lab_require(vmadj_lab_kvm_start(&busy, &vm));
	vmadj_world_serve(world, 0.3);
	read_pair(world, vmadj_lab_vm_pid(vm), ksmd, &a);
	(void)vmadj_world_sample(world, 3);
	read_pair(world, vmadj_lab_vm_pid(vm), ksmd, &b);
	if (b.culprit.run_ns - a.culprit.run_ns < 200000000)
		cr_skip_test("ksmd does not keep busy");
	check_sum(&a, &b);
	check_blame(&a, &b, "kernel:ksmd");
}

/* A CPU on which one is taken for waiting looks at each switch, for ever. */
Test(blame, nobody_waits_when_all_vms_have_been_killed)
{
	struct vmadj_world *world = vmadj_world_open();
	struct vmadj_sched_view *view = vmadj_observer_sched(vmadj_world_observer(world));
	struct vmadj_lab_kvm want = busy_vm(NULL);
	uint32_t most = 0;

	vmadj_world_need_trace(world);
	want.vcpus = 4;
	for (int i = 0; i < 20; i++) {
		struct vmadj_lab_vm *vms[3] = { 0 };

		vmadj_lab_require(vmadj_lab_kvm_start_many(&want, vms, 3));
		(void)vmadj_world_sample(world, 0.3);
		if (vmadj_sched_waiting(view) > most)
			most = vmadj_sched_waiting(view);
		vmadj_lab_stop_many(vms, 3);
	}
	cr_assert(ge(u32, most, 6), "they did not wait for each other");
	for (int i = 0; i < 3; i++)
		(void)vmadj_world_sample(world, 0.3);
	cr_expect(zero(u32, vmadj_sched_waiting(view)));
}

/*
 * A busy VM whose quota is used up: whoever has the CPU meanwhile is not to blame.
 * Whether this is waiting at all differs from kernel to kernel.
 */
Test(blame, waiting_for_its_quota_is_blamed_on_the_limit)
{
	struct vmadj_lab_kvm want = busy_vm(NULL);
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	struct vmadj_world *world = vmadj_world_open();
	static struct pair a, b;
	uint64_t throttled, blamed, waited;

	vmadj_world_need_trace(world);
	want.cgroup = vmadj_cgroup_with_quota(30);
	vmadj_lab_require(vmadj_lab_kvm_start(&want, &vm));
	vmadj_world_serve(world, 0.5);
	throttled = vmadj_cgroup_throttled_ns(want.cgroup);
	read_pair(world, vmadj_lab_vm_pid(vm), vmadj_lab_vm_pid(vm), &a);
	(void)vmadj_world_sample(world, 4);
	throttled = vmadj_cgroup_throttled_ns(want.cgroup) - throttled;
	read_pair(world, vmadj_lab_vm_pid(vm), vmadj_lab_vm_pid(vm), &b);
	blamed = vmadj_world_waited_ns(&b.row, "limit:cpu.max") -
		 vmadj_world_waited_ns(&a.row, "limit:cpu.max");
	waited = b.victim.wait_ns - a.victim.wait_ns;
	check_sum(&a, &b);
	if (waited < throttled / 2)
		cr_skip_test("here a thread that its quota keeps off does not count as waiting");
	cr_assert(ge(u64, throttled, 1000000000), "the quota kept nobody off");
	/* Of one period at each end only a part may be seen. */
	cr_expect(ge(u64, blamed + 2 * PERIOD_NS, throttled / 100 * 90));
	cr_expect(le(u64, blamed, throttled / 100 * 110 + 2 * PERIOD_NS));
}
