// SPDX-License-Identifier: GPL-2.0-only
/* test_qga_exchange.c - what a qemu-ga may say when, and what is made of its answers */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/guest/qga_exchange.h"
#include "user/guest/qga_words.h"

#define ID   5
#define SYNC "\xff{\"return\": 5}\n"

static struct vmadj_qga_exchange exchange;

static void set_up(void)
{
	const char *text;

	vmadj_qga_exchange_begin(&exchange, "one\ntwo\n", ID);
	(void)vmadj_qga_exchange_next(&exchange, &text);
}

TestSuite(qga_exchange, .timeout = 20, .init = set_up);

static int take(const char *text)
{
	return vmadj_qga_exchange_take(&exchange, text, strlen(text));
}

static void must_say(const char *wanted)
{
	char said[128];
	const char *text;
	size_t len = vmadj_qga_exchange_next(&exchange, &text);

	(void)snprintf(said, sizeof(said), "%.*s", (int)len, text);
	cr_expect(eq(str, said, (char *)wanted));
}

Test(qga_exchange, one_command_after_the_other)
{
	vmadj_qga_exchange_begin(&exchange, "one\ntwo\n", ID);
	must_say("\xff{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":5}}\n");
	cr_expect(eq(int, take(SYNC), 1));
	must_say("one\n");
	cr_expect(eq(int, take("{\"ret"), 0));
	cr_expect(eq(int, take("urn\": 1}\n"), 1));
	must_say("two\n");
	cr_expect(eq(int, take("{}\n"), 1));
	must_say("");
	cr_expect(eq(str, exchange.answers, "{\"return\": 1}\n{}\n"));
}

Test(qga_exchange, answers_to_others_are_skipped)
{
	cr_expect(eq(int, take("{\"return\": 5}\n{\"error\": {}}\n"), 0), "no sentinel");
	cr_expect(eq(int, take("\xff{\"return\": 4}\n"), 0), "somebody else's");
	cr_expect(eq(int, take("\xff{\"return\": \"5\"}\n"), 0));
	cr_expect(eq(int, take("\xff{\"retu"), 0));
	cr_expect(eq(int, take("\xff{\"return\":"), 0), "begun anew");
	cr_expect(eq(int, take(" 5}\n"), 1));
	must_say("one\n");
}

Test(qga_exchange, what_comes_unasked_ends_it)
{
	cr_expect(eq(int, take(SYNC "{}\n"), -EPROTO));
	set_up();
	cr_expect(eq(int, take(SYNC), 1));
	must_say("one\n");
	cr_expect(eq(int, take("{}\n{}\n"), -EPROTO));
	set_up();
	cr_expect(eq(int, take(SYNC), 1));
	must_say("one\n");
	cr_expect(eq(int, vmadj_qga_exchange_take(&exchange, "{\0}\n", 4), -EPROTO));
}

Test(qga_exchange, a_flood_ends_it)
{
	static char flood[VMADJ_QGA_ANSWERS_MAX];
	size_t taken = 0;
	int err = 0;

	memset(flood, 'x', sizeof(flood));
	for (; !err && taken < 100000000; taken += sizeof(flood))
		err = vmadj_qga_exchange_take(&exchange, flood, sizeof(flood));
	cr_expect(eq(int, err, -EMSGSIZE));
	cr_expect(le(sz, taken, 2 << 20));
	set_up();
	cr_expect(eq(int, take(SYNC), 1));
	must_say("one\n");
	cr_expect(eq(int, vmadj_qga_exchange_take(&exchange, flood, sizeof(flood)), 0));
	cr_expect(eq(int, take("x"), -EMSGSIZE));
}

/* --- single answers ----------------------------------------------------- */

static int handle_of(const char *line, int64_t *ret_handle)
{
	struct vmadj_qga_words words;

	return vmadj_qga_take_handle(line, strlen(line), ret_handle, &words);
}

