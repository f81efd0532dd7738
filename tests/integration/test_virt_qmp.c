// SPDX-License-Identifier: GPL-2.0-only
/* test_virt_qmp.c - a balloon over the QMP socket of a QEMU that somebody started by hand */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/lab/require.h"
#include "tests/lib/qmp.h"
#include "user/actuate/balloon.h"
#include "user/util/process.h"
#include "user/virt/qmp.h"

#define UNDONE 1
#define MIB    (1ULL << 20)
#define LOOKS  20

static sd_event *event;
static struct vmadj_balloon *balloon;
static struct vmadj_lab_vm *vm;

static void clean_up(void)
{
	vmadj_balloon_close(balloon);
	sd_event_unref(event);
	if (vm)
		(void)kill(vmadj_lab_vm_pid(vm), SIGCONT);
	vmadj_lab_vm_stop(vm);
}

TestSuite(virt_qmp, .timeout = 120, .fini = clean_up);

struct result {
	int err;
	struct vmadj_balloon_state state;
};

static void seen(void *userdata, int err, const struct vmadj_balloon_state *state)
{
	*(struct result *)userdata = (struct result){ err, *state };
}

static void done(void *userdata, int err)
{
	((struct result *)userdata)->err = err;
}

static int wait_for(struct result *result)
{
	while (result->err == UNDONE)
		(void)sd_event_run(event, UINT64_MAX);
	return result->err;
}

static int look(struct result *result)
{
	*result = (struct result){ .err = UNDONE };
	cr_assert(eq(int, vmadj_balloon_look(balloon, seen, result), 0));
	return wait_for(result);
}

static void must_look(struct result *result)
{
	int err = look(result);

	if (err)
		cr_fatal("look: %s: %s", strerror(-err), vmadj_balloon_why(balloon));
}

static int set(uint64_t bytes)
{
	struct result result = { .err = UNDONE };

	cr_assert(eq(int, vmadj_balloon_set(balloon, bytes, done, &result), 0));
	return wait_for(&result);
}

static int set_period(unsigned int seconds)
{
	struct result result = { .err = UNDONE };

	cr_assert(eq(int, vmadj_balloon_set_period(balloon, seconds, done, &result), 0));
	return wait_for(&result);
}

static void start(bool has_balloon)
{
	const struct vmadj_lab_linux want = { .balloon = has_balloon };
	struct vmadj_target target = { 0 };
	const char *why = "";
	int err;

	vmadj_lab_require(vmadj_lab_linux_start(&want, &vm));
	target.pid = vmadj_lab_vm_pid(vm);
	cr_assert(eq(int, vmadj_process_start(target.pid, &target.start_ticks), 0));
	cr_assert(ge(int, sd_event_new(&event), 0));
	vmadj_qmp_set_timeouts(30, 30);
	err = vmadj_balloon_open(event, NULL, &target, &balloon, &why);
	if (err)
		cr_fatal("%s: %s", strerror(-err), why);
	cr_expect(eq(str, (char *)vmadj_balloon_kind(balloon), "qmp"));
}

static void pause_ms(long ms)
{
	const struct timespec pause = { .tv_nsec = ms * 1000000 };

	(void)nanosleep(&pause, NULL);
}

static void wait_for_actual(uint64_t bytes)
{
	struct result result;

	do {
		pause_ms(50);
		must_look(&result);
	} while (result.state.stats.actual_bytes != bytes);
}

Test(virt_qmp, a_balloon_is_asked_and_set)
{
	struct result result;
	uint64_t first_s;

	start(true);
	cr_expect(eq(ptr, (char *)vmadj_balloon_forbidden(vmadj_lab_vm_pid(vm)), NULL));
	must_look(&result);
	cr_expect(result.state.running);
	cr_expect(not(result.state.job_active));
	cr_expect(eq(u64, result.state.max_bytes, 128 * MIB));
	cr_expect(eq(u64, result.state.stats.actual_bytes, 128 * MIB));
	cr_expect(eq(uint, result.state.period_s, 0));
	/* Linux tells once, when its driver starts. */
	first_s = result.state.stats.last_update_s;
	cr_assert(eq(int, set_period(1), 0));
	do {
		pause_ms(100);
		must_look(&result);
	} while (result.state.stats.last_update_s <= first_s);
	cr_expect(eq(uint, result.state.period_s, 1));
	cr_expect(gt(u64, result.state.stats.free_bytes, 0));
	cr_expect(lt(u64, result.state.stats.total_bytes, 128 * MIB));
	cr_expect(lt(u64, result.state.stats.available_bytes, 128 * MIB));
	cr_assert(eq(int, set(96 * MIB), 0));
	wait_for_actual(96 * MIB);
	cr_assert(eq(int, set(128 * MIB), 0));
	wait_for_actual(128 * MIB);
	cr_assert(eq(int, set_period(0), 0));
	must_look(&result);
	cr_expect(eq(uint, result.state.period_s, 0));
}

