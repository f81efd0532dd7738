/* SPDX-License-Identifier: GPL-2.0-only */
/* test_daemon_memory.c - the daemon turns balloons, and puts them back whatever happens */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/lab/require.h"
#include "tests/lib/daemon.h"
#include "tests/lib/qmp.h"
#include "user/util/cleanup.h"

#define MIB	 (1ULL << 20)
#define MAX_MIB	 192
#define GOAL_MIB 128
#define SLACK	 (4 * MIB)
#define LATE_S	 0.5 /* beyond the interval of 1 s, on a machine that does other things */

TestSuite(daemon_memory, .timeout = 200, .fini = vmadj_run_end_all);

static const char config[] = "[policy squeeze]\narmed = yes\nto = 128M\n"
			     "[vm squeezed-*]\nmanage = yes\nmemory_min = 96M\n"
			     "memory_reserve = 16M\n";

static struct vmadj_lab_vm *boot(const char *name)
{
	const struct vmadj_lab_linux want = {
		.name = name, .mem_mib = MAX_MIB, .balloon = true, .thread_names = true
	};
	struct vmadj_lab_vm *vm = NULL;

	vmadj_lab_require(vmadj_lab_linux_start(&want, &vm));
	return vm;
}

static uint64_t actual_bytes(struct vmadj_lab_vm *vm)
{
	struct vmadj_monitor *monitor = vmadj_monitor_open(vmadj_lab_vm_path(vm, VMADJ_LAB_QMP));
	uint64_t actual = vmadj_monitor_balloon_bytes(monitor);

	vmadj_monitor_close(monitor);
	return actual;
}

/* In the last sample; 0: not known. */
static uint64_t knob_bytes(const json_t *sample, const char *name)
{
	const json_t *knobs = json_object_get(vmadj_run_vm(sample, name), "knobs");
	const json_t *balloon = json_object_get(knobs, "balloon");

	return (uint64_t)json_integer_value(json_object_get(balloon, "actual_bytes"));
}

/* Samples until the VM has about that much, at most @n. Return: whether it came to that. */
static bool reaches(struct vmadj_run *run, const char *name, uint64_t bytes, int n)
{
	uint64_t actual = 0;

	for (int i = 0; i < n; i++) {
		double waited_s;
		json_t *sample = vmadj_run_sample(run, &waited_s);

		actual = knob_bytes(sample, name);
		json_decref(sample);
		if (actual + SLACK > bytes && actual < bytes + SLACK)
			return true;
	}
	cr_log_error("%s has %llu MiB\n%s", name, (unsigned long long)(actual / MIB),
		     vmadj_run_log(run));
	return false;
}

/* The guest takes its memory back in its own time. */
static bool is_back(struct vmadj_lab_vm *vm)
{
	for (int i = 0; i < 100; i++) {
		if (actual_bytes(vm) == MAX_MIB * MIB)
			return true;
		(void)usleep(100000);
	}
	return false;
}

Test(daemon_memory, goes_where_it_is_wished_and_comes_back_at_the_end_and_after_kill_9)
{
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = boot("squeezed-a"), *other = boot("other");
	struct vmadj_run *run = vmadj_run_start(config);

	vmadj_run_watch(run);
	cr_assert(reaches(run, "squeezed-a", GOAL_MIB * MIB, 40));
	cr_expect(eq(u64, actual_bytes(other), MAX_MIB * MIB), "it is not managed");
	cr_expect(eq(int, vmadj_run_end(run, SIGKILL), 128 + SIGKILL));
	cr_expect(eq(u64, actual_bytes(vm), GOAL_MIB * MIB));
	cr_expect(zero(int, vmadj_run_restore(run)));
	cr_assert(is_back(vm));
	vmadj_run_again(run);
	vmadj_run_watch(run);
	cr_assert(reaches(run, "squeezed-a", GOAL_MIB * MIB, 40));
	cr_expect(zero(int, vmadj_run_end(run, SIGTERM)));
	cr_expect(is_back(vm));
}

/* It can neither be looked at nor put back; others are not kept waiting for it. */
Test(daemon_memory, a_stopped_qemu_delays_nobody_and_is_put_back_once_it_goes_on)
{
	_cleanup_lab_vm_ struct vmadj_lab_vm *hung = boot("squeezed-hung"),
					     *well = boot("squeezed-well");
	struct vmadj_run *run = vmadj_run_start(config);
	double waited_s;

	vmadj_run_watch(run);
	cr_assert(reaches(run, "squeezed-hung", GOAL_MIB * MIB, 40));
	(void)kill(vmadj_lab_vm_pid(hung), SIGSTOP);
	json_decref(vmadj_run_sample(run, &waited_s));
	for (int i = 0; i < 8; i++) {
		json_t *sample = vmadj_run_sample(run, &waited_s);

		cr_expect(lt(dbl, waited_s, 1 + LATE_S), "tick %d", i);
		cr_expect(knob_bytes(sample, "squeezed-well") > 0);
		json_decref(sample);
	}
	cr_expect(eq(int, vmadj_run_end(run, SIGTERM), 1), "one could not be put back");
	cr_expect(is_back(well));
	(void)kill(vmadj_lab_vm_pid(hung), SIGCONT);
	cr_expect(zero(int, vmadj_run_restore(run)));
	cr_expect(is_back(hung));
}

Test(daemon_memory, what_somebody_else_sets_is_theirs)
{
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = boot("squeezed-a");
	struct vmadj_run *run = vmadj_run_start(config);
	struct vmadj_monitor *monitor;

	vmadj_run_watch(run);
	cr_assert(reaches(run, "squeezed-a", GOAL_MIB * MIB, 40));
	/* The daemon's own looks are short: the socket is free in between. */
	monitor = vmadj_monitor_open(vmadj_lab_vm_path(vm, VMADJ_LAB_QMP));
	vmadj_monitor_balloon_set(monitor, 160 * MIB);
	vmadj_monitor_close(monitor);
	cr_assert(vmadj_run_wait_log(run, "somebody else has changed it", 20), "%s",
		  vmadj_run_log(run));
	cr_expect(zero(int, vmadj_run_end(run, SIGTERM)));
	cr_expect(eq(u64, actual_bytes(vm), 160 * MIB));
}
