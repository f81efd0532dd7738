/* SPDX-License-Identifier: GPL-2.0-only */
/* test_daemon_need.c - who needs memory has it within a second, and all together not too much */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/lab/require.h"
#include "tests/lib/daemon.h"
#include "tests/lib/qmp.h"
#include "user/util/cleanup.h"
#include "user/util/file.h"

#define MIB	(1ULL << 20)
#define MAX_MIB 192
#define RESERVE (32 * MIB)

TestSuite(daemon_need, .timeout = 400, .fini = vmadj_run_end_all);

static double now_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* @spy: the path of one more QMP socket, for the test alone; NULL: none. */
static struct vmadj_lab_vm *boot(const char *name, const char *load, const char *spy)
{
	char args[256];
	const struct vmadj_lab_linux want = { .name = name,
					      .load = load,
					      .mem_mib = MAX_MIB,
					      .extra_args = args,
					      .thread_names = true };
	struct vmadj_lab_vm *vm = NULL;
	int len = snprintf(args, sizeof(args), "-device virtio-balloon-pci,id=balloon0");

	if (spy)
		(void)snprintf(args + len, sizeof(args) - (size_t)len,
			       " -qmp unix:%s,server=on,wait=off", spy);
	vmadj_lab_require(vmadj_lab_linux_start(&want, &vm));
	return vm;
}

static uint64_t balloon_bytes(const json_t *sample, const char *name, const char *key)
{
	const json_t *knobs = json_object_get(vmadj_run_vm(sample, name), "knobs");

	return (uint64_t)json_integer_value(
		json_object_get(json_object_get(knobs, "balloon"), key));
}

static uint64_t size_bytes(const json_t *sample, const char *name)
{
	uint64_t actual = balloon_bytes(sample, name, "actual_bytes");
	uint64_t target = balloon_bytes(sample, name, "target_bytes");

	return actual > target ? actual : target;
}

static bool is_said_in(struct vmadj_lab_vm *vm, const char *text)
{
	static char console[65536];

	(void)vmadj_file_read(AT_FDCWD, vmadj_lab_vm_path(vm, VMADJ_LAB_CONSOLE), console,
			      sizeof(console));
	return strstr(console, text) != NULL;
}

/* Samples until the VM has at most, or at least, that much. */
static void wait_for(struct vmadj_run *run, const char *name, bool less, uint64_t bytes)
{
	uint64_t actual = 0;

	for (int i = 0; i < 60; i++) {
		double waited_s;
		json_t *sample = vmadj_run_sample(run, &waited_s);

		actual = balloon_bytes(sample, name, "actual_bytes");
		json_decref(sample);
		if (actual && (less ? actual <= bytes : actual >= bytes))
			return;
	}
	cr_fatal("%s has %llu MiB\n%s", name, (unsigned long long)(actual / MIB),
		 vmadj_run_log(run));
}

/*
 * Return: from the guest's first figures that tell of a need, after some that told of none, to its
 * having more, as QEMU itself says all of it.
 */
static double time_to_help(struct vmadj_monitor *spy, struct vmadj_run *run)
{
	double until_s = now_s() + 150, low_s = 0;
	uint64_t when = 0, least = UINT64_MAX, available = 0, actual;
	bool was_well = false;

	while (now_s() < until_s) {
		uint64_t told = vmadj_monitor_balloon_available(spy, &available);
		bool low = available < RESERVE / 2;

		actual = vmadj_monitor_balloon_bytes(spy);
		was_well = was_well || (told && !low);
		if (was_well && actual < least)
			least = actual;
		if (was_well && !low_s && told != when && low)
			low_s = now_s();
		if (low_s && actual >= least + 4 * MIB)
			return now_s() - low_s;
		when = told;
		(void)usleep(20000);
	}
	cr_fatal("it is not helped; available %llu MiB\n%s", (unsigned long long)(available / MIB),
		 vmadj_run_log(run));
}

/* The guest's use goes up by 80 MiB in some seconds, and the policy thinks once an hour. */
Test(daemon_need, a_guest_that_suddenly_needs_memory_has_it_within_a_second)
{
	static const char spy_path[] = "/var/tmp/vmadj-need-spy.sock";
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm =
		boot("needy-a", "memory-wave:8:100:24", spy_path);
	struct vmadj_run *run = vmadj_run_start("[policy hourly]\narmed = yes\nto = 96M\n"
						"[vm needy-*]\nmanage = yes\nmemory_min = 64M\n"
						"memory_reserve = 32M\n");
	struct vmadj_monitor *spy;
	double longest_s = 0;

	vmadj_run_watch(run);
	wait_for(run, "needy-a", true, 140 * MIB);
	spy = vmadj_monitor_open(spy_path);
	for (int i = 0; i < 2; i++) {
		double s = time_to_help(spy, run);

		longest_s = s > longest_s ? s : longest_s;
	}
	vmadj_monitor_close(spy);
	(void)unlink(spy_path);
	(void)fprintf(stderr, "helped after %.2f s at most\n", longest_s);
	cr_expect(le(dbl, longest_s, 1.0), "%s", vmadj_run_log(run));
	cr_expect(not(is_said_in(vm, "Out of memory")));
	cr_expect(vmadj_run_wait_log(run, "policy=daemon why=\"the guest runs low of memory\"", 5),
		  "%s", vmadj_run_log(run));
}

