/* SPDX-License-Identifier: GPL-2.0-only */
/* test_decisions.c - what was decided on a VM is kept, bounded, and shown */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "user/daemon/decisions.h"
#include "user/snapshot/snapshot.h"

static struct vmadj_decisions decisions;
static uint64_t serial;

static void clear(void)
{
	vmadj_decisions_clear(&decisions);
}

TestSuite(decisions, .fini = clear, .timeout = 10);

static struct vmadj_decision *add(enum vmadj_verdict verdict, double wish)
{
	struct vmadj_decision decision = {
		.serial = serial + 1,
		.time_unix_s = 1001 + (double)serial,
		.by = "five",
		.knob = "cpu",
		.wish = wish,
		.reason = "a \"reason\"",
		.verdict = verdict,
		.why = verdict == VMADJ_VERDICT_REFUSED ? "paused" : NULL,
		.guest_age_s = NAN,
	};

	serial++;
	return vmadj_decisions_add(&decisions, &decision);
}

static json_t *shown(void)
{
	struct vmadj_jsonw w = { 0 };
	char *text = NULL;
	size_t len;
	json_t *all;

	vmadj_jsonw_open(&w, NULL, '{');
	vmadj_decisions_write(&decisions, "decisions", &w);
	vmadj_jsonw_close(&w, '}');
	cr_assert(zero(int, vmadj_jsonw_finish(&w, &text, &len)));
	all = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	cr_assert(ne(ptr, all, NULL), "%.*s", (int)len, text);
	free(text);
	return all;
}

static double number(const json_t *all, size_t i, const char *key)
{
	return json_number_value(
		json_object_get(json_array_get(json_object_get(all, "decisions"), i), key));
}

static bool is_null(const json_t *object, const char *key)
{
	return json_is_null(json_object_get(object, key));
}

/* A policy may say each tick that it wishes nothing, and change something in between. */
Test(decisions, what_is_repeated_does_not_push_out_what_was_done)
{
	json_t *all;

	for (int i = 0; i < 3 * VMADJ_DECISIONS_KEPT; i++) {
		(void)add(VMADJ_VERDICT_NO_WISH, NAN);
		if (i < 3)
			(void)add(VMADJ_VERDICT_ALLOWED, i);
	}
	all = shown();
	cr_assert(eq(sz, json_array_size(json_object_get(all, "decisions")), 4));
	cr_expect(epsilon_eq(dbl, number(all, 0, "times"), 3 * VMADJ_DECISIONS_KEPT, 0));
	cr_expect(epsilon_eq(dbl, number(all, 3, "wish"), 2, 0));
	json_decref(all);
}

Test(decisions, what_is_refused_again_and_again_is_one)
{
	json_t *all;

	add(VMADJ_VERDICT_REFUSED, 5);
	add(VMADJ_VERDICT_REFUSED, 5);
	cr_expect(eq(u32, add(VMADJ_VERDICT_REFUSED, 5)->times, 3));
	cr_expect(eq(u32, add(VMADJ_VERDICT_REFUSED, 6)->times, 1));
	add(VMADJ_VERDICT_NO_WISH, NAN);
	cr_expect(eq(u32, add(VMADJ_VERDICT_NO_WISH, NAN)->times, 2));
	all = shown();
	cr_expect(eq(sz, json_array_size(json_object_get(all, "decisions")), 3));
	cr_expect(eq(dbl, number(all, 0, "time_unix_s"), 1001));
	cr_expect(eq(dbl, number(all, 0, "last_unix_s"), 1003));
	json_decref(all);
}

Test(decisions, what_was_done_twice_is_two)
{
	add(VMADJ_VERDICT_ALLOWED, 5);
	cr_expect(eq(u32, add(VMADJ_VERDICT_ALLOWED, 5)->times, 1));
	cr_expect(eq(u32, decisions.n, 2));
}

Test(decisions, the_oldest_gives_way)
{
	json_t *all;

	for (int i = 0; i < VMADJ_DECISIONS_KEPT + 3; i++)
		add(VMADJ_VERDICT_ALLOWED, i);
	cr_expect(eq(ptr, vmadj_decisions_find(&decisions, serial - VMADJ_DECISIONS_KEPT), NULL));
	cr_expect(ne(ptr, vmadj_decisions_find(&decisions, serial), NULL));
	all = shown();
	cr_expect(eq(sz, json_array_size(json_object_get(all, "decisions")), VMADJ_DECISIONS_KEPT));
	cr_expect(eq(dbl, number(all, 0, "wish"), 3));
	cr_expect(eq(dbl, number(all, VMADJ_DECISIONS_KEPT - 1, "wish"), VMADJ_DECISIONS_KEPT + 2));
	json_decref(all);
}

Test(decisions, after_effects_are_of_what_was_done)
{
	struct vmadj_snap_vm row = { .cpu = { .known = true, .usage_pct = 30, .wait_pct = 10 } };
	struct vmadj_decision *refused = add(VMADJ_VERDICT_REFUSED, 1),
			      *pending = add(VMADJ_VERDICT_ALLOWED, 2),
			      *failed = add(VMADJ_VERDICT_ALLOWED, 3),
			      *done = add(VMADJ_VERDICT_CLAMPED, 4);

	pending->pending = true;
	failed->err = -5;
	for (int i = 0; i < VMADJ_DECISION_AFTERS + 2; i++)
		vmadj_decisions_see(&decisions, &row);
	cr_expect(zero(u32, refused->n_after));
	cr_expect(zero(u32, pending->n_after));
	cr_expect(zero(u32, failed->n_after));
	cr_assert(eq(u32, done->n_after, VMADJ_DECISION_AFTERS));
	cr_expect(eq(dbl, done->usage_after_pct[0], 30));
	cr_expect(eq(dbl, done->wait_after_pct[VMADJ_DECISION_AFTERS - 1], 10));
}

Test(decisions, what_is_not_known_is_null)
{
	json_t *all, *inputs;

	add(VMADJ_VERDICT_NO_WISH, NAN);
	all = shown();
	inputs = json_array_get(json_object_get(all, "decisions"), 0);
	cr_expect(is_null(inputs, "wish"));
	cr_expect(is_null(inputs, "result"));
	inputs = json_object_get(inputs, "inputs");
	cr_expect(is_null(inputs, "guest_age_s"));
	cr_expect(is_null(inputs, "waited_for"));
	json_decref(all);
}
