/* SPDX-License-Identifier: GPL-2.0-only */
/* test_daemon_libvirt.c - the daemon turns the knobs of libvirt's domains through libvirt */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lab/require.h"
#include "tests/lib/daemon.h"
#include "user/actuate/cpu.h"
#include "user/util/cleanup.h"
#include "user/util/file.h"
#include "user/util/process.h"

#define LATE_S 0.5 /* beyond the interval of 1 s, on a machine that does other things */
#define NICE   5

TestSuite(daemon_libvirt, .timeout = 200, .fini = vmadj_run_end_all);

static const char config[] = "[vm daemon-*]\nmanage = yes\nmemory_min = 64M\n"
			     "memory_reserve = 16M\n";

static struct vmadj_lab_vm *boot(const char *name)
{
	const struct vmadj_lab_linux want = { .name = name, .mem_mib = 160, .balloon = true };
	struct vmadj_lab_vm *vm = NULL;

	vmadj_lab_require(vmadj_lab_libvirt_start(&want, &vm));
	return vm;
}

/* As the daemon says, in its next samples; NULL: it does not come to that. */
static bool shows(struct vmadj_run *run, const char *name, const char *block, const char *key,
		  json_int_t value)
{
	_cleanup_free_ char *why = NULL;
	json_int_t is = -1;
	char request[128];
	json_t *answer;

	for (int i = 0; i < 30; i++) {
		double waited_s;
		json_t *sample = vmadj_run_sample(run, &waited_s);
		const json_t *knobs = json_object_get(vmadj_run_vm(sample, name), "knobs");
		const json_t *knob = json_object_get(knobs, block);

		is = json_is_object(knob) ? json_integer_value(json_object_get(knob, key)) : -1;
		json_decref(sample);
		if (is == value)
			return true;
	}
	(void)snprintf(request, sizeof(request), "{\"verb\":\"why\",\"vm\":\"%s\"}", name);
	answer = vmadj_run_ask(run, request);
	why = json_dumps(answer, JSON_INDENT(1));
	cr_log_error("%s of %s: %lld\n%s\n%s", key, name, (long long)is, vmadj_run_log(run), why);
	json_decref(answer);
	return false;
}

static bool is_ok(struct vmadj_run *run, const char *request)
{
	json_t *answer = vmadj_run_ask(run, request);
	bool ok = json_is_true(json_object_get(answer, "ok"));

	if (!ok)
		cr_log_error("%s: %s", request,
			     json_string_value(json_object_get(answer, "error")));
	json_decref(answer);
	return ok;
}

/* What the kernel has, whoever set it. */
static unsigned int shares(struct vmadj_lab_vm *vm)
{
	char path[PATH_MAX], text[32];
	struct vmadj_target target = { .pid = vmadj_lab_vm_pid(vm), .manager = "libvirt" };
	struct vmadj_cpu_place place;
	struct vmadj_cpu *cpu = NULL;

	(void)vmadj_process_start(target.pid, &target.start_ticks);
	if (vmadj_cpu_new(NULL, NULL, NULL, &cpu) || vmadj_cpu_find(cpu, &target, &place))
		cr_fatal("no level");
	vmadj_cpu_free(cpu);
	if (place.kind != VMADJ_CPU_CGROUP1)
		cr_skip_test("libvirt's groups are not of version 1 here");
	(void)snprintf(path, sizeof(path), "%.4000s/cpu.shares", place.group);
	cr_assert(gt(int, (int)vmadj_file_read(AT_FDCWD, path, text, sizeof(text)), 0), "%s", path);
	return (unsigned int)strtoul(text, NULL, 10);
}

Test(daemon_libvirt, a_share_is_set_by_libvirt_and_put_back_after_kill_9)
{
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = boot("daemon-a"), *other = boot("other");
	struct vmadj_run *run = vmadj_run_start(config);
	unsigned int before = shares(vm);

	/* Alone on its level it would have nobody to share with. */
	cr_assert(vmadj_lab_vm_pid(other) > 0);

	vmadj_run_watch(run);
	json_decref(vmadj_run_sample(run, &(double){ 0 }));
	cr_assert(is_ok(run, "{\"verb\":\"set\",\"vm\":\"daemon-a\",\"knob\":\"nice\","
			     "\"value\":\"5\"}"));
	cr_assert(shows(run, "daemon-a", "cpu", "nice", NICE));
	cr_expect(eq(uint, shares(vm), vmadj_nice_to_weight(NICE)));
	(void)vmadj_run_end(run, SIGKILL);
	vmadj_run_again(run);
	cr_assert(vmadj_run_wait_log(run, "restored", 20), "%s", vmadj_run_log(run));
	cr_expect(eq(uint, shares(vm), before));
	cr_expect(zero(int, vmadj_run_end(run, SIGTERM)));
}

Test(daemon_libvirt, memory_goes_down_and_comes_back)
{
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = boot("daemon-a");
	struct vmadj_run *run = vmadj_run_start(config);

	cr_assert(vmadj_lab_vm_pid(vm) > 0);
	vmadj_run_watch(run);
	json_decref(vmadj_run_sample(run, &(double){ 0 }));
	cr_assert(is_ok(run, "{\"verb\":\"set\",\"vm\":\"daemon-a\",\"knob\":\"memory\","
			     "\"value\":\"128M\"}"));
	cr_assert(shows(run, "daemon-a", "balloon", "actual_bytes", 128LL << 20));
	cr_assert(is_ok(run, "{\"verb\":\"release\",\"vm\":\"daemon-a\"}"));
	cr_assert(vmadj_run_wait_log(run, "restored", 20), "%s", vmadj_run_log(run));
	/* Told of what it has already, the daemon looks at it, and changes nothing. */
	cr_assert(is_ok(run, "{\"verb\":\"set\",\"vm\":\"daemon-a\",\"knob\":\"memory\","
			     "\"value\":\"160M\"}"));
	cr_expect(shows(run, "daemon-a", "balloon", "actual_bytes", 160LL << 20));
	cr_expect(zero(int, vmadj_run_end(run, SIGTERM)));
}

/* libvirt's own call on it may never return; nobody else is kept waiting for that. */
Test(daemon_libvirt, a_stopped_qemu_delays_nobody)
{
	_cleanup_lab_vm_ struct vmadj_lab_vm *hung = boot("daemon-hung"),
					     *well = boot("daemon-well");
	struct vmadj_run *run = vmadj_run_start(
		"[policy squeeze]\narmed = yes\nto = 128M\n[vm daemon-*]\nmanage = yes\n"
		"memory_min = 64M\nmemory_reserve = 16M\n");
	double waited_s;

	vmadj_run_watch(run);
	cr_assert(shows(run, "daemon-hung", "balloon", "actual_bytes", 128LL << 20));
	(void)kill(vmadj_lab_vm_pid(hung), SIGSTOP);
	json_decref(vmadj_run_sample(run, &waited_s));
	for (int i = 0; i < 10; i++) {
		json_decref(vmadj_run_sample(run, &waited_s));
		cr_expect(lt(dbl, waited_s, 1 + LATE_S), "tick %d", i);
	}
	cr_expect(shows(run, "daemon-well", "balloon", "actual_bytes", 128LL << 20));
	(void)kill(vmadj_lab_vm_pid(hung), SIGCONT);
	cr_expect(vmadj_run_pid(run) > 0);
	(void)vmadj_run_end(run, SIGTERM);
	cr_expect(zero(int, vmadj_run_restore(run)));
	(void)well;
}
