/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_config.c - the administrator's configuration
 *
 * tests/data/config/NAME.in is loaded and gives NAME.ok, its normalised form, or NAME.err, what is
 * said of it. `make check-update` writes these anew: look at the difference before committing it.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/grab_log.h"
#include "user/config/config_private.h"
#include "user/observe/observer.h"
#include "user/util/file.h"

#define TEXT_MAX 65536
#define MIB	 (1ULL << 20)

#define _cleanup_config_ _cleanup_(vmadj_config_freep)

static char folder[] = "/tmp/vmadj-config-XXXXXX";
static char path[64];

static void set_up(void)
{
	(void)unsetenv("JOURNAL_STREAM");
	cr_assert(ne(ptr, mkdtemp(folder), NULL));
	(void)snprintf(path, sizeof(path), "%s/conf", folder);
	grab_log_start();
}

static void tear_down(void)
{
	(void)unlink(path);
	(void)rmdir(path);
	(void)rmdir(folder);
}

TestSuite(config, .timeout = 30, .init = set_up, .fini = tear_down);

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	cr_assert(ne(ptr, file, NULL), "%s: %m", name);
	cr_assert(ge(int, fputs(text, file), 0));
	cr_assert(zero(int, fclose(file)));
}

static struct vmadj_config *load(const char *text)
{
	struct vmadj_config *config = NULL;

	write_file(path, text);
	cr_assert(zero(int, vmadj_config_load(path, &config)), "%s", grab_log_text());
	return config;
}

static char *print(const struct vmadj_config *config)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	cr_assert(ne(ptr, out, NULL));
	cr_assert(zero(int, vmadj_config_print(out, config)));
	cr_assert(zero(int, fclose(out)));
	return text;
}

/* PREFIX is the packager's. */
static void take_libdir_out(char *text)
{
	char *at = strstr(text, VMADJ_LIBDIR "/vmadjust-bpf/policies");

	if (!at)
		return;
	memmove(at + strlen("LIBDIR"), at + strlen(VMADJ_LIBDIR),
		strlen(at + strlen(VMADJ_LIBDIR)) + 1);
	memcpy(at, "LIBDIR", strlen("LIBDIR"));
}

static void assert_is_in_file(const char *name, const char *got)
{
	static char expected[TEXT_MAX];

	if (getenv("VMADJ_UPDATE")) {
		write_file(name, got);
		return;
	}
	cr_assert(ge(long, vmadj_file_read(AT_FDCWD, name, expected, sizeof(expected)), 0),
		  "%s is not there: make check-update", name);
	cr_assert(eq(str, (char *)got, expected), "%s", name);
}

static void assert_reads_back(const char *text)
{
	_cleanup_config_ struct vmadj_config *again = load(text);
	_cleanup_free_ char *printed = print(again);

	cr_assert(eq(str, printed, (char *)text));
}

/* "a.in" -> "a.ok" */
static void name_beside(const char *in, const char *suffix, char name[NAME_MAX])
{
	size_t stem = strlen(in) - strlen("in");

	cr_assert(lt(sz, stem + strlen(suffix), NAME_MAX));
	memcpy(name, in, stem);
	memcpy(name + stem, suffix, strlen(suffix) + 1);
}

static void try_input(const char *in)
{
	_cleanup_config_ struct vmadj_config *config = NULL;
	char ok[NAME_MAX], bad[NAME_MAX];
	int err;

	name_beside(in, "ok", ok);
	name_beside(in, "err", bad);
	grab_log_start();
	err = vmadj_config_load(in, &config);
	if (err) {
		cr_assert(eq(int, err, -EINVAL), "%s", in);
		cr_assert(eq(ptr, config, NULL), "%s", in);
		cr_assert(ne(int, access(ok, F_OK), 0), "%s was refused:\n%s", in, grab_log_text());
		assert_is_in_file(bad, grab_log_text());
	} else {
		_cleanup_free_ char *text = print(config);

		cr_assert(eq(str, (char *)grab_log_text(), ""), "%s", in);
		cr_assert(ne(int, access(bad, F_OK), 0), "%s was taken", in);
		assert_reads_back(text);
		take_libdir_out(text);
		assert_is_in_file(ok, text);
	}
}