static void set_by_hand(struct vmadj_run *run, const char *name, unsigned int mib)
{
	char request[128];
	json_t *answer;

	(void)snprintf(request, sizeof(request),
		       "{\"verb\":\"set\",\"vm\":\"%s\",\"knob\":\"memory\",\"value\":\"%uM\"}",
		       name, mib);
	answer = vmadj_run_ask(run, request);
	if (!json_is_true(json_object_get(answer, "ok")))
		cr_fatal("%s: %s", request, json_dumps(answer, 0));
	json_decref(answer);
}

/* Once it has seen the VMs. */
static void begin(struct vmadj_run *run)
{
	double waited_s;

	vmadj_run_watch(run);
	json_decref(vmadj_run_sample(run, &waited_s));
}

#define BUDGET_MIB 300

static const char bound[] = "host_memory = 301M\nhost_reserve = 1M\n";
static const char pair[] = "[vm pair-*]\nmanage = yes\nmemory_min = 64M\nmemory_reserve = 32M\n";

/* The sum never rises while it is above what they can have, nor above that. */
static void check_sum(const json_t *sample, uint64_t *last)
{
	uint64_t sum = size_bytes(sample, "pair-a") + size_bytes(sample, "pair-b");
	const json_t *host = json_object_get(sample, "host");

	cr_assert(eq(u64, (uint64_t)json_integer_value(json_object_get(host, "mem_vms_bytes")),
		     BUDGET_MIB * MIB));
	if (*last) {
		uint64_t most = *last > BUDGET_MIB * MIB ? *last : BUDGET_MIB * MIB;

		cr_assert(le(u64, sum, most));
	}
	*last = sum;
}

Test(daemon_need, together_they_never_have_more_than_the_host_has_for_them)
{
	_cleanup_lab_vm_ struct vmadj_lab_vm *a = boot("pair-a", NULL, NULL),
					     *b = boot("pair-b", NULL, NULL);
	struct vmadj_run *run = vmadj_run_start_with(bound, pair);
	uint64_t last = 0, most = 0;

	cr_assert(vmadj_lab_vm_pid(a) > 0 && vmadj_lab_vm_pid(b) > 0);
	begin(run);
	set_by_hand(run, "pair-a", 110);
	set_by_hand(run, "pair-b", 110);
	wait_for(run, "pair-a", true, 120 * MIB); /* but for a small change */
	wait_for(run, "pair-b", true, 120 * MIB);
	set_by_hand(run, "pair-a", MAX_MIB);
	set_by_hand(run, "pair-b", MAX_MIB);
	for (int i = 0; i < 15; i++) {
		double waited_s;
		json_t *sample = vmadj_run_sample(run, &waited_s);

		check_sum(sample, &last);
		most = last > most ? last : most;
		json_decref(sample);
	}
	cr_expect(ge(u64, most, (BUDGET_MIB - 8) * MIB), "what is there is given: %llu MiB",
		  (unsigned long long)(most / MIB));
}

Test(daemon_need, a_giver_in_distress_has_back_what_the_other_got)
{
	_cleanup_lab_vm_ struct vmadj_lab_vm *a = boot("pair-a", "memory-wave:8:100:200", NULL),
					     *b = boot("pair-b", NULL, NULL);
	struct vmadj_run *run = vmadj_run_start_with(bound, pair);
	uint64_t last = 0;
	bool is_back = false;

	begin(run);
	set_by_hand(run, "pair-a", 110);
	set_by_hand(run, "pair-b", 120);
	wait_for(run, "pair-a", true, 135 * MIB);
	wait_for(run, "pair-b", true, 130 * MIB);
	set_by_hand(run, "pair-b", MAX_MIB);
	wait_for(run, "pair-b", false, 160 * MIB);
	for (int i = 0; i < 150 && !is_back; i++) {
		double waited_s;
		json_t *sample = vmadj_run_sample(run, &waited_s);

		check_sum(sample, &last);
		is_back = balloon_bytes(sample, "pair-a", "actual_bytes") >= 142 * MIB;
		json_decref(sample);
	}
	cr_expect(is_back, "%s", vmadj_run_log(run));
	cr_expect(vmadj_run_wait_log(run, "is called back", 1));
	cr_expect(not(is_said_in(a, "Out of memory")));
	cr_expect(not(is_said_in(b, "Out of memory")));
}
