/* SPDX-License-Identifier: GPL-2.0-only */
/* test_man.c - docs/vmadjust-bpf.8 says what the tables of the program say */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "user/cmd/cell.h"
#include "user/cmd/cmd.h"
#include "user/cmd/options.h"
#include "user/observe/observer.h"
#include "user/util/file.h"

/* The page with "\-" and "\~" made "-" and " ", as it is read. */
static char page[65536];

static void set_up(void)
{
	static char raw[65536];
	char *to = page;

	cr_assert(gt(long, vmadj_file_read(AT_FDCWD, "docs/vmadjust-bpf.8", raw, sizeof(raw)), 0),
		  "unit tests run from the top of the tree");
	for (const char *from = raw; *from; from++) {
		if (from[0] == '\\' && (from[1] == '-' || from[1] == '~')) {
			*to++ = from[1] == '-' ? '-' : ' ';
			from++;
			continue;
		}
		*to++ = *from;
	}
	*to = '\0';
}

TestSuite(man, .timeout = 10, .init = set_up);

static void assert_says(const char *what)
{
	cr_assert(ne(ptr, strstr(page, what), NULL), "the page lacks:\n%s", what);
}

Test(man, has_every_command)
{
	for (const struct vmadj_command *c = vmadj_command_table; c->name; c++) {
		char heading[64];

		(void)snprintf(heading, sizeof(heading), ".TP\n.B %s\n", c->name);
		assert_says(heading);
	}
}

Test(man, has_every_option_with_its_value)
{
	for (const struct vmadj_option *o = vmadj_option_table; o->name; o++) {
		char heading[96];

		if (o->letter && o->arg) {
			(void)snprintf(heading, sizeof(heading), ".TP\n.BI \"-%c, --%s \" %s\n",
				       o->letter, o->name, o->arg);
		} else if (o->letter) {
			(void)snprintf(heading, sizeof(heading), ".TP\n.BR -%c \", \" --%s\n",
				       o->letter, o->name);
		} else if (o->arg) {
			(void)snprintf(heading, sizeof(heading), ".TP\n.BI --%s  %s\n", o->name,
				       o->arg);
		} else {
			(void)snprintf(heading, sizeof(heading), ".TP\n.B --%s\n", o->name);
		}
		assert_says(heading);
	}
}

Test(man, has_every_sort_key)
{
	for (const struct vmadj_option *o = vmadj_option_table; o->name; o++) {
		for (size_t i = 0; o->choices && o->choices[i]; i++) {
			char bold[32];

			(void)snprintf(bold, sizeof(bold), ".B %s\n", o->choices[i]);
			if (!strstr(page, bold))
				(void)snprintf(bold, sizeof(bold), ".BR %s ", o->choices[i]);
			assert_says(bold);
		}
	}
}

Test(man, has_no_option_that_the_program_lacks)
{
	for (const char *p = strstr(page, "--"); p; p = strstr(p, "--")) {
		char name[32] = "";
		size_t len = 0;
		bool known = false;

		p += 2;
		while (len < sizeof(name) - 1 && (islower((unsigned char)*p) || *p == '-'))
			name[len++] = *p++;
		for (const struct vmadj_option *o = vmadj_option_table; o->name; o++)
			known |= strcmp(o->name, name) == 0;
		cr_assert(known, "there is no option --%s", name);
	}
}

Test(man, has_every_exit_status_with_its_meaning)
{
	const char *section = strstr(page, ".SH EXIT STATUS\n");

	cr_assert(ne(ptr, (void *)section, NULL));
	for (const struct vmadj_exit_meaning *e = vmadj_exit_table; e->meaning; e++) {
		char heading[96];
		int words = (int)strcspn(e->meaning, "(");

		/* The first letter is a capital on the page; what is in brackets is bold there. */
		(void)snprintf(heading, sizeof(heading), ".TP\n.B %d\n%c%.*s", e->code,
			       toupper((unsigned char)e->meaning[0]), words - 2, e->meaning + 1);
		cr_assert(ne(ptr, strstr(section, heading), NULL), "%s", heading);
	}
}

Test(man, explains_every_column_that_needs_it)
{
	for (const struct vmadj_column *c = vmadj_column_table; c->title; c++) {
		char heading[32];

		if (strcmp(c->title, "PID") == 0 || strcmp(c->title, "ACCEL") == 0 ||
		    strcmp(c->title, "VCPUS") == 0)
			continue;
		(void)snprintf(heading, sizeof(heading), ".TP\n.B %s\n", c->title);
		assert_says(heading);
	}
}

Test(man, names_version_and_pin_directory)
{
	assert_says("\"vmadjust-bpf " VMADJ_VERSION "\"");
	assert_says(".I " VMADJ_PIN_DIR "\n");
}
