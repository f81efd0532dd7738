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
 * Smaller by half a step; larger by a step, the third time in a row by two, then by four and by
 * eight. How large a step is the paper leaves open, and what a guest reads can change at once.
 *
 * What the paper left open, the host's memory: when all W together are more than the VMs can
 * have, it is shared by weight; who wants less than its part leaves the rest to the others. A
 * margin stays within a step of what the VM has beyond what is in use: one that the host cannot
 * give, or the guest not spare, would take long to come back.
 *
 * Beyond the paper, both directions look at more, since a cache that is full cannot grow, and what
 * comes to be read is not in Active(file) yet:
 *
 * - UP also while more than rush is read from disks, and not smaller while more than "again" is;
 * - UP while the guest reads again more than "again" of what it had dropped (cache_view.h's
 *   wanted). A margin on its way down goes back first, four steps at most, or to what the daemon
 *   gives to a guest in need, and stays there for some minutes: what was dropped has to be read
 *again in any case, so it is UP only when that gets much worse, or does not end.
 *
 * What the guest's source cannot tell: without Committed_AS, in use is total - available; without
 * Active(file), Cached alone decides; without both, the margin stays. A VM of which neither is
 * known keeps what it has.
 */
#include "cache_view.h"

#define UPS_MOST     5	/* in a row, that each can be larger than the one before */
#define KEEP_PERIODS 60 /* five minutes, with the paper's times */
#define HURTS_LEAST  2	/* in a row: what the balloon pushes out is read again, now and then */
#define HURT_PERIODS 5
#define HURTS	     1.5 /* times what may be missed */
#define HURTS_MUCH   3
#define MISSED_LEAST 16 /* a part of again: less is nothing */
#define FURTHER	     4	/* steps beyond what it has got so far */
#define WAY_LEAST    4	/* half steps: fewer are no way down */
#define WAY_DOWN     8	/* half steps: so many it goes back at most */

enum direction { UP, DOWN };

struct row {
	struct memory_vm vm;
	double margin_bytes, cached_bytes, active_bytes; /* as of the last adjustment */
	struct cache_totals totals;
	double next_s;
	double keep_bytes, keep_s; /* no smaller than that, until then */
	double hurt_s;		   /* when it was found too small; 0: it is not */
	int ups, downs, hurts;	   /* so often in a row it was larger, smaller, too small */
	enum direction direction;
	bool begun;
};

