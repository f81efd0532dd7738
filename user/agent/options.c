// SPDX-License-Identifier: GPL-2.0-only
/* options.c - the options of vmadjust-guest */
#include "user/agent/options.h"

#include <errno.h>
#include <getopt.h>

#include "user/agent/orders.h"
#include "user/agent/port.h"
#include "user/util/log.h"
#include "user/util/parse.h"

#define INTERVAL_MS 1000

/* Indexes of the table. */
enum { PORT, ONCE, INTERVAL, HELP, VERSION, OPTIONS };

const struct vmadj_guest_option vmadj_guest_option_table[] = {
	[PORT] = { "port", "PATH", "the port to the host (the one called " VMADJ_PORT_NAME ")" },
	[ONCE] = { "once", NULL, "print one report on standard output, and end" },
	[INTERVAL] = { "interval", "SECONDS", "between reports, until the host says (1)" },
	[HELP] = { "help", NULL, "print this" },
	[VERSION] = { "version", NULL, "print the version" },
	[OPTIONS] = { NULL, NULL, NULL },
};

void vmadj_guest_help(FILE *out)
{
	(void)fprintf(out,
		      "Usage: vmadjust-guest [OPTION...]\n\n"
		      "Tells the host of this virtual machine what its memory is used for.\n\n");
	for (const struct vmadj_guest_option *o = vmadj_guest_option_table; o->name; o++) {
		char left[32];

		(void)snprintf(left, sizeof(left), "--%s %s", o->name, o->arg ? o->arg : "");
		(void)fprintf(out, "  %-20s  %s\n", left, o->help);
	}
}

static int interval_read(const char *text, unsigned int *ret_ms)
{
	double s;
	int err = vmadj_parse_duration(text, VMADJ_INTERVAL_MIN_MS / 1e3,
				       VMADJ_INTERVAL_MAX_MS / 1e3, &s);

	if (err) {
		log_err("--interval=%s: not 0.2 to 60 seconds", text);
		return -EINVAL;
	}
	*ret_ms = (unsigned int)(s * 1000 + 0.5);
	return 0;
}

static int option_take(int option, const char *arg, struct vmadj_guest_options *options)
{
	switch (option) {
	case PORT:
		options->port = arg;
		return 0;
	case ONCE:
		options->mode = VMADJ_GUEST_ONCE;
		return 0;
	case INTERVAL:
		return interval_read(arg, &options->interval_ms);
	case HELP:
		options->mode = VMADJ_GUEST_HELP;
		return 0;
	case VERSION:
		options->mode = VMADJ_GUEST_VERSION;
		return 0;
	default:
		return -EINVAL; /* getopt has said what is wrong */
	}
}

int vmadj_guest_options_read(int argc, char **argv, struct vmadj_guest_options *ret_options)
{
	struct vmadj_guest_options options = { .interval_ms = INTERVAL_MS };
	struct option names[OPTIONS + 1] = { 0 };
	int option, err;

	for (int i = 0; i < OPTIONS; i++) {
		names[i].name = vmadj_guest_option_table[i].name;
		names[i].has_arg =
			vmadj_guest_option_table[i].arg ? required_argument : no_argument;
		names[i].val = i;
	}
	optind = 0;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		err = option_take(option, optarg, &options);
		if (err)
			return err;
		/* What follows does not matter to them. */
		if (options.mode == VMADJ_GUEST_HELP || options.mode == VMADJ_GUEST_VERSION)
			break;
	}
	if (options.mode <= VMADJ_GUEST_ONCE && optind < argc) {
		log_err("%s: no such argument", argv[optind]);
		return -EINVAL;
	}
	*ret_options = options;
	return 0;
}
