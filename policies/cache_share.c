/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cache_share.c - P2: memory goes to the VM whose page cache earns most
 *
 * Every period, a step of memory moves from the VM that earns least to the one that earns most:
 * hit pages a second for each page of cache (cache_view.h has what stands in for them where a
 * guest cannot tell its hits). P2 leaves open that this can hurt: it is a mean over the cache, and
 * what counts is the last page given and the last page taken. So, beside P2:
 *
 * - The equal split is home. Everybody's figures at its share by weight are learned there, and
 *   all that is moved from there on is held against them:
 *
 *	gain = accesses a second x (hit ratio now - hit ratio at the share)
 *
 *   (without hits: misses a second at the share - misses a second now); less than 0 is a loss.
 * - Memory that a guest leaves free earns nothing, whatever its cache earns: that goes first.
 * - Only who wants more receives: pages that were dropped and read again. Who hits nearly always
 *   needs no more; a scan gains nothing. Once some has been moved, what a VM earns is no longer
 *   taken from P2's mean but from what was gained or lost since.
 * - A giver that loses more than was gained by it, or runs out of memory, gets all of it back at
 *   once, at any tick, and is left alone for a time, which doubles when the whole affair cost more
 *   than it brought. A giver whose hit ratio has fallen by more than giver_loss gets back half.
 * - A receiver that gained nothing gives back, and is left out for a time that doubles likewise.
 * - A VM of which nothing is known goes home.
 *
 * Moves that lead home need no advantage and go in larger steps. All that is moved adds up to 0:
 * together the VMs have what they can have.
 */
#include "cache_share_harm.h"

#define STEPS_HOME     4
#define FASTER	       1.5  /* each step that follows one to the same VM ... */
#define FASTEST	       4.0  /* ... up to so many steps in one */
#define SURPRISE_RATIO 0.05 /* its figures at home differ from now by more: they are old */

/* --- the next step ------------------------------------------------------ */

/* Are its figures at home those of what it does now? What it does has changed, otherwise. */
static bool is_as_at_home(const struct row *row)
{
	return !is_home(row) || !row->view.has_hits ||
	       fabs(ratio_lost(row, &row->view.fast)) <= SURPRISE_RATIO;
}

/* Why nothing is given to it; NULL: it may get more. */
static const char *why_no_receiver(const struct state *my, const struct row *row)
{
	if (!row->view.known)
		return "its guest tells nothing that could be compared";
	if (!wants(my, row))
		return "it wants no more: hardly a page was dropped and read again";
	if (target_of(row) + MEMORY_NEAR_BYTES >= row->vm.max_bytes)
		return "it has its maximum";
	if (!is_settled(my, row))
		return "it has not filled yet what it has";
	if (row->moved_bytes < -HOME_PARTS * row->vm.share_bytes)
		return NULL;
	if (!has_home(row))
		return "its figures at its share are being learned";
	if (row->moved_bytes > my->risk_pct / 100 * row->vm.share_bytes && !gains(my, row))
		return "it shall gain by what it got, first";
	return my->now_s < row->idle_until_s ? "it gained nothing lately" : NULL;
}

/* What is not available is in use: no cache, and nothing to give. */
static double floor_of(const struct state *my, const struct row *row)
{
	double available = memory_count(row->vm.now->guest_available_bytes);
	double used = (double)row->vm.now->mem_bytes - (isnan(available) ? 0 : available);
	double share = row->vm.share_bytes;

	if (isnan(available) || used > share)
		used = 0;
	return fmax(row->vm.min_bytes, used + (share - used) * my->floor_pct / 100);
}

/*
 * A VM that is quieter than it was may come back for all that was taken. No more is taken from it
 * than a little, or half of what its giving has brought so far: then it was worth it in any case,
 * since giver and receiver both read anew what goes back.
 */
static bool would_risk(const struct state *my, const struct row *row)
{
	double at_risk = fmax(-row->moved_bytes, 0) + step_of(my, row);

	return (!my->by_hits || fast_accesses(row) < row->busiest / 2) &&
	       at_risk > fmax(my->risk_pct / 100 * row->vm.share_bytes,
			      row->account_pages * CACHE_VIEW_PAGE / 2);
}

