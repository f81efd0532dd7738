/* SPDX-License-Identifier: GPL-2.0-only */
/* made_snapshot.h - a snapshot for a policy, of VMs whose memory can be turned */
#pragma once

#include "policies/policy.h"

#define MADE_VMS 8
#define MADE_MIB (1ULL << 20)

struct made_snapshot {
	struct vmadj_policy_snapshot head;
	struct vmadj_policy_vm vm[MADE_VMS];
};

/*
 * VMs "1-1", "2-1", ... named vm1, vm2, ... of @mib each, at rest, of 64 MiB to 4 GiB, which can
 * have @together_mib (0: not known). What guests tell is unknown.
 */
void made_snapshot(struct made_snapshot *snapshot, uint32_t n, uint64_t mib, uint64_t together_mib);

/* The VM has that much now, and is at rest. */
void made_size(struct vmadj_policy_vm *vm, uint64_t mib);
