// SPDX-License-Identifier: GPL-2.0-only
/* selftest.c - run time, waiting, switches and blame, held against the kernel's own */
#include "user/observe/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "user/observe/checks.h"
#include "user/observe/life.h"
#include "user/observe/sched.h"
#include "user/observe/tagged.h"
#include "user/util/file.h"
#include "user/util/scan.h"

#define BURN_NS	     50000000
#define TOLERATED_NS 1000000ULL
#define TRIES	     20

struct kernel_counts {
	uint64_t run_ns, wait_ns, switches;
};

static uint64_t cpu_time_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Both threads share the CPU that the first of them is on, so that each waits for the other. */
static void burn(void *data)
{
	const cpu_set_t *cpu = data;
	uint64_t end = cpu_time_ns() + BURN_NS;

	(void)sched_setaffinity(0, sizeof(*cpu), cpu);
	while (cpu_time_ns() < end)
		;
}

static int read_kernel(pid_t tid, struct kernel_counts *ret_counts)
{
	struct kernel_counts counts = { 0 };
	uint64_t voluntary, forced;
	char path[64], text[2048];
	const char *at = text;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/schedstat", tid);
	if (vmadj_file_read(AT_FDCWD, path, text, sizeof(text)) < 0 ||
	    !vmadj_scan_u64(&at, &counts.run_ns) || !vmadj_scan_u64(&at, &counts.wait_ns))
		return -EAGAIN;
	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
	if (vmadj_file_read(AT_FDCWD, path, text, sizeof(text)) < 0)
		return -EAGAIN;
	at = vmadj_scan_after(text, "\nvoluntary_ctxt_switches:");
	if (!at || !vmadj_scan_u64(&at, &voluntary))
		return -EAGAIN;
	at = vmadj_scan_after(text, "\nnonvoluntary_ctxt_switches:");
	if (!at || !vmadj_scan_u64(&at, &forced))
		return -EAGAIN;
	counts.switches = voluntary + forced;
	*ret_counts = counts;
	return 0;
}

static bool near(uint64_t ours, uint64_t theirs, uint64_t tolerated)
{
	uint64_t apart = ours > theirs ? ours - theirs : theirs - ours;

	return apart <= tolerated || apart <= theirs / 200;
}

/* How much of the waiting since registration was laid to the other of the two threads. */
static uint64_t blamed_ns(const struct vmadj_blame *blame)
{
	for (int i = 1; i < VMADJ_CULPRITS; i++) {
		if (blame->by[i].who.kind == VMADJ_WHO_VM && blame->by[i].who.vm == VMADJ_TAGGED_VM)
			return blame->by[i].wait_ns;
	}
	return 0;
}

struct test {
	struct vmadj_life *life;
	struct vmadj_sched_view *view;
	struct vmadj_tagged *tagged;
	char why[256];
};

static int judge(struct test *test, unsigned int i)
{
	uint32_t slot = vmadj_tagged_slot(test->tagged, i);
	const struct vmadj_thread *thread = vmadj_life_thread(test->life, slot);
	struct vmadj_sched *sched = vmadj_sched_at(test->view, slot);
	bool traced = vmadj_sched_mode(test->view) == VMADJ_MODE_TRACE;
	const struct vmadj_blame *blame;
	struct kernel_counts kernel;
	char blamed[40] = "";
	int err = read_kernel(vmadj_tagged_tid(test->tagged, i), &kernel);

	if (!err)
		err = vmadj_sched_poll(test->view);
	if (err)
		return err;
	if (!thread || !sched)
		return -EAGAIN;
	blame = vmadj_sched_blame(test->view, sched, 0);
	if (traced) {
		(void)snprintf(blamed, sizeof(blamed), ", blamed %" PRIu64 " us",
			       blamed_ns(blame) / 1000);
	}
	(void)snprintf(test->why, sizeof(test->why),
		       "ran %" PRIu64 " us (kernel: %" PRIu64 "), waited %" PRIu64 " (%" PRIu64
		       "), switches %" PRIu64 " (%" PRIu64 ")%s",
		       (uint64_t)sched->run_ns / 1000, kernel.run_ns / 1000,
		       (uint64_t)sched->wait_ns / 1000, kernel.wait_ns / 1000,
		       (uint64_t)sched->switches, kernel.switches, blamed);
	if (!near(sched->run_ns, kernel.run_ns, TOLERATED_NS) ||
	    !near(sched->wait_ns, kernel.wait_ns, TOLERATED_NS) ||
	    sched->switches != kernel.switches)
		return -EBADMSG;
	/* A busy host may let others in between, but not only others. */
	if (traced && sched->wait_ns - thread->base.wait_ns > BURN_NS / 2 && !blamed_ns(blame))
		return -EBADMSG;
	return 0;
}

/* A thread is said to sleep a moment before it has left its CPU; then nothing moves any more. */
static int judge_in_time(struct test *test, unsigned int i)
{
	int err = judge(test, i);

	for (int tries = 0; err && tries < TRIES; tries++) {
		(void)nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
		err = judge(test, i);
	}
	return err;
}

static void pick_cpu(cpu_set_t *ret_cpu)
{
	CPU_ZERO(ret_cpu);
	CPU_SET((unsigned int)sched_getcpu(), ret_cpu);
}

int vmadj_selftest_sched(struct vmadj_life *life, struct vmadj_sched_view *view,
			 struct vmadj_checks *checks)
{
	static const struct vmadj_lack lack = {
		.area = "self-test",
		.name = "scheduling",
		.state = VMADJ_CHECK_FATAL,
		.cost = "run time, waiting and who caused it would be wrong, so nothing is shown",
		.remedy = "please report it with the line above and `uname -r`",
	};
	struct test test = { .life = life, .view = view };
	cpu_set_t cpu;
	int err = vmadj_tagged_start(life, 2, &test.tagged);

	if (err) {
		vmadj_checks_lack(checks, &lack, "not tested: %s", strerror(-err));
		return err;
	}
	err = vmadj_sched_refresh(view, vmadj_life_slots(life));
	pick_cpu(&cpu);
	if (!err)
		vmadj_tagged_run(test.tagged, burn, &cpu);
	for (unsigned int i = 0; i < 2 && !err; i++)
		err = judge_in_time(&test, i);
	vmadj_tagged_stop(test.tagged);
	if (err) {
		vmadj_checks_lack(checks, &lack, "%s: %s", strerror(-err), test.why);
	} else {
		vmadj_checks_ok(checks, "self-test", "scheduling", "%s", test.why);
	}
	return err;
}