Test(config, inputs_give_what_they_should)
{
	glob_t inputs;

	cr_assert(zero(int, glob("tests/data/config/*.in", 0, NULL, &inputs)),
		  "unit tests run from the top of the tree");
	for (size_t i = 0; i < inputs.gl_pathc; i++)
		try_input(inputs.gl_pathv[i]);
	globfree(&inputs);
}

Test(config, without_a_file_it_is_built_in)
{
	_cleanup_config_ struct vmadj_config *config = NULL;

	cr_assert(zero(int, vmadj_config_load(NULL, &config)));
	cr_assert(epsilon_eq(dbl, config->interval_s, 1, 0));
	cr_assert(eq(int, config->mode, VMADJ_MODE_AUTO));
	cr_assert(eq(str, config->policy_user, "nobody"));
	cr_assert(eq(ptr, config->control_group, NULL));
	cr_assert(eq(u64, config->memory_in_motion_vms, 4));
	cr_assert(zero(sz, config->n_policies));
	cr_assert(zero(sz, config->n_vms));
}

Test(config, values_arrive_in_their_units)
{
	_cleanup_config_ struct vmadj_config *config =
		load("[policy p]\narmed = true\ndeadline = 20ms\nmemory = 2M\nup = 9 %\n"
		     "[vm a]\nmemory_max = 1.5M\ncpus = 0,2-3\n");

	cr_assert(config->policies[0].armed);
	cr_assert(epsilon_eq(dbl, config->policies[0].deadline_s, 0.02, 1e-9));
	cr_assert(eq(u64, config->policies[0].memory_bytes, 2 * MIB));
	cr_assert(eq(sz, config->policies[0].n_params, 1));
	cr_assert(eq(str, config->policies[0].params[0].value, "9 %"));
	cr_assert(eq(uint, config->policies[0].params[0].line, 5));
	cr_assert(eq(u64, config->vms[0].limits.memory_max_bytes, 3 * MIB / 2));
	cr_assert(eq(str, config->vms[0].limits.cpus, "0,2-3"));
}

Test(config, modes_are_those_of_the_observer)
{
	char text[64];

	for (int i = 0; vmadj_mode_names[i]; i++) {
		_cleanup_config_ struct vmadj_config *config = NULL;

		(void)snprintf(text, sizeof(text), "[daemon]\nmode = %s\n", vmadj_mode_names[i]);
		config = load(text);
		cr_assert(eq(int, config->mode, i));
	}
}

static void assert_refused(int err, const char *why)
{
	struct vmadj_config *config = NULL;
	char expected[256] = "";

	if (*why)
		(void)snprintf(expected, sizeof(expected), "vmadjust-bpf: %s: %s\n", path, why);
	cr_assert(eq(int, vmadj_config_load(path, &config), err));
	cr_assert(eq(ptr, config, NULL));
	cr_assert(eq(str, (char *)grab_log_text(), expected));
}

Test(config, a_missing_file_is_left_to_the_caller_to_say)
{
	assert_refused(-ENOENT, "");
}

Test(config, a_directory_is_refused)
{
	cr_assert(zero(int, mkdir(path, 0700)));
	assert_refused(-EINVAL, "is a directory; give a configuration file");
}

Test(config, a_fifo_that_nobody_writes_does_not_block)
{
	cr_assert(zero(int, mkfifo(path, 0600)));
	assert_refused(-EINVAL, "is no regular file; give a configuration file");
}

Test(config, a_file_of_others_is_said_to_be_unreadable)
{
	write_file(path, "");
	cr_assert(zero(int, chmod(path, 0)));
	cr_assert(zero(int, chmod(folder, 0755)));
	/* Root may read everything. The test is a process of its own. */
	if (geteuid() == 0)
		cr_assert(zero(int, seteuid(65534)));
	assert_refused(-EACCES, "cannot be read: Permission denied");
	if (getuid() == 0)
		cr_assert(zero(int, seteuid(0)));
}

Test(config, ten_megabytes_are_refused)
{
	write_file(path, "");
	cr_assert(zero(int, truncate(path, 10 * MIB)));
	assert_refused(-EINVAL, "is longer than 1048576 bytes, which no configuration is");
}

