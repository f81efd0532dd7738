/* SPDX-License-Identifier: GPL-2.0-only */
/* test_man_config.c - docs/vmadjust-bpf.conf.5 says what the table of keys says */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "user/config/config_private.h"
#include "user/util/file.h"

#define LIBDIR_ON_THE_PAGE "/usr/local/lib"

/* The page with "\-" made "-", as it is read. */
static char page[65536];

static void set_up(void)
{
	char *to = page;

	cr_assert(gt(long,
		     vmadj_file_read(AT_FDCWD, "docs/vmadjust-bpf.conf.5", page, sizeof(page)), 0),
		  "unit tests run from the top of the tree");
	for (const char *from = page; *from; from++) {
		if (from[0] == '\\' && from[1] == '-')
			from++;
		*to++ = *from;
	}
	*to = '\0';
}

TestSuite(man_config, .timeout = 10, .init = set_up);

/* Where the section's keys are described, and where that ends. */
static const char *part_of(enum vmadj_config_kind kind, const char **ret_end)
{
	const struct vmadj_config_section *section = &vmadj_config_section_table[kind];
	char heading[64];
	const char *start;

	(void)snprintf(heading, sizeof(heading), "\n.SS [%s%s%s]\n", section->name,
		       section->arg ? " " : "", section->arg ? section->arg : "");
	start = strstr(page, heading);
	cr_assert(ne(ptr, (void *)start, NULL), "the page lacks:%s", heading);
	start += strlen(heading);
	*ret_end = strstr(start, "\n.S");
	cr_assert(ne(ptr, (void *)*ret_end, NULL));
	return start;
}

Test(man_config, has_every_key_with_its_range_and_default)
{
	for (const struct vmadj_config_key *k = vmadj_config_key_table; k->name; k++) {
		const char *end, *start = part_of(k->kind, &end), *found;
		char entry[256], range[128];
		bool in_libdir = strncmp(k->def, VMADJ_LIBDIR, strlen(VMADJ_LIBDIR)) == 0;

		/* PREFIX is the packager's. */
		(void)snprintf(entry, sizeof(entry), "\n.TP\n.B %s\n(%s; default: %s%s)\n", k->name,
			       vmadj_config_key_range(k, range, sizeof(range)),
			       in_libdir ? LIBDIR_ON_THE_PAGE : "",
			       in_libdir ? k->def + strlen(VMADJ_LIBDIR) : k->def);
		found = strstr(start, entry);
		cr_assert(found && found < end, "the page lacks, in its section:%s", entry);
	}
}

Test(man_config, has_no_key_that_the_program_lacks)
{
	size_t n = 0, n_keys = 0;

	for (enum vmadj_config_kind kind = 0; kind < VMADJ_CONFIG_NO_SECTION; kind++) {
		const char *end, *at = part_of(kind, &end);

		while ((at = strstr(at, "\n.TP\n")) != NULL && at < end) {
			at++;
			n++;
		}
	}
	for (const struct vmadj_config_key *k = vmadj_config_key_table; k->name; k++)
		n_keys++;
	/* Each key is there, as the other test says. */
	cr_assert(eq(sz, n, n_keys));
}

Test(man_config, names_the_file_and_the_limits)
{
	char limits[256];

	(void)snprintf(limits, sizeof(limits),
		       "There may be %d policies, %d parameters of each, and %d sections\n",
		       VMADJ_CONFIG_POLICIES_MAX, VMADJ_CONFIG_PARAMS_MAX, VMADJ_CONFIG_VMS_MAX);
	cr_assert(ne(ptr, strstr(page, limits), NULL), "the page lacks: %s", limits);
	(void)snprintf(limits, sizeof(limits), "A line has at most %d bytes",
		       VMADJ_CONFIG_LINE_MAX);
	cr_assert(ne(ptr, strstr(page, limits), NULL), "the page lacks: %s", limits);
	cr_assert(ne(ptr, strstr(page, ".I " VMADJ_CONFIG_FILE "\n"), NULL));
}