Test(qga_exchange, a_handle_is_one_or_an_error_is_told_apart)
{
	static const struct {
		const char *line;
		int err;
	} cases[] = {
		{ "{\"return\": 1000}", 0 },
		{ "{\"return\": 1000, \"more\": 1}", 0 },
		{ "{\"return\": -1}", -EPROTO },
		{ "{\"return\": 1.5}", -EPROTO },
		{ "{\"return\": 99999999999999999999}", -EPROTO },
		{ "{\"return\": 1, \"return\": 2}", -EPROTO },
		{ "{\"return\": 1, \"error\": {}}", -EPROTO },
		{ "{}", -EPROTO },
		{ "[1000]", -EPROTO },
		{ "", -EPROTO },
		{ "{\"return\": 1000", -EPROTO },
		{ "{\"error\": {\"class\": \"GenericError\", \"desc\": "
		  "\"failed to open file '/proc/x' (mode: 'r'): No such file or directory\"}}",
		  -EIO },
		{ "{\"error\": {\"class\": \"GenericError\", \"desc\": "
		  "\"handle '1000' has not been found\"}}",
		  -EIO },
		{ "{\"error\": {}}", -EIO },
		{ "{\"error\": 1}", -EIO },
		{ "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": "
		  "\"Command guest-file-open has been disabled: the command is not allowed\"}}",
		  -EACCES },
		{ "{\"error\": {\"class\": \"GenericError\", \"desc\": "
		  "\"The command guest-file-open has been disabled for this instance\"}}",
		  -EACCES },
		{ "{\"error\": {\"desc\": \"internal error: unable to execute QEMU agent command "
		  "'guest-file-open': Command guest-file-open has been disabled\"}}",
		  -EACCES },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t handle = 77;

		cr_expect(eq(int, handle_of(cases[i].line, &handle), cases[i].err), "%s",
			  cases[i].line);
		cr_expect(eq(i64, handle, cases[i].err ? 77 : 1000), "%s", cases[i].line);
	}
}

Test(qga_exchange, deep_json_is_no_answer)
{
	static char deep[VMADJ_QGA_ANSWERS_MAX];
	int64_t handle;

	cr_expect(eq(int, handle_of("{\"return\": 1, \"x\": {\"x\": [[]]}}", &handle), 0));
	cr_expect(eq(int, handle_of("{\"return\": 1, \"x\": {\"x\": [[[]]]}}", &handle), -EPROTO));
	memset(deep, '[', VMADJ_QGA_ANSWERS_MAX - 1);
	deep[VMADJ_QGA_ANSWERS_MAX - 1] = '\0';
	cr_expect(eq(int, handle_of(deep, &handle), -EPROTO));
}

Test(qga_exchange, words_are_made_harmless_and_bounded)
{
	static const char line[] = "{\"error\": {\"desc\": \"\\u001b[2J\\n%s\"}}";
	char text[sizeof(line) + 1000], much[1000];
	struct vmadj_qga_words words;
	int64_t handle;

	memset(much, 'x', sizeof(much));
	much[sizeof(much) - 1] = '\0';
	(void)snprintf(text, sizeof(text), "{\"error\": {\"desc\": \"\\u001b[2J\\n%s\"}}", much);
	cr_expect(eq(int, vmadj_qga_take_handle(text, strlen(text), &handle, &words), -EIO));
	cr_expect(eq(ptr, strchr(words.text, '\x1b'), NULL));
	cr_expect(eq(ptr, strchr(words.text, '\n'), NULL));
	cr_expect(lt(sz, strlen(words.text), sizeof(words.text)));
}

static int file_of(const char *line, char *text)
{
	struct vmadj_qga_words words;

	return vmadj_qga_take_file(line, strlen(line), text, &words);
}

Test(qga_exchange, a_file_is_whole_or_none)
{
	static char text[VMADJ_QGA_FILE_MAX + 1], line[VMADJ_QGA_ANSWERS_MAX];
	char *end;

	cr_expect(eq(
		int,
		file_of("{\"return\": {\"count\": 2, \"buf-b64\": \"YQo=\", \"eof\": true}}", text),
		0));
	cr_expect(eq(str, text, "a\n"));
	cr_expect(eq(int, file_of("{\"return\": {\"buf-b64\": \"YQo=\", \"eof\": false}}", text),
		     -EPROTO));
	cr_expect(eq(int, file_of("{\"return\": {\"buf-b64\": \"Y\", \"eof\": true}}", text),
		     -EPROTO));
	cr_expect(eq(int, file_of("{\"return\": {\"buf-b64\": 1, \"eof\": true}}", text), -EPROTO));
	cr_expect(eq(int, file_of("{\"return\": {\"eof\": true}}", text), -EPROTO));
	cr_expect(eq(int, file_of("{\"return\": 1}", text), -EPROTO));
	end = line + sprintf(line, "{\"return\": {\"eof\": true, \"buf-b64\": \"");
	memset(end, 'Y', VMADJ_QGA_FILE_MAX / 3 * 4);
	(void)strcpy(end + VMADJ_QGA_FILE_MAX / 3 * 4, "\"}}");
	cr_expect(eq(int, file_of(line, text), 0));
	memset(end, 'Y', VMADJ_QGA_FILE_MAX / 3 * 4 + 4);
	(void)strcpy(end + VMADJ_QGA_FILE_MAX / 3 * 4 + 4, "\"}}");
	cr_expect(eq(int, file_of(line, text), -EPROTO));
}
