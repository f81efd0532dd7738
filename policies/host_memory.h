/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * host_memory.h - the host's memory, as controllers see it that go by how much of it is used
 *
 * Where the daemon holds its VMs to a bound (mem_vms_bytes), that bound is the host: its memory is
 * the bound, and used is what the VMs have together. So a host that is configured smaller than
 * the machine is one. Where there is no bound, it is the machine's memory, and what of that is
 * not available is used.
 */
#ifndef VMADJ_HOST_MEMORY_H
#define VMADJ_HOST_MEMORY_H

#include "memory.h"

struct host_memory {
	double total_bytes, used_bytes;
};

/* Return: whether it is known. */
static inline bool host_memory_read(const struct memory_vms *vms,
				    const struct vmadj_policy_snapshot *now,
				    struct host_memory *ret_host)
{
	struct host_memory host = { memory_count(now->mem_vms_bytes), 0 };

	for (uint32_t i = 0; i < vms->n; i++) {
		host.used_bytes +=
			(double)((const struct memory_vm *)memory_at(vms, i))->now->mem_bytes;
	}
	if (!memory_has_bound(now)) {
		host.total_bytes = memory_count(now->mem_total_bytes);
		host.used_bytes = host.total_bytes - memory_count(now->mem_available_bytes);
	}
	*ret_host = host;
	return host.total_bytes > 0 && host.used_bytes >= 0;
}

#endif