/* @times @piece, and @end. */
static void write_repeated(const char *piece, size_t times, const char *end)
{
	FILE *file = fopen(path, "w");

	cr_assert(ne(ptr, file, NULL));
	for (size_t i = 0; i < times; i++)
		(void)fputs(piece, file);
	(void)fputs(end, file);
	cr_assert(zero(int, fclose(file)));
}

Test(config, the_largest_file_is_read)
{
	_cleanup_config_ struct vmadj_config *config = NULL;

	write_repeated("###############\n", VMADJ_CONFIG_BYTES_MAX / 16, "");
	cr_assert(zero(int, vmadj_config_load(path, &config)), "%s", grab_log_text());
}

Test(config, a_line_of_100_kb_is_refused_and_named)
{
	char said[256];

	write_repeated("x", 100000, " = 1\n");
	(void)snprintf(
		said, sizeof(said),
		"vmadjust-bpf: %s:1: the line is 100004 bytes long; at most %d can be read\n", path,
		VMADJ_CONFIG_LINE_MAX);
	cr_assert(eq(int, vmadj_config_load(path, &(struct vmadj_config *){ NULL }), -EINVAL));
	cr_assert(eq(str, (char *)grab_log_text(), said));
}

Test(config, ten_thousand_sections_are_refused_once)
{
	char said[256];

	write_repeated("[vm *]\n", 10000, "");
	(void)snprintf(said, sizeof(said),
		       "vmadjust-bpf: %s:%d: there are more than %d sections [vm]\n", path,
		       VMADJ_CONFIG_VMS_MAX + 1, VMADJ_CONFIG_VMS_MAX);
	cr_assert(eq(int, vmadj_config_load(path, &(struct vmadj_config *){ NULL }), -EINVAL));
	cr_assert(eq(str, (char *)grab_log_text(), said));
}

Test(config, free_takes_nothing)
{
	vmadj_config_free(NULL);
}

static const char *const limits_text = "[vm *]\npriority = 1\nnice_min = -5\nmemory_max = 4M\n"
				       "[vm db*]\npriority = 2\nmemory_min = 8M\n"
				       "[vm 12-*]\nnice_max = -10\n"
				       "[vm AAAA-*]\nmanage = no\n"
				       "[vm small]\nmemory_min = 8M\n"
				       "[vm small]\nmemory_max = 2M\n";

Test(config, a_vm_that_no_section_names_has_what_is_built_in)
{
	_cleanup_config_ struct vmadj_config *config = load("[vm other]\nmanage = no\n");
	struct vmadj_vm_limits limits = vmadj_config_limits(config, "web", "1-2", NULL);

	cr_assert(limits.manage);
	cr_assert(zero(i64, limits.priority));
	cr_assert(eq(i64, limits.nice_min, -10));
	cr_assert(eq(i64, limits.nice_max, 19));
	cr_assert(zero(u64, limits.memory_min_bytes));
	cr_assert(eq(u64, limits.memory_max_bytes, UINT64_MAX));
	cr_assert(zero(u64, limits.memory_reserve_bytes));
	cr_assert(eq(ptr, limits.cpus, NULL));
}

Test(config, each_key_counts_from_the_last_section_that_sets_it)
{
	_cleanup_config_ struct vmadj_config *config = load(limits_text);
	struct vmadj_vm_limits limits = vmadj_config_limits(config, "db1", "1-2", NULL);

	cr_assert(eq(i64, limits.priority, 2));
	cr_assert(eq(i64, limits.nice_min, -5));
}

Test(config, a_vm_is_found_by_name_id_and_uuid)
{
	_cleanup_config_ struct vmadj_config *config = load(limits_text);

	cr_assert(eq(i64, vmadj_config_limits(config, "x", "12-34", NULL).nice_max, -10));
	cr_assert(not(vmadj_config_limits(config, "x", "1-2", "aaaa-bbbb").manage));
	cr_assert(vmadj_config_limits(config, "x", "1-2", "bbbb-aaaa").manage);
}

