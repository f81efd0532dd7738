/* SPDX-License-Identifier: GPL-2.0-only */
/* made_snapshot.c - a snapshot for a policy, of VMs whose memory can be turned */
#include "tests/lib/made_snapshot.h"

void made_size(struct vmadj_policy_vm *vm, uint64_t mib)
{
	vm->mem_bytes = vm->mem_target_bytes = mib * MADE_MIB;
}

static void make_vm(struct vmadj_policy_vm *vm, uint32_t i, uint64_t mib)
{
	memset(vm, 0xff, sizeof(*vm)); /* unknown: VMADJ_UNKNOWN, NAN */
	memset(vm->guest_source, 0, sizeof(vm->guest_source));
	memset(vm->mem_need, 0, sizeof(vm->mem_need));
	(void)snprintf(vm->id, sizeof(vm->id), "%u-1", i + 1);
	(void)snprintf(vm->name, sizeof(vm->name), "vm%u", i + 1);
	vm->pid = (int32_t)i + 1;
	vm->knobs = VMADJ_KNOB_MEMORY;
	vm->mem_weight = 100;
	vm->mem_min_bytes = 64 * MADE_MIB;
	vm->mem_max_bytes = 4096 * MADE_MIB;
	made_size(vm, mib);
}

void made_snapshot(struct made_snapshot *snapshot, uint32_t n, uint64_t mib, uint64_t together_mib)
{
	snapshot->head = (struct vmadj_policy_snapshot){
		.abi = VMADJ_POLICY_ABI,
		.size = sizeof(snapshot->head),
		.vm_size = sizeof(struct vmadj_policy_vm),
		.n_vms = n,
		.monotonic_s = 1000,
		.interval_s = 1,
		.cpus = 2,
		.mem_total_bytes = 16384 * MADE_MIB,
		.mem_available_bytes = 8192 * MADE_MIB,
		.mem_vms_bytes = together_mib ? together_mib * MADE_MIB : VMADJ_UNKNOWN,
	};
	for (uint32_t i = 0; i < n; i++)
		make_vm(&snapshot->vm[i], i, mib);
}
