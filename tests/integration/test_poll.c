/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_poll.c - what is particular to polling
 *
 * That its counts are right, test_sched.c, test_inventory.c and test_churn.c hold in both modes.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <jansson.h>

#include "tests/lab/require.h"
#include "tests/lib/truth.h"
#include "tests/lib/world.h"
#include "user/observe/life.h"
#include "user/observe/parts.h"
#include "user/observe/sched.h"
#include "user/util/process.h"

TestSuite(poll, .timeout = 60, .fini = vmadj_world_close_all);

/* How many links of this process lead to that event. */
static unsigned int count_links(const char *event)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	unsigned int n = 0;

	cr_assert(ne(ptr, dir, NULL));
	while ((entry = readdir(dir))) {
		char what[64] = "", name[64] = "";
		struct bpf_link_info info = { 0 };
		__u32 size = sizeof(info);

		(void)readlinkat(dirfd(dir), entry->d_name, what, sizeof(what) - 1);
		if (!strstr(what, "bpf_link") && !strstr(what, "bpf-link"))
			continue;
		info.raw_tracepoint.tp_name = (uintptr_t)name;
		info.raw_tracepoint.tp_name_len = sizeof(name);
		cr_assert(zero(int, bpf_obj_get_info_by_fd(atoi(entry->d_name), &info, &size)));
		n += info.type == BPF_LINK_TYPE_RAW_TRACEPOINT && strcmp(name, event) == 0;
	}
	(void)closedir(dir);
	return n;
}

VMADJ_WORLD_TEST(poll, nothing_is_attached_to_context_switches)
{
	bool polls = *mode == VMADJ_MODE_POLL;

	(void)vmadj_world_open_as(*mode);
	cr_expect(eq(u32, count_links("sched_switch"), !polls));
	cr_expect(eq(u32, count_links("sched_process_free"), polls));
	cr_expect(eq(u32, count_links("task_newtask"), 1));
}

/* The counter that is read is the one that schedstat shows, a tick old at most. */
Test(poll, a_running_vcpu_is_as_old_as_schedstat)
{
	const struct vmadj_lab_kvm busy = { .load = "busy", .vcpus = 2 };
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	struct vmadj_world *world = vmadj_world_open_as(VMADJ_MODE_POLL);
	struct vmadj_world_vm row;

	vmadj_lab_require(vmadj_lab_kvm_start(&busy, &vm));
	(void)vmadj_world_sample(world, 0.2);
	for (int i = 0; i < 50; i++) {
		pid_t pid = vmadj_lab_vm_pid(vm), tid = vmadj_lab_vm_vcpu_tid(vm, 0);
		struct vmadj_truth before, after;
		const struct vmadj_snap_vcpu *vcpu;

		vmadj_world_serve(world, 0.037);
		before = vmadj_truth_thread(pid, tid);
		(void)vmadj_world_sample(world, 0);
		after = vmadj_truth_thread(pid, tid);
		row = vmadj_world_vm(world, pid);
		vcpu = vmadj_world_vcpu(&row, tid);
		if (!vcpu)
			cr_fatal("the vCPU is not listed");
		/* It was born under observation: ours count from 0, too. */
		cr_expect(ge(u64, vcpu->run_ns, before.run_ns));
		cr_expect(le(u64, vcpu->run_ns, after.run_ns));
		cr_expect(ge(u64, vcpu->wait_ns, before.wait_ns));
		cr_expect(le(u64, vcpu->wait_ns, after.wait_ns));
		cr_expect(ge(u64, vcpu->switches, before.switches));
		cr_expect(le(u64, vcpu->switches, after.switches));
	}
}

static json_t *to_json(const struct vmadj_snapshot *snapshot)
{
	json_t *json;
	char *text;
	size_t len;

	cr_assert(zero(int, vmadj_snapshot_to_json(snapshot, &text, &len)));
	json = json_loadb(text, len, 0, NULL);
	free(text);
	cr_assert(ne(ptr, json, NULL));
	return json;
}

static bool is_null(const json_t *cpu, const char *key)
{
	return json_is_null(json_object_get(cpu, key));
}

static const json_t *cpu_of(const json_t *snapshot, pid_t pid)
{
	const json_t *vms = json_object_get(snapshot, "vms"), *vm;
	size_t i;

	json_array_foreach(vms, i, vm)
	{
		if (json_integer_value(json_object_get(vm, "pid")) == pid)
			return json_object_get(vm, "cpu");
	}
	cr_fatal("process %d is not in the sample", pid);
}

