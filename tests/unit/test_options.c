/* SPDX-License-Identifier: GPL-2.0-only */
/* test_options.c - the command line, right and wrong */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "tests/lib/grab_log.h"
#include "user/cmd/options.h"
#include "user/observe/observer.h"
#include "user/util/suggest.h"

#define WORDS_MAX 80

static struct vmadj_options options;
static char *words[WORDS_MAX];
static int n_words;

static void set_up(void)
{
	(void)unsetenv("JOURNAL_STREAM");
	grab_log_start();
	memset(&options, 0x5a, sizeof(options));
}

TestSuite(options, .timeout = 10, .init = set_up);

/* Splits at blanks; "''" is an empty word. */
static int parse(const char *line)
{
	static char copy[1024];
	char *rest = copy;
	char *word;

	(void)snprintf(copy, sizeof(copy), "vmadjust-bpf %s", line);
	n_words = 0;
	while ((word = strsep(&rest, " ")) != NULL) {
		if (*word)
			words[n_words++] = strcmp(word, "''") == 0 ? "" : word;
	}
	words[n_words] = NULL;
	return vmadj_options_parse(n_words, words, &options);
}

static char *command(void)
{
	return (char *)options.command->name;
}

Test(options, dump_has_its_defaults)
{
	cr_assert(zero(int, parse("dump")));
	cr_assert(eq(str, command(), "dump"));
	cr_assert(epsilon_eq(dbl, options.interval_s, 0, 0));
	cr_assert(eq(u64, options.count, 0));
	cr_assert(eq(int, options.sort, VMADJ_SORT_DEFAULT));
	cr_assert(eq(sz, options.n_vm, 0));
	cr_assert(eq(int, options.log_level, LOG_NOTICE));
	cr_assert(eq(int, options.json, 0));
	cr_assert(eq(int, options.no_color, 0));
	cr_assert(eq(ptr, (void *)options.pin_dir, NULL));
	cr_assert(eq(str, (char *)grab_log_text(), ""));
}

Test(options, dump_takes_all_of_its_options)
{
	cr_assert(zero(int, parse("dump --json --interval 0.5 --count 3 --vm web* --vm=db1 "
				  "--sort=wait --pin-dir /sys/fs/bpf/x --no-color")));
	cr_assert(eq(int, options.json, 1));
	cr_assert(epsilon_eq(dbl, options.interval_s, 0.5, 1e-9));
	cr_assert(eq(u64, options.count, 3));
	cr_assert(eq(sz, options.n_vm, 2));
	cr_assert(eq(str, (char *)options.vm[0], "web*"));
	cr_assert(eq(str, (char *)options.vm[1], "db1"));
	cr_assert(eq(int, options.sort, VMADJ_SORT_WAIT));
	cr_assert(eq(str, (char *)options.pin_dir, "/sys/fs/bpf/x"));
	cr_assert(eq(int, options.no_color, 1));
}

Test(options, modes_are_in_the_order_of_the_enumeration)
{
	cr_assert(zero(int, parse("dump")));
	cr_assert(zero(int, options.mode));
	cr_assert(zero(int, parse("dump --mode auto")));
	cr_assert(eq(int, options.mode, 1 + VMADJ_MODE_AUTO));
	cr_assert(zero(int, parse("dump --mode trace")));
	cr_assert(eq(int, options.mode, 1 + VMADJ_MODE_TRACE));
	cr_assert(zero(int, parse("dump --mode poll")));
	cr_assert(eq(int, options.mode, 1 + VMADJ_MODE_POLL));
}

Test(options, sort_keys_are_in_the_order_of_the_enumeration)
{
	static const char *const lines[] = { "dump --sort cpu",	     "dump --sort wait",
					     "dump --sort emulator", "dump --sort hit",
					     "dump --sort name",     "dump --sort pid" };

	for (int i = 0; i < 6; i++) {
		cr_assert(zero(int, parse(lines[i])));
		cr_assert(eq(int, options.sort, VMADJ_SORT_CPU + i));
	}
}

Test(options, a_command_takes_its_words_among_options)
{
	cr_assert(zero(int, parse("policy check --set up=80 a.so --set down=a=b --snapshot -")));
	cr_assert(eq(str, command(), "policy"));
	cr_assert(eq(sz, options.n_words, 2));
	cr_assert(eq(str, (char *)options.word[0], "check"));
	cr_assert(eq(str, (char *)options.word[1], "a.so"));
	cr_assert(eq(sz, options.n_set, 2));
	cr_assert(eq(str, (char *)options.set[0], "up=80"));
	cr_assert(eq(str, (char *)options.set[1], "down=a=b"));
	cr_assert(eq(str, (char *)options.snapshot, "-"));
	cr_assert(zero(int, parse("policy build -- -a.c")));
	cr_assert(eq(str, (char *)options.word[1], "-a.c"));
}

