/* SPDX-License-Identifier: GPL-2.0-only */
/* test_guest_line.c - lines out of a stream that comes in pieces */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "user/guest/line.h"

TestSuite(guest_line, .timeout = 20);

static struct vmadj_guest_line line;

/* What comes out, each line with a "|" behind it. */
static void feed(const char *bytes, size_t len, char *got, size_t size)
{
	const char *at = bytes;
	size_t used = strlen(got);

	while (vmadj_guest_line_next(&line, &at, bytes + len))
		used += (size_t)snprintf(got + used, size - used, "%.*s|", (int)line.len,
					 line.text);
	cr_assert(eq(ptr, (void *)at, (void *)(bytes + len)));
}

Test(guest_line, lines_come_together_and_in_halves)
{
	char got[64] = "";

	feed("one\ntw", 6, got, sizeof(got));
	cr_expect(eq(str, got, "one|"));
	feed("o", 1, got, sizeof(got));
	feed("", 0, got, sizeof(got));
	feed("\n\n", 2, got, sizeof(got));
	feed("three", 5, got, sizeof(got));
	cr_expect(eq(str, got, "one|two||"));
	feed("\nfour\n", 6, got, sizeof(got));
	cr_expect(eq(str, got, "one|two||three|four|"));
}

Test(guest_line, byte_by_byte_it_is_the_same)
{
	static const char text[] = "a\nbc\n\ndef\n";
	char got[64] = "";

	for (size_t i = 0; i < sizeof(text) - 1; i++)
		feed(text + i, 1, got, sizeof(got));
	cr_expect(eq(str, got, "a|bc||def|"));
}

Test(guest_line, the_longest_line_fits_with_its_end_and_one_more_does_not)
{
	static char text[VMADJ_GUEST_LINE_MAX + 1];
	const char *at = text;

	memset(text, 'x', sizeof(text));
	text[VMADJ_GUEST_LINE_MAX - 1] = '\n';
	cr_assert(vmadj_guest_line_next(&line, &at, text + VMADJ_GUEST_LINE_MAX));
	cr_expect(eq(u64, line.len, VMADJ_GUEST_LINE_MAX - 1));
	cr_expect(eq(u64, line.n_too_long, 0));
	text[VMADJ_GUEST_LINE_MAX - 1] = 'x';
	text[VMADJ_GUEST_LINE_MAX] = '\n';
	at = text;
	cr_assert(not(vmadj_guest_line_next(&line, &at, text + sizeof(text))));
	cr_expect(eq(u64, line.n_too_long, 1));
}

Test(guest_line, what_is_too_long_is_left_out_to_its_end)
{
	static char flood[100000];
	char got[64] = "";

	memset(flood, 'x', sizeof(flood));
	feed("a\n", 2, got, sizeof(got));
	for (int i = 0; i < 100; i++)
		feed(flood, sizeof(flood), got, sizeof(got));
	cr_expect(eq(u64, line.n_too_long, 1));
	feed("tail\nb\n", 7, got, sizeof(got));
	cr_expect(eq(str, got, "a|b|"));
}

Test(guest_line, nuls_are_bytes_like_others)
{
	const char *at = "a\0b\n", *end = at + 4;

	cr_assert(vmadj_guest_line_next(&line, &at, end));
	cr_expect(eq(u64, line.len, 3));
	cr_expect(zero(int, memcmp(line.text, "a\0b", 3)));
}
