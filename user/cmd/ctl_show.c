/* SPDX-License-Identifier: GPL-2.0-only */
/* ctl_show.c - the daemon's answers, for people */
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "user/cmd/ctl.h"
#include "user/cmd/ctl_value.h"

static void put_pct(FILE *out, const char *what, double pct)
{
	if (!isnan(pct))
		(void)fprintf(out, " %s %.1f %%", what, pct);
}

/* --- status and policies ------------------------------------------------ */

void vmadj_ctl_show_policies(FILE *out, const json_t *answer)
{
	const json_t *policies = json_object_get(answer, "policies"), *policy;
	char a[TEXT_MAX], b[TEXT_MAX], c[TEXT_MAX];
	size_t i;

	if (!json_array_size(policies)) {
		(void)fputs("policies: none; nothing is changed, only observed\n", out);
		return;
	}
	json_array_foreach(policies, i, policy)
	{
		(void)fprintf(out, "policy %s: %s, %s; turns%s%s; %s\n", text_of(policy, "name", a),
			      text_of(policy, "state", b),
			      is_true(policy, "armed") ? "armed"
						       : "not armed: it only says what it would do",
			      is_true(policy, "cpu") ? " cpu" : "",
			      is_true(policy, "memory") ? " memory" : "",
			      text_of(policy, "summary", c));
		(void)fprintf(out, "  %.0f ticks, %.0f wishes, %.0f times refused altogether\n",
			      number_of(policy, "ticks"), number_of(policy, "wishes"),
			      number_of(policy, "refused"));
		if (*text_of(policy, "refusal", a))
			(void)fprintf(out, "  refused last: %s\n", a);
		if (*text_of(policy, "why", a))
			(void)fprintf(out, "  failed last: %s\n", a);
	}
}

static void show_changed(FILE *out, const json_t *changed)
{
	char vm[TEXT_MAX], knob[TEXT_MAX], kind[TEXT_MAX], by[TEXT_MAX], was[TEXT_MAX],
		now[TEXT_MAX];
	const json_t *entry;
	size_t i;

	(void)fprintf(out, "changed: %zu knobs%s\n", json_array_size(changed),
		      json_array_size(changed) ? "; all are put back when the daemon ends" : "");
	json_array_foreach(changed, i, entry)(void)
		fprintf(out, "  %s %s: %s, was %s (%s, by %s)\n", text_of(entry, "vm", vm),
			text_of(entry, "knob", knob), text_of(entry, "now", now),
			text_of(entry, "original", was), text_of(entry, "kind", kind),
			text_of(entry, "by", by));
}

void vmadj_ctl_show_status(FILE *out, const json_t *answer)
{
	char text[TEXT_MAX];

	(void)fprintf(out, "running for %.0f s, every %g s%s%s\n", number_of(answer, "uptime_s"),
		      number_of(answer, "interval_s"),
		      is_true(answer, "dry_run") ? ", dry run: nothing is changed" : "",
		      is_true(answer, "paused") ? ", paused: policies change nothing" : "");
	(void)fprintf(out, "configuration: %s\n",
		      *text_of(answer, "config", text) ? text : "built in");
	(void)fprintf(out, "VMs: %.0f, %.0f of them managed\n", number_of(answer, "vms"),
		      number_of(answer, "managed"));
	(void)fprintf(
		out,
		"ticks: %.0f, the last took %.1f ms, the longest %.1f ms; began %.1f ms late\n",
		number_of(answer, "ticks"), number_of(answer, "tick_last_ms"),
		number_of(answer, "tick_longest_ms"), number_of(answer, "tick_late_ms"));
	(void)fprintf(out, "this daemon: %.2f s of CPU time, at most ", number_of(answer, "cpu_s"));
	put_size(out, number_of(answer, "max_rss_bytes"));
	(void)fprintf(out, " resident; %.0f events lost; mode %s\n",
		      number_of(answer, "lost_events"), text_of(answer, "mode", text));
	vmadj_ctl_show_cost(out, json_object_get(answer, "cost"));
	(void)fprintf(out, "libvirt: %s\n", text_of(answer, "libvirt", text));
	if (!is_true(answer, "ledger_writable"))
		(void)fputs("the ledger cannot be written: nothing is changed until it can\n", out);
	vmadj_ctl_show_policies(out, answer);
	show_changed(out, json_object_get(answer, "changed"));
}

/* --- why ---------------------------------------------------------------- */

static void put_time(FILE *out, double unix_s)
{
	time_t seconds = (time_t)unix_s;
	struct tm tm;
	char text[32] = "-";

	if (localtime_r(&seconds, &tm))
		(void)strftime(text, sizeof(text), "%F %T", &tm);
	(void)fputs(text, out);
}

static void put_value(FILE *out, const char *knob, double value)
{
	if (isnan(value)) {
		(void)fputs("?", out);
	} else if (!strcmp(knob, "memory")) {
		put_size(out, value);
	} else {
		(void)fprintf(out, "%.0f", value);
	}
}

