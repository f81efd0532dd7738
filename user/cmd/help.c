/* SPDX-License-Identifier: GPL-2.0-only */
/* help.c - --help, made of the tables in optable.c */
#include "user/cmd/options.h"
#include "user/config/config.h"
#include "user/util/wrap.h"

#define HELP_COLUMN 24 /* where the explanation of an option begins */

static void print_option(FILE *out, const struct vmadj_option *option)
{
	char left[64];
	int len;

	if (option->letter) {
		len = snprintf(left, sizeof(left), "  -%c, --%s%s%s", option->letter, option->name,
			       option->arg ? " " : "", option->arg ? option->arg : "");
	} else {
		len = snprintf(left, sizeof(left), "  --%s%s%s", option->name,
			       option->arg ? " " : "", option->arg ? option->arg : "");
	}
	(void)fputs(left, out);
	vmadj_print_wrapped(out, option->help, HELP_COLUMN, len);
}

static void print_options(FILE *out, const char *title, unsigned int commands, bool global)
{
	bool titled = false;

	for (const struct vmadj_option *o = vmadj_option_table; o->name; o++) {
		if ((o->commands == ~0U) != global || !(o->commands & commands))
			continue;
		if (!titled)
			(void)fprintf(out, "\n%s:\n", title);
		titled = true;
		print_option(out, o);
	}
}

static void print_exit_codes(FILE *out)
{
	(void)fputs("\nExit status:\n", out);
	for (const struct vmadj_exit_meaning *e = vmadj_exit_table; e->meaning; e++)
		(void)fprintf(out, "  %d  %s\n", e->code, e->meaning);
}

static void print_program_help(FILE *out)
{
	(void)fputs("vmadjust-bpf - see what every VM of this host gets, and what it waits for\n"
		    "\n"
		    "Usage: vmadjust-bpf [-v] [-q] COMMAND [OPTION...]\n"
		    "\n"
		    "Commands:\n",
		    out);
	for (const struct vmadj_command *c = vmadj_command_table; c->name; c++) {
		int len = fprintf(out, "  %s", c->name);

		vmadj_print_wrapped(out, c->summary, 12, len);
	}
	print_options(out, "Options of every command", ~0U, true);
	print_exit_codes(out);
	(void)fputs("\n\"vmadjust-bpf COMMAND --help\" explains a command. See vmadjust-bpf(8).\n",
		    out);
}

void vmadj_help_print(FILE *out, const struct vmadj_command *topic)
{
	unsigned int bit;

	if (!topic) {
		print_program_help(out);
		return;
	}
	bit = 1U << (unsigned int)(topic - vmadj_command_table);
	(void)fprintf(out, "vmadjust-bpf %s - %s\n\n", topic->name, topic->summary);
	(void)fprintf(out, "Usage: vmadjust-bpf %s %s\n", topic->name,
		      topic->args ? topic->args : "[OPTION...]");
	if (topic->details) {
		(void)fputc('\n', out);
		vmadj_print_wrapped(out, topic->details, 0, 0);
	}
	print_options(out, "Options", bit, false);
	print_options(out, "Options of every command", bit, true);
	if (topic == &vmadj_command_table[VMADJ_COMMAND_RUN]) {
		(void)fputs("\nThe configuration:\n\n", out);
		vmadj_config_print_keys(out);
	}
	print_exit_codes(out);
}
