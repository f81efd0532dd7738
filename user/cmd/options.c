/* SPDX-License-Identifier: GPL-2.0-only */
/* options.c - parse the command line from the tables in optable.c */
#include "user/cmd/options.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "user/util/log.h"
#include "user/util/parse.h"
#include "user/util/suggest.h"

#define WORDS_MAX 32

struct scanner {
	char **argv;
	int argc;
	int next;
	bool only_words; /* "--" was met */
	const struct vmadj_command *command;
	struct vmadj_options *options;
};

static const struct vmadj_command *find_command(const char *name)
{
	for (const struct vmadj_command *c = vmadj_command_table; c->name; c++) {
		if (strcmp(c->name, name) == 0)
			return c;
	}
	return NULL;
}

static const struct vmadj_option *find_option(const char *name, size_t len)
{
	for (const struct vmadj_option *o = vmadj_option_table; o->name; o++) {
		if (strlen(o->name) == len && memcmp(o->name, name, len) == 0)
			return o;
	}
	return NULL;
}

static const struct vmadj_option *find_letter(char letter)
{
	for (const struct vmadj_option *o = vmadj_option_table; o->name; o++) {
		if (o->letter && o->letter == letter)
			return o;
	}
	return NULL;
}

static bool applies(const struct vmadj_option *option, const struct vmadj_command *command)
{
	if (!command)
		return option->commands == ~0U;
	return option->commands & (1U << (unsigned int)(command - vmadj_command_table));
}

static int refuse_command(const char *name)
{
	const char *words[WORDS_MAX] = { 0 };
	const char *meant;
	size_t n = 0;

	for (const struct vmadj_command *c = vmadj_command_table; c->name && n < WORDS_MAX - 1; c++)
		words[n++] = c->name;
	meant = vmadj_suggest(name, words);
	if (meant) {
		log_err("there is no command \"%s\"; did you mean \"%s\"?", name, meant);
	} else {
		log_err("there is no command \"%s\"; \"vmadjust-bpf --help\" lists the commands",
			name);
	}
	return -EINVAL;
}

static int refuse_option(const struct vmadj_command *command, const char *typed, size_t len)
{
	const char *words[WORDS_MAX] = { 0 };
	const char *where = command ? command->name : "";
	const char *meant;
	char name[64];
	size_t n = 0;

	for (const struct vmadj_option *o = vmadj_option_table; o->name && n < WORDS_MAX - 1; o++) {
		if (applies(o, command))
			words[n++] = o->name;
	}
	(void)snprintf(name, sizeof(name), "%.*s", (int)len, typed);
	meant = vmadj_suggest(name, words);
	if (meant) {
		log_err("there is no option \"--%s\"; did you mean \"--%s\"?", name, meant);
	} else {
		log_err("there is no option \"--%s\"; \"vmadjust-bpf %s%s--help\" lists the options",
			name, where, command ? " " : "");
	}
	return -EINVAL;
}

static int refuse_place(const struct vmadj_option *option, const struct vmadj_command *command)
{
	if (!command) {
		log_err("\"--%s\" belongs behind a command, as in \"vmadjust-bpf dump --%s%s%s\"",
			option->name, option->name, option->arg ? " " : "",
			option->arg ? option->arg : "");
	} else {
		log_err("\"%s\" has no option \"--%s\"; \"vmadjust-bpf %s --help\" lists those it has",
			command->name, option->name, command->name);
	}
	return -EINVAL;
}

static int refuse_number(const struct vmadj_option *option, const char *value, int err)
{
	const char *what =
		option->type == VMADJ_OPTION_DURATION ? "number of seconds" : "whole number";
	char limits[64];

	if (option->type == VMADJ_OPTION_COUNT && option->max > UINT32_MAX) {
		(void)snprintf(limits, sizeof(limits), "%g or more", option->min);
	} else if (option->type == VMADJ_OPTION_COUNT) {
		(void)snprintf(limits, sizeof(limits), "%g to %g", option->min, option->max);
	} else {
		(void)snprintf(limits, sizeof(limits), "%g to %g seconds", option->min,
			       option->max);
	}
	if (err == -ERANGE) {
		log_err("--%s %s is out of range; give %s", option->name, value, limits);
	} else {
		log_err("--%s \"%s\" is not a %s; give %s", option->name, value, what, limits);
	}
	return -EINVAL;
}