/* Would its hit ratio fall too far by this step, if that is worth what the mean page is? */
static bool would_lose(const struct state *my, const struct row *row)
{
	double accesses = fast_accesses(row), lost;

	if (!my->by_hits || row->moved_bytes > 0 || accesses < SMALL_PARTS * my->accesses)
		return false;
	lost = ratio_lost(row, &row->view.slow) +
	       mean_earning(my, row) * step_of(my, row) / CACHE_VIEW_PAGE / fmax(accesses, 1);
	return 100 * lost > my->giver_loss_pct + chance_points(my, row);
}

static const char *why_no_giver(const struct state *my, const struct row *row)
{
	if (!row->view.known)
		return "its guest tells nothing that could be compared";
	if (row->vm.now->mem_need[0])
		return "it is being given memory";
	if (target_of(row) - step_of(my, row) < floor_of(my, row))
		return "it is at its floor";
	if (fabs((double)row->vm.now->mem_bytes - target_of(row)) > step_of(my, row))
		return "it is on its way";
	if (row->moved_bytes > HOME_PARTS * row->vm.share_bytes)
		return NULL;
	if (!has_home(row) || !is_as_at_home(row))
		return "its figures at its share are being learned";
	if (my->now_s < row->rest_until_s)
		return "it lost by giving lately";
	if (has_unused(my, row))
		return NULL;
	if (would_risk(my, row))
		return "it may come back for what was taken, which has not paid yet";
	return would_lose(my, row) ? "its hit rate would fall too far" : NULL;
}

static struct row *best_receiver(const struct state *my)
{
	struct row *best = NULL;

	EACH_ROW(my, row)
	{
		if (!why_no_receiver(my, row) && (!best || earning(my, row) > earning(my, best)))
			best = row;
	}
	return best;
}

static double giving(const struct state *my, const struct row *row)
{
	return has_unused(my, row) ? 0 : earning(my, row);
}

static struct row *best_giver(const struct state *my, const struct row *receiver)
{
	struct row *best = NULL;

	EACH_ROW(my, row)
	{
		if (row != receiver && !why_no_giver(my, row) &&
		    (!best || giving(my, row) < giving(my, best)))
			best = row;
	}
	return best;
}

static void move(struct state *my, struct row *from, struct row *to)
{
	bool home = from->moved_bytes > 0 && to->moved_bytes < 0;
	double advantage = home ? 1 : my->hysteresis;
	double gives = giving(my, from), gets = earning(my, to), bytes;

	if (gets <= advantage * gives) {
		WHY(to, "earns %.4f /s a page, not %.2g times the %.4f of %.40s", gets, advantage,
		    gives, from->vm.now->name);
		return;
	}
	to->steps = fmin(fmax(to->steps * FASTER, 1), FASTEST);
	/* What it does has changed, or it reads anew what it had: it is held against now. */
	if (!is_as_at_home(to))
		learn_now(to);
	bytes = step_of(my, to) * (home ? STEPS_HOME : to->steps);
	bytes = fmin(bytes,
		     fmin(to->vm.max_bytes - target_of(to), target_of(from) - floor_of(my, from)));
	if (home)
		bytes = fmin(bytes, fmin(from->moved_bytes, -to->moved_bytes));
	from->moved_bytes -= bytes;
	to->moved_bytes += bytes;
	from->moved_s = to->moved_s = my->now_s;
	to->last_bytes = bytes;
	from->last_bytes = 0;
	WHY(from, "earns least: %.4f /s a page; %.0f MiB to %.40s, which earns %.4f", gives,
	    mib(bytes), to->vm.now->name, gets);
	WHY(to, "earns most: %.4f /s a page, wants %.0f pages/s; %.0f MiB from %.40s, %.4f", gets,
	    fast_wanted(to), mib(bytes), from->vm.now->name, gives);
}

static void step(struct state *my)
{
	struct row *to = best_receiver(my), *from = to ? best_giver(my, to) : NULL;

	EACH_ROW(my, row)
	{
		if (row != to)
			row->steps = 0;
	}
	if (to && from) {
		move(my, from, to);
	} else if (to) {
		WHY(to, "earns most, and nobody can give");
	}
}

/* --- wishes ------------------------------------------------------------- */

static const char *why_nothing(const struct state *my, const struct row *row)
{
	const char *why = why_no_receiver(my, row);

	return why ? why : "others earn more";
}

