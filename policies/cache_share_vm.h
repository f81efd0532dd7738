/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cache_share_vm.h - what cache_share.c knows of a VM: its figures at home, its gain, its earning
 *
 * Home is the VM's share by weight. Units: pages of 4096 bytes a second, bytes, seconds.
 */
#ifndef VMADJ_CACHE_SHARE_VM_H
#define VMADJ_CACHE_SHARE_VM_H

#include "cache_view.h"

#define FAST_S	   3.0
#define HOME_PARTS 0.03 /* of its share: that near a VM is at home */
#define LEARN_S	   10.0 /* at home, until its figures there count */
#define NOISES	   2.5	/* beyond chance: so many standard deviations */
#define LEAST_RATE 4.0	/* pages a second: less is not worth memory */
#define FILL_PARTS 0.02 /* of its accesses: who misses less does not fill its cache any more */
#define FREE_PARTS 32	/* a guest keeps about this part of its memory free */

struct row {
	struct memory_vm vm;
	struct cache_view view;
	double moved_bytes;	     /* given to it beyond its share; below 0: taken */
	struct cache_rates home;     /* its figures at its share */
	double at_home_s;	     /* how long they were learned */
	double busiest;		     /* accesses a second at its busiest, forgotten slowly */
	double moved_s, last_bytes;  /* when something was moved last, and how much of it to here */
	double rest_until_s, rest_s; /* of a giver that lost */
	double idle_until_s, idle_s; /* of a receiver that gained nothing */
	double account_pages;	     /* what its giving brought, less what it cost */
	double steps;		     /* in the next one */
	double unused_bytes;	     /* free for a while; NAN: not known */
	double stuck_s, unknown_s;   /* since when; 0: not */
	char why[128];
};

struct state {
	double period_s, step_pct, risk_pct, hysteresis, floor_pct, giver_loss_pct, wanted_pct;
	double settle_s, rest_s, rest_max_s, smooth_s;
	double next_s, now_s, last_s;
	double tau_s[2];
	double accesses; /* a second, of all VMs */
	bool by_hits;	 /* all VMs tell their hits */
	struct memory_vms vms;
};