Test(config, of_limits_that_contradict_each_other_the_later_one_stays)
{
	_cleanup_config_ struct vmadj_config *config = load(limits_text);
	struct vmadj_vm_limits limits = vmadj_config_limits(config, "db1", "12-34", NULL);

	cr_assert(eq(i64, limits.nice_max, -10));
	cr_assert(eq(i64, limits.nice_min, -10));
	cr_assert(eq(u64, limits.memory_min_bytes, 8 * MIB));
	cr_assert(eq(u64, limits.memory_max_bytes, 8 * MIB));
	limits = vmadj_config_limits(config, "small", "1-2", NULL);
	cr_assert(eq(u64, limits.memory_min_bytes, 2 * MIB));
	cr_assert(eq(u64, limits.memory_max_bytes, 2 * MIB));
}

Test(config, a_failed_value_leaves_the_old_one)
{
	const struct vmadj_config_key *key = vmadj_config_keys_of(VMADJ_CONFIG_DAEMON);
	struct vmadj_config config = { .interval_s = 7 };

	cr_assert(eq(int, vmadj_config_key_parse(key, "x", &config), -EINVAL));
	cr_assert(eq(int, vmadj_config_key_parse(key, "100", &config), -ERANGE));
	cr_assert(epsilon_eq(dbl, config.interval_s, 7, 0));
}

Test(config, a_section_has_no_more_keys_than_bits)
{
	size_t n[VMADJ_CONFIG_NO_SECTION] = { 0 };

	for (const struct vmadj_config_key *k = vmadj_config_key_table; k->name; k++)
		cr_assert(le(sz, ++n[k->kind], VMADJ_CONFIG_KEYS_MAX));
}

Test(config, the_keys_are_printed_for_people)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	char *rest, *line;

	vmadj_config_print_keys(out);
	(void)fclose(out);
	for (const struct vmadj_config_key *k = vmadj_config_key_table; k->name; k++) {
		char heading[128];

		(void)snprintf(heading, sizeof(heading), "\n  %s = %s ", k->name, k->def);
		cr_assert(ne(ptr, strstr(text, heading), NULL), "%s", heading);
	}
	rest = text;
	while ((line = strsep(&rest, "\n")) != NULL)
		cr_assert(le(sz, strlen(line), 100), "%s", line);
}

/* What dist/vmadjust-bpf.conf has in comments that are keys or sections: "#[vm x]", "#  key = 1".
 * Prose has a blank behind its "#". */
static char *without_comments(const char *text)
{
	char *copy = strdup(text), *to = copy;
	bool at_start = true;

	for (const char *from = text; *from; from++) {
		if (at_start && from[0] == '#' && from[1] != ' ' && from[1] != '\n')
			from++;
		*to++ = *from;
		at_start = *from == '\n';
	}
	*to = '\0';
	return copy;
}

Test(config, the_file_that_is_installed_is_what_is_built_in)
{
	_cleanup_config_ struct vmadj_config *installed = NULL, *built_in = NULL;
	_cleanup_free_ char *a = NULL, *b = NULL;

	cr_assert(zero(int, vmadj_config_load("dist/vmadjust-bpf.conf", &installed)));
	cr_assert(zero(int, vmadj_config_load(NULL, &built_in)));
	a = print(installed);
	b = print(built_in);
	cr_assert(eq(str, a, b));
}

Test(config, the_examples_of_that_file_load)
{
	static char text[TEXT_MAX];
	_cleanup_free_ char *bare = NULL;
	_cleanup_config_ struct vmadj_config *config = NULL, *built_in = NULL;

	cr_assert(gt(long, vmadj_file_read(AT_FDCWD, "dist/vmadjust-bpf.conf", text, sizeof(text)),
		     0));
	bare = without_comments(text);
	config = load(bare);
	cr_assert(eq(sz, config->n_policies, 4));
	cr_assert(ge(sz, config->n_vms, 2));
	cr_assert(not(config->policies[0].armed));
	/* The daemon's keys stand there with their defaults. */
	cr_assert(zero(int, vmadj_config_load(NULL, &built_in)));
	cr_assert(epsilon_eq(dbl, config->interval_s, built_in->interval_s, 0));
	for (const struct vmadj_config_key *k = vmadj_config_key_table;
	     k->kind == VMADJ_CONFIG_DAEMON; k++) {
		char line[128];

		if (strcmp(k->name, "policy_dir") == 0)
			continue;
		(void)snprintf(line, sizeof(line), "\n#%s = %s\n", k->name, k->def);
		cr_assert(ne(ptr, strstr(text, line), NULL), "the file lacks:%s", line);
	}
}