Test(options, a_letter_may_have_a_value)
{
	cr_assert(zero(int, parse("policy build a.c -o b.so")));
	cr_assert(eq(str, (char *)options.output, "b.so"));
	cr_assert(zero(int, parse("policy build a.c -voc.so")));
	cr_assert(eq(str, (char *)options.output, "c.so"));
	cr_assert(eq(int, options.log_level, LOG_INFO));
	cr_assert(zero(int, parse("policy build a.c --output=d.so")));
	cr_assert(eq(str, (char *)options.output, "d.so"));
	cr_assert(eq(sz, options.n_words, 2));
}

Test(options, verbosity_stands_before_or_behind_the_command)
{
	cr_assert(zero(int, parse("-v dump")));
	cr_assert(eq(int, options.log_level, LOG_INFO));
	cr_assert(zero(int, parse("dump -vv")));
	cr_assert(eq(int, options.log_level, LOG_DEBUG));
	cr_assert(zero(int, parse("dump -vvvv")));
	cr_assert(eq(int, options.log_level, LOG_DEBUG));
	cr_assert(zero(int, parse("doctor --quiet")));
	cr_assert(eq(int, options.log_level, LOG_ERR));
}

Test(options, help_goes_before_everything_else)
{
	cr_assert(zero(int, parse("--help")));
	cr_assert(eq(str, command(), "help"));
	cr_assert(eq(ptr, (void *)options.topic, NULL));
	cr_assert(zero(int, parse("dump -h --nonsense")));
	cr_assert(eq(str, command(), "help"));
	cr_assert(eq(str, (char *)options.topic->name, "dump"));
	cr_assert(zero(int, parse("help doctor")));
	cr_assert(eq(str, command(), "help"));
	cr_assert(eq(str, (char *)options.topic->name, "doctor"));
	cr_assert(zero(int, parse("--version")));
	cr_assert(eq(str, command(), "version"));
}

struct wrong {
	char line[96];
	char message[64]; /* a part of it */
};

ParameterizedTestParameters(options, wrong_line_is_refused)
{
	static struct wrong cases[] = {
		{ "", "a command is missing" },
		{ "-v", "a command is missing" },
		{ "dmup", "did you mean \"dump\"" },
		{ "frobnicate", "\"vmadjust-bpf --help\" lists" },
		{ "dump --interval 0", "--interval 0 is out of range; give 0.1 to 3600" },
		{ "dump --interval -1", "--interval -1 is out of range" },
		{ "dump --interval nan", "--interval \"nan\" is not a number of seconds" },
		{ "dump --interval inf", "is not a number of seconds" },
		{ "dump --interval 1e9", "--interval 1e9 is out of range" },
		{ "dump --interval ''", "is not a number of seconds" },
		{ "dump --interval 1x", "is not a number of seconds" },
		{ "dump --interval", "\"--interval\" needs a value: --interval SECONDS" },
		{ "dump --count -1", "--count \"-1\" is not a whole number; give 1 or more" },
		{ "dump --count 0", "--count 0 is out of range" },
		{ "dump --count 1.5", "is not a whole number" },
		{ "dump --count 99999999999999999999999", "is out of range" },
		{ "dump --vm ''", "an empty pattern matches no VM" },
		{ "dump --vm=", "an empty pattern matches no VM" },
		{ "dump --sort wiat", "did you mean \"wait\"" },
		{ "dump --sort q", "--help names what is" },
		{ "dump --pin-dir here", "is not an absolute path" },
		{ "dump --jsno", "did you mean \"--json\"" },
		{ "dump --int 3", "did you mean \"--interval\"" },
		{ "dump --frobnicate", "\"vmadjust-bpf dump --help\" lists" },
		{ "dump --json=yes", "takes no value" },
		{ "dump -x", "there is no option \"-x\"" },
		{ "dump -vx", "there is no option \"-x\"" },
		{ "dump web1", "takes no argument \"web1\"" },
		{ "policy check a.so b.so", "\"b.so\" is one argument too many" },
		{ "policy check a.so --set up", "not of the form NAME=VALUE" },
		{ "policy check a.so --set =1", "not of the form NAME=VALUE" },
		{ "policy build a.c -o", "needs a value: --output FILE" },
		{ "policy build a.c -o ''", "--output needs the name of a file" },
		{ "policy check a.so --snapshot ''", "--snapshot needs the name of a file" },
		{ "dump -o a.so", "there is no option" },
		{ "dump -- --json", "takes no argument \"--json\"" },
		{ "--json dump", "belongs behind a command" },
		{ "doctor --count 3", "\"doctor\" has no option \"--count\"" },
		{ "help dunp", "did you mean \"dump\"" },
		{ "-", "there is no command \"-\"" },
	};

	return cr_make_param_array(struct wrong, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct wrong *c, options, wrong_line_is_refused)
{
	struct vmadj_options before = options;
	const char *said;

	cr_assert(eq(int, parse(c->line), -EINVAL), "%s", c->line);
	said = grab_log_text();
	cr_assert(ne(ptr, (void *)strstr(said, c->message), NULL), "%s\n%s", c->line, said);
	cr_assert(eq(ptr, (void *)strchr(said, '\n'), (void *)(said + strlen(said) - 1)),
		  "one line, not: %s", said);
	cr_assert(zero(int, memcmp(&before, &options, sizeof(options))),
		  "a failed call leaves the result alone");
}

Test(options, too_many_patterns_are_refused)
{
	char line[1024] = "dump";

	for (int i = 0; i < VMADJ_VM_PATTERNS_MAX; i++)
		(void)strcat(line, " --vm=x");
	cr_assert(zero(int, parse(line)));
	cr_assert(eq(sz, options.n_vm, VMADJ_VM_PATTERNS_MAX));
	(void)strcat(line, " --vm=x");
	cr_assert(eq(int, parse(line), -EINVAL));
}

Test(options, a_hostile_word_does_not_reach_the_terminal)
{
	cr_assert(eq(int, parse("\033[2J\n"), -EINVAL));
	cr_assert(eq(ptr, (void *)strchr(grab_log_text(), '\033'), NULL));
}

static char *help_of(const struct vmadj_command *topic)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	vmadj_help_print(out, topic);
	(void)fclose(out);
	return text;
}

