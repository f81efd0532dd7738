/* SPDX-License-Identifier: GPL-2.0-only */
/* test_doctor.c - the checks, for people and for programs */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "user/cmd/doctor.h"

static struct vmadj_check list[] = {
	{ "kernel", "BTF", VMADJ_CHECK_OK, "there", NULL, NULL },
	{ "events", "sched_switch", VMADJ_CHECK_OK, "tp_btf", NULL, NULL },
	{ "events", "faults", VMADJ_CHECK_MISSING, "absent:\033[2J", "mapped reads are not counted",
	  "run a newer kernel" },
	{ "rights", "CAP_BPF", VMADJ_CHECK_FATAL, "missing", "nothing can be loaded",
	  "run as root" },
};

static char *text;
static size_t len;

static void tear_down(void)
{
	free(text);
}

TestSuite(doctor, .timeout = 10, .fini = tear_down);

static void to_text(size_t n, bool can_observe, bool color)
{
	struct vmadj_checks checks = { n, list };
	struct vmadj_doctor_report report = { &checks, can_observe };

	cr_assert(zero(int, vmadj_doctor_to_text(&report, color, &text, &len)));
	cr_assert(eq(sz, len, strlen(text)));
}

Test(doctor, names_an_area_once_and_each_check_with_its_state)
{
	to_text(3, true, false);
	cr_assert(eq(str, text,
		     "kernel     BTF                      ok       there\n"
		     "events     sched_switch             ok       tp_btf\n"
		     "           faults                   missing  absent:\\x1b[2J\n"
		     "            costs      mapped reads are not counted\n"
		     "            do         run a newer kernel\n"
		     "\n"
		     "VMs can be observed here; 1 thing is missing.\n"));
}

Test(doctor, a_fatal_check_decides)
{
	to_text(4, false, false);
	cr_assert(ne(ptr, strstr(text, "CAP_BPF                  fatal    missing\n"), NULL));
	cr_assert(ne(ptr, strstr(text, "do         run as root\n"), NULL));
	cr_assert(ne(ptr, strstr(text, "\nVMs cannot be observed here; "), NULL));
}

Test(doctor, nothing_missing_is_said)
{
	to_text(2, true, false);
	cr_assert(ne(ptr, strstr(text, "\nVMs can be observed here; nothing is missing.\n"), NULL));
}

Test(doctor, colours_are_used_when_asked_for)
{
	to_text(4, false, false);
	cr_assert(eq(ptr, strchr(text, '\033'), NULL));
	free(text);
	to_text(4, false, true);
	cr_assert(ne(ptr, strstr(text, "\033[1;31mfatal"), NULL));
}

Test(doctor, json_is_one_line_with_every_key)
{
	struct vmadj_checks checks = { 4, list };
	struct vmadj_doctor_report report = { &checks, false };
	const char *who, *state;
	json_t *json, *check;
	json_error_t error;

	cr_assert(zero(int, vmadj_doctor_to_json(&report, &text, &len)));
	cr_assert(eq(ptr, memchr(text, '\n', len), text + len - 1));
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	cr_assert(ne(ptr, json, NULL), "%s", error.text);
	cr_assert(eq(llong, json_integer_value(json_object_get(json, "schema")), 1));
	cr_assert(eq(int, json_typeof(json_object_get(json, "can_observe")), JSON_FALSE));
	cr_assert(eq(sz, json_array_size(json_object_get(json, "checks")), 4));
	check = json_array_get(json_object_get(json, "checks"), 2);
	cr_assert(eq(sz, json_object_size(check), 6));
	cr_assert(zero(int, json_unpack(check, "{s:s, s:s}", "name", &who, "state", &state)));
	cr_assert(eq(str, (char *)who, "faults"));
	cr_assert(eq(str, (char *)state, "missing"));
	check = json_array_get(json_object_get(json, "checks"), 0);
	cr_assert(eq(int, json_typeof(json_object_get(check, "cost")), JSON_NULL));
	cr_assert(eq(int, json_typeof(json_object_get(check, "remedy")), JSON_NULL));
	json_decref(json);
}