Test(poll, waiting_is_known_but_of_single_waits_nothing)
{
	const struct vmadj_lab_kvm busy = { .load = "busy",
					    .pinned = true,
					    .cpu = vmadj_world_cpu() };
	struct vmadj_world *world = vmadj_world_open_as(VMADJ_MODE_POLL);
	struct vmadj_lab_vm *vms[2] = { NULL };
	const json_t *observer;
	json_t *json;

	vmadj_lab_require(vmadj_lab_kvm_start_many(&busy, vms, 2));
	(void)vmadj_world_sample(world, 0.3);
	json = to_json(vmadj_world_sample(world, 1));
	observer = json_object_get(json, "observer");
	cr_expect(eq(str, (char *)json_string_value(json_object_get(observer, "mode")), "poll"));
	for (int i = 0; i < 2; i++) {
		struct vmadj_world_vm row = vmadj_world_vm(world, vmadj_lab_vm_pid(vms[i]));
		const json_t *cpu = cpu_of(json, vmadj_lab_vm_pid(vms[i]));

		/* Whatever else runs there, neither has all of it. */
		cr_expect(gt(dbl, row.vm.cpu.wait_pct, 30));
		cr_expect(gt(dbl, row.vm.cpu.usage_pct, 1));
		cr_expect(isnan(row.vm.cpu.wait_p50_us));
		cr_expect(isnan(row.vm.cpu.wait_p99_us));
		cr_expect(is_null(cpu, "wait_p50_us"));
		cr_expect(is_null(cpu, "wait_p99_us"));
		cr_expect(is_null(cpu, "waited_for"));
		cr_expect(not(is_null(cpu, "wait_pct")));
	}
	json_decref(json);
	vmadj_lab_stop_many(vms, 2);
}

/* Between two polls nobody looks: its end alone must tell all, also that of threads long gone. */
Test(poll, a_vm_that_nobody_polled_while_it_lived_is_counted)
{
	const struct vmadj_lab_kvm brief = { .load = "busy", .lifetime_ms = 100, .vcpus = 2 };
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	struct vmadj_world *world = vmadj_world_open_as(VMADJ_MODE_POLL);
	struct vmadj_world_vm row;

	(void)vmadj_world_sample(world, 0);
	vmadj_lab_require(vmadj_lab_kvm_start(&brief, &vm));
	(void)vmadj_world_sample(world, 1);
	row = vmadj_world_vm(world, vmadj_lab_vm_pid(vm));
	cr_expect(row.vm.ended);
	cr_expect(gt(u64, row.vm.cpu.run_ns, 10000000));
	cr_expect(eq(u64, row.vm.delta.run_ns, row.vm.cpu.run_ns));
}

static pid_t start_process(bool busy)
{
	pid_t pid = fork();

	cr_assert(ge(int, pid, 0));
	if (pid)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Nobody takes its CPU from it. */
	(void)sched_setscheduler(0, busy ? SCHED_FIFO : SCHED_OTHER,
				 &(struct sched_param){ .sched_priority = busy });
	while (busy)
		;
	for (;;)
		(void)pause();
}

/* Counted like a VM's. Return: its slot. */
static uint32_t tag(struct vmadj_observer *observer, pid_t pid)
{
	struct vmadj_life *life = vmadj_observer_life(observer);
	struct vmadj_process process = { .vm = 1 };
	uint64_t start_ticks;

	cr_assert(zero(int, vmadj_process_start(pid, &start_ticks)));
	process.start_ticks = start_ticks;
	cr_assert(zero(int, vmadj_life_set_process(life, pid, &process)));
	cr_assert(zero(int, vmadj_life_scan_threads(life, pid, NULL, NULL)));
	cr_assert(zero(int, vmadj_observer_refresh(observer)));
	for (uint32_t slot = 1; slot < vmadj_life_slots(life); slot++) {
		const struct vmadj_thread *thread = vmadj_life_thread(life, slot);

		if (thread->state == VMADJ_THREAD_LIVE && (pid_t)thread->tid == pid)
			return slot;
	}
	cr_fatal("process %d has no slot", pid);
}

/* Until its state is @state, or for a second: it may not have left its CPU yet. */
static void await_state(struct vmadj_observer *observer, const struct vmadj_sched *sched,
			uint32_t state)
{
	for (int i = 0; i < 100 && sched->state != state; i++) {
		(void)usleep(10000);
		cr_assert(zero(int, vmadj_observer_poll(observer)));
	}
	cr_expect(eq(u32, sched->state, state));
}

/*
 * The kernel frees a process when its parent has asked for it, which may be never. Once its end was
 * told its slot may be another's: neither a later poll nor its being freed may write there.
 */
