/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * options.h - the options of vmadjust-guest: one table, which --help and the manual follow
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

enum vmadj_guest_exit {
	VMADJ_GUEST_DONE = 0,	/* told to end, or --once has reported */
	VMADJ_GUEST_FAILED = 1, /* no memory, or the report could not be written */
	VMADJ_GUEST_USAGE = 2,	/* a wrong option */
};

enum vmadj_guest_mode {
	VMADJ_GUEST_RUN,
	VMADJ_GUEST_ONCE,
	VMADJ_GUEST_HELP,
	VMADJ_GUEST_VERSION,
};

struct vmadj_guest_option {
	const char *name, *arg, *help; /* arg NULL: it has none */
};

/* Ends with a name of NULL. */
extern const struct vmadj_guest_option vmadj_guest_option_table[];

struct vmadj_guest_options {
	enum vmadj_guest_mode mode;
	const char *port; /* NULL: it is found */
	unsigned int interval_ms;
};

/** vmadj_guest_options_read() - Return: 0; -EINVAL: wrong, and said on standard error. */
int vmadj_guest_options_read(int argc, char **argv, struct vmadj_guest_options *ret_options);

void vmadj_guest_help(FILE *out);