/* "nice 0 -> 5", as far as it is known. */
static void put_change(FILE *out, const json_t *decision)
{
	char knob[TEXT_MAX];
	double wish = number_of(decision, "wish"), to = number_of(decision, "to");

	if (!*text_of(decision, "knob", knob))
		return;
	(void)fprintf(out, " %s ", strcmp(knob, "cpu") ? knob : "nice");
	put_value(out, knob, number_of(decision, "from"));
	(void)fputs(" -> ", out);
	put_value(out, knob, wish);
	if (to != wish && !isnan(to)) {
		(void)fputs(", at most ", out);
		put_value(out, knob, to);
	}
}

static void put_inputs(FILE *out, const json_t *decision)
{
	const json_t *inputs = json_object_get(decision, "inputs");
	char text[TEXT_MAX];

	(void)fputs("    it knew: ", out);
	put_pct(out, "use", number_of(inputs, "usage_pct"));
	put_pct(out, "wait", number_of(inputs, "wait_pct"));
	if (*text_of(inputs, "waited_for", text))
		(void)fprintf(out, ", most for %s", text);
	(void)fprintf(out, "; %.1f ms old", number_of(inputs, "age_s") * 1e3);
	if (!isnan(number_of(inputs, "guest_age_s"))) {
		(void)fprintf(out, ", the guest's figures %.1f s",
			      number_of(inputs, "guest_age_s"));
	}
	(void)fputc('\n', out);
}

static void put_result(FILE *out, const json_t *decision)
{
	const json_t *result = json_object_get(decision, "result"), *after, *interval;
	char text[TEXT_MAX];
	size_t i;

	if (!json_is_object(result))
		return;
	if (is_true(result, "pending")) {
		(void)fputs("    under way\n", out);
	} else if (*text_of(result, "error", text)) {
		(void)fprintf(out, "    failed: %s\n", text);
	} else {
		(void)fprintf(out, "    done %.1f ms after the snapshot\n",
			      number_of(result, "took_ms"));
	}
	after = json_object_get(decision, "after");
	json_array_foreach(after, i, interval)
	{
		(void)fprintf(out, "    %zu interval%s later:", i + 1, i ? "s" : "");
		put_pct(out, "use", number_of(interval, "usage_pct"));
		put_pct(out, "wait", number_of(interval, "wait_pct"));
		(void)fputc('\n', out);
	}
}

static void show_decision(FILE *out, const json_t *decision)
{
	double times = number_of(decision, "times");
	char by[TEXT_MAX], text[TEXT_MAX];

	put_time(out, number_of(decision, "time_unix_s"));
	(void)fprintf(out, " %s", text_of(decision, "by", by));
	put_change(out, decision);
	(void)fprintf(out, ": %s", text_of(decision, "verdict", text));
	if (*text_of(decision, "why", text))
		(void)fprintf(out, ": %s", text);
	if (times > 1) {
		(void)fprintf(out, " (%.0f times, last ", times);
		put_time(out, number_of(decision, "last_unix_s"));
		(void)fputc(')', out);
	}
	(void)fprintf(out, "\n    reason: %s\n", text_of(decision, "reason", text));
	put_inputs(out, decision);
	put_result(out, decision);
}

void vmadj_ctl_show_why(FILE *out, const json_t *answer)
{
	const json_t *decisions = json_object_get(answer, "decisions"), *decision;
	char vm[TEXT_MAX], text[TEXT_MAX];
	size_t i;

	(void)fprintf(out, "%s (%s): ", text_of(answer, "vm", vm), text_of(answer, "id", text));
	if (!is_true(answer, "managed")) {
		(void)fputs("not managed, the configuration says manage = no\n", out);
	} else {
		(void)fprintf(out, "priority %.0f, nice %.0f..%.0f\n",
			      number_of(answer, "priority"), number_of(answer, "nice_min"),
			      number_of(answer, "nice_max"));
	}
	if (*text_of(answer, "cpu_kind", text)) {
		(void)fprintf(out, "CPU by %s, nice %.0f now", text, number_of(answer, "nice"));
	} else {
		(void)fputs("CPU: not looked at yet", out);
	}
	if (*text_of(answer, "cpu_by", text))
		(void)fprintf(out, ", set by %s", text);
	if (*text_of(answer, "cpu_why_not", text))
		(void)fprintf(out, "; no effect: %s", text);
	if (is_true(answer, "cpu_theirs"))
		(void)fputs("; somebody else has changed it", out);
	(void)fputc('\n', out);
	if (*text_of(answer, "memory_why_not", text))
		(void)fprintf(out, "memory is not turned: %s\n", text);
	if (!json_array_size(decisions))
		(void)fputs("nothing was decided on it yet\n", out);
	json_array_foreach(decisions, i, decision) show_decision(out, decision);
}
