/* SPDX-License-Identifier: GPL-2.0-only */
/* test_churn.c - many VMs, at once and one after the other: none is missed, nothing piles up */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/lab/require.h"
#include "tests/lib/world.h"
#include "user/observe/life.h"
#include "user/observe/parts.h"
#include "user/util/process.h"
#include "user/vm/inventory.h"
#include "user/vm/vm.h"

#define RATE	  50 /* VMs a second */
#define SECONDS	  20
#define VMS	  (RATE * SECONDS)
#define AT_ONCE	  1000
#define ALIVE_MAX 5 /* so each lives for a tenth of a second */

TestSuite(churn, .timeout = 120, .fini = vmadj_world_close_all);

static struct {
	char id[48];
	unsigned int live, ended; /* rows in which it was shown so */
} born[VMS];

static void note(const struct vmadj_snapshot *snapshot, int n)
{
	for (size_t i = 0; i < snapshot->n_vms; i++) {
		for (int j = 0; j < n; j++) {
			if (strcmp(born[j].id, snapshot->vms[i].id) != 0)
				continue;
			born[j].live += !snapshot->vms[i].ended;
			born[j].ended += snapshot->vms[i].ended;
			break;
		}
	}
}

/* With its start time: process ids come round in a busy hour. */
static void keep_id(int i, pid_t pid)
{
	uint64_t start;

	if (vmadj_process_start(pid, &start))
		cr_fatal("VM %d is gone", i);
	(void)snprintf(born[i].id, sizeof(born[i].id), "%d-%" PRIu64, pid, start);
}

static double now_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Each of them lives for some rounds; samples once a second, as dump. */
static void run_churn(struct vmadj_world *world, const struct vmadj_lab_kvm *want)
{
	struct vmadj_lab_vm *alive[ALIVE_MAX] = { NULL };
	double start = now_s(), sampled = start;

	for (int i = 0; i < VMS; i++) {
		double due = start + (double)i / RATE;

		vmadj_lab_vm_stop(alive[i % ALIVE_MAX]);
		alive[i % ALIVE_MAX] = NULL;
		vmadj_lab_require(vmadj_lab_kvm_start(want, &alive[i % ALIVE_MAX]));
		keep_id(i, vmadj_lab_vm_pid(alive[i % ALIVE_MAX]));
		vmadj_world_serve(world, fmax(due - now_s(), 0.0001));
		if (now_s() - sampled < 1)
			continue;
		sampled = now_s();
		note(vmadj_world_sample(world, 0), i + 1);
	}
	vmadj_lab_stop_many(alive, ALIVE_MAX);
	for (int i = 0; i < 3; i++)
		note(vmadj_world_sample(world, 0.5), VMS);
}

static void check_all_seen(void)
{
	unsigned int missed = 0, twice = 0;

	for (int i = 0; i < VMS; i++) {
		missed += !born[i].ended;
		twice += born[i].ended > 1;
		if (born[i].ended != 1)
			(void)fprintf(stderr, "VM %d, %s: %u times alive, %u times ended\n", i,
				      born[i].id, born[i].live, born[i].ended);
	}
	cr_expect(eq(u32, missed, 0), "of %d VMs", VMS);
	cr_expect(eq(u32, twice, 0), "of %d VMs", VMS);
}

VMADJ_WORLD_TEST(churn, of_fifty_vms_a_second_none_is_lost_and_no_slot_leaks)
{
	const struct vmadj_lab_kvm want = { .load = "tick:2", .vcpus = 2 };
	struct vmadj_world *world = vmadj_world_open_as(*mode);
	struct vmadj_inventory *inventory = vmadj_world_inventory(world);
	struct vmadj_life *life = vmadj_observer_life(vmadj_world_observer(world));

	run_churn(world, &want);
	check_all_seen();
	cr_expect(eq(u64, vmadj_inventory_lost(inventory), 0));
	/* Three threads each, and those that ended since the last round but one. */
	cr_expect(lt(u32, vmadj_life_slots(life), 3 * RATE * 3));
	cr_expect(lt(sz, vmadj_inventory_count(inventory), RATE));
}

/* A second observer uses the same storage of the same tasks. */
Test(churn, two_observers_lose_nothing_either)
{
	const struct vmadj_lab_kvm want = { .load = "tick:2", .vcpus = 2 };
	struct vmadj_world *world = vmadj_world_open();
	int status;
	pid_t other = fork();

	if (!other) {
		struct vmadj_world *theirs = vmadj_world_open();

		for (int i = 0; i < SECONDS / 2; i++) {
			(void)vmadj_world_sample(theirs, 1);
			vmadj_world_close(theirs);
			theirs = vmadj_world_open();
		}
		_exit(0);
	}
	run_churn(world, &want);
	(void)waitpid(other, &status, 0);
	check_all_seen();
	cr_expect(eq(u64, vmadj_inventory_lost(vmadj_world_inventory(world)), 0));
}

Test(churn, all_of_a_thousand_vms_are_seen)
{
	const struct vmadj_lab_kvm want = { .load = "tick:100" };
	static struct vmadj_lab_vm *vms[AT_ONCE];
	struct vmadj_world *world = vmadj_world_open();
	const struct vmadj_snapshot *snapshot;
	unsigned int seen = 0, counted = 0;

	vmadj_lab_require(vmadj_lab_kvm_start_many(&want, vms, AT_ONCE));
	(void)vmadj_world_sample(world, 1);
	snapshot = vmadj_world_sample(world, 1);
	for (size_t i = 0, j; i < AT_ONCE; i++) {
		pid_t pid = vmadj_lab_vm_pid(vms[i]);

		for (j = 0; j < snapshot->n_vms && snapshot->vms[j].pid != pid; j++)
			;
		if (j == snapshot->n_vms)
			continue;
		seen++;
		counted += snapshot->vms[j].n_vcpus == 1 && snapshot->vms[j].delta.run_ns > 0;
	}
	cr_expect(eq(u32, seen, AT_ONCE));
	cr_expect(eq(u32, counted, AT_ONCE), "each has used its vCPU");
	cr_expect(eq(u64, snapshot->observer.lost_events, 0));
	vmadj_lab_stop_many(vms, AT_ONCE);
}
