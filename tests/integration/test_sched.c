/* SPDX-License-Identifier: GPL-2.0-only */
/* test_sched.c - run time, waiting and switches of each vCPU, held against the kernel's own */
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/lab/require.h"
#include "tests/lib/truth.h"
#include "tests/lib/world.h"

TestSuite(sched, .timeout = 60, .fini = vmadj_world_close_all);

/* On the first CPU, on another one if there is one, and on any. */
static const struct vmadj_lab_kvm mixed_load[] = {
	{ .name = "busy", .load = "busy", .pinned = true, .cpu = 1, .vcpus = 2 },
	{ .name = "mix", .load = "mix", .pinned = true, .cpu = 1 },
	{ .name = "short", .load = "short:3", .pinned = true, .cpu = 0 },
	{ .name = "user", .load = "spin-user", .pinned = true, .cpu = 0 },
	{ .name = "free", .load = "busy", .vcpus = 2, .emulator_busy = true },
	{ .name = "tick", .load = "tick:2" },
	{ .name = "idle" },
};

static struct vmadj_lab_kvm busy_vm(void)
{
	return (struct vmadj_lab_kvm){ .load = "busy", .pinned = true, .cpu = vmadj_world_cpu() };
}

#define VMS   (sizeof(mixed_load) / sizeof(mixed_load[0]))
#define VCPUS 2

/* What both sides say of one VM while it is stopped. */
struct reading {
	struct vmadj_world_vm ours;
	struct vmadj_truth vcpu[VCPUS];
	struct vmadj_truth all; /* of its threads */
};

static void read_all(struct vmadj_world *world, struct vmadj_lab_vm **vms, size_t n,
		     struct reading *readings)
{
	for (size_t i = 0; i < n; i++)
		vmadj_truth_stop(vmadj_lab_vm_pid(vms[i]));
	(void)vmadj_world_sample(world, 0);
	for (size_t i = 0; i < n; i++) {
		pid_t pid = vmadj_lab_vm_pid(vms[i]);

		readings[i].ours = vmadj_world_vm(world, pid);
		readings[i].all = vmadj_truth_process(pid);
		for (unsigned int v = 0; v < vmadj_lab_vm_vcpus(vms[i]); v++)
			readings[i].vcpu[v] =
				vmadj_truth_thread(pid, vmadj_lab_vm_vcpu_tid(vms[i], v));
	}
	for (size_t i = 0; i < n; i++)
		vmadj_truth_continue(vmadj_lab_vm_pid(vms[i]));
}

static const struct vmadj_snap_vcpu *vcpu_of(const struct vmadj_lab_vm *vm, unsigned int v,
					     const struct reading *reading)
{
	const struct vmadj_snap_vcpu *vcpu =
		vmadj_world_vcpu(&reading->ours, vmadj_lab_vm_vcpu_tid(vm, v));

	if (!vcpu)
		cr_fatal("vCPU %u of %s is not listed", v, vmadj_lab_vm_name(vm));
	return vcpu;
}

static void compare(const struct vmadj_lab_vm *vm, const struct reading *a, const struct reading *b)
{
	uint64_t vcpus_ns = 0;
	char what[64];

	for (unsigned int v = 0; v < vmadj_lab_vm_vcpus(vm); v++) {
		const struct vmadj_snap_vcpu *x = vcpu_of(vm, v, a), *y = vcpu_of(vm, v, b);
		const struct vmadj_truth *s = &a->vcpu[v], *t = &b->vcpu[v];

		(void)snprintf(what, sizeof(what), "%s vCPU %u ran", vmadj_lab_vm_name(vm), v);
		cr_expect(vmadj_truth_agrees(what, y->run_ns - x->run_ns, t->run_ns - s->run_ns));
		(void)snprintf(what, sizeof(what), "%s vCPU %u waited", vmadj_lab_vm_name(vm), v);
		cr_expect(
			vmadj_truth_agrees(what, y->wait_ns - x->wait_ns, t->wait_ns - s->wait_ns));
		cr_expect(eq(u64, y->switches - x->switches, t->switches - s->switches), "%s",
			  vmadj_lab_vm_name(vm));
		cr_expect(eq(u64, y->preemptions - x->preemptions, t->preemptions - s->preemptions),
			  "%s", vmadj_lab_vm_name(vm));
		vcpus_ns += t->run_ns - s->run_ns;
	}
	(void)snprintf(what, sizeof(what), "%s's other threads ran", vmadj_lab_vm_name(vm));
	cr_expect(vmadj_truth_agrees(
		what, b->ours.vm.cpu.emulator_run_ns - a->ours.vm.cpu.emulator_run_ns,
		b->all.run_ns - a->all.run_ns - vcpus_ns));
}

