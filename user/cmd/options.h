/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * options.h - the command line: subcommands and options, parsed from one table
 *
 * The tables are in optable.c. Parsing, --help and the test that holds the man
 * page to the program all read them, so a new option is one new row.
 *
 * Errors:    0 or -EINVAL; what is wrong, why and what to do was logged.
 * Ownership: parsed options point into argv and into the tables.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define VMADJ_VM_PATTERNS_MAX 64
#define VMADJ_WORDS_MAX	      16
#define VMADJ_SETTINGS_MAX    64

enum vmadj_command_id {
	VMADJ_COMMAND_DUMP,
	VMADJ_COMMAND_DOCTOR,
	VMADJ_COMMAND_RUN,
	VMADJ_COMMAND_CTL,
	VMADJ_COMMAND_RESTORE,
	VMADJ_COMMAND_POLICY,
	VMADJ_COMMAND_BENCH,
	VMADJ_COMMAND_HELP,
	VMADJ_COMMAND_VERSION,
};

enum vmadj_sort {
	VMADJ_SORT_DEFAULT, /* none was asked for: the table by CPU, JSON by pid */
	VMADJ_SORT_CPU,
	VMADJ_SORT_WAIT,
	VMADJ_SORT_EMULATOR,
	VMADJ_SORT_HIT,
	VMADJ_SORT_NAME,
	VMADJ_SORT_PID,
};

enum vmadj_option_type {
	VMADJ_OPTION_FLAG,     /* bool */
	VMADJ_OPTION_COUNT,    /* uint64_t, min..max */
	VMADJ_OPTION_DURATION, /* double, seconds, min..max */
	VMADJ_OPTION_DIR,      /* const char *, an absolute path */
	VMADJ_OPTION_FILE,     /* const char *, a path */
	VMADJ_OPTION_PATTERN,  /* appended to struct vmadj_options.vm */
	VMADJ_OPTION_SETTING,  /* NAME=VALUE, appended to struct vmadj_options.set */
	VMADJ_OPTION_CHOICE,   /* int: 1 + the place among choices; 0: not given */
	VMADJ_OPTION_LOUDER,   /* int, a level of syslog(3), one step */
	VMADJ_OPTION_QUIET,    /* the same, errors only */
	VMADJ_OPTION_HELP,     /* instead of the command, its help */
	VMADJ_OPTION_VERSION,  /* instead of the command, the version */
};

struct vmadj_options;

struct vmadj_command {
	const char *name;
	const char *args; /* what may stand behind it, for --help */
	size_t words_max; /* how many words may; they are checked by the command itself */
	const char *summary;
	const char *details;
	int (*run)(const struct vmadj_options *options); /* Return: enum vmadj_exit */
};

struct vmadj_option {
	const char *name; /* without the dashes */
	char letter;	  /* 0: none */
	enum vmadj_option_type type;
	unsigned int commands; /* bit i: belongs to command i */
	size_t offset;	       /* in struct vmadj_options */
	double min, max;
	const char *arg;	    /* what its value is called; NULL: it has none */
	const char *const *choices; /* NULL at the end */
	const char *help;
};

struct vmadj_options {
	const struct vmadj_command *command;
	const struct vmadj_command *topic; /* of help; NULL: the program */
	int log_level;
	bool json, no_color;
	bool check, dry_run;
	const char *config; /* NULL: not given */
	const char *socket; /* of the daemon; NULL: not given */
	double interval_s;  /* 0: not given */
	uint64_t count;	    /* 0: without end */
	int sort;	    /* enum vmadj_sort */
	int mode;	    /* 1 + enum vmadj_mode; 0: not given */
	const char *pin_dir;
	const char *output, *snapshot;
	const char *kmod; /* a kernel module; NULL: not given */
	bool markdown;
	uint64_t pairs; /* 0: not given */
	uint64_t cpu;	/* UINT64_MAX: not given */
	const char *vm[VMADJ_VM_PATTERNS_MAX];
	size_t n_vm;
	const char *set[VMADJ_SETTINGS_MAX]; /* "NAME=VALUE", NAME not empty */
	size_t n_set;
	const char *word[VMADJ_WORDS_MAX]; /* what stands behind the command */
	size_t n_words;
};

/* The tables; each ends with a row whose name is NULL. */
extern const struct vmadj_command vmadj_command_table[];
extern const struct vmadj_option vmadj_option_table[];

struct vmadj_exit_meaning {
	int code;
	const char *meaning; /* NULL at the end */
};
extern const struct vmadj_exit_meaning vmadj_exit_table[];

/**
 * vmadj_options_parse() - read the command line
 *
 * --help and --version make the command "help" or "version".
 *
 * Return: 0; -EINVAL.
 */
int vmadj_options_parse(int argc, char **argv, struct vmadj_options *ret_options);

/* The help of one command, or of the program when @topic is NULL. */
void vmadj_help_print(FILE *out, const struct vmadj_command *topic);