#define EACH_ROW(my, it)                                                \
	for (struct row * (it) = (struct row *)(void *)(my)->vms.rows,  \
			  *it##_end = (it) ? (it) + (my)->vms.n : (it); \
	     (it) < it##_end; (it)++)

#define WHY(row, ...) ((void)snprintf((row)->why, sizeof((row)->why), __VA_ARGS__))

static double mib(double bytes)
{
	return bytes / MEMORY_MIB;
}

/* --- what a VM has gained or lost, and earns ---------------------------- */

static double target_of(const struct row *row)
{
	return row->vm.share_bytes + row->moved_bytes;
}

static bool is_home(const struct row *row)
{
	return fabs(row->moved_bytes) <= HOME_PARTS * row->vm.share_bytes;
}

static bool has_home(const struct row *row)
{
	return row->at_home_s >= LEARN_S;
}

static double step_of(const struct state *my, const struct row *row)
{
	return row->vm.share_bytes * my->step_pct / 100;
}

static double fast_accesses(const struct row *row)
{
	return cache_view_rate(&row->view.fast, row->view.fast.accesses);
}

/* Has it what it was given, and filled it? Guests keep some free at all times. */
static bool is_settled(const struct state *my, const struct row *row)
{
	double size = (double)row->vm.now->mem_bytes, step = step_of(my, row);
	double unused = memory_count(row->vm.now->guest_free_bytes);
	double misses = cache_view_rate(&row->view.fast, row->view.fast.misses);

	return fabs(size - target_of(row)) <= step / 2 + MEMORY_NEAR_BYTES &&
	       !(unused > fmax(2 * step, size / 8) &&
		 misses > fmax(LEAST_RATE, FILL_PARTS * fast_accesses(row)));
}

/* A whole step of its memory is neither used nor filled: that earns nothing at all. */
static bool has_unused(const struct state *my, const struct row *row)
{
	double step = step_of(my, row);
	double keeps = fmax(step / 2, (double)row->vm.now->mem_bytes / FREE_PARTS);

	return row->unused_bytes >= step + keeps;
}

static double fast_wanted(const struct row *row)
{
	return cache_view_rate(&row->view.fast, row->view.fast.wanted);
}

/* Of the hit ratio, against home; 0 where there is nothing to compare. */
static double ratio_lost(const struct row *row, const struct cache_rates *now)
{
	double lost = cache_view_miss_ratio(now) - cache_view_miss_ratio(&row->home);

	return isnan(lost) ? 0 : lost;
}

/* Pages a second; NAN: not known. Whose figures at home are not known should want nothing. */
static double gain_of(const struct row *row)
{
	const struct cache_view *view = &row->view;

	if (!view->known)
		return NAN;
	if (!has_home(row) || (view->has_hits && row->home.accesses < LEAST_RATE))
		return row->moved_bytes < 0 ? -fast_wanted(row) : 0;
	if (view->has_hits)
		return -fast_accesses(row) * ratio_lost(row, &view->fast);
	return cache_view_rate(&row->home, row->home.misses) -
	       cache_view_rate(&view->fast, view->fast.misses);
}

static double noise_of(const struct row *row)
{
	return NOISES * cache_view_noise(&row->view, FAST_S) + LEAST_RATE;
}

/* P2's efficiency, or what stands in for it: a second, for each page of cache. */
static double earned(const struct state *my, const struct row *row, const struct cache_rates *mean)
{
	double pages = my->by_hits ? mean->accesses - mean->misses : mean->wanted;

	return cache_view_rate(mean, fmax(pages, 0)) / cache_view_pages(row->vm.now);
}

/* What lasts: a moment's luck is no reason to move memory. */
static double mean_earning(const struct state *my, const struct row *row)
{
	return fmin(earned(my, row, &row->view.fast), earned(my, row, &row->view.slow));
}

/* What was gained for each page moved so far: it corrects the mean, in the direction of doubt. */
static double earning(const struct state *my, const struct row *row)
{
	double mean = mean_earning(my, row), moved = row->moved_bytes / CACHE_VIEW_PAGE;
	double seen = gain_of(row) / moved;

	if (is_home(row) || isnan(seen) || !has_home(row) || !my->by_hits || !is_settled(my, row))
		return mean;
	return moved > 0 ? fmin(mean, fmax(seen, 0)) : fmax(mean, seen);
}

static bool wants(const struct state *my, const struct row *row)
{
	double wanted = fast_wanted(row);

	if (wanted < LEAST_RATE)
		return false;
	return !row->view.has_hits || wanted >= fast_accesses(row) * my->wanted_pct / 100;
}

/* --- looking ------------------------------------------------------------ */

static struct cache_rates weighed(struct cache_rates mean)
{
	mean.accesses /= mean.weight;
	mean.misses /= mean.weight;
	mean.wanted /= mean.weight;
	mean.weight = 1;
	return mean;
}

static void learn_now(struct row *row)
{
	if (row->view.fast.weight > 0)
		row->home = weighed(row->view.fast);
}

static void learn(const struct state *my, struct row *row, double seconds)
{
	double share = 1 - exp(-seconds / my->smooth_s);
	struct cache_rates now;

	if (!is_home(row) || !is_settled(my, row) || row->view.fast.weight < 0.5 ||
	    my->now_s < row->moved_s + my->settle_s)
		return;
	now = weighed(row->view.fast);
	row->at_home_s += seconds;
	/* What it hits while it does something is remembered while it does not. */
	if (!row->view.has_hits || now.accesses >= LEAST_RATE)
		cache_view_mean_(&row->home, &now, share);
}

/* What is free now and was so for some time: it falls at once, and rises slowly. */
static void follow_unused(const struct state *my, struct row *row, double seconds)
{
	double was = isnan(row->unused_bytes) ? 0 : row->unused_bytes;
	double unused = memory_count(row->vm.now->guest_free_bytes);

	row->unused_bytes = unused - fmax(unused - was, 0) * exp(-seconds / my->smooth_s);
}

static void look(struct state *my, struct row *row)
{
	double seconds = my->now_s - my->last_s;
	double told_s = cache_view_see(&row->view, row->vm.now, my->now_s, my->tau_s);

	if (told_s > 0) {
		learn(my, row, told_s);
		follow_unused(my, row, told_s);
	}
	row->busiest = fmax(row->busiest * exp(-seconds / my->rest_max_s), fast_accesses(row));
	if (row->view.known) {
		row->unknown_s = 0;
	} else if (row->unknown_s == 0) {
		row->unknown_s = my->now_s;
	}
	my->accesses += row->view.known ? fast_accesses(row) : 0;
	my->by_hits = my->by_hits && (row->view.has_hits || !row->view.known);
	row->why[0] = '\0';
}

#endif
