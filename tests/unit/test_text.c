/* SPDX-License-Identifier: GPL-2.0-only */
/* test_text.c - strings that somebody else wrote */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <locale.h>
#include <string.h>

#include "user/util/text.h"

static void use_utf8(void)
{
	(void)setlocale(LC_CTYPE, "C.UTF-8");
}

TestSuite(text, .timeout = 10, .init = use_utf8);

struct escape_case {
	char text[32];
	char escaped[64];
};

ParameterizedTestParameters(text, is_escaped)
{
	static struct escape_case cases[] = {
		{ "web1", "web1" },
		{ "", "" },
		{ "a\nb\tc\r", "a\\nb\\tc\\r" },
		{ "\033[2J", "\\x1b[2J" },
		{ "\x01\x7f", "\\x01\\x7f" },
		{ "back\\slash", "back\\slash" },
		{ "stra\xc3\x9f\x65", "stra\xc3\x9f\x65" },
		{ "\xff\xfe", "\\xff\\xfe" },
		{ "cut\xe6\x97", "cut\\xe6\\x97" },
		{ "\xc0\xaf", "\\xc0\\xaf" },			/* overlong */
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },		/* a surrogate */
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* above U+10FFFF */
		{ "\xc2\x9b", "\\u009b" },			/* CSI in one character */
		{ "\xe2\x80\xae", "\\u202e" },			/* right to left from here */
		{ "\xe2\x80\xa8", "\\u2028" },			/* line separator */
		{ "\xf3\xa0\x80\x81", "\\U000e0001" },		/* a tag that nobody sees */
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
	};

	return cr_make_param_array(struct escape_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct escape_case *c, text, is_escaped)
{
	char buf[64], twice[64];

	(void)vmadj_escape(c->text, buf, sizeof(buf));
	cr_assert(eq(str, buf, c->escaped));
	(void)vmadj_escape(buf, twice, sizeof(twice));
	cr_assert(eq(str, twice, c->escaped), "escaping twice changes nothing");
}

Test(text, null_is_a_dash)
{
	char buf[8];

	cr_assert(eq(str, vmadj_escape(NULL, buf, sizeof(buf)), "-"));
}

Test(text, escapes_are_never_cut_in_two)
{
	char buf[7];

	cr_assert(eq(str, vmadj_escape("ab\033", buf, sizeof(buf)), "ab\\x1b"));
	cr_assert(eq(str, vmadj_escape("abc\033", buf, sizeof(buf)), "abc"));
	cr_assert(eq(str, vmadj_escape("abcd\xe6\x97\xa5", buf, sizeof(buf)), "abcd"));
	cr_assert(eq(str, vmadj_escape("x", buf, 1), ""));
}

Test(text, ascii_escape_leaves_ascii_only)
{
	char buf[32];

	cr_assert(eq(str, vmadj_escape_ascii("a\xc3\xa9z", buf, sizeof(buf)), "a\\u00e9z"));
}

Test(text, width_is_columns_not_bytes)
{
	cr_assert(eq(sz, vmadj_text_width("abc"), 3));
	cr_assert(eq(sz, vmadj_text_width("\xe6\x97\xa5\xe6\x9c\xac"), 4)); /* two wide ones */
	cr_assert(eq(sz, vmadj_text_width("e\xcc\x81"), 1));		    /* combining accent */
	cr_assert(eq(sz, vmadj_text_width("\xff"), 1));
}

struct cut_case {
	char text[32];
	size_t width;
	char cut[32];
	size_t left;
};

ParameterizedTestParameters(text, is_cut)
{
	static struct cut_case cases[] = {
		{ "customer", 8, "customer", 8 },
		{ "customer", 7, "custom~", 7 },
		{ "customer", 1, "~", 1 },
		{ "customer", 0, "", 0 },
		{ "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 5, "\xe6\x97\xa5\xe6\x9c\xac~", 5 },
		{ "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 4, "\xe6\x97\xa5~", 3 },
	};

	return cr_make_param_array(struct cut_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct cut_case *c, text, is_cut)
{
	char buf[32];
	size_t left;

	(void)strcpy(buf, c->text);
	left = vmadj_text_cut(buf, sizeof(buf), c->width, "~");
	cr_assert(eq(str, buf, c->cut));
	cr_assert(eq(sz, left, c->left));
}

Test(text, cut_never_writes_beyond_the_buffer)
{
	char buf[12] = "abcdef";

	(void)vmadj_text_cut(buf, 5, 4, "\xe2\x80\xa6"); /* three bytes and the NUL: no room */
	cr_assert(eq(str, buf, "abc"));
}