/* What limits of single VMs made too much together is taken where there is more than the least. */
static double fitted(const struct state *my, const struct row *row, double budget)
{
	double sum = 0, loose = 0,
	       target = fmin(fmax(target_of(row), row->vm.min_bytes), row->vm.max_bytes);

	EACH_ROW(my, each)
	{
		double its = fmin(fmax(target_of(each), each->vm.min_bytes), each->vm.max_bytes);

		sum += its;
		loose += its - each->vm.min_bytes;
	}
	if (sum <= budget || loose <= 0)
		return target;
	return target - fmin((sum - budget) / loose, 1) * (target - row->vm.min_bytes);
}

static void wish(const struct state *my, double budget, bool givers,
		 struct vmadj_policy_wishes *wishes)
{
	EACH_ROW(my, row)
	{
		double target = memory_whole(fitted(my, row, budget));

		if ((row->moved_bytes < 0) != givers)
			continue;
		if (memory_is_near(target, memory_target(&row->vm))) {
			vmadj_wish_nothing(wishes, row->vm.now, "%s (%+.0f MiB beside its share)",
					   row->why[0] ? row->why : why_nothing(my, row),
					   mib(row->moved_bytes));
		} else {
			vmadj_wish_memory(wishes, row->vm.now, target, "%s",
					  row->why[0] ? row->why
						      : "to its share, and what was moved");
		}
	}
}

static void decide(void *state, const struct vmadj_policy_snapshot *now,
		   struct vmadj_policy_wishes *wishes)
{
	struct state *my = state;
	double budget;

	(void)memory_meet(&my->vms, sizeof(struct row), now);
	budget = memory_budget(&my->vms, now);
	memory_share(&my->vms, NULL, budget);
	my->last_s = my->now_s > 0 ? my->now_s : now->monotonic_s;
	my->now_s = now->monotonic_s;
	my->tau_s[0] = FAST_S;
	my->tau_s[1] = my->smooth_s;
	my->accesses = 0;
	my->by_hits = true;
	EACH_ROW(my, row)
	look(my, row);
	balance(my);
	protect_all(my);
	if (memory_is_time(now, &my->next_s, my->period_s))
		step(my);
	wish(my, budget, true, wishes);
	wish(my, budget, false, wishes);
}

#define PLACE(member) offsetof(struct state, member)

static const struct vmadj_policy_param params[] = {
	{ "period", VMADJ_PARAM_SECONDS, PLACE(period_s), 2, 0.5, 3600, "s",
	  "time between two steps" },
	{ "step", VMADJ_PARAM_REAL, PLACE(step_pct), 5, 0.1, 50, "%",
	  "of a VM's share: how much moves in a step; up to four times that while it goes well" },
	{ "hysteresis", VMADJ_PARAM_REAL, PLACE(hysteresis), 1.5, 1, 100, NULL,
	  "how many times as much the receiver must earn as the giver" },
	{ "floor", VMADJ_PARAM_REAL, PLACE(floor_pct), 25, 1, 100, "%",
	  "of its share: a giver is left with this" },
	{ "giver_loss", VMADJ_PARAM_REAL, PLACE(giver_loss_pct), 2, 0, 100, "points",
	  "how far a giver's hit rate may fall" },
	{ "risk", VMADJ_PARAM_REAL, PLACE(risk_pct), 10, 0, 100, "%",
	  "of its share: taken from a quiet VM before that has brought anything" },
	{ "wanted", VMADJ_PARAM_REAL, PLACE(wanted_pct), 1, 0, 100, "%",
	  "of its accesses: who wants less again is no receiver" },
	{ "settle", VMADJ_PARAM_SECONDS, PLACE(settle_s), 8, 1, 3600, "s",
	  "how long a receiver has to gain by what it got" },
	{ "rest", VMADJ_PARAM_SECONDS, PLACE(rest_s), 30, 1, 86400, "s",
	  "how long a VM that lost or did not gain is left alone; doubled each time" },
	{ "rest_max", VMADJ_PARAM_SECONDS, PLACE(rest_max_s), 960, 1, 86400, "s",
	  "but not for longer than this" },
	{ "smooth", VMADJ_PARAM_SECONDS, PLACE(smooth_s), 15, 1, 3600, "s",
	  "how far back a VM's figures at its share reach" },
	{ 0 },
};

const struct vmadj_policy_ops vmadj_policy = {
	VMADJ_POLICY_HEADER,
	.name = "cache_share",
	.summary = "memory goes to the VM whose page cache earns most, and back when that hurts",
	.knobs = VMADJ_KNOB_MEMORY,
	.params = params,
	.state_size = sizeof(struct state),
	.decide = decide,
};