Test(poll, a_process_that_nobody_waits_for_has_ended_once)
{
	struct vmadj_observer *observer =
		vmadj_world_observer(vmadj_world_open_as(VMADJ_MODE_POLL));
	struct vmadj_sched_view *view = vmadj_observer_sched(observer);
	pid_t pid = start_process(false);
	const struct vmadj_sched *sched;
	uint32_t slot;
	siginfo_t info;

	slot = tag(observer, pid);
	sched = vmadj_sched_at(view, slot);
	cr_assert(zero(int, vmadj_observer_poll(observer)));
	cr_expect(eq(u32, sched->state, VMADJ_SCHED_SLEEPING));
	(void)kill(pid, SIGKILL);
	cr_assert(zero(int, waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT)));
	await_state(observer, sched, VMADJ_SCHED_DEAD);
	cr_expect(gt(u64, sched->run_ns, 0));
	vmadj_sched_clear(view, slot);
	cr_assert(zero(int, vmadj_observer_poll(observer)));
	cr_expect(eq(u32, sched->state, VMADJ_SCHED_UNSEEN));
	cr_assert(eq(int, waitpid(pid, NULL, 0), pid));
	(void)usleep(300000);
	cr_expect(eq(u32, sched->state, VMADJ_SCHED_UNSEEN));
}

/* When tracing was told of it, it had come to its CPU already. */
Test(poll, a_process_that_ran_when_it_was_registered_is_counted_when_it_leaves)
{
	struct vmadj_observer *observer =
		vmadj_world_observer(vmadj_world_open_as(VMADJ_MODE_TRACE));
	pid_t pid = start_process(true);
	const struct vmadj_sched *sched =
		vmadj_sched_at(vmadj_observer_sched(observer), tag(observer, pid));

	(void)kill(pid, SIGKILL);
	cr_assert(eq(int, waitpid(pid, NULL, 0), pid));
	await_state(observer, sched, VMADJ_SCHED_DEAD);
	cr_expect(gt(u64, sched->run_ns, 0));
}

/* --- from tracing to polling, while it runs ----------------------------- */

static void expect_no_less(const char *what, const struct vmadj_world_vm *now,
			   const struct vmadj_world_vm *before)
{
	cr_expect(ge(u64, now->vm.cpu.run_ns, before->vm.cpu.run_ns), "%s", what);
	cr_expect(ge(u64, now->vm.cpu.wait_ns, before->vm.cpu.wait_ns), "%s", what);
	cr_expect(ge(u64, now->vm.cpu.switches, before->vm.cpu.switches), "%s", what);
	cr_expect(ge(u64, now->vm.cpu.preemptions, before->vm.cpu.preemptions), "%s", what);
	cr_expect(ge(u64, now->vm.cpu.migrations, before->vm.cpu.migrations), "%s", what);
}

/* One that is born before and one that is born after, until both have ended. */
Test(poll, totals_go_on_when_it_falls_back)
{
	const struct vmadj_lab_kvm busy = {
		.load = "busy", .vcpus = 2, .pinned = true, .cpu = vmadj_world_cpu()
	};
	const struct vmadj_lab_kvm mixed = { .load = "mix" };
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL, *later = NULL;
	struct vmadj_world *world = vmadj_world_open_as(VMADJ_MODE_TRACE);
	struct vmadj_observer *observer = vmadj_world_observer(world);
	struct vmadj_world_vm before, row;
	struct vmadj_truth truth;
	pid_t pid;

	vmadj_lab_require(vmadj_lab_kvm_start(&busy, &vm));
	pid = vmadj_lab_vm_pid(vm);
	(void)vmadj_world_sample(world, 0.5);
	before = vmadj_world_vm(world, pid);
	cr_assert(zero(int, vmadj_observer_fall_back(observer)));
	cr_assert(eq(int, (int)vmadj_observer_mode(observer), VMADJ_MODE_POLL));
	cr_expect(zero(u32, count_links("sched_switch")));
	cr_expect(eq(u32, count_links("sched_process_free"), 1));
	cr_assert(zero(int, vmadj_observer_fall_back(observer)), "there it is already");
	vmadj_lab_require(vmadj_lab_kvm_start(&mixed, &later));
	for (int i = 0; i < 10; i++) {
		cr_expect(eq(str, (char *)vmadj_world_sample(world, 0.1)->observer.mode, "poll"));
		row = vmadj_world_vm(world, pid);
		expect_no_less("after falling back", &row, &before);
		before = row;
		/* Nor of the interval in which it fell back. */
		cr_expect(isnan(row.vm.cpu.wait_p99_us));
		cr_expect(zero(sz, row.vm.cpu.n_waited));
	}
	vmadj_truth_stop(pid);
	(void)vmadj_world_sample(world, 0);
	truth = vmadj_truth_process(pid);
	row = vmadj_world_vm(world, pid);
	cr_expect(vmadj_truth_agrees("run time", row.vm.cpu.run_ns + row.vm.cpu.emulator_run_ns,
				     truth.run_ns));
	vmadj_truth_continue(pid);
	before = row;
	vmadj_lab_vm_stop(vm);
	vm = NULL;
	(void)vmadj_world_sample(world, 0.5);
	row = vmadj_world_vm(world, pid);
	cr_expect(row.vm.ended);
	expect_no_less("its last", &row, &before);
	row = vmadj_world_vm(world, vmadj_lab_vm_pid(later));
	cr_expect(gt(u64, row.vm.cpu.run_ns, 0));
}

