// SPDX-License-Identifier: GPL-2.0-only
/* distress.c - whether a guest suffers from having too little memory, by its own figures */
#include "user/guest/distress.h"

#include <math.h>
#include <string.h>

#define MIB	 (1ULL << 20)
#define WINDOW_S 0.9 /* a report a second comes a little early now and then */
#define USUAL_S	 20  /* what is usual follows what is, in about that time */
#define HOLD_S	 10
#define TAKEN_S	 30 /* refaults after that are not for what was taken */
#define LATELY_S 3  /* it may take as long until what was taken is missed */
#define HELPS_S	 10 /* after that, what was given back should have helped */
#define PSI_S	 10 /* what avg10 looks back on */

/* In a second: more is a guest that works for its memory, not one that starts a program. */
#define MAJOR_FAULTS_MANY 64
#define REFAULTS_SLACK	  256 /* pages */

/*
 * So much above what is usual is a sign, in a second; of PSI, per cent. Who reads more than fits
 * stalls and waits all the time, with little available too; nobody swaps for that.
 */
static const struct {
	double little, slack;	    /* with little available, and else */
	double times_little, times; /* of what is usual */
	const char *why;
} rates[VMADJ_DISTRESS_RATES] = {
	[VMADJ_DISTRESS_SWAP] = { MIB, 4 * MIB, 0, 2, "the guest swaps" },
	[VMADJ_DISTRESS_STALLS] = { 8, 32, 2, 2, "the guest's tasks stall for memory" },
	[VMADJ_DISTRESS_PSI] = { 10, 20, 2, 2, "the guest's memory pressure is high" },
};

void vmadj_distress_init(struct vmadj_distress *distress)
{
	*distress = (struct vmadj_distress){
		.refaults = NAN,
		.moved_s = -INFINITY,
		.taken_s = -INFINITY,
		.sign_s = -INFINITY,
		.keep_s = -INFINITY,
	};
}

void vmadj_distress_taken(struct vmadj_distress *distress, double now_s, uint64_t from_bytes)
{
	if (now_s - distress->taken_s > TAKEN_S || from_bytes > distress->row_bytes) {
		distress->row_bytes = distress->lately_bytes = distress->next_bytes = from_bytes;
		distress->next_s = now_s;
	} else if (now_s - distress->next_s >= LATELY_S) {
		distress->lately_bytes = distress->next_bytes;
		distress->next_bytes = from_bytes;
		distress->next_s = now_s;
	}
	distress->taken_s = distress->moved_s = now_s;
}

void vmadj_distress_moving(struct vmadj_distress *distress, double now_s)
{
	distress->moved_s = now_s;
}

void vmadj_distress_unknown(struct vmadj_distress *distress)
{
	distress->from.known = false;
	distress->pressed = false;
}

/* Growth of a counter; one that went back or is not told has not grown. */
static double grown(uint64_t from, uint64_t to)
{
	if (from == VMADJ_GUEST_UNKNOWN || to == VMADJ_GUEST_UNKNOWN || to < from)
		return 0;
	return (double)(to - from);
}

static void follow(double *usual, double rate, double seconds)
{
	*usual += (rate - *usual) * -expm1(-seconds / USUAL_S);
}

static void sign(struct vmadj_distress *distress, double now_s, enum vmadj_distress_kind kind,
		 const char *why)
{
	if (kind < distress->kind && now_s - distress->sign_s < HOLD_S) {
		kind = distress->kind;
	} else {
		distress->why = why;
	}
	distress->kind = kind;
	distress->sign_s = now_s;
}

/* A window of figures, as rates. */
struct window {
	double seconds, now_s;
	double rate[VMADJ_DISTRESS_RATES];
	double faults, refaults;
	bool full;   /* not cut short by a report that came sooner */
	bool little; /* is available */
};

static struct window compare(const struct vmadj_distress *distress, double now_s,
			     const struct vmadj_guest *to, uint64_t reserve_bytes)
{
	const struct vmadj_guest *from = &distress->from;
	double seconds = now_s - distress->from_s;
	struct window w = {
		.now_s = now_s,
		.seconds = fmax(seconds, 1),
		.full = seconds >= WINDOW_S,
		.little = to->mem_available_bytes / 2 < reserve_bytes,
	};

	w.rate[VMADJ_DISTRESS_SWAP] = (grown(from->swap_in_bytes, to->swap_in_bytes) +
				       grown(from->swap_out_bytes, to->swap_out_bytes)) /
				      w.seconds;
	w.rate[VMADJ_DISTRESS_STALLS] = grown(from->alloc_stalls, to->alloc_stalls) / w.seconds;
	w.rate[VMADJ_DISTRESS_PSI] = isnan(to->mem_psi_some_pct) ? 0 : to->mem_psi_some_pct;
	w.faults = grown(from->major_faults, to->major_faults) / w.seconds;
	w.refaults = from->refaults == VMADJ_GUEST_UNKNOWN || to->refaults == VMADJ_GUEST_UNKNOWN
			     ? (double)NAN
			     : grown(from->refaults, to->refaults) / w.seconds;
	return w;
}

