/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * margin.c - P5: what a guest's programs need, and a margin that its disk cache is worth
 *
 * Every period_s (1 s) a VM is wished W = in use + margin. In use is Committed_AS, which counts
 * pages that are not yet backed. Every margin_period_s (5 s) the margin is adjusted:
 *
 *	UP:   Cached grew or Active(file) grew: larger; else DOWN from the next time on
 *	DOWN: Cached did not grow, or Active(file) did not shrink: smaller; else larger, and UP
 *
 * What the paper left open, the host's memory: when all W together are more than the VMs can
 * have, it is shared by weight; who wants less than its part leaves the rest to the others.
 *
 * What the guest's source cannot tell: without Committed_AS, in use is total - available; without
 * Active(file), Cached alone decides; without both, the margin stays. A VM of which neither is
 * known keeps what it has. A VM that the daemon gives memory to is not wished less than it has.
 */
#include "memory.h"

enum direction { UP, DOWN };

struct row {
	struct memory_vm vm;
	double margin_bytes, cached_bytes, active_bytes; /* as of the last adjustment */
	double next_s;
	enum direction direction;
	bool begun;
};

struct state {
	double period_s, margin_period_s, step_bytes, least_bytes, grain_bytes;
	double next_s;
	struct memory_vms vms;
	double *want_bytes;
};

/* NAN: not known. */
static double in_use(const struct vmadj_policy_vm *vm)
{
	if (memory_known(vm->guest_committed_bytes))
		return (double)vm->guest_committed_bytes;
	return memory_count(vm->guest_total_bytes) - memory_count(vm->guest_available_bytes);
}

/* Is Cached, or Active(file), not known, then the other one decides: as if this were as it. */
static bool goes_up(enum direction direction, double cached_grew, double active_grew, double grain)
{
	if (direction == UP)
		return cached_grew > grain || active_grew > grain;
	return (cached_grew > grain || isnan(cached_grew)) &&
	       (active_grew < -grain || isnan(active_grew));
}

static void adjust(const struct state *my, struct row *row)
{
	double cached_grew = memory_count(row->vm.now->guest_cached_bytes) - row->cached_bytes;
	double active_grew = memory_count(row->vm.now->guest_active_file_bytes) - row->active_bytes;
	bool up = goes_up(row->direction, cached_grew, active_grew, my->grain_bytes);

	if (isnan(cached_grew) && isnan(active_grew))
		return;
	if (row->direction == UP && !up) {
		row->direction = DOWN;
		return;
	}
	row->direction = up ? UP : DOWN;
	row->margin_bytes += up ? my->step_bytes : -my->step_bytes;
}

/* At first the margin is what it has beyond what is in use. */
static void follow(const struct state *my, struct row *row, double now_s)
{
	const struct vmadj_policy_vm *vm = row->vm.now;
	double most = row->vm.max_bytes - in_use(vm);

	if (isnan(most))
		return;
	if (!row->begun) {
		row->begun = true;
		row->margin_bytes = (double)vm->mem_bytes - in_use(vm);
	} else if (now_s + 0.01 >= row->next_s) {
		adjust(my, row);
	} else {
		return;
	}
	row->margin_bytes = fmax(fmin(row->margin_bytes, most), my->least_bytes);
	row->cached_bytes = memory_count(vm->guest_cached_bytes);
	row->active_bytes = memory_count(vm->guest_active_file_bytes);
	row->next_s = now_s + my->margin_period_s;
}

static double wanted(const struct row *row)
{
	double want = in_use(row->vm.now) + row->margin_bytes;

	if (isnan(want))
		return (double)row->vm.now->mem_bytes;
	return *row->vm.now->mem_need ? fmax(want, memory_target(&row->vm)) : want;
}

static void wish(const struct row *row, double budget, struct vmadj_policy_wishes *wishes)
{
	const struct vmadj_policy_vm *vm = row->vm.now;
	double share = row->vm.share_bytes;
	char why[128], part[64] = "";

	if (isnan(in_use(vm))) {
		vmadj_wish_nothing(wishes, vm, "what its guest has in use is not known");
		return;
	}
	if (share < fmin(wanted(row), row->vm.max_bytes)) {
		(void)snprintf(part, sizeof(part), "; its part of %.0f MiB by weight",
			       budget / MEMORY_MIB);
	}
	(void)snprintf(why, sizeof(why), "%s %.0f MiB + margin %.0f MiB (%s)%s%s",
		       memory_known(vm->guest_committed_bytes) ? "Committed_AS"
							       : "total - available",
		       in_use(vm) / MEMORY_MIB, row->margin_bytes / MEMORY_MIB,
		       row->direction == UP ? "up" : "down", part,
		       memory_known(vm->guest_active_file_bytes) ? "" : "; without Active(file)");
	if (memory_is_near(share, memory_target(&row->vm))) {
		vmadj_wish_nothing(wishes, vm, "%s", why);
	} else {
		vmadj_wish_memory(wishes, vm, share, "%s", why);
	}
}

static void decide(void *state, const struct vmadj_policy_snapshot *now,
		   struct vmadj_policy_wishes *wishes)
{
	struct state *my = state;
	uint32_t n = memory_meet(&my->vms, sizeof(struct row), now);
	double budget = memory_budget(&my->vms, now);

	if (!memory_is_time(now, &my->next_s, my->period_s))
		return;
	free(my->want_bytes);
	my->want_bytes = calloc(n + 1, sizeof(*my->want_bytes));
	if (!my->want_bytes)
		abort();
	for (uint32_t i = 0; i < n; i++) {
		follow(my, memory_at(&my->vms, i), now->monotonic_s);
		my->want_bytes[i] = wanted(memory_at(&my->vms, i));
	}
	memory_share(&my->vms, my->want_bytes, budget);
	for (uint32_t i = 0; i < n; i++)
		wish(memory_at(&my->vms, i), budget, wishes);
}

#define PLACE(member) offsetof(struct state, member)

static const struct vmadj_policy_param params[] = {
	{ "period", VMADJ_PARAM_SECONDS, PLACE(period_s), 1, 0.1, 3600, "s",
	  "time between two wishes" },
	{ "margin_period", VMADJ_PARAM_SECONDS, PLACE(margin_period_s), 5, 0.1, 3600, "s",
	  "time between two adjustments of a margin" },
	{ "step", VMADJ_PARAM_BYTES, PLACE(step_bytes), 64 * MEMORY_MIB, MEMORY_MIB, 0x1p40, NULL,
	  "by how much a margin is adjusted" },
	{ "least", VMADJ_PARAM_BYTES, PLACE(least_bytes), 64 * MEMORY_MIB, 0, 0x1p40, NULL,
	  "no margin is smaller than this" },
	{ "grain", VMADJ_PARAM_BYTES, PLACE(grain_bytes), 0, 0, 0x1p40, NULL,
	  "a cache that changed by no more than this has not changed" },
	{ 0 },
};

const struct vmadj_policy_ops vmadj_policy = {
	VMADJ_POLICY_HEADER,
	.name = "margin",
	.summary = "what is in use and a margin for the disk cache, within the host's memory",
	.knobs = VMADJ_KNOB_MEMORY,
	.params = params,
	.state_size = sizeof(struct state),
	.decide = decide,
};