VMADJ_WORLD_TEST(sched, ten_seconds_of_mixed_load_agree_with_schedstat)
{
	struct vmadj_world *world = vmadj_world_open_as(*mode);
	static struct reading a[VMS], b[VMS];
	struct vmadj_lab_vm *vms[VMS] = { NULL };

	for (size_t i = 0; i < VMS; i++) {
		struct vmadj_lab_kvm want = mixed_load[i];

		want.cpu = want.cpu ? vmadj_world_cpu() : 0;
		vmadj_lab_require(vmadj_lab_kvm_start(&want, &vms[i]));
	}
	(void)vmadj_world_sample(world, 0.5);
	read_all(world, vms, VMS, a);
	for (int i = 0; i < 10; i++)
		(void)vmadj_world_sample(world, 1);
	read_all(world, vms, VMS, b);
	for (size_t i = 0; i < VMS; i++)
		compare(vms[i], &a[i], &b[i]);
	vmadj_lab_stop_many(vms, VMS);
}

VMADJ_WORLD_TEST(sched, a_vm_that_ran_before_the_observer_is_counted_from_then_on)
{
	const struct vmadj_lab_kvm busy = busy_vm();
	struct vmadj_lab_vm *vms[2] = { NULL };
	static struct reading a[2], b[2];
	struct vmadj_truth past[2];
	struct vmadj_world *world;

	vmadj_lab_require(vmadj_lab_kvm_start_many(&busy, vms, 2));
	sleep(2);
	for (int i = 0; i < 2; i++)
		past[i] = vmadj_truth_thread(vmadj_lab_vm_pid(vms[i]),
					     vmadj_lab_vm_vcpu_tid(vms[i], 0));
	world = vmadj_world_open_as(*mode);
	(void)vmadj_world_sample(world, 0.1);
	read_all(world, vms, 2, a);
	(void)vmadj_world_sample(world, 3);
	read_all(world, vms, 2, b);
	for (int i = 0; i < 2; i++) {
		compare(vms[i], &a[i], &b[i]);
		/* What lay before the observer is not in its totals. */
		cr_expect(le(u64, a[i].ours.vm.cpu.run_ns,
			     a[i].vcpu[0].run_ns - past[i].run_ns + 1000000));
		cr_expect(le(u64, a[i].ours.vm.cpu.wait_ns,
			     a[i].vcpu[0].wait_ns - past[i].wait_ns + 1000000));
	}
	vmadj_lab_stop_many(vms, 2);
}

VMADJ_WORLD_TEST(sched, a_vm_born_under_observation_is_counted_from_its_birth)
{
	const struct vmadj_lab_kvm mix = { .load = "mix", .vcpus = 2, .emulator_busy = true };
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	struct vmadj_world *world = vmadj_world_open_as(*mode);
	static struct reading now;

	vmadj_lab_require(vmadj_lab_kvm_start(&mix, &vm));
	(void)vmadj_world_sample(world, 1);
	read_all(world, &vm, 1, &now);
	for (unsigned int v = 0; v < 2; v++) {
		const struct vmadj_snap_vcpu *vcpu = vcpu_of(vm, v, &now);

		cr_expect(vmadj_truth_agrees("ran", vcpu->run_ns, now.vcpu[v].run_ns));
		cr_expect(vmadj_truth_agrees("waited", vcpu->wait_ns, now.vcpu[v].wait_ns));
		cr_expect(eq(u64, vcpu->switches, now.vcpu[v].switches));
	}
	cr_expect(vmadj_truth_agrees("all threads ran",
				     now.ours.vm.cpu.run_ns + now.ours.vm.cpu.emulator_run_ns,
				     now.all.run_ns));
}

/* The kernel's counter is at most a tick behind; ours is to be up to date. */
Test(sched, a_running_vcpu_is_counted_up_to_now)
{
	const struct vmadj_lab_kvm busy = busy_vm();
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	struct vmadj_world *world = vmadj_world_open();
	static struct reading base;
	struct vmadj_world_vm row;

	vmadj_world_need_trace(world);
	vmadj_lab_require(vmadj_lab_kvm_start(&busy, &vm));
	(void)vmadj_world_sample(world, 0.2);
	read_all(world, &vm, 1, &base);
	for (int i = 0; i < 50; i++) {
		pid_t pid = vmadj_lab_vm_pid(vm), tid = vmadj_lab_vm_vcpu_tid(vm, 0);
		struct vmadj_truth before, after;
		uint64_t ran;

		vmadj_world_serve(world, 0.037);
		before = vmadj_truth_thread(pid, tid);
		(void)vmadj_world_sample(world, 0);
		after = vmadj_truth_thread(pid, tid);
		row = vmadj_world_vm(world, pid);
		ran = row.vm.cpu.run_ns - base.ours.vm.cpu.run_ns + base.vcpu[0].run_ns;
		cr_expect(ge(u64, ran + 100000, before.run_ns));
		cr_expect(le(u64, ran, after.run_ns + VMADJ_TRUTH_TICK_NS + 100000));
	}
}

