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

#define BURN_NS	     50000000
#define TOLERATED_NS 1000000ULL

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
	char path[64], text[2048], *line;
	uint64_t voluntary, forced;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/schedstat", tid);
	if (vmadj_file_read(AT_FDCWD, path, text, sizeof(text)) < 0 ||
	    sscanf(text, "%" SCNu64 " %" SCNu64, &counts.run_ns, &counts.wait_ns) != 2)
		return -EAGAIN;
	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
	if (vmadj_file_read(AT_FDCWD, path, text, sizeof(text)) < 0)
		return -EAGAIN;
	line = strstr(text, "\nvoluntary_ctxt_switches:");
	if (!line ||
	    sscanf(line,
		   " voluntary_ctxt_switches: %" SCNu64 " nonvoluntary_ctxt_switches: %" SCNu64,
		   &voluntary, &forced) != 2)
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

static int judge(struct vmadj_life *life, struct vmadj_sched_view *view,
		 const struct vmadj_tagged *tagged, unsigned int i, char *why, size_t size)
{
	uint32_t slot = vmadj_tagged_slot(tagged, i);
	const struct vmadj_thread *thread = vmadj_life_thread(life, slot);
	const struct vmadj_sched *sched = vmadj_sched_at(view, slot);
	const struct vmadj_blame *blame = vmadj_sched_blame_at(view, slot, 0);
	struct kernel_counts kernel;
	uint64_t waited;
	int err = read_kernel(vmadj_tagged_tid(tagged, i), &kernel);

	if (err)
		return err;
	if (!thread || !sched || !blame)
		return -EAGAIN;
	waited = sched->wait_ns - thread->base_wait_ns;
	(void)snprintf(why, size,
		       "ran %" PRIu64 " us (kernel: %" PRIu64 "), waited %" PRIu64 " (%" PRIu64
		       "), switches %" PRIu64 " (%" PRIu64 "), blamed %" PRIu64 " us",
		       (uint64_t)sched->run_ns / 1000, kernel.run_ns / 1000,
		       (uint64_t)sched->wait_ns / 1000, kernel.wait_ns / 1000,
		       (uint64_t)sched->switches, kernel.switches, blamed_ns(blame) / 1000);
	if (!near(sched->run_ns, kernel.run_ns, TOLERATED_NS) ||
	    !near(sched->wait_ns, kernel.wait_ns, TOLERATED_NS) ||
	    sched->switches != kernel.switches)
		return -EBADMSG;
	/* A busy host may let others in between; the two still are most of it. */
	if (waited > BURN_NS / 2 && blamed_ns(blame) == 0)
		return -EBADMSG;
	return 0;
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
		"self-test",
		"scheduling",
		VMADJ_CHECK_FATAL,
		"run time, waiting and who caused it would be wrong, so nothing is shown",
		"please report it with the line above and `uname -r`",
	};
	struct vmadj_tagged *tagged;
	char why[256] = "";
	cpu_set_t cpu;
	int err = vmadj_tagged_start(life, 2, &tagged);

	if (err) {
		vmadj_checks_lack(checks, &lack, "not tested: %s", strerror(-err));
		return err;
	}
	err = vmadj_sched_refresh(view, vmadj_life_slots(life));
	pick_cpu(&cpu);
	if (!err)
		vmadj_tagged_run(tagged, burn, &cpu);
	for (unsigned int i = 0; i < 2 && !err; i++)
		err = judge(life, view, tagged, i, why, sizeof(why));
	vmadj_tagged_stop(tagged);
	if (err)
		vmadj_checks_lack(checks, &lack, "%s: %s", strerror(-err), why);
	else
		vmadj_checks_ok(checks, "self-test", "scheduling", "%s", why);
	return err;
}
