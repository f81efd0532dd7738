/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cache_share_harm.h - what cache_share.c takes back: from who gained nothing, for who lost
 *
 * Looked at in every tick, whatever the policy's period.
 */
#ifndef VMADJ_CACHE_SHARE_HARM_H
#define VMADJ_CACHE_SHARE_HARM_H

#include "cache_share_vm.h"

#define STUCK_S	    15.0
#define FAR	    10.0 /* times giver_loss: then all goes back, and not half of it */
#define SMALL_PARTS 0.03 /* of all accesses: who reads less is not held to giver_loss */

/* --- moving ------------------------------------------------------------- */

/* What is given and what is taken must be the same, also when VMs go or cannot follow. */
static void balance(struct state *my)
{
	double given = 0, taken = 0;

	EACH_ROW(my, row)
	{
		given += fmax(row->moved_bytes, 0);
		taken += fmax(-row->moved_bytes, 0);
	}
	EACH_ROW(my, row)
	{
		if (row->moved_bytes > 0 && given > taken)
			row->moved_bytes *= taken / given;
		if (row->moved_bytes < 0 && taken > given)
			row->moved_bytes *= given / taken;
	}
}

static void go_home(struct state *my, struct row *row, double parts)
{
	/* What goes back has to be read again. */
	row->account_pages += fmin(parts * row->moved_bytes, 0) / CACHE_VIEW_PAGE;
	row->moved_bytes *= 1 - parts;
	row->moved_s = my->now_s;
	row->last_bytes = 0;
	balance(my);
}

/* It is left alone; for longer each time, if its giving cost more than it brought. */
static void rest(struct state *my, struct row *row)
{
	if (row->account_pages >= 0) {
		row->rest_s = my->rest_s;
	} else {
		row->rest_s = fmin(fmax(2 * row->rest_s, my->rest_s), my->rest_max_s);
	}
	row->rest_until_s = my->now_s + row->rest_s;
	row->account_pages = 0;
}

/* Its part of what the receivers gain; while they fill what they got, of what is expected. */
static double brought_by(const struct state *my, const struct row *giver)
{
	double all = 0, given = 0;

	EACH_ROW(my, row)
	{
		double gain = gain_of(row);

		if (row->moved_bytes <= 0)
			continue;
		given += row->moved_bytes;
		if (my->now_s < row->moved_s + my->settle_s) {
			gain = fmax(gain, 0) +
			       mean_earning(my, row) * row->last_bytes / CACHE_VIEW_PAGE;
		}
		all += fmax(gain, 0);
	}
	return given > 0 ? all * fmin(-giver->moved_bytes / given, 1) : 0;
}

/* How many points of its hit rate are chance, now and at home: a standard deviation. */
static double chance_points(const struct state *my, const struct row *row)
{
	return 100 * M_SQRT2 * cache_view_noise(&row->view, my->smooth_s) /
	       fmax(fast_accesses(row), 1);
}

/* Has its hit rate fallen too far, beyond chance? Who reads next to nothing is not asked. */
static bool fell_too_far(const struct state *my, const struct row *row, double points)
{
	double accesses = fast_accesses(row);

	return my->by_hits && has_home(row) && accesses > SMALL_PARTS * my->accesses &&
	       points > my->giver_loss_pct + 100 * noise_of(row) / fmax(accesses, 1);
}

/* How much of what was taken the daemon gives back to it for its need, 0..1. */
static double given_parts(const struct row *row)
{
	double given = memory_target(&row->vm) - target_of(row);

	if (!row->vm.now->mem_need[0] || given <= MEMORY_NEAR_BYTES)
		return 0;
	return fmin(given / -row->moved_bytes, 1);
}

/* A giver's loss, and what is done about it. */
static void protect(struct state *my, struct row *row)
{
	double loss = -gain_of(row), brought = brought_by(my, row), back = 1;
	double points = 100 * ratio_lost(row, &row->view.fast), given = given_parts(row);

	row->account_pages += (brought - fmax(loss, 0)) * (my->now_s - my->last_s);
	if (row->view.distressed) {
		WHY(row, "it runs out of memory: %.0f MiB go back to it", -mib(row->moved_bytes));
	} else if (given > 0) {
		back = given;
		WHY(row, "the daemon gives %.0f MiB back to it: %.60s",
		    -mib(row->moved_bytes) * back, row->vm.now->mem_need);
	} else if (loss > noise_of(row) && loss > brought) {
		WHY(row, "it loses %.0f pages/s, more than the %.0f gained: %.0f MiB go back", loss,
		    brought, -mib(row->moved_bytes));
	} else if (fell_too_far(my, row, points)) {
		back = points > FAR * my->giver_loss_pct ? 1 : 0.5;
		WHY(row, "its hit rate fell by %.1f points, more than %.1f: %.0f MiB go back",
		    points, my->giver_loss_pct, -mib(row->moved_bytes) * back);
	} else {
		return;
	}
	go_home(my, row, back);
	rest(my, row);
}

/* By hits it is known how much of what is read was gained; else it must stand out from chance. */
static bool gains(const struct state *my, const struct row *row)
{
	return gain_of(row) > (my->by_hits ? 0 : noise_of(row));
}

/* A receiver must gain, once it has had the time to. */
static void judge(struct state *my, struct row *row)
{
	double gain = gain_of(row);

	if (my->now_s < row->moved_s + my->settle_s || !is_settled(my, row) || is_home(row) ||
	    gains(my, row) || fast_wanted(row) < LEAST_RATE)
		return;
	WHY(row, "it gained nothing by %.0f MiB (%+.0f pages/s): they go back",
	    mib(row->moved_bytes), gain);
	go_home(my, row, 1);
	row->idle_s = fmin(fmax(2 * row->idle_s, my->rest_s), my->rest_max_s);
	row->idle_until_s = my->now_s + row->idle_s;
}

/* What they really have is what was moved. */
static void face_it(struct state *my)
{
	EACH_ROW(my, row)
	{
		row->moved_bytes = (double)row->vm.now->mem_bytes - row->vm.share_bytes;
		row->stuck_s = 0;
	}
	balance(my);
}

/*
 * A guest that cannot spare what was taken keeps what it has, and so does a receiver that is to
 * give back and is in need: then what it has is held for it, and who should get it waits in vain.
 */
static void follow(struct state *my, struct row *row)
{
	double more = (double)row->vm.now->mem_bytes - target_of(row);
	bool in_need = row->moved_bytes >= 0 && row->vm.now->mem_need[0];

	if (more <= MEMORY_NEAR_BYTES + step_of(my, row) / 4) {
		row->stuck_s = 0;
		return;
	}
	if (row->stuck_s == 0)
		row->stuck_s = my->now_s;
	if (!in_need && my->now_s - row->stuck_s <= STUCK_S)
		return;
	if (!in_need)
		row->rest_until_s = my->now_s + my->rest_s;
	WHY(row, "it cannot spare %.0f MiB of what it has", mib(more));
	face_it(my);
}

static void protect_all(struct state *my)
{
	EACH_ROW(my, row)
	{
		follow(my, row);
		if (row->unknown_s > 0 && my->now_s > row->unknown_s + my->settle_s &&
		    row->moved_bytes != 0) {
			go_home(my, row, 1);
		} else if (row->moved_bytes < 0 && row->view.known) {
			protect(my, row);
		} else if (row->moved_bytes > 0 && row->view.known) {
			judge(my, row);
		}
	}
}

#endif
