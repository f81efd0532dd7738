/* SPDX-License-Identifier: GPL-2.0-only */
/* decisions.c - what was decided on a VM lately, made and not made */
#include "user/daemon/decisions.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "user/snapshot/snapshot.h"
#include "user/util/text.h"

static bool is_done(const struct vmadj_decision *decision)
{
	return decision->verdict <= VMADJ_VERDICT_CLAMPED;
}

/* The reason has figures in it that differ each time: the last one is shown. */
static bool is_repeated(const struct vmadj_decision *last, const struct vmadj_decision *now)
{
	return !is_done(last) && last->verdict == now->verdict && !strcmp(last->by, now->by) &&
	       vmadj_text_same(last->knob, now->knob) && vmadj_text_same(last->why, now->why) &&
	       (last->wish == now->wish || (isnan(last->wish) && isnan(now->wish)));
}

/* Entries that are repeated stay one each, so that they do not push out what was done. */
static struct vmadj_decision *find_repeated(struct vmadj_decisions *decisions,
					    const struct vmadj_decision *decision)
{
	for (unsigned int i = 0; i < decisions->n; i++) {
		if (is_repeated(&decisions->ring[i], decision))
			return &decisions->ring[i];
	}
	return NULL;
}

/* Twice as much as before; until the ring has its last size, its oldest is its first. */
static bool make_room(struct vmadj_decisions *decisions)
{
	unsigned int room = decisions->room ? 2 * decisions->room : 1;
	struct vmadj_decision *ring;

	if (decisions->n < decisions->room || decisions->room == VMADJ_DECISIONS_KEPT)
		return true;
	ring = reallocarray(decisions->ring, room, sizeof(*ring));
	if (!ring)
		return false;
	decisions->ring = ring;
	decisions->room = room;
	decisions->next = decisions->n;
	return true;
}

struct vmadj_decision *vmadj_decisions_add(struct vmadj_decisions *decisions,
					   const struct vmadj_decision *decision)
{
	struct vmadj_decision *place = find_repeated(decisions, decision);

	if (place) {
		double first = place->time_unix_s;
		unsigned int times = place->times;

		*place = *decision;
		place->last_unix_s = decision->time_unix_s;
		place->time_unix_s = first;
		place->times = times + 1;
		return place;
	}
	if (!make_room(decisions))
		return NULL;
	place = &decisions->ring[decisions->next];
	decisions->next = (decisions->next + 1) % decisions->room;
	if (decisions->n < decisions->room)
		decisions->n++;
	*place = *decision;
	place->last_unix_s = place->time_unix_s;
	place->times = 1;
	return place;
}

struct vmadj_decision *vmadj_decisions_find(struct vmadj_decisions *decisions, uint64_t serial)
{
	for (unsigned int i = 0; i < decisions->n; i++) {
		if (decisions->ring[i].serial == serial)
			return &decisions->ring[i];
	}
	return NULL;
}

void vmadj_decisions_clear(struct vmadj_decisions *decisions)
{
	free(decisions->ring);
	*decisions = (struct vmadj_decisions){ 0 };
}

void vmadj_decisions_see(struct vmadj_decisions *decisions, const struct vmadj_snap_vm *row)
{
	for (unsigned int i = 0; i < decisions->n; i++) {
		struct vmadj_decision *decision = &decisions->ring[i];

		if (!is_done(decision) || decision->pending || decision->err ||
		    decision->n_after >= VMADJ_DECISION_AFTERS)
			continue;
		decision->usage_after_pct[decision->n_after] = row->cpu.usage_pct;
		decision->wait_after_pct[decision->n_after++] = row->cpu.wait_pct;
	}
}

static const char *const verdicts[] = {
	[VMADJ_VERDICT_ALLOWED] = "allowed", [VMADJ_VERDICT_CLAMPED] = "clamped",
	[VMADJ_VERDICT_DRY_RUN] = "dry-run", [VMADJ_VERDICT_REFUSED] = "refused",
	[VMADJ_VERDICT_NO_WISH] = "no wish",
};

static void write_after(const struct vmadj_decision *decision, struct vmadj_jsonw *w)
{
	vmadj_jsonw_open(w, "after", '[');
	for (unsigned int i = 0; i < decision->n_after; i++) {
		vmadj_jsonw_open(w, NULL, '{');
		vmadj_jsonw_double(w, "usage_pct", decision->usage_after_pct[i], 1);
		vmadj_jsonw_double(w, "wait_pct", decision->wait_after_pct[i], 1);
		vmadj_jsonw_close(w, '}');
	}
	vmadj_jsonw_close(w, ']');
}

static void write_result(const struct vmadj_decision *decision, struct vmadj_jsonw *w)
{
	if (!is_done(decision)) {
		vmadj_jsonw_null(w, "result");
		return;
	}
	vmadj_jsonw_open(w, "result", '{');
	vmadj_jsonw_bool(w, "pending", decision->pending);
	vmadj_jsonw_string(w, "error", *decision->error ? decision->error : NULL);
	vmadj_jsonw_double(w, "took_ms", decision->took_ms, 3);
	vmadj_jsonw_close(w, '}');
}

static void write_one(const struct vmadj_decision *decision, struct vmadj_jsonw *w)
{
	vmadj_jsonw_open(w, NULL, '{');
	vmadj_jsonw_double(w, "time_unix_s", decision->time_unix_s, 3);
	vmadj_jsonw_double(w, "last_unix_s", decision->last_unix_s, 3);
	vmadj_jsonw_u64(w, "times", decision->times);
	vmadj_jsonw_string(w, "by", decision->by);
	vmadj_jsonw_string(w, "knob", decision->knob);
	vmadj_jsonw_double(w, "wish", decision->wish, 0);
	vmadj_jsonw_double(w, "from", decision->from, 0);
	vmadj_jsonw_double(w, "to", decision->to, 0);
	vmadj_jsonw_string(w, "reason", decision->reason);
	vmadj_jsonw_open(w, "inputs", '{');
	vmadj_jsonw_double(w, "usage_pct", decision->usage_pct, 1);
	vmadj_jsonw_double(w, "wait_pct", decision->wait_pct, 1);
	vmadj_jsonw_string(w, "waited_for", *decision->waited_for ? decision->waited_for : NULL);
	vmadj_jsonw_double(w, "age_s", decision->snapshot_age_s, 4);
	vmadj_jsonw_double(w, "guest_age_s", decision->guest_age_s, 1);
	vmadj_jsonw_close(w, '}');
	vmadj_jsonw_string(w, "verdict", verdicts[decision->verdict]);
	vmadj_jsonw_string(w, "why", decision->why);
	write_result(decision, w);
	write_after(decision, w);
	vmadj_jsonw_close(w, '}');
}

void vmadj_decisions_write(const struct vmadj_decisions *decisions, const char *key,
			   struct vmadj_jsonw *w)
{
	unsigned int room = decisions->room;

	vmadj_jsonw_open(w, key, '[');
	for (unsigned int i = 0; i < decisions->n; i++)
		write_one(&decisions->ring[(decisions->next + room - decisions->n + i) % room], w);
	vmadj_jsonw_close(w, ']');
}
