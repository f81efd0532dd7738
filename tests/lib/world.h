/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * world.h - an observer in the test's own process, and what it says of each VM
 *
 *	TestSuite(sched, .timeout = 60, .fini = vmadj_world_close_all);
 *
 *	Test(sched, a_busy_vm_runs_all_the_time)
 *	{
 *		const struct vmadj_lab_kvm busy = { .load = "busy" };
 *		_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
 *		struct vmadj_world *world = vmadj_world_open();
 *		struct vmadj_world_vm row;
 *
 *		vmadj_lab_require(vmadj_lab_kvm_start(&busy, &vm));
 *		(void)vmadj_world_sample(world, 1);
 *		(void)vmadj_world_sample(world, 1);
 *		row = vmadj_world_vm(world, vmadj_lab_vm_pid(vm));
 *		cr_assert(gt(dbl, row.vm.cpu.usage_pct, 90));
 *	}
 *
 * What cannot be done here skips the test, what should work and does not fails it.
 *
 * Threads:   a world belongs to the test's main thread.
 * Ownership: the library keeps all worlds; vmadj_world_close_all() as the suite's .fini closes
 *            them, also after a failure.
 */
#pragma once

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "user/observe/observer.h"
#include "user/snapshot/snapshot.h"

#define VMADJ_WORLD_VCPUS 64

struct vmadj_inventory;
struct vmadj_world;

/*
 * A VM of one sample; a copy, so that samples can be compared. Texts and arrays are here, vm's own
 * pointers are NULL.
 */
struct vmadj_world_vm {
	struct vmadj_snap_vm vm;
	struct vmadj_snap_vcpu vcpus[VMADJ_WORLD_VCPUS];
	struct vmadj_snap_waited waited[VMADJ_WAITED_MAX];
	char id[64];
	char name[128];
	char uuid[64]; /* empty: not known; and so below */
	char manager[32];
	char note[256];
	char accel[8];
	char vmm[32];
};

/* What must hold in both modes: the test is run with each as *mode; with only one where the
 * environment has VMADJ_MODE. */
#define VMADJ_WORLD_TEST(suite, name)                                                    \
	ParameterizedTestParameters(suite, name)                                         \
	{                                                                                \
		static enum vmadj_mode modes[] = { VMADJ_MODE_TRACE, VMADJ_MODE_POLL };  \
		const char *only = getenv("VMADJ_MODE");                                 \
		bool poll = only && strcmp(only, "poll") == 0;                           \
                                                                                         \
		return cr_make_param_array(enum vmadj_mode, modes + poll, only ? 1 : 2); \
	}                                                                                \
	ParameterizedTest(const enum vmadj_mode *mode, suite, name)

/* Opens with the self-test, as dump does; pins in a folder of its own. */
struct vmadj_world *vmadj_world_open_as(enum vmadj_mode mode);

/* The same with VMADJ_MODE_TRACE; the environment's VMADJ_MODE=poll lets any test program poll. */
struct vmadj_world *vmadj_world_open(void);
void vmadj_world_close(struct vmadj_world *world);
void vmadj_world_close_all(void);

/* Waits that long and takes what the inventory is told meanwhile, as dump does. */
void vmadj_world_serve(struct vmadj_world *world, double seconds);

/* The same, and a sample at the end; valid until the next one. */
const struct vmadj_snapshot *vmadj_world_sample(struct vmadj_world *world, double seconds);

/* In the last sample; a live one before an ended one of the same pid. Return: whether it is there.
 */
bool vmadj_world_find(const struct vmadj_world *world, pid_t pid, struct vmadj_world_vm *ret_vm);

/* The same of a VM that must be there. */
struct vmadj_world_vm vmadj_world_vm(const struct vmadj_world *world, pid_t pid);

/* How long the VM waited for @who ("vm:NAME", "host:COMM", ...), 0 if it is not listed. */
uint64_t vmadj_world_waited_ns(const struct vmadj_world_vm *row, const char *who);

/* The vCPU that runs in the thread @tid; NULL: none does. */
const struct vmadj_snap_vcpu *vmadj_world_vcpu(const struct vmadj_world_vm *row, pid_t tid);

/* Skips the test where waits are not told one by one. */
void vmadj_world_need_trace(const struct vmadj_world *world);

/* Skips the test where this kernel does not tell of its page cache; a count refused fails it. */
void vmadj_world_need_pagecache(const struct vmadj_world *world);

/* The CPU to pin VMs to: not the first one, where there is another. */
unsigned int vmadj_world_cpu(void);

struct vmadj_observer *vmadj_world_observer(const struct vmadj_world *world);
struct vmadj_inventory *vmadj_world_inventory(const struct vmadj_world *world);