struct state {
	double period_s, margin_period_s, step_bytes, least_bytes, grain_bytes, rush_bytes,
		again_bytes, again_pct;
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
static bool goes_up(const struct state *my, enum direction direction, double cached_grew,
		    double active_grew)
{
	double grain = my->grain_bytes;

	if (direction == UP)
		return cached_grew > grain || active_grew > grain;
	return (cached_grew > grain || isnan(cached_grew)) &&
	       (active_grew < -grain || isnan(active_grew));
}

/* Not on, while it has not got what it was to get. */
static void grow(const struct state *my, struct row *row)
{
	double behind = in_use(row->vm.now) + row->margin_bytes - (double)row->vm.now->mem_bytes;

	if (behind > FURTHER * my->step_bytes)
		return;
	row->ups = row->ups < UPS_MOST ? row->ups + 1 : UPS_MOST;
	row->margin_bytes += my->step_bytes * (row->ups > 2 ? 1 << (row->ups - 2) : 1);
}

/* Not on, while its guest has not given what it was to give. */
static void shrink(const struct state *my, struct row *row, double now_s)
{
	double least = now_s < row->keep_s ? fmin(row->keep_bytes, row->margin_bytes) : 0;
	double behind = (double)row->vm.now->mem_bytes - in_use(row->vm.now) - row->margin_bytes;

	if (behind >= my->step_bytes || row->margin_bytes <= least)
		return;
	row->margin_bytes = fmax(row->margin_bytes - my->step_bytes / 2, least);
	row->downs++;
}

/* It has found out how far down it can go; the longer its way there was, the surer that is. */
static void turn_back(const struct state *my, struct row *row, double to_bytes, double now_s)
{
	double way = fmin((double)row->downs / WAY_DOWN, 1);

	row->margin_bytes = fmax(row->margin_bytes, to_bytes);
	if (now_s + way * KEEP_PERIODS * my->margin_period_s >= row->keep_s) {
		row->keep_bytes = row->margin_bytes;
		row->keep_s = now_s + way * KEEP_PERIODS * my->margin_period_s;
	}
	row->hurt_s = now_s;
	row->downs = 0;
}

/* Of what it asks for, so much may be read from disks. */
static double may_miss(const struct state *my, double accessed_bytes)
{
	if (isnan(accessed_bytes))
		return my->again_bytes;
	return fmin(fmax(my->again_pct / 100 * accessed_bytes, my->again_bytes / MISSED_LEAST),
		    my->again_bytes);
}

/* Return: whether it should be larger since what was dropped is read again, @times what may be. */
static bool hurts(const struct state *my, struct row *row, double times, double now_s)
{
	if (!(times > HURTS)) {
		row->hurt_s = row->hurts = 0;
		return false;
	}
	if (row->hurts++ < HURTS_LEAST - 1)
		return false;
	if (row->downs >= WAY_LEAST) {
		turn_back(my, row,
			  row->margin_bytes + fmin(row->downs, WAY_DOWN) / 2 * my->step_bytes,
			  now_s);
	}
	return row->hurt_s == 0 || times > HURTS_MUCH ||
	       now_s - row->hurt_s > HURT_PERIODS * my->margin_period_s;
}

static void adjust(const struct state *my, struct row *row, double now_s)
{
	double cached_grew = memory_count(row->vm.now->guest_cached_bytes) - row->cached_bytes;
	double active_grew = memory_count(row->vm.now->guest_active_file_bytes) - row->active_bytes;
	struct cache_totals totals = cache_view_totals(row->vm.now);
	double wanted_bytes = (totals.wanted - row->totals.wanted) * CACHE_VIEW_PAGE;
	/* What fills the cache: how much of it will be wanted again is not known yet. */
	double missed_bytes = (totals.misses - row->totals.misses) * CACHE_VIEW_PAGE;
	double may_bytes = may_miss(my, (totals.accesses - row->totals.accesses) * CACHE_VIEW_PAGE);

	if (isnan(cached_grew) && isnan(active_grew))
		return;
	if (hurts(my, row, wanted_bytes / may_bytes, now_s) || missed_bytes > my->rush_bytes ||
	    goes_up(my, row->direction, cached_grew, active_grew)) {
		row->direction = UP;
		row->downs /= 2;
		grow(my, row);
		return;
	}
	if (row->direction == DOWN && !row->hurts && !(missed_bytes > may_bytes))
		shrink(my, row, now_s);
	row->direction = DOWN;
	row->ups = 0;
}

/* At first the margin is what it has beyond what is in use. */
static void follow(const struct state *my, struct row *row, double now_s)
{
	const struct vmadj_policy_vm *vm = row->vm.now;
	double most = row->vm.max_bytes - in_use(vm);
	bool due = !row->begun || now_s + 0.01 >= row->next_s;

	if (isnan(most))
		return;
	if (!row->begun)
		row->margin_bytes = (double)vm->mem_bytes - in_use(vm);
	if (*vm->mem_need) {
		double given = memory_target(&row->vm) - in_use(vm);

		row->margin_bytes = fmax(row->margin_bytes, given);
		if (row->downs >= WAY_LEAST)
			turn_back(my, row, given, now_s);
	}
	if (row->begun && due)
		adjust(my, row, now_s);
	row->begun = true;
	row->margin_bytes = fmax(fmin(row->margin_bytes, most), my->least_bytes);
	if (!due)
		return;
	row->cached_bytes = memory_count(vm->guest_cached_bytes);
	row->active_bytes = memory_count(vm->guest_active_file_bytes);
	row->totals = cache_view_totals(vm);
	row->next_s = now_s + my->margin_period_s;
}

static double wanted(const struct row *row)
{
	double want = in_use(row->vm.now) + row->margin_bytes;

	return isnan(want) ? (double)row->vm.now->mem_bytes : want;
}

/* No more than a step beyond what there is for it. */
static void hold(const struct state *my, struct row *row)
{
	double high = row->vm.share_bytes - in_use(row->vm.now) + my->step_bytes;

	if (row->margin_bytes > high)
		row->margin_bytes = fmax(high, my->least_bytes);
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
	for (uint32_t i = 0; i < n; i++) {
		wish(memory_at(&my->vms, i), budget, wishes);
		hold(my, memory_at(&my->vms, i));
	}
}

#define PLACE(member) offsetof(struct state, member)

static const struct vmadj_policy_param params[] = {
	{ "period", VMADJ_PARAM_SECONDS, PLACE(period_s), 1, 0.1, 3600, "s",
	  "time between two wishes" },
	{ "margin_period", VMADJ_PARAM_SECONDS, PLACE(margin_period_s), 5, 0.1, 3600, "s",
	  "time between two adjustments of a margin" },
	{ "step", VMADJ_PARAM_BYTES, PLACE(step_bytes), 64 * MEMORY_MIB, MEMORY_MIB, 0x1p40, NULL,
	  "by how much a margin goes up, at first; down, by half of it" },
	{ "least", VMADJ_PARAM_BYTES, PLACE(least_bytes), 64 * MEMORY_MIB, 0, 0x1p40, NULL,
	  "no margin is smaller than this" },
	{ "grain", VMADJ_PARAM_BYTES, PLACE(grain_bytes), 24 * MEMORY_MIB, 0, 0x1p40, NULL,
	  "a cache that changed by no more than this has not changed" },
	{ "rush", VMADJ_PARAM_BYTES, PLACE(rush_bytes), 32 * MEMORY_MIB, 0, 0x1p40, NULL,
	  "a guest that read more than this from disks makes a margin go up" },
	{ "again", VMADJ_PARAM_BYTES, PLACE(again_bytes), 16 * MEMORY_MIB, 0, 0x1p40, NULL,
	  "so much may be read from disks, and half as much more again of what was dropped" },
	{ "again_share", VMADJ_PARAM_REAL, PLACE(again_pct), 8, 0, 100, "%",
	  "of what the guest asks for: less may be read, where it tells that" },
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
