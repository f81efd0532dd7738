/* SPDX-License-Identifier: GPL-2.0-only */
/* turn_room.c - what the managed VMs can have of the host's memory together, and who what of it */
#include <stdlib.h>

#include "user/actuate/memory_room.h"
#include "user/daemon/turn_private.h"
#include "user/snapshot/snapshot.h"
#include "user/util/log.h"

#define MIB	   (1ULL << 20)
#define LOOKED_S   3	     /* who has not been seen for so long is given nothing */
#define GROW_LEAST (4 * MIB) /* less room than that is none */

static bool counts(const struct vmadj_managed *managed)
{
	return managed->row && !managed->ended && managed->limits.manage;
}

void vmadj_turn_room_measure(struct vmadj_daemon *daemon, struct vmadj_snapshot *snapshot)
{
	struct vmadj_room_host host = {
		.total_bytes = snapshot->host.mem_total_bytes,
		.available_bytes = snapshot->host.mem_available_bytes,
		.memory_bytes = daemon->config->host_memory_bytes,
		.reserve_bytes = daemon->config->host_reserve_bytes,
	};

	if (!daemon->memory_turned)
		return;
	for (size_t i = 0; i < daemon->vms.n; i++) {
		const struct vmadj_managed *managed = daemon->vms.vm[i];

		if (counts(managed) && managed->rss_bytes != UINT64_MAX)
			host.resident_bytes += managed->rss_bytes;
	}
	snapshot->mem_vms_bytes = vmadj_room_budget(&host);
}

/* Whose size is not known, or not ours to change, only has what it has. */
static bool is_ours(const struct vmadj_managed *managed)
{
	const struct vmadj_managed_memory *memory = managed->memory;

	return memory && memory->noted && !memory->use.theirs &&
	       vmadj_memory_size(&memory->machine) && !vmadj_turn_memory_is_dry(memory);
}

static uint64_t size_of(const struct vmadj_managed *managed)
{
	uint64_t size = managed->memory ? vmadj_memory_size(&managed->memory->machine) : 0;

	if (size)
		return size;
	return managed->rss_bytes == UINT64_MAX ? 0 : managed->rss_bytes;
}

static struct vmadj_room_vm room_of(const struct vmadj_managed *managed, double now_s)
{
	const struct vmadj_managed_memory *memory = managed->memory;
	const struct vmadj_memory *machine = &memory->machine;
	struct vmadj_room_vm room = {
		.size_bytes = vmadj_memory_size(machine),
		.original_bytes = memory->original_bytes,
		.least_bytes = vmadj_memory_least_size(machine),
		.weight = (unsigned int)managed->limits.memory_weight,
	};

	if (now_s - memory->seen_s < LOOKED_S)
		room.want_bytes = vmadj_memory_want(machine, now_s, &room.need);
	room.need |= vmadj_memory_in_need(machine, now_s) != NULL;
	if (machine->target_bytes == VMADJ_BALLOON_UNSET) /* was never touched */
		room.least_bytes = room.size_bytes;
	return room;
}

static void recall(struct vmadj_managed_memory *memory, uint64_t back_bytes)
{
	uint64_t before = memory->machine.recall_bytes;

	vmadj_memory_recall(&memory->machine, back_bytes);
	if (back_bytes != UINT64_MAX && before == UINT64_MAX) {
		log_notice("vm=%s memory is called back down to %llu MiB: a guest in need has less "
			   "than it is due",
			   memory->managed->target.name, (unsigned long long)back_bytes >> 20);
	}
}

/*
 * @asking: who is about to grow to @next, NULL: nobody; then everybody wants what its machine says.
 * Return: what it may grow to; 0 without it, or without memory to work that out.
 */
static uint64_t share(struct vmadj_daemon *daemon, const struct vmadj_managed_memory *asking,
		      const struct vmadj_memory_next *next)
{
	uint64_t budget = daemon->snapshot->mem_vms_bytes, fixed = 0, granted = 0;
	struct vmadj_room_vm *rooms = calloc(daemon->vms.n + 1, sizeof(*rooms));
	double now_s = vmadj_daemon_now_s();
	size_t n = 0;

	if (!rooms)
		return 0;
	for (size_t i = 0; i < daemon->vms.n; i++) {
		struct vmadj_managed *managed = daemon->vms.vm[i];

		if (!counts(managed))
			continue;
		if (!is_ours(managed)) {
			fixed += size_of(managed);
			continue;
		}
		rooms[n] = room_of(managed, now_s);
		if (managed->memory == asking) {
			rooms[n].want_bytes = next->target_bytes;
			rooms[n].need |= next->need;
		}
		n++;
	}
	vmadj_room_share(rooms, n, budget > fixed ? budget - fixed : 0);
	n = 0;
	for (size_t i = 0; i < daemon->vms.n; i++) {
		struct vmadj_managed *managed = daemon->vms.vm[i];

		if (!counts(managed) || !is_ours(managed))
			continue;
		if (managed->memory == asking)
			granted = rooms[n].grant_bytes;
		recall(managed->memory, rooms[n].back_bytes);
		n++;
	}
	free(rooms);
	return granted;
}

/* Not before the sample after the one in which memory was first to be turned. */
static bool is_measured(const struct vmadj_daemon *daemon)
{
	return daemon->snapshot && daemon->snapshot->mem_vms_bytes != UINT64_MAX;
}

void vmadj_turn_room(struct vmadj_daemon *daemon)
{
	if (is_measured(daemon))
		(void)share(daemon, NULL, NULL);
}

const char *vmadj_turn_room_bound(struct vmadj_managed_memory *memory,
				  struct vmadj_memory_next *next)
{
	static const char none[] = "the host has no memory to spare";
	struct vmadj_daemon *daemon = memory->managed->daemon;
	uint64_t size = vmadj_memory_size(&memory->machine), granted;

	if (next->target_bytes <= size)
		return NULL;
	if (!is_measured(daemon)) {
		next->act = VMADJ_MEMORY_NOTHING;
		next->why = "what the host has is not measured yet";
		return next->why;
	}
	granted = share(daemon, memory, next) / MIB * MIB;
	if (granted >= next->target_bytes)
		return NULL;
	if (granted < size + GROW_LEAST) {
		next->act = VMADJ_MEMORY_NOTHING;
		next->why = none;
	}
	next->target_bytes = granted;
	return none;
}
