/* SPDX-License-Identifier: GPL-2.0-only */
/* test_snapshot_write.c - a snapshot in the form of policy.h */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/sample_snapshot.h"
#include "user/policy/runner.h"

#define MIB  (1ULL << 20)
#define SIZE (sizeof(struct vmadj_policy_snapshot) + SAMPLE_VMS * sizeof(struct vmadj_policy_vm))

static struct sample sample;
static union {
	struct vmadj_policy_snapshot head;
	char bytes[SIZE];
} written;

static void set_up(void)
{
	sample_make(&sample);
	memset(&written, 0x5a, sizeof(written));
}

TestSuite(snapshot_write, .timeout = 10, .init = set_up);

static const struct vmadj_policy_vm *write_and_get(uint32_t i)
{
	cr_assert(eq(sz, vmadj_policy_snapshot_write(&sample.snapshot, 7, &written, SIZE), SIZE));
	return vmadj_policy_vm_at(&written.head, i);
}

Test(snapshot_write, carries_the_host)
{
	double before_s;

	(void)write_and_get(0);
	before_s = written.head.monotonic_s;
	cr_assert(eq(u32, written.head.abi, VMADJ_POLICY_ABI));
	cr_assert(eq(u32, written.head.n_vms, SAMPLE_VMS));
	cr_assert(eq(u64, written.head.seq, 7));
	cr_assert(eq(u32, written.head.cpus, 2));
	cr_assert(epsilon_eq(dbl, written.head.load15, 0.125, 1e-9));
	cr_assert(eq(u64, written.head.mem_total_bytes, 8ULL << 30));
	cr_assert(isnan(written.head.mem_psi_some_pct));
	(void)write_and_get(0);
	cr_assert(ge(dbl, written.head.monotonic_s, before_s));
}

Test(snapshot_write, carries_a_vm)
{
	const struct vmadj_policy_vm *vm = write_and_get(0);

	cr_assert(eq(str, (char *)vm->id, "100-5000"));
	cr_assert(eq(str, (char *)vm->name, "db1"));
	cr_assert(eq(str, (char *)vm->manager, "libvirt"));
	cr_assert(eq(u32, vm->vcpus, 2));
	cr_assert(epsilon_eq(dbl, vm->usage_pct, 150.25, 1e-9));
	cr_assert(eq(u64, vm->run_ns, 1500));
	cr_assert(eq(str, (char *)vm->waited_for, "vm:web1"));
	cr_assert(eq(u64, vm->accessed_pages, 100), "the interval's, not the total");
	cr_assert(eq(u64, vm->miss_pages, 1));
}

Test(snapshot_write, what_is_not_known_is_unknown)
{
	const struct vmadj_policy_vm *vm = write_and_get(2);

	cr_assert(eq(str, (char *)vm->uuid, ""));
	cr_assert(isnan(vm->usage_pct));
	cr_assert(isnan(vm->hit_pct));
	cr_assert(eq(u64, vm->run_ns, VMADJ_UNKNOWN));
	cr_assert(eq(u64, vm->miss_pages, VMADJ_UNKNOWN));
	cr_assert(eq(i32, vm->nice, VMADJ_NICE_UNKNOWN));
	cr_assert(eq(i32, vm->nice_min, VMADJ_NICE_UNKNOWN));
	cr_assert(eq(u64, vm->mem_bytes, VMADJ_UNKNOWN));
	cr_assert(eq(u64, vm->mem_max_bytes, VMADJ_UNKNOWN));
	cr_assert(eq(u64, vm->guest_total_bytes, VMADJ_UNKNOWN));
	cr_assert(eq(str, (char *)vm->guest_source, ""));
	cr_assert(isnan(vm->guest_age_s));
	cr_assert(eq(u32, vm->knobs, VMADJ_KNOB_NONE));
}

Test(snapshot_write, knobs_are_those_that_can_be_turned)
{
	struct vmadj_snap_knobs *knobs = &sample.vms[0].knobs;

	*knobs = (struct vmadj_snap_knobs){
		.known = true,
		.managed = true,
		.priority = 3,
		.nice_min = -5,
		.nice_max = 10,
		.mem_min_bytes = UINT64_MAX,
		.mem_max_bytes = UINT64_MAX,
		.cpu = { .kind = "autogroup", .nice = 4, .effective = true },
		.balloon = { .kind = "qmp",
			     .actual_bytes = 10,
			     .target_bytes = 9,
			     .max_bytes = 20 * MIB,
			     .effective = true },
	};
	cr_assert(eq(u32, write_and_get(0)->knobs, VMADJ_KNOB_CPU | VMADJ_KNOB_MEMORY));
	cr_assert(eq(i32, write_and_get(0)->priority, 3));
	cr_assert(eq(i32, write_and_get(0)->nice, 4));
	cr_assert(eq(i32, write_and_get(0)->nice_max, 10));
	cr_assert(eq(u64, write_and_get(0)->mem_target_bytes, 9));
	cr_assert(eq(u64, write_and_get(0)->mem_max_bytes, 20 * MIB));
	cr_assert(eq(u64, write_and_get(0)->mem_min_bytes, 10 * MIB), "half of it");
	knobs->mem_max_bytes = 15 * MIB;
	cr_assert(eq(u64, write_and_get(0)->mem_max_bytes, 15 * MIB));
	cr_assert(eq(u64, write_and_get(0)->mem_min_bytes, 8 * MIB), "in whole MiB");
	knobs->mem_min_bytes = 5 * MIB;
	cr_assert(eq(u64, write_and_get(0)->mem_min_bytes, 5 * MIB));
	knobs->mem_min_bytes = 100 * MIB;
	cr_assert(eq(u64, write_and_get(0)->mem_min_bytes, 15 * MIB), "never above the most");
	knobs->balloon.effective = false;
	cr_assert(eq(u32, write_and_get(0)->knobs, VMADJ_KNOB_CPU));
	knobs->managed = false;
	cr_assert(eq(u32, write_and_get(0)->knobs, VMADJ_KNOB_NONE));
	cr_assert(eq(i32, write_and_get(0)->nice, 4));
}

Test(snapshot_write, a_vm_that_ended_is_left_out)
{
	sample.vms[0].ended = true;
	cr_assert(eq(str, (char *)write_and_get(0)->name, "web1"));
	cr_assert(eq(u32, written.head.n_vms, SAMPLE_VMS - 1));
}

Test(snapshot_write, names_are_escaped_and_cut)
{
	char longer[200];

	memset(longer, 'n', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	sample.vms[0].name = "a\033[2J\n";
	sample.vms[1].name = longer;
	cr_assert(eq(str, (char *)write_and_get(0)->name, "a\\x1b[2J\\n"));
	cr_assert(eq(sz, strlen(write_and_get(1)->name),
		     sizeof(((struct vmadj_policy_vm *)0)->name) - 1));
}

Test(snapshot_write, nothing_is_written_where_there_is_too_little_room)
{
	char before = written.bytes[0];

	cr_assert(
		eq(sz, vmadj_policy_snapshot_write(&sample.snapshot, 1, &written, SIZE - 1), SIZE));
	cr_assert(eq(chr, written.bytes[0], before));
}
