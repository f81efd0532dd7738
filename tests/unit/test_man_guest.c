/* SPDX-License-Identifier: GPL-2.0-only */
/* test_man_guest.c - options of vmadjust-guest, and that docs/vmadjust-guest.8 has them */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/grab_log.h"
#include "user/agent/options.h"
#include "user/agent/port.h"
#include "user/util/file.h"
#include "user/util/version.h"

/* The page with "\-" made "-", as it is read. */
static char page[16384];

static void set_up(void)
{
	static char raw[16384];
	char *to = page;

	cr_assert(gt(long, vmadj_file_read(AT_FDCWD, "docs/vmadjust-guest.8", raw, sizeof(raw)), 0),
		  "unit tests run from the top of the tree");
	for (const char *from = raw; *from; from++) {
		if (from[0] != '\\' || from[1] != '-')
			*to++ = *from;
	}
	*to = '\0';
}

TestSuite(man_guest, .timeout = 10, .init = set_up);
TestSuite(agent_options, .timeout = 10, .init = grab_log_start);

static void assert_says(const char *what)
{
	cr_assert(strstr(page, what) != NULL, "the page lacks:\n%s", what);
}

Test(man_guest, has_every_option_with_its_value)
{
	for (const struct vmadj_guest_option *o = vmadj_guest_option_table; o->name; o++) {
		char heading[64];

		(void)snprintf(heading, sizeof(heading),
			       o->arg ? ".TP\n.BI --%s \" %s\"\n" : ".TP\n.B --%s%s\n", o->name,
			       o->arg ? o->arg : "");
		assert_says(heading);
	}
}

Test(man_guest, has_no_option_that_the_program_lacks)
{
	for (const char *p = strstr(page, "--"); p; p = strstr(p, "--")) {
		size_t len = strspn(p += 2, "abcdefghijklmnopqrstuvwxyz-");
		bool known = false;

		for (const struct vmadj_guest_option *o = vmadj_guest_option_table; o->name; o++)
			known |= strlen(o->name) == len && !strncmp(o->name, p, len);
		cr_assert(known, "there is no option --%.*s", (int)len, p);
	}
}

Test(man_guest, names_version_port_and_every_exit_status)
{
	assert_says("\"vmadjust-guest " VMADJ_VERSION "\"");
	assert_says(VMADJ_PORT_NAME);
	assert_says(".TP\n.B 0\n");
	assert_says(".TP\n.B 1\n");
	assert_says(".TP\n.B 2\n");
}

static int read_options(char **argv, struct vmadj_guest_options *options)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	return vmadj_guest_options_read(argc, argv, options);
}

Test(agent_options, are_read)
{
	char *none[] = { "x", NULL };
	char *all[] = { "x", "--port", "/dev/p", "--interval=0.5", "--once", NULL };
	struct vmadj_guest_options options;

	cr_assert(zero(int, read_options(none, &options)));
	cr_expect(eq(int, (int)options.mode, VMADJ_GUEST_RUN));
	cr_expect(options.port == NULL);
	cr_expect(eq(uint, options.interval_ms, 1000));
	cr_assert(zero(int, read_options(all, &options)));
	cr_expect(eq(int, (int)options.mode, VMADJ_GUEST_ONCE));
	cr_expect(eq(str, (char *)options.port, "/dev/p"));
	cr_expect(eq(uint, options.interval_ms, 500));
}

Test(agent_options, wrong_ones_are_refused)
{
	char *wrong[][4] = {
		{ "x", "--interval", "0.1", NULL }, { "x", "--interval", "61", NULL },
		{ "x", "--interval", "x", NULL },   { "x", "--interval", NULL, NULL },
		{ "x", "--nothing", NULL, NULL },   { "x", "word", NULL, NULL },
	};
	struct vmadj_guest_options options = { .interval_ms = 7 };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_expect(eq(int, read_options(wrong[i], &options), -EINVAL), "%zu", i);
	cr_expect(eq(uint, options.interval_ms, 7));
}

Test(agent_options, help_has_them_all)
{
	char text[2048] = "";
	FILE *f = fmemopen(text, sizeof(text) - 1, "w");

	cr_assert(f != NULL);
	vmadj_guest_help(f);
	(void)fclose(f);
	for (const struct vmadj_guest_option *o = vmadj_guest_option_table; o->name; o++)
		cr_expect(strstr(text, o->help) != NULL, "%s", o->name);
}