static int set_choice(const struct vmadj_option *option, const char *value, int *ret_choice)
{
	const char *meant;

	for (int i = 0; option->choices[i]; i++) {
		if (strcmp(option->choices[i], value) == 0) {
			*ret_choice = i + 1;
			return 0;
		}
	}
	meant = vmadj_suggest(value, option->choices);
	if (meant) {
		log_err("--%s \"%s\" is not known; did you mean \"%s\"?", option->name, value,
			meant);
	} else {
		log_err("--%s \"%s\" is not known; --help names what is", option->name, value);
	}
	return -EINVAL;
}

static int add_pattern(struct vmadj_options *options, const char *value)
{
	if (*value == '\0') {
		log_err("--vm with an empty pattern matches no VM; give a name, an id or a UUID, "
			"or leave it out to see all");
		return -EINVAL;
	}
	if (options->n_vm == VMADJ_VM_PATTERNS_MAX) {
		log_err("more than %d times --vm; use a pattern such as \"web*\"",
			VMADJ_VM_PATTERNS_MAX);
		return -EINVAL;
	}
	options->vm[options->n_vm++] = value;
	return 0;
}

static int add_setting(struct vmadj_options *options, const struct vmadj_option *option,
		       const char *value)
{
	if (*value == '=' || !strchr(value, '=')) {
		log_err("--%s \"%s\" is not of the form %s", option->name, value, option->arg);
		return -EINVAL;
	}
	if (options->n_set == VMADJ_SETTINGS_MAX) {
		log_err("more than %d times --%s", VMADJ_SETTINGS_MAX, option->name);
		return -EINVAL;
	}
	options->set[options->n_set++] = value;
	return 0;
}

static int set_file(const struct vmadj_option *option, const char *value, const char **ret_file)
{
	if (*value == '\0') {
		log_err("--%s needs the name of a file", option->name);
		return -EINVAL;
	}
	*ret_file = value;
	return 0;
}

static int set_dir(const struct vmadj_option *option, const char *value, const char **ret_dir)
{
	if (*value != '/') {
		log_err("--%s \"%s\" is not an absolute path; give one that begins with \"/\"",
			option->name, value);
		return -EINVAL;
	}
	*ret_dir = value;
	return 0;
}

/* An option that has a value. */
static int set_value(struct vmadj_options *options, const struct vmadj_option *option,
		     const char *value)
{
	void *field = (char *)options + option->offset;
	int err;

	switch (option->type) {
	case VMADJ_OPTION_COUNT:
		err = vmadj_parse_u64(value, (uint64_t)option->min, (uint64_t)option->max, field);
		return err ? refuse_number(option, value, err) : 0;
	case VMADJ_OPTION_DURATION:
		err = vmadj_parse_duration(value, option->min, option->max, field);
		return err ? refuse_number(option, value, err) : 0;
	case VMADJ_OPTION_DIR:
		return set_dir(option, value, field);
	case VMADJ_OPTION_FILE:
		return set_file(option, value, field);
	case VMADJ_OPTION_PATTERN:
		return add_pattern(options, value);
	case VMADJ_OPTION_SETTING:
		return add_setting(options, option, value);
	case VMADJ_OPTION_CHOICE:
		return set_choice(option, value, field);
	default:
		return -EINVAL;
	}
}

/* An option without a value. */
static void set_flag(struct scanner *scan, const struct vmadj_option *option)
{
	void *field = (char *)scan->options + option->offset;

	switch (option->type) {
	case VMADJ_OPTION_FLAG:
		*(bool *)field = true;
		break;
	case VMADJ_OPTION_LOUDER:
		*(int *)field += *(int *)field < LOG_DEBUG ? 1 : 0;
		break;
	case VMADJ_OPTION_QUIET:
		*(int *)field = LOG_ERR;
		break;
	case VMADJ_OPTION_HELP:
		scan->options->topic = scan->command;
		scan->options->command = &vmadj_command_table[VMADJ_COMMAND_HELP];
		break;
	case VMADJ_OPTION_VERSION:
		scan->options->command = &vmadj_command_table[VMADJ_COMMAND_VERSION];
		break;
	default:
		break;
	}
}

