// SPDX-License-Identifier: GPL-2.0-only
/* memory_room.c - who may have what of the host's memory */
#include "user/actuate/memory_room.h"

#include "user/actuate/memory_private.h"

#define RESERVE_LEAST (256 * VMADJ_MEMORY_MIB)

uint64_t vmadj_room_budget(const struct vmadj_room_host *host)
{
	uint64_t memory = host->memory_bytes ? host->memory_bytes : host->total_bytes;
	uint64_t reserve = host->reserve_bytes;

	if (!reserve)
		reserve = vmadj_most(RESERVE_LEAST, memory / 20);
	return vmadj_less(
		vmadj_least(memory, vmadj_sum(host->resident_bytes, host->available_bytes)),
		reserve);
}

/* What is shared out by weight, at most part_most() to each; 0: no part for that one. */
typedef uint64_t (*part_most)(const struct vmadj_room_vm *vm);
typedef uint64_t *(*part_of)(struct vmadj_room_vm *vm);

static uint64_t due_most(const struct vmadj_room_vm *vm)
{
	return vm->original_bytes;
}

static uint64_t *due_of(struct vmadj_room_vm *vm)
{
	return &vm->due_bytes;
}

static uint64_t need_most(const struct vmadj_room_vm *vm)
{
	return vm->need ? vmadj_less(vm->want_bytes, vm->size_bytes) : 0;
}

static uint64_t wish_most(const struct vmadj_room_vm *vm)
{
	return vm->need ? 0 : vmadj_less(vm->want_bytes, vm->size_bytes);
}

static uint64_t *grant_of(struct vmadj_room_vm *vm)
{
	return &vm->grant_bytes;
}

/*
 * Round by round: whoever wants no more than its share of what is left gets that and leaves; when
 * all want more, each gets its share. Parts are 0 at first. Return: what is left.
 */
static uint64_t share_out(struct vmadj_room_vm *vms, size_t n, uint64_t bytes, part_most at_most,
			  part_of part)
{
	bool last = false;

	while (bytes) {
		uint64_t round = bytes;
		double weights = 0;
		bool left = false;

		for (size_t i = 0; i < n; i++)
			weights += *part(&vms[i]) < at_most(&vms[i]) ? vms[i].weight : 0;
		for (size_t i = 0; i < n && weights > 0; i++) {
			double share = (double)round * vms[i].weight / weights;
			uint64_t wanted = vmadj_less(at_most(&vms[i]), *part(&vms[i]));

			if (!wanted || (!last && (double)wanted > share))
				continue;
			wanted = vmadj_least(vmadj_least(wanted, last ? (uint64_t)share : wanted),
					     bytes);
			*part(&vms[i]) += wanted;
			bytes -= wanted;
			left = true;
		}
		if (last || weights <= 0)
			break;
		last = !left;
	}
	return bytes;
}

/* Above what it is due, and can do without. */
static uint64_t excess(const struct vmadj_room_vm *vm)
{
	return vm->need ? 0
			: vmadj_less(vm->size_bytes, vmadj_most(vm->due_bytes, vm->least_bytes));
}

/* What those in need lack of their due, after what they are granted. */
static uint64_t lack(const struct vmadj_room_vm *vms, size_t n)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t at_most = vmadj_least(vms[i].want_bytes, vms[i].due_bytes);

		bytes = vmadj_sum(bytes, vms[i].need ? vmadj_less(at_most, vms[i].grant_bytes) : 0);
	}
	return bytes;
}

static void call_back(struct vmadj_room_vm *vms, size_t n, uint64_t bytes)
{
	while (bytes) {
		struct vmadj_room_vm *giver = NULL;
		uint64_t given;

		for (size_t i = 0; i < n; i++) {
			if (vms[i].back_bytes == UINT64_MAX && excess(&vms[i]) &&
			    (!giver || excess(&vms[i]) > excess(giver)))
				giver = &vms[i];
		}
		if (!giver)
			return;
		given = vmadj_least(excess(giver), bytes);
		giver->back_bytes = giver->size_bytes - given;
		bytes -= given;
	}
}

void vmadj_room_share(struct vmadj_room_vm *vms, size_t n, uint64_t budget_bytes)
{
	uint64_t sizes = 0, room;

	for (size_t i = 0; i < n; i++) {
		sizes = vmadj_sum(sizes, vms[i].size_bytes);
		vms[i].due_bytes = vms[i].grant_bytes = 0;
		vms[i].back_bytes = UINT64_MAX;
	}
	(void)share_out(vms, n, budget_bytes, due_most, due_of);
	room = share_out(vms, n, vmadj_less(budget_bytes, sizes), need_most, grant_of);
	(void)share_out(vms, n, room, wish_most, grant_of);
	for (size_t i = 0; i < n; i++)
		vms[i].grant_bytes += vms[i].size_bytes;
	call_back(vms, n, lack(vms, n));
}
