/* SPDX-License-Identifier: GPL-2.0-only */
/* test_jsonw.c - JSON written straight into a buffer, read back by jansson */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "user/util/jsonw.h"

TestSuite(jsonw, .timeout = 10);

static char *finish(struct vmadj_jsonw *w)
{
	char *text;
	size_t len;

	cr_assert(zero(int, vmadj_jsonw_finish(w, &text, &len)));
	cr_assert(eq(sz, len, strlen(text)));
	return text;
}

static void assert_written(struct vmadj_jsonw *w, const char *expected)
{
	char *text = finish(w);

	cr_assert(eq(str, text, (char *)expected));
	free(text);
}

Test(jsonw, objects_and_arrays_nest_with_their_commas)
{
	struct vmadj_jsonw w = { 0 };

	vmadj_jsonw_open(&w, NULL, '{');
	vmadj_jsonw_u64(&w, "a", 1);
	vmadj_jsonw_open(&w, "b", '[');
	vmadj_jsonw_open(&w, NULL, '{');
	vmadj_jsonw_close(&w, '}');
	vmadj_jsonw_null(&w, NULL);
	vmadj_jsonw_open(&w, NULL, '[');
	vmadj_jsonw_close(&w, ']');
	vmadj_jsonw_close(&w, ']');
	vmadj_jsonw_bool(&w, "c", true);
	vmadj_jsonw_bool(&w, "d", false);
	vmadj_jsonw_close(&w, '}');
	assert_written(&w, "{\"a\":1,\"b\":[{},null,[]],\"c\":true,\"d\":false}");
}

Test(jsonw, whole_numbers_keep_every_digit)
{
	struct vmadj_jsonw w = { 0 };

	vmadj_jsonw_open(&w, NULL, '[');
	vmadj_jsonw_u64(&w, NULL, UINT64_MAX);
	vmadj_jsonw_u64(&w, NULL, 0);
	vmadj_jsonw_i64(&w, NULL, INT64_MIN);
	vmadj_jsonw_i64(&w, NULL, -1);
	vmadj_jsonw_close(&w, ']');
	assert_written(&w, "[18446744073709551615,0,-9223372036854775808,-1]");
}

struct double_case {
	double value;
	unsigned int decimals;
	char text[40];
};

ParameterizedTestParameters(jsonw, double_is_written)
{
	static struct double_case cases[] = {
		{ 0, 2, "0.00" },	  { 0.005, 2, "0.01" },
		{ 99.996, 2, "100.00" },  { 1795205644.123, 3, "1795205644.123" },
		{ 0.04, 1, "0.0" },	  { -0.04, 1, "0.0" },
		{ -1.5, 1, "-1.5" },	  { 7, 0, "7" },
		{ 12.5, 6, "12.500000" }, { 1e20, 2, "100000000000000000000.00" },
		{ NAN, 2, "null" },	  { INFINITY, 2, "null" },
		{ -INFINITY, 2, "null" }, { 0.5, 99, "0.500000" },
	};

	return cr_make_param_array(struct double_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct double_case *c, jsonw, double_is_written)
{
	struct vmadj_jsonw w = { 0 };

	vmadj_jsonw_double(&w, NULL, c->value, c->decimals);
	assert_written(&w, c->text);
}

struct string_case {
	char value[32];
	char back[32]; /* what a reader gets */
};

ParameterizedTestParameters(jsonw, string_comes_back)
{
	static struct string_case cases[] = {
		{ "web1", "web1" },
		{ "", "" },
		{ "a\"b\\c/", "a\"b\\c/" },
		{ "a\nb\t\033[2J\x7f", "a\nb\t\033[2J\x7f" },
		{ "\xc2\x9b", "\xc2\x9b" },
		{ "\xe2\x80\xae", "\xe2\x80\xae" },
		{ "\xf3\xa0\x80\x81", "\xf3\xa0\x80\x81" },
		{ "\xe6\x97\xa5\xf0\x9f\x98\x80", "\xe6\x97\xa5\xf0\x9f\x98\x80" },
		{ "x\xffy", "x\xef\xbf\xbdy" },
		{ "cut\xe6\x97", "cut\xef\xbf\xbd\xef\xbf\xbd" },
	};

	return cr_make_param_array(struct string_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct string_case *c, jsonw, string_comes_back)
{
	struct vmadj_jsonw w = { 0 };
	json_error_t error;
	json_t *json;
	char *text;

	vmadj_jsonw_open(&w, NULL, '[');
	vmadj_jsonw_string(&w, NULL, c->value);
	vmadj_jsonw_close(&w, ']');
	text = finish(&w);
	json = json_loads(text, 0, &error);
	cr_assert(ne(ptr, json, NULL), "%s: %s", error.text, text);
	cr_assert(eq(str, (char *)json_string_value(json_array_get(json, 0)), c->back));
	for (const char *p = text; *p; p++)
		cr_assert(ge(int, (unsigned char)*p, 0x20), "no raw control character");
	json_decref(json);
	free(text);
}

Test(jsonw, treacherous_characters_do_not_reach_the_terminal)
{
	struct vmadj_jsonw w = { 0 };

	vmadj_jsonw_string(&w, NULL, "\xe2\x80\xae\x7f\xc2\x9b");
	assert_written(&w, "\"\\u202e\\u007f\\u009b\"");
}

Test(jsonw, no_string_is_null)
{
	struct vmadj_jsonw w = { 0 };

	vmadj_jsonw_string(&w, NULL, NULL);
	assert_written(&w, "null");
}

Test(jsonw, a_large_document_grows)
{
	struct vmadj_jsonw w = { 0 };
	json_error_t error;
	json_t *json;
	char *text;

	vmadj_jsonw_open(&w, NULL, '[');
	for (uint64_t i = 0; i < 100000; i++)
		vmadj_jsonw_u64(&w, NULL, i);
	vmadj_jsonw_close(&w, ']');
	text = finish(&w);
	json = json_loads(text, 0, &error);
	cr_assert(ne(ptr, json, NULL), "%s", error.text);
	cr_assert(eq(sz, json_array_size(json), 100000));
	json_decref(json);
	free(text);
}

Test(jsonw, memory_that_ran_out_is_told_at_the_end)
{
	struct vmadj_jsonw w = { .failed = true };
	char *text = NULL;
	size_t len = 42;

	vmadj_jsonw_u64(&w, "a", 1);
	cr_assert(eq(int, vmadj_jsonw_finish(&w, &text, &len), -ENOMEM));
	cr_assert(eq(ptr, text, NULL));
	cr_assert(eq(sz, len, 42));
}
