/* SPDX-License-Identifier: GPL-2.0-only */
/* test_man_policies.c - docs/vmadjust-policies.7 says what the policies say of themselves */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <glob.h>

#include "tests/lib/loaded_policy.h"
#include "user/util/file.h"

/* The page with "\-" made "-", as it is read. */
static char page[65536];

static void set_up(void)
{
	char *to = page;

	cr_assert(gt(long,
		     vmadj_file_read(AT_FDCWD, "docs/vmadjust-policies.7", page, sizeof(page)), 0),
		  "unit tests run from the top of the tree");
	for (const char *from = page; *from; from++) {
		if (from[0] == '\\' && from[1] == '-')
			from++;
		*to++ = *from;
	}
	*to = '\0';
}

TestSuite(man_policies, .timeout = 30, .init = set_up);

/* As it is written in the configuration. */
static void value_text(enum vmadj_policy_param_type type, double value, char *text, size_t size)
{
	static const char letters[] = "\0KMGTP";
	int i = 0;

	while (type == VMADJ_PARAM_BYTES && value >= 1024 && i < 5) {
		value /= 1024;
		i++;
	}
	(void)snprintf(text, size, "%.15g%s%c", value, type == VMADJ_PARAM_SECONDS ? "s" : "",
		       letters[i]);
}

/* "(1s..3600s; default: 2s)", with the unit where the values have none */
static void range_text(const struct vmadj_policy_param *param, char *text, size_t size)
{
	char min[32], max[32], def[32];
	bool has_unit = param->unit && param->type != VMADJ_PARAM_SECONDS;

	value_text(param->type, param->min, min, sizeof(min));
	value_text(param->type, param->max, max, sizeof(max));
	value_text(param->type, param->def, def, sizeof(def));
	(void)snprintf(text, size, "(%s..%s%s%s; default: %s)", min, max, has_unit ? " " : "",
		       has_unit ? param->unit : "", def);
}

/* Where the policy is described, and where that ends. */
static const char *part_of(const char *name, const char **ret_end)
{
	char heading[80];
	const char *start;

	(void)snprintf(heading, sizeof(heading), "\n.SS %s\n", name);
	start = strstr(page, heading);
	cr_assert(ne(ptr, (void *)start, NULL), "the page lacks:%s", heading);
	start += strlen(heading);
	*ret_end = strstr(start, "\n.S");
	cr_assert(ne(ptr, (void *)*ret_end, NULL));
	return start;
}

static void hold_to_page(const char *name)
{
	const struct vmadj_policy_ops *ops = loaded_policy_open(name).ops;
	const char *end, *start = part_of(name, &end);
	size_t n = 0, n_on_page = 0;

	for (const struct vmadj_policy_param *p = ops->params; p && p->name; p++, n++) {
		char range[128], entry[512];
		const char *found;

		range_text(p, range, sizeof(range));
		(void)snprintf(entry, sizeof(entry), "\n.TP\n.B %s\n%s\n", p->name, range);
		found = strstr(start, entry);
		cr_assert(found && found < end, "the page lacks, in %s:%s", name, entry);
	}
	for (const char *at = start; (at = strstr(at, "\n.TP\n")) != NULL && at < end; at++)
		n_on_page++;
	cr_assert(eq(sz, n_on_page, n), "%s: a parameter that it has not", name);
}

/* Each file of policies/ is on the page, with each of its parameters and no other. */
Test(man_policies, has_every_policy_and_parameter)
{
	glob_t files;

	cr_assert(eq(int, glob("policies/*.c", 0, NULL, &files), 0));
	cr_assert(ge(sz, files.gl_pathc, 6));
	for (size_t i = 0; i < files.gl_pathc; i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "%s", strrchr(files.gl_pathv[i], '/') + 1);
		*strrchr(name, '.') = '\0';
		hold_to_page(name);
	}
	globfree(&files);
}