/* Whether inflating the balloon, and nothing else, may be the reason. */
static bool is_ours(const struct vmadj_distress *distress, const struct window *w, int rate)
{
	if (rate == VMADJ_DISTRESS_STALLS)
		return distress->from_s <= distress->moved_s;
	return rate == VMADJ_DISTRESS_PSI && w->now_s - distress->moved_s < PSI_S;
}

static bool look_at_rate(struct vmadj_distress *distress, const struct window *w, int rate)
{
	double slack = w->little ? rates[rate].little : rates[rate].slack;
	double times = w->little ? rates[rate].times_little : rates[rate].times;

	if (w->rate[rate] <= times * distress->usual[rate] + slack || is_ours(distress, w, rate))
		return false;
	sign(distress, w->now_s, VMADJ_DISTRESS_HARD, rates[rate].why);
	return true;
}

static void look_at_refaults(struct vmadj_distress *distress, const struct window *w)
{
	if (w->now_s - distress->taken_s > TAKEN_S ||
	    !(w->refaults > 2 * distress->refaults + REFAULTS_SLACK))
		return;
	sign(distress, w->now_s, VMADJ_DISTRESS_REFAULTS,
	     "the guest reads again what was taken from its cache");
	if (w->now_s >= distress->keep_s) {
		distress->keep_bytes = distress->lately_bytes;
		distress->kept_s = w->now_s;
		distress->kept_refaults = w->refaults;
	} else if (w->now_s - distress->kept_s <= HELPS_S) {
		distress->kept_refaults = fmax(distress->kept_refaults, w->refaults);
	} else if (w->refaults >= distress->kept_refaults) {
		distress->keep_bytes = distress->row_bytes;
	}
	distress->keep_s = w->now_s + distress->keep_for_s;
}

static void learn(struct vmadj_distress *distress, const struct window *w)
{
	for (int i = 0; i < VMADJ_DISTRESS_RATES; i++) {
		if (!is_ours(distress, w, i))
			follow(&distress->usual[i], w->rate[i], w->seconds);
	}
	if (isnan(distress->refaults)) {
		distress->refaults = w->refaults;
	} else if (!isnan(w->refaults) && w->now_s - distress->taken_s > TAKEN_S) {
		follow(&distress->refaults, w->refaults, w->seconds);
	}
}

static void look(struct vmadj_distress *distress, const struct window *w,
		 const struct vmadj_guest *guest)
{
	bool found = false;

	distress->pressed = w->faults >= MAJOR_FAULTS_MANY ||
			    w->rate[VMADJ_DISTRESS_SWAP] >= rates[VMADJ_DISTRESS_SWAP].little;
	if (grown(distress->from.oom_kills, guest->oom_kills) > 0) {
		sign(distress, w->now_s, VMADJ_DISTRESS_HARD, "the guest's OOM killer ran");
		found = true;
	}
	for (int i = 0; i < VMADJ_DISTRESS_RATES && !found; i++)
		found = look_at_rate(distress, w, i);
	if (!found && w->little && w->faults >= MAJOR_FAULTS_MANY)
		sign(distress, w->now_s, VMADJ_DISTRESS_HARD, "the guest reads its programs again");
	look_at_refaults(distress, w);
}

static bool is_same_source(const struct vmadj_guest *a, const struct vmadj_guest *b)
{
	return a->known && b->known && !strcmp(a->source, b->source);
}

void vmadj_distress_hear(struct vmadj_distress *distress, double now_s,
			 const struct vmadj_guest *guest, uint64_t reserve_bytes)
{
	bool begun = is_same_source(&distress->from, guest);
	struct window w = { .full = true };

	if (!guest->known) {
		vmadj_distress_unknown(distress);
		return;
	}
	if (begun) {
		w = compare(distress, now_s, guest, reserve_bytes);
		look(distress, &w, guest);
		if (w.full)
			learn(distress, &w);
	}
	if (guest->mem_available_bytes < reserve_bytes / 2)
		sign(distress, now_s, VMADJ_DISTRESS_LOW, "the guest runs low of memory");
	if (w.full) {
		distress->from = *guest;
		distress->from_s = now_s;
	}
}

enum vmadj_distress_kind vmadj_distress_need(const struct vmadj_distress *distress, double now_s,
					     const char **ret_why)
{
	bool holds = distress->kind && now_s - distress->sign_s < HOLD_S;

	*ret_why = holds ? distress->why : NULL;
	return holds ? distress->kind : VMADJ_DISTRESS_NONE;
}

uint64_t vmadj_distress_keep(const struct vmadj_distress *distress, double now_s)
{
	return now_s < distress->keep_s ? distress->keep_bytes : 0;
}

bool vmadj_distress_is_measured(const struct vmadj_distress *distress)
{
	return !distress->from.known || distress->from.refaults == VMADJ_GUEST_UNKNOWN ||
	       !isnan(distress->refaults);
}
