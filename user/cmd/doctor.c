/* SPDX-License-Identifier: GPL-2.0-only */
/* doctor.c - `vmadjust-bpf doctor`: what is there, what is missing, what to do about it */
#include "user/cmd/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/cmd/cmd.h"
#include "user/cmd/doctor_knobs.h"
#include "user/cmd/exitcode.h"
#include "user/cmd/options.h"
#include "user/cmd/output.h"
#include "user/cmd/screen.h"
#include "user/util/jsonw.h"
#include "user/util/log.h"
#include "user/util/wrap.h"

#define AREA_WIDTH   10
#define NAME_WIDTH   24
#define STATE_WIDTH  8
#define NOTE_COLUMN  (AREA_WIDTH + 4)
#define FOUND_COLUMN (AREA_WIDTH + NAME_WIDTH + STATE_WIDTH + 3)
#define LINE_MAX_    1024
#define SCHEMA	     1

struct state_look {
	const char *name;
	const char *tint;
};

static const struct state_look looks[] = {
	[VMADJ_CHECK_OK] = { "ok", "\033[32m" },
	[VMADJ_CHECK_MISSING] = { "missing", "\033[33m" },
	[VMADJ_CHECK_FATAL] = { "fatal", "\033[1;31m" },
};

static void put_note(FILE *out, const char *what, const char *text)
{
	char line[LINE_MAX_];
	int at = fprintf(out, "%*s%s", NOTE_COLUMN - 2, "", what);

	vmadj_print_wrapped(out, vmadj_escape(text, line, sizeof(line)), NOTE_COLUMN + 9, at);
}

static void put_check(FILE *out, const struct vmadj_check *check, bool new_area, bool color)
{
	const struct state_look *look = &looks[check->state];
	char found[LINE_MAX_];

	(void)fprintf(out, "%-*s %-*s ", AREA_WIDTH, new_area ? check->area : "", NAME_WIDTH,
		      check->name);
	(void)fprintf(out, "%s%-*s%s", color ? look->tint : "", STATE_WIDTH, look->name,
		      color ? "\033[0m" : "");
	vmadj_print_wrapped(out, vmadj_escape(check->found, found, sizeof(found)), FOUND_COLUMN,
			    FOUND_COLUMN - 1);
	if (check->state == VMADJ_CHECK_OK)
		return;
	if (check->cost)
		put_note(out, "costs", check->cost);
	if (check->remedy)
		put_note(out, "do", check->remedy);
}

static size_t count_state(const struct vmadj_checks *checks, enum vmadj_check_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < checks->n; i++)
		n += checks->check[i].state == state;
	return n;
}

static void put_verdict(FILE *out, const struct vmadj_doctor_report *report)
{
	size_t missing = count_state(report->checks, VMADJ_CHECK_MISSING);

	if (!report->can_observe) {
		(void)fputs("\nVMs cannot be observed here; what is marked \"fatal\" says why.\n",
			    out);
	} else if (missing == 0) {
		(void)fputs("\nVMs can be observed here; nothing is missing.\n", out);
	} else {
		(void)fprintf(out, "\nVMs can be observed here; %zu thing%s missing.\n", missing,
			      missing == 1 ? " is" : "s are");
	}
}

int vmadj_doctor_to_text(const struct vmadj_doctor_report *report, bool color, char **ret_text,
			 size_t *ret_len)
{
	const struct vmadj_checks *checks = report->checks;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < checks->n; i++) {
		const struct vmadj_check *check = &checks->check[i];
		bool new_area = i == 0 || strcmp(check->area, checks->check[i - 1].area) != 0;

		put_check(out, check, new_area, color);
	}
	put_verdict(out, report);
	if (fclose(out) != 0) {
		free(text);
		return -ENOMEM;
	}
	*ret_text = text;
	*ret_len = len;
	return 0;
}

int vmadj_doctor_to_json(const struct vmadj_doctor_report *report, char **ret_text, size_t *ret_len)
{
	struct vmadj_jsonw w = { 0 };
	char *text;
	size_t len;
	int err;

	vmadj_jsonw_open(&w, NULL, '{');
	vmadj_jsonw_u64(&w, "schema", SCHEMA);
	vmadj_jsonw_bool(&w, "can_observe", report->can_observe);
	vmadj_jsonw_open(&w, "checks", '[');
	for (size_t i = 0; i < report->checks->n; i++) {
		const struct vmadj_check *check = &report->checks->check[i];

		vmadj_jsonw_open(&w, NULL, '{');
		vmadj_jsonw_string(&w, "area", check->area);
		vmadj_jsonw_string(&w, "name", check->name);
		vmadj_jsonw_string(&w, "state", looks[check->state].name);
		vmadj_jsonw_string(&w, "found", check->found);
		vmadj_jsonw_string(&w, "cost", check->cost);
		vmadj_jsonw_string(&w, "remedy", check->remedy);
		vmadj_jsonw_close(&w, '}');
	}
	vmadj_jsonw_close(&w, ']');
	vmadj_jsonw_close(&w, '}');
	err = vmadj_jsonw_finish(&w, &text, &len);
	if (err)
		return err;
	text[len] = '\n'; /* instead of the NUL */
	*ret_text = text;
	*ret_len = len + 1;
	return 0;
}

static int print_report(const struct vmadj_options *options,
			const struct vmadj_doctor_report *report)
{
	char *text;
	size_t len;
	int err, status;

	err = options->json ? vmadj_doctor_to_json(report, &text, &len)
			    : vmadj_doctor_to_text(report, vmadj_screen_color(options->no_color),
						   &text, &len);
	if (err) {
		log_err("cannot print the checks: %s", strerror(-err));
		return VMADJ_EXIT_FAILED;
	}
	status = vmadj_output_print(text, len);
	free(text);
	return status;
}

int vmadj_cmd_doctor(const struct vmadj_options *options)
{
	const struct vmadj_observer_options how = { .pin_dir = options->pin_dir,
						    .self_test = true,
						    .try_poll = true };
	struct vmadj_doctor_report report;
	struct vmadj_checks all = { 0 };
	const struct vmadj_checks *checks;
	struct vmadj_observer *observer;
	int err, status;

	err = vmadj_observer_open(&how, &observer);
	if (err) {
		log_err("cannot check this host: %s", strerror(-err));
		return VMADJ_EXIT_FAILED;
	}
	checks = vmadj_observer_checks(observer);
	report.checks = checks;
	report.can_observe =
		vmadj_observer_running(observer) && count_state(checks, VMADJ_CHECK_FATAL) == 0;
	/* Without seeing VMs nothing can be said of their knobs. */
	if (report.can_observe) {
		err = vmadj_doctor_knobs(observer, checks, &all);
		if (err) {
			log_warning("cannot look at what could be turned, ignoring: %s",
				    strerror(-err));
		} else {
			report.checks = &all;
		}
	}
	status = print_report(options, &report);
	vmadj_doctor_knobs_free(checks, &all);
	vmadj_observer_close(observer);
	if (status)
		return status;
	return report.can_observe ? VMADJ_EXIT_DONE : VMADJ_EXIT_CANNOT_OBSERVE;
}
