// SPDX-License-Identifier: GPL-2.0-only
/* test_base64.c - bytes that came as text */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "user/util/base64.h"

#define ROOM 8

TestSuite(base64, .timeout = 20);

/* The first are the examples of RFC 4648, chapter 10. */
static const struct {
	const char *text;
	int err;
	const char *bytes;
} cases[] = {
	{ "", 0, "" },
	{ "Zg==", 0, "f" },
	{ "Zm8=", 0, "fo" },
	{ "Zm9v", 0, "foo" },
	{ "Zm9vYg==", 0, "foob" },
	{ "Zm9vYmE=", 0, "fooba" },
	{ "Zm9vYmFy", 0, "foobar" },
	{ "+/+/", 0, "\xfb\xff\xbf" },
	{ "Zg", -EINVAL, NULL },
	{ "Zg=", -EINVAL, NULL },
	{ "=", -EINVAL, NULL },
	{ "====", -EINVAL, NULL },
	{ "Z===", -EINVAL, NULL },
	{ "Zg==Zg==", -EINVAL, NULL },
	{ "Zm 9", -EINVAL, NULL },
	{ "Zm9\xff", -EINVAL, NULL },
	{ "Zm-_", -EINVAL, NULL },
	{ "Zm9vYmFyZg==", 0, "foobarf" },
	{ "Zm9vYmFyZm8=", -E2BIG, NULL },
	{ "Zm9vYmFyZm9v", -E2BIG, NULL },
};

Test(base64, as_the_standard_has_it_or_refused)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char buf[ROOM + 1];
		ssize_t len;

		buf[ROOM] = 'x';
		len = vmadj_base64_decode(cases[i].text, buf, ROOM);
		cr_expect(eq(chr, buf[ROOM], 'x'), "%s", cases[i].text);
		cr_expect(eq(long, len, cases[i].err ? cases[i].err : (long)strlen(cases[i].bytes)),
			  "%s", cases[i].text);
		if (!cases[i].err)
			cr_expect(eq(str, buf, (char *)cases[i].bytes), "%s", cases[i].text);
	}
}