/* @value is what stood in the same word, or NULL. */
static int take_value(struct scanner *scan, const struct vmadj_option *option, const char *value)
{
	if (!value && scan->next < scan->argc)
		value = scan->argv[scan->next++];
	if (!value) {
		log_err("\"--%s\" needs a value: --%s %s", option->name, option->name, option->arg);
		return -EINVAL;
	}
	return set_value(scan->options, option, value);
}

static int take_long(struct scanner *scan, const char *text)
{
	size_t len = strcspn(text, "=");
	const struct vmadj_option *option = find_option(text, len);
	const char *value = text[len] == '=' ? text + len + 1 : NULL;

	if (!option)
		return refuse_option(scan->command, text, len);
	if (!applies(option, scan->command))
		return refuse_place(option, scan->command);
	if (!option->arg && value) {
		log_err("\"--%s\" takes no value; leave \"=%s\" out", option->name, value);
		return -EINVAL;
	}
	if (!option->arg) {
		set_flag(scan, option);
		return 0;
	}
	return take_value(scan, option, value);
}

/* One or more letters behind one dash; what follows one that has a value, is its value. */
static int take_letters(struct scanner *scan, const char *letters)
{
	for (; *letters; letters++) {
		const struct vmadj_option *option = find_letter(*letters);

		if (!option || !applies(option, scan->command)) {
			log_err("there is no option \"-%s\"; \"vmadjust-bpf --help\" lists the options",
				letters);
			return -EINVAL;
		}
		if (option->arg)
			return take_value(scan, option, letters[1] ? letters + 1 : NULL);
		set_flag(scan, option);
	}
	return 0;
}

static int take_argument(struct scanner *scan, const char *word)
{
	struct vmadj_options *options = scan->options;
	const char *name = scan->command->name;

	if (scan->command->words_max == 0) {
		log_err("\"%s\" takes no argument \"%s\"; \"vmadjust-bpf %s --help\" shows what it takes",
			name, word, name);
		return -EINVAL;
	}
	if (options->n_words == scan->command->words_max) {
		log_err("\"%s\" is one argument too many; \"vmadjust-bpf %s --help\" shows what it takes",
			word, name);
		return -EINVAL;
	}
	options->word[options->n_words++] = word;
	return 0;
}

static int take_word(struct scanner *scan, const char *word)
{
	struct vmadj_options *options = scan->options;
	const struct vmadj_command *command;

	if (scan->command && scan->command != &vmadj_command_table[VMADJ_COMMAND_HELP])
		return take_argument(scan, word);
	command = find_command(word);
	if (!command)
		return refuse_command(word);
	if (scan->command) {
		options->topic = command;
		return 0;
	}
	scan->command = command;
	options->command = command;
	return 0;
}

static int take_one(struct scanner *scan)
{
	const char *text = scan->argv[scan->next++];

	if (scan->only_words || text[0] != '-')
		return take_word(scan, text);
	if (strcmp(text, "--") == 0) {
		scan->only_words = true;
		return 0;
	}
	if (text[1] == '-')
		return take_long(scan, text + 2);
	/* "-" alone, and a negative number behind a command that takes words, are words. */
	if (text[1] == '\0' || (scan->command && scan->command->words_max && isdigit(text[1])))
		return take_word(scan, text);
	return take_letters(scan, text + 1);
}

/* --help and --version decide at once: what stands behind them need not be right. */
static bool decided(const struct scanner *scan)
{
	return scan->options->command != scan->command;
}

int vmadj_options_parse(int argc, char **argv, struct vmadj_options *ret_options)
{
	struct vmadj_options options = { .log_level = LOG_NOTICE, .cpu = UINT64_MAX };
	struct scanner scan = { .argv = argv, .argc = argc, .next = 1, .options = &options };

	while (scan.next < argc && !decided(&scan)) {
		int err = take_one(&scan);

		if (err)
			return err;
	}
	if (!options.command) {
		log_err("a command is missing; try \"vmadjust-bpf dump\" or \"vmadjust-bpf --help\"");
		return -EINVAL;
	}
	*ret_options = options;
	return 0;
}
