/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * memory.h - what policies for memory have in common
 *
 * The VMs whose memory can be turned, each with what the policy remembers of it; what they can
 * have together; and how that is shared by weight:
 *
 *	struct row {
 *		struct memory_vm vm;	comes first
 *		double hits_s;		whatever the policy keeps
 *	};
 *
 *	uint32_t n = memory_meet(&my->vms, sizeof(struct row), now);
 *
 *	for (uint32_t i = 0; i < n; i++) {
 *		struct row *row = memory_at(&my->vms, i);
 *		...
 *
 * Units:     bytes as double, since wishes are; seconds.
 * Ownership: rows are valid until the next memory_meet(); what they have is zero when a VM is met
 *            for the first time, and gone with the VM.
 */
#ifndef VMADJ_MEMORY_H
#define VMADJ_MEMORY_H

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "policy.h"

#define MEMORY_MIB (1024.0 * 1024.0)

/* What is nearer to its target than this is there: balloons have pages. */
#define MEMORY_NEAR_BYTES (MEMORY_MIB / 2)

struct memory_vm {
	char id[48];
	const struct vmadj_policy_vm *now; /* of this snapshot */
	double min_bytes, max_bytes, weight;
	double first_bytes; /* when it was met */
	double share_bytes; /* memory_share() writes it */
};

struct memory_vms {
	char *rows;
	size_t row_size;
	uint32_t n;
};

static inline void *memory_at(const struct memory_vms *vms, uint32_t i)
{
	return vms->rows + i * vms->row_size;
}

static inline bool memory_known(uint64_t count)
{
	return count != VMADJ_UNKNOWN;
}

/* NAN where it is not known. */
static inline double memory_count(uint64_t count)
{
	return memory_known(count) ? (double)count : (double)NAN;
}

/* Can this VM's memory be turned, and is it known how much it has? */
static inline bool memory_is_turned(const struct vmadj_policy_vm *vm)
{
	return (vm->knobs & VMADJ_KNOB_MEMORY) && memory_known(vm->mem_bytes) &&
	       memory_known(vm->mem_min_bytes) && memory_known(vm->mem_max_bytes);
}

/* The row of before; they stand in the same order but for those that came and went. */
static inline const void *memory_find_(const struct memory_vms *vms, const char *id, uint32_t *from)
{
	for (uint32_t i = 0; i < vms->n; i++) {
		uint32_t at = (*from + i) % vms->n;

		if (!strcmp(((const struct memory_vm *)memory_at(vms, at))->id, id)) {
			*from = at + 1;
			return memory_at(vms, at);
		}
	}
	return NULL;
}

static inline void memory_limits_(struct memory_vm *vm, const struct vmadj_policy_vm *now)
{
	memcpy(vm->id, now->id, sizeof(vm->id));
	vm->now = now;
	vm->max_bytes = (double)now->mem_max_bytes;
	vm->min_bytes = fmin((double)now->mem_min_bytes, vm->max_bytes);
	vm->weight = now->mem_weight ? now->mem_weight : 1;
	if (vm->first_bytes == 0)
		vm->first_bytes = (double)now->mem_bytes;
}

/* Return: how many VMs of this snapshot can be turned; their rows are at 0..n - 1. */
static inline uint32_t memory_meet(struct memory_vms *vms, size_t row_size,
				   const struct vmadj_policy_snapshot *now)
{
	struct memory_vms met = { calloc(now->n_vms + 1, row_size), row_size, 0 };
	uint32_t from = 0;

	if (!met.rows)
		abort(); /* its process is started again */
	for (uint32_t i = 0; i < now->n_vms; i++) {
		const struct vmadj_policy_vm *vm = vmadj_policy_vm_at(now, i);
		const void *before;

		if (!memory_is_turned(vm))
			continue;
		before = memory_find_(vms, vm->id, &from);
		if (before)
			memcpy(memory_at(&met, met.n), before, row_size);
		memory_limits_((struct memory_vm *)memory_at(&met, met.n), vm);
		met.n++;
	}
	free(vms->rows);
	*vms = met;
	return met.n;
}

/* Recorded snapshots of before have 0. */
static inline bool memory_has_bound(const struct vmadj_policy_snapshot *now)
{
	return memory_known(now->mem_vms_bytes) && now->mem_vms_bytes > 0;
}

/*
 * What they can have together; where that is not known, no more than what they had: what they
 * have falls while it is moved, since who gives goes first.
 */
static inline double memory_budget(const struct memory_vms *vms,
				   const struct vmadj_policy_snapshot *now)
{
	double sum = 0;

	if (memory_has_bound(now))
		return (double)now->mem_vms_bytes;
	for (uint32_t i = 0; i < vms->n; i++)
		sum += ((const struct memory_vm *)memory_at(vms, i))->first_bytes;
	return sum;
}

/* Wishes are whole MiB, so that a wish that was carried out is not repeated. */
static inline double memory_whole(double bytes)
{
	return floor(bytes / MEMORY_MIB) * MEMORY_MIB;
}

static inline double memory_share_at_(const struct memory_vm *vm, double level, double want_bytes)
{
	double want = fmin(fmax(want_bytes, vm->min_bytes), vm->max_bytes);

	return fmin(fmax(level * vm->weight, vm->min_bytes), want);
}

/*
 * Water-filling: share_bytes of each is what it wants (@want_bytes[i]; NULL: all it may have)
 * when there is enough for all; else as much as its weight says, and what one does not want is
 * the others'. Nobody gets more than its maximum nor less than its minimum, which may then be
 * more than the budget together.
 */
static inline void memory_share(const struct memory_vms *vms, const double *want_bytes,
				double budget_bytes)
{
	double low = 0, high = 0x1p63; /* bytes for a weight of 1 */

	for (int i = 0; i < 128 && low < high; i++) {
		double level = (low + high) / 2, sum = 0;

		for (uint32_t j = 0; j < vms->n; j++) {
			sum += memory_share_at_(memory_at(vms, j), level,
						want_bytes ? want_bytes[j] : HUGE_VAL);
		}
		if (sum > budget_bytes) {
			high = level;
		} else {
			low = level;
		}
	}
	for (uint32_t j = 0; j < vms->n; j++) {
		struct memory_vm *vm = memory_at(vms, j);

		vm->share_bytes = memory_whole(
			memory_share_at_(vm, low, want_bytes ? want_bytes[j] : HUGE_VAL));
	}
}

/* The nearest snapshot, not the one after it because of a moment. */
static inline bool memory_is_time(const struct vmadj_policy_snapshot *now, double *next_s,
				  double period_s)
{
	if (now->monotonic_s + now->interval_s / 2 < *next_s)
		return false;
	*next_s = now->monotonic_s + period_s;
	return true;
}

/* Where it stands or is on its way to. */
static inline double memory_target(const struct memory_vm *vm)
{
	uint64_t target = vm->now->mem_target_bytes;

	return (double)(memory_known(target) ? target : vm->now->mem_bytes);
}

static inline bool memory_is_near(double a_bytes, double b_bytes)
{
	return fabs(a_bytes - b_bytes) <= MEMORY_NEAR_BYTES;
}

#endif