/* What only tracing has counted is not lost: nobody has asked since it ended. */
Test(poll, a_vm_that_ended_just_before_it_falls_back_is_counted)
{
	const struct vmadj_lab_kvm brief = { .load = "busy", .lifetime_ms = 400 };
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	struct vmadj_world *world = vmadj_world_open_as(VMADJ_MODE_TRACE);
	struct vmadj_world_vm before, row;

	vmadj_lab_require(vmadj_lab_kvm_start(&brief, &vm));
	(void)vmadj_world_sample(world, 0.1);
	before = vmadj_world_vm(world, vmadj_lab_vm_pid(vm));
	(void)usleep(1500000);
	cr_assert(zero(int, vmadj_observer_fall_back(vmadj_world_observer(world))));
	(void)vmadj_world_sample(world, 0);
	row = vmadj_world_vm(world, vmadj_lab_vm_pid(vm));
	cr_expect(row.vm.ended);
	cr_expect(gt(u64, row.vm.cpu.run_ns, before.vm.cpu.run_ns));
	cr_expect(lt(u64, row.vm.cpu.run_ns, 1000000000), "as if it had gone on");
}

/* Slots that the self-test gave back may come first. Return: the process that has got @slot. */
static pid_t take_slot(struct vmadj_observer *observer, uint32_t slot)
{
	for (int i = 0; i < 8; i++) {
		pid_t pid = start_process(false);

		if (tag(observer, pid) == slot)
			return pid;
	}
	cr_fatal("slot %u is not given out again", slot);
}

static uint32_t state_of(struct vmadj_observer *observer, uint32_t slot)
{
	return vmadj_sched_at(vmadj_observer_sched(observer), slot)->state;
}

/*
 * Tracing leaves the tag to a process that nobody waits for, and its slot is given out again: once
 * it polls, neither the poll nor the process's being freed may write there.
 */
Test(poll, a_slot_that_tracing_gave_back_stays_so)
{
	struct vmadj_observer *observer =
		vmadj_world_observer(vmadj_world_open_as(VMADJ_MODE_TRACE));
	pid_t first = start_process(false), second;
	uint32_t slot = tag(observer, first);
	siginfo_t info;

	(void)kill(first, SIGKILL);
	cr_assert(zero(int, waitid(P_PID, (id_t)first, &info, WEXITED | WNOWAIT)));
	await_state(observer, vmadj_sched_at(vmadj_observer_sched(observer), slot),
		    VMADJ_SCHED_DEAD);
	vmadj_sched_clear(vmadj_observer_sched(observer), slot);
	vmadj_life_give_back(vmadj_observer_life(observer), slot);

	cr_assert(zero(int, vmadj_observer_fall_back(observer)));
	cr_expect(eq(u32, state_of(observer, slot), VMADJ_SCHED_UNSEEN));
	second = take_slot(observer, slot);
	cr_expect(eq(u32, state_of(observer, slot), VMADJ_SCHED_UNSEEN));
	cr_assert(zero(int, vmadj_observer_poll(observer)));
	cr_expect(eq(u32, state_of(observer, slot), VMADJ_SCHED_SLEEPING));
	cr_assert(eq(int, waitpid(first, NULL, 0), first));
	(void)usleep(300000);
	cr_expect(eq(u32, state_of(observer, slot), VMADJ_SCHED_SLEEPING));
	(void)kill(second, SIGKILL);
	cr_assert(eq(int, waitpid(second, NULL, 0), second));
	await_state(observer, vmadj_sched_at(vmadj_observer_sched(observer), slot),
		    VMADJ_SCHED_DEAD);
}
