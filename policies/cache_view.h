/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cache_view.h - how a VM's page cache does, from what its guest's source can tell
 *
 * What is told, and what stands in for what is not:
 *
 *	            agent               qemu-ga               balloon
 *	misses      accessed - hit      disk reads            reads the host saw
 *	wanted      refaults            refaults              misses
 *	hits        hit pages           -                     -
 *	cache       Cached              Cached                Cached
 *	earning     hits / cache (P2)   wanted / cache        wanted / cache
 *
 * Wanted is what more memory would have saved: pages that were dropped and read again. Where no
 * hits are told, wanted pages a second for each page of cache stand in for P2's efficiency: the
 * VM that earns least is taken to be the one that wants least.
 *
 * Rates are means over the last few seconds (fast) and over a longer time (slow), the newer the
 * heavier. Totals that go back, or a source that changes, begin them anew.
 *
 * Units: pages of 4096 bytes, and pages a second; ratios 0..1.
 */
#ifndef VMADJ_CACHE_VIEW_H
#define VMADJ_CACHE_VIEW_H

#include "memory.h"

#define CACHE_VIEW_PAGE	 4096.0
#define CACHE_VIEW_GAP_S 15 /* without news for so long: begun anew */

/* Totals; NAN where not told. */
struct cache_totals {
	double accesses, misses, wanted;
};

/* Means of rates with weights: each is its sum / weight. */
struct cache_rates {
	double accesses, misses, wanted, weight;
};

struct cache_view {
	struct cache_totals totals;
	struct cache_rates fast, slow;
	double at_s;	 /* of the totals; 0: none yet */
	double since_s;	 /* known since */
	double variance; /* of the misses a second around what slow lets expect */
	double distress; /* the sum of what only happens to guests without memory */
	bool distressed; /* it grew in the last interval */
	bool has_hits, known;
	char source[16];
};

static inline struct cache_totals cache_view_totals(const struct vmadj_policy_vm *vm)
{
	struct cache_totals totals = {
		memory_count(vm->guest_accessed_pages),
		memory_count(vm->guest_accessed_pages) - memory_count(vm->guest_hit_pages),
		memory_count(vm->guest_refaults),
	};

	if (isnan(totals.misses)) {
		totals.accesses = NAN;
		totals.misses = memory_count(vm->guest_disk_read_bytes) / CACHE_VIEW_PAGE;
	}
	if (isnan(totals.misses))
		totals.misses = memory_count(vm->io_read_bytes) / CACHE_VIEW_PAGE;
	if (isnan(totals.wanted))
		totals.wanted = totals.misses;
	return totals;
}

static inline double cache_view_pages(const struct vmadj_policy_vm *vm)
{
	return fmax(memory_count(vm->guest_cached_bytes) / CACHE_VIEW_PAGE, 1);
}

static inline void cache_view_mean_(struct cache_rates *mean, const struct cache_rates *rate,
				    double share)
{
	mean->accesses += share * (rate->accesses - mean->accesses);
	mean->misses += share * (rate->misses - mean->misses);
	mean->wanted += share * (rate->wanted - mean->wanted);
	mean->weight += share * (1 - mean->weight);
}

/* Of one that was begun anew, without what it began with. */
static inline double cache_view_rate(const struct cache_rates *mean, double sum)
{
	return mean->weight > 0 ? sum / mean->weight : 0;
}

/* NAN without accesses. */
static inline double cache_view_miss_ratio(const struct cache_rates *mean)
{
	return mean->accesses > 0 ? fmin(mean->misses / mean->accesses, 1) : (double)NAN;
}

/* Not stalls: the balloon causes them itself. The daemon tells those that are a need (mem_need). */
static inline double cache_view_distress_(const struct vmadj_policy_vm *vm)
{
	const uint64_t counts[] = { vm->guest_oom_kills, vm->guest_swap_in_bytes,
				    vm->guest_swap_out_bytes };
	double sum = 0;

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		sum += memory_known(counts[i]) ? (double)counts[i] : 0;
	return sum;
}

static inline void cache_view_begin_(struct cache_view *view, const struct vmadj_policy_vm *vm,
				     const struct cache_totals *totals, double at_s)
{
	*view = (struct cache_view){
		.totals = *totals,
		.at_s = at_s,
		.since_s = at_s,
		.distress = cache_view_distress_(vm),
		.has_hits = !isnan(totals->accesses),
	};
	memcpy(view->source, vm->guest_source, sizeof(view->source));
}

static inline bool cache_view_goes_on_(const struct cache_view *view,
				       const struct vmadj_policy_vm *vm,
				       const struct cache_totals *totals, double at_s)
{
	return view->at_s > 0 && at_s - view->at_s < CACHE_VIEW_GAP_S &&
	       !strcmp(view->source, vm->guest_source) &&
	       view->has_hits == !isnan(totals->accesses) &&
	       totals->misses >= view->totals.misses && totals->wanted >= view->totals.wanted &&
	       !(totals->accesses < view->totals.accesses);
}

static inline void cache_view_add_(struct cache_view *view, const struct cache_rates *rate,
				   double seconds, const double tau_s[2])
{
	double slow_share = 1 - exp(-seconds / tau_s[1]);
	double expected = view->has_hits ? rate->accesses * cache_view_miss_ratio(&view->slow)
					 : cache_view_rate(&view->slow, view->slow.misses);
	double off = rate->misses - expected;

	if (!isnan(off) && view->slow.weight > 0.2)
		view->variance += slow_share * (off * off - view->variance);
	cache_view_mean_(&view->fast, rate, 1 - exp(-seconds / tau_s[0]));
	cache_view_mean_(&view->slow, rate, slow_share);
}

/**
 * cache_view_see() - what this snapshot says of a VM
 *
 * @tau_s: how far back the fast and the slow means reach.
 *
 * Return: how long a time the guest has told something new of, seconds; 0: nothing new.
 * view->known says whether anything is known.
 */
static inline double cache_view_see(struct cache_view *view, const struct vmadj_policy_vm *vm,
				    double now_s, const double tau_s[2])
{
	struct cache_totals totals = cache_view_totals(vm);
	double age = isfinite(vm->guest_age_s) ? vm->guest_age_s : 0;
	double at_s = now_s - age, seconds = at_s - view->at_s;
	double distress = cache_view_distress_(vm);
	struct cache_rates rate = { .weight = 1 };

	view->distressed = false;
	if (!vm->guest_source[0] || isnan(totals.misses) || !memory_known(vm->guest_cached_bytes)) {
		view->known = false;
		return 0;
	}
	if (!cache_view_goes_on_(view, vm, &totals, at_s)) {
		cache_view_begin_(view, vm, &totals, at_s);
		return 0;
	}
	if (seconds < 0.1) /* the same report once more */
		return 0;
	rate.accesses = view->has_hits ? (totals.accesses - view->totals.accesses) / seconds : 0;
	rate.misses = (totals.misses - view->totals.misses) / seconds;
	rate.wanted = (totals.wanted - view->totals.wanted) / seconds;
	cache_view_add_(view, &rate, seconds, tau_s);
	view->totals = totals;
	view->at_s = at_s;
	view->distressed = distress > view->distress;
	view->distress = distress;
	view->known = true;
	return seconds;
}

/* How far off a mean's misses a second are by chance: a standard deviation. */
static inline double cache_view_noise(const struct cache_view *view, double tau_s)
{
	double share = 1 - exp(-1 / tau_s);

	return sqrt(view->variance * share / (2 - share));
}

#endif