/* Within an interval that was quiet beside them; the kernel's counters say whether it was. */
static bool had_the_cpu(const struct reading *a, const struct reading *b, double seconds)
{
	uint64_t ran_ns = 0;

	for (int i = 0; i < 2; i++)
		ran_ns += b[i].vcpu[0].run_ns - a[i].vcpu[0].run_ns;
	return (double)ran_ns > 0.99 * 1e9 * seconds;
}

/*
 * The waits are then slices of the other, all much the same: the median is near the mean, which
 * the kernel knows, and the 99th percentile is not far.
 */
static void check_percentiles(const struct vmadj_snap_cpu *cpu, const struct reading *a,
			      const struct reading *b)
{
	double mean_us = (double)(b->vcpu[0].wait_ns - a->vcpu[0].wait_ns) / 1e3 /
			 (double)(b->vcpu[0].stints - a->vcpu[0].stints);

	cr_expect(gt(dbl, cpu->wait_p50_us, mean_us * 0.6), "mean %.0f us", mean_us);
	cr_expect(lt(dbl, cpu->wait_p50_us, mean_us * 1.5), "mean %.0f us", mean_us);
	cr_expect(ge(dbl, cpu->wait_p99_us, cpu->wait_p50_us));
	cr_expect(lt(dbl, cpu->wait_p99_us, mean_us * 5), "mean %.0f us", mean_us);
}

Test(sched, two_busy_vms_on_one_cpu_get_half_and_wait_half)
{
	const struct vmadj_lab_kvm busy = busy_vm();
	struct vmadj_world *world = vmadj_world_open();
	struct vmadj_lab_vm *vms[2] = { NULL };
	static struct reading a[2], b[2];
	static struct vmadj_world_vm row[2];
	bool quiet = false;

	vmadj_world_need_trace(world);
	vmadj_lab_require(vmadj_lab_kvm_start_many(&busy, vms, 2));
	vmadj_world_serve(world, 0.2);
	for (int tries = 0; tries < 8 && !quiet; tries++) {
		read_all(world, vms, 2, a);
		(void)vmadj_world_sample(world, 0);
		(void)vmadj_world_sample(world, 3);
		for (int i = 0; i < 2; i++)
			row[i] = vmadj_world_vm(world, vmadj_lab_vm_pid(vms[i]));
		read_all(world, vms, 2, b);
		quiet = had_the_cpu(a, b, 3);
	}
	if (!quiet)
		cr_skip_test("CPU %u is never quiet: something else runs there", busy.cpu);
	for (int i = 0; i < 2; i++) {
		cr_expect(lt(dbl, fabs(row[i].vm.cpu.usage_pct - 50), 2), "%.1f %%",
			  row[i].vm.cpu.usage_pct);
		cr_expect(lt(dbl, fabs(row[i].vm.cpu.wait_pct - 50), 2), "%.1f %%",
			  row[i].vm.cpu.wait_pct);
		check_percentiles(&row[i].vm.cpu, &a[i], &b[i]);
	}
	vmadj_lab_stop_many(vms, 2);
}

Test(sched, an_idle_vm_has_used_nothing_and_no_percentile)
{
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	const struct vmadj_lab_kvm idle = { .load = "idle" };
	struct vmadj_world *world = vmadj_world_open();
	struct vmadj_world_vm row;

	vmadj_lab_require(vmadj_lab_kvm_start(&idle, &vm));
	(void)vmadj_world_sample(world, 0.5);
	(void)vmadj_world_sample(world, 1);
	row = vmadj_world_vm(world, vmadj_lab_vm_pid(vm));
	cr_assert(eq(u64, row.vm.delta.run_ns, 0));
	cr_assert(eq(u64, row.vm.delta.wait_ns, 0));
	cr_assert(isnan(row.vm.cpu.wait_p50_us));
	cr_assert(isnan(row.vm.cpu.wait_p99_us));
}