Test(virt_qmp, a_period_of_before_is_found)
{
	struct vmadj_balloon *first;
	struct result result;
	struct vmadj_target target;
	const char *why;

	start(true);
	cr_assert(eq(int, set_period(7), 0));
	first = balloon;
	balloon = NULL;
	vmadj_balloon_close(first);
	target = (struct vmadj_target){ .pid = vmadj_lab_vm_pid(vm) };
	(void)vmadj_process_start(target.pid, &target.start_ticks);
	cr_assert(eq(int, vmadj_balloon_open(event, NULL, &target, &balloon, &why), 0));
	must_look(&result);
	cr_expect(eq(uint, result.state.period_s, 7));
}

/* QEMU first greets all those who have left meanwhile. */
static void look_until_free(void)
{
	struct result result;
	int err;

	while ((err = look(&result)) == -EBUSY)
		pause_ms(50);
	cr_expect(eq(int, err, 0));
	cr_expect(result.state.running);
}

Test(virt_qmp, a_paused_guest_tells_no_statistics)
{
	struct vmadj_monitor *monitor;
	struct result result;

	start(true);
	monitor = vmadj_monitor_open(vmadj_lab_vm_path(vm, VMADJ_LAB_QMP));
	vmadj_monitor_stop(monitor);
	vmadj_monitor_close(monitor);
	must_look(&result);
	cr_expect(not(result.state.running));
	cr_expect(eq(u64, result.state.stats.last_update_s, 0));
}

Test(virt_qmp, without_a_balloon_it_says_so)
{
	struct result result;

	start(false);
	cr_expect(eq(int, look(&result), -EOPNOTSUPP));
	cr_expect(eq(int, set(64 * MIB), -EOPNOTSUPP));
	cr_expect(eq(int, set_period(1), -EOPNOTSUPP));
}

/* The first -qmp on the lab's command line is the lab's own, used while it boots. */
Test(virt_qmp, an_administrator_who_sits_on_the_socket_is_let_sit)
{
	char path[108];
	struct vmadj_monitor *monitor;
	struct result result;

	start(true);
	cr_assert(eq(int, vmadj_qmp_path(vmadj_lab_vm_pid(vm), path, sizeof(path)), 0));
	monitor = vmadj_monitor_open(path);
	vmadj_qmp_set_timeouts(0.2, 30);
	cr_expect(eq(int, look(&result), -EBUSY));
	cr_expect(eq(int, look(&result), -EBUSY));
	vmadj_monitor_stop(monitor); /* it still works */
	vmadj_monitor_continue(monitor);
	vmadj_monitor_close(monitor);
	vmadj_qmp_set_timeouts(30, 30);
	look_until_free();
	/* And between two looks he gets it. */
	monitor = vmadj_monitor_open(path);
	vmadj_monitor_continue(monitor);
	vmadj_monitor_close(monitor);
	look_until_free();
}

Test(virt_qmp, a_qemu_that_stands_still_is_not_waited_for)
{
	struct result result;

	start(true);
	must_look(&result);
	(void)kill(vmadj_lab_vm_pid(vm), SIGSTOP);
	vmadj_qmp_set_timeouts(0.2, 0.2);
	/* Those that nobody greets queue up at its socket. */
	for (int i = 0; i < 10; i++) {
		/* It may stop a moment later than it is told to. */
		int err = look(&result);

		cr_expect(eq(int, err, i == 0 && err == -ETIMEDOUT ? -ETIMEDOUT : -EBUSY));
	}
	vmadj_qmp_set_timeouts(30, 30);
	(void)kill(vmadj_lab_vm_pid(vm), SIGCONT);
	look_until_free();
}

Test(virt_qmp, a_qemu_that_stops_in_the_middle_is_not_waited_for)
{
	struct result result = { .err = UNDONE };

	start(true);
	cr_assert(eq(int, vmadj_balloon_look(balloon, seen, &result), 0));
	(void)sd_event_run(event, UINT64_MAX); /* the greeting */
	(void)kill(vmadj_lab_vm_pid(vm), SIGKILL);
	(void)wait_for(&result);
	/* That the process, the connection or the answer is gone: whichever is noticed first. */
	cr_expect(lt(int, result.err, 0));
	cr_expect(ne(int, result.err, -ETIMEDOUT));
	cr_expect(lt(int, look(&result), 0));
}

/* What a look costs is told, not judged. */
Test(virt_qmp, what_a_look_costs)
{
	struct timespec from, to, cpu_from, cpu_to;
	struct result result;

	start(true);
	must_look(&result);
	(void)clock_gettime(CLOCK_MONOTONIC, &from);
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu_from);
	for (int i = 0; i < LOOKS; i++)
		must_look(&result);
	(void)clock_gettime(CLOCK_MONOTONIC, &to);
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu_to);
	cr_log_info(
		"a look takes %.0f us, %.0f us of them our own CPU time",
		((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) /
			LOOKS / 1e3,
		((double)(cpu_to.tv_sec - cpu_from.tv_sec) * 1e9 +
		 (double)(cpu_to.tv_nsec - cpu_from.tv_nsec)) /
			LOOKS / 1e3);
}