Test(options, help_names_every_command_option_and_exit_status)
{
	char *program = help_of(NULL);

	for (const struct vmadj_command *c = vmadj_command_table; c->name; c++)
		cr_assert(strstr(program, c->name) != NULL, "%s", c->name);
	for (const struct vmadj_option *o = vmadj_option_table; o->name; o++) {
		for (const struct vmadj_command *c = vmadj_command_table; c->name; c++) {
			char *text = help_of(c);
			bool has = o->commands & (1U << (unsigned int)(c - vmadj_command_table));
			char flag[32];

			(void)snprintf(flag, sizeof(flag), "  --%s ", o->name);
			if (o->letter)
				(void)snprintf(flag, sizeof(flag), "-%c, --%s ", o->letter,
					       o->name);
			cr_assert(eq(int, strstr(text, flag) != NULL, has), "%s %s", c->name,
				  o->name);
			free(text);
		}
	}
	for (const struct vmadj_exit_meaning *e = vmadj_exit_table; e->meaning; e++)
		cr_assert(strstr(program, e->meaning) != NULL, "%s", e->meaning);
	free(program);
}

Test(options, help_fits_eighty_columns)
{
	for (const struct vmadj_command *c = vmadj_command_table; c->name; c++) {
		char *text = help_of(c);
		char *rest = text;
		char *line;

		while ((line = strsep(&rest, "\n")) != NULL) {
			cr_assert(le(sz, strlen(line), 80), "%s", line);
			cr_assert(ne(chr, *line ? line[strlen(line) - 1] : 'x', ' '), "%s|", line);
		}
		free(text);
	}
}

struct suggest_case {
	char typed[32];
	char meant[32]; /* "": none */
};

ParameterizedTestParameters(options, suggestion)
{
	static struct suggest_case cases[] = {
		{ "dmup", "dump" },
		{ "dum", "dump" },
		{ "du", "dump" },
		{ "docter", "doctor" },
		{ "doctorr", "doctor" },
		{ "x", "" },
		{ "", "" },
		{ "zzzzzz", "" },
		{ "pdm", "" },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "" },
	};

	return cr_make_param_array(struct suggest_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct suggest_case *c, options, suggestion)
{
	static const char *const known[] = { "dump", "doctor", NULL };
	const char *meant = vmadj_suggest(c->typed, known);

	cr_assert(eq(str, (char *)(meant ? meant : ""), c->meant), "%s", c->typed);
}
