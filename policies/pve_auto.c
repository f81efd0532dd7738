/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pve_auto.c - a base line: automatic ballooning as Proxmox VE does it, by its published behaviour
 *
 * Every 10 s the VMs together get larger or smaller, so that 80 % of the host's memory is used:
 *
 * - a difference of less than 10 MiB is left;
 * - each VM's part of what is above their minimums is by its shares, and it goes there by at most
 *   100 MiB in a cycle;
 * - for growing, VMs that have little free memory come first; for shrinking, those whose free
 *   memory is more than a quarter of their minimum; if nothing could be done with these, all.
 *
 * It knows no page cache: what a guest caches is used. What "the host's memory" is here, see
 * host_memory.h; its shares are memory_weight.
 */
#include "host_memory.h"

struct row {
	struct memory_vm vm;
	double new_bytes;
	bool has_free, done;
};

struct state {
	double period_s, goal_pct, change_bytes, dead_band_bytes, free_pct;
	double next_s;
	struct memory_vms vms;
};

enum who { WITH_FREE, WITHOUT_FREE, ALL };

static bool takes_part(const struct row *row, enum who who)
{
	return !row->done && (who == ALL || row->has_free == (who == WITH_FREE));
}

/* Where a VM goes in this cycle when @desired is its part: its own size when it has arrived. */
static double step_to(const struct state *my, const struct row *row, double desired, bool grow)
{
	double size = (double)row->vm.now->mem_bytes;

	if (grow && desired > size)
		return fmin(desired, size + my->change_bytes);
	if (desired < size) /* also when growing: who has more than its part gives */
		return fmax(desired, size - my->change_bytes);
	return size;
}

/* One round over those that are not done; Return: by how much they have changed together. */
static double round_of(const struct state *my, enum who who, double rest, bool grow)
{
	double above = rest, weights = 0, changed = 0;

	for (uint32_t i = 0; i < my->vms.n; i++) {
		const struct row *row = memory_at(&my->vms, i);

		if (!takes_part(row, who))
			continue;
		above += row->new_bytes - row->vm.min_bytes;
		weights += row->vm.weight;
	}
	for (uint32_t i = 0; i < my->vms.n; i++) {
		struct row *row = memory_at(&my->vms, i);
		double desired, next;

		if (!takes_part(row, who))
			continue;
		desired = row->vm.min_bytes + above / weights * row->vm.weight;
		desired = fmin(fmax(desired, row->vm.min_bytes), row->vm.max_bytes);
		next = step_to(my, row, desired, grow);
		row->done = next == (double)row->vm.now->mem_bytes;
		if (row->done)
			continue;
		changed += next - row->new_bytes;
		row->new_bytes = next;
	}
	return changed;
}

/* Return: what of @bytes could not be done. */
static double change(const struct state *my, enum who who, double bytes)
{
	double rest = bytes, changed;
	uint32_t rounds = 0;

	for (uint32_t i = 0; i < my->vms.n; i++)
		((struct row *)memory_at(&my->vms, i))->done = false;
	do {
		changed = round_of(my, who, rest, bytes > 0);
		rest -= changed;
	} while (fabs(changed) >= 1 && fabs(rest) >= 1 && ++rounds < 100);
	return rest;
}

static void look(const struct state *my)
{
	for (uint32_t i = 0; i < my->vms.n; i++) {
		struct row *row = memory_at(&my->vms, i);
		const struct vmadj_policy_vm *vm = row->vm.now;

		row->new_bytes = (double)vm->mem_bytes;
		row->has_free = memory_count(vm->guest_free_bytes) >
					row->vm.min_bytes * my->free_pct / 100 &&
				row->new_bytes >= row->vm.min_bytes;
	}
}

static void wish(const struct state *my, const struct host_memory *host, double goal,
		 struct vmadj_policy_wishes *wishes)
{
	for (uint32_t i = 0; i < my->vms.n; i++) {
		const struct row *row = memory_at(&my->vms, i);
		double used_pct = 100 * host->used_bytes / host->total_bytes;

		if (memory_is_near(row->new_bytes, (double)row->vm.now->mem_bytes)) {
			vmadj_wish_nothing(wishes, row->vm.now,
					   "%.0f %% of %.0f MiB is used, the goal is %.0f %%: "
					   "%+.0f MiB, nothing of it here",
					   used_pct, host->total_bytes / MEMORY_MIB, my->goal_pct,
					   goal / MEMORY_MIB);
		} else {
			vmadj_wish_memory(wishes, row->vm.now, row->new_bytes,
					  "%.0f %% of %.0f MiB is used, the goal is %.0f %%: "
					  "%+.0f MiB; it has %s free",
					  used_pct, host->total_bytes / MEMORY_MIB, my->goal_pct,
					  goal / MEMORY_MIB, row->has_free ? "much" : "little");
		}
	}
}

static void decide(void *state, const struct vmadj_policy_snapshot *now,
		   struct vmadj_policy_wishes *wishes)
{
	struct state *my = state;
	struct host_memory host;
	double goal;
	enum who first;

	(void)memory_meet(&my->vms, sizeof(struct row), now);
	if (!memory_is_time(now, &my->next_s, my->period_s) ||
	    !host_memory_read(&my->vms, now, &host))
		return;
	look(my);
	goal = host.total_bytes * my->goal_pct / 100 - host.used_bytes;
	first = goal > 0 ? WITHOUT_FREE : WITH_FREE;
	if (fabs(goal) > my->dead_band_bytes &&
	    fabs(change(my, first, goal)) >= fabs(goal)) /* nothing could be done with these */
		(void)change(my, ALL, goal);
	wish(my, &host, goal, wishes);
}

#define PLACE(member) offsetof(struct state, member)

static const struct vmadj_policy_param params[] = {
	{ "period", VMADJ_PARAM_SECONDS, PLACE(period_s), 10, 1, 3600, "s", "time between cycles" },
	{ "goal", VMADJ_PARAM_REAL, PLACE(goal_pct), 80, 1, 100, "%",
	  "how much of the host's memory shall be used" },
	{ "change", VMADJ_PARAM_BYTES, PLACE(change_bytes), 100 * MEMORY_MIB, MEMORY_MIB, 0x1p40,
	  NULL, "how far a VM goes in a cycle" },
	{ "dead_band", VMADJ_PARAM_BYTES, PLACE(dead_band_bytes), 10 * MEMORY_MIB, 0, 0x1p40, NULL,
	  "a difference from the goal that is left" },
	{ "free", VMADJ_PARAM_REAL, PLACE(free_pct), 25, 0, 100, "%",
	  "of its minimum: a VM with more free memory shrinks first" },
	{ 0 },
};

const struct vmadj_policy_ops vmadj_policy = {
	VMADJ_POLICY_HEADER,
	.name = "pve_auto",
	.summary = "a base line: fill the host to a goal, as Proxmox VE does",
	.knobs = VMADJ_KNOB_MEMORY,
	.params = params,
	.state_size = sizeof(struct state),
	.decide = decide,
};
