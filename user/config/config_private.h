/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * config_private.h - the table of keys, and what the files of user/config share
 *
 * Units:     a key's offset is into struct vmadj_config, vmadj_config_policy or vmadj_vm_limits,
 *            as its section says.
 * Errors:    0; -EINVAL, -ERANGE: no value for that key; -ENOMEM.
 */
#pragma once

#include "user/config/config.h"

/* Bytes of a line without blanks at its ends and its comment: inih cuts what is longer. */
#define VMADJ_CONFIG_LINE_MAX	  197
#define VMADJ_CONFIG_POLICIES_MAX 256
#define VMADJ_CONFIG_VMS_MAX	  4096
#define VMADJ_CONFIG_NAME_MAX	  31 /* of a policy and of its parameters */
#define VMADJ_CONFIG_KEYS_MAX	  32 /* of one section: bits of vmadj_config_vm.set */

enum vmadj_config_kind {
	VMADJ_CONFIG_DAEMON,
	VMADJ_CONFIG_POLICY,
	VMADJ_CONFIG_VM,
	VMADJ_CONFIG_NO_SECTION,
};

enum vmadj_config_type {
	VMADJ_CONFIG_BOOL,     /* bool */
	VMADJ_CONFIG_INTEGER,  /* int64_t or uint64_t */
	VMADJ_CONFIG_DURATION, /* double, seconds */
	VMADJ_CONFIG_BYTES,    /* uint64_t */
	VMADJ_CONFIG_PERCENT,  /* double */
	VMADJ_CONFIG_CHOICE,   /* int: the place among choices */
	VMADJ_CONFIG_TEXT,     /* char *, and so below */
	VMADJ_CONFIG_PATH,     /* absolute */
	VMADJ_CONFIG_CPUS,     /* "0-3,8" */
};

struct vmadj_config_section {
	const char *name;
	const char *arg; /* what stands behind the name; NULL: nothing */
	const char *help;
};

struct vmadj_config_key {
	enum vmadj_config_kind kind;
	enum vmadj_config_type type;
	const char *name;
	size_t offset;
	double min, max;
	const char *def; /* as it would be written */
	const char
		*word; /* a value that is none of the type: "auto", "none"; NULL: there is none */
	uint64_t word_value;	    /* what is stored for it; of texts: NULL */
	const char *const *choices; /* NULL at the end */
	const char *help;
};

/* By enum vmadj_config_kind; and the keys, those of a section together. Each ends with a row
 * whose name is NULL. */
extern const struct vmadj_config_section vmadj_config_section_table[];
extern const struct vmadj_config_key vmadj_config_key_table[];

/* The first key of a section; the others follow it. */
const struct vmadj_config_key *vmadj_config_keys_of(enum vmadj_config_kind kind);

/** vmadj_config_key_parse() - store a value; Return: 0; -EINVAL; -ERANGE; -ENOMEM. */
int vmadj_config_key_parse(const struct vmadj_config_key *key, const char *text, void *base);
void vmadj_config_key_copy(const struct vmadj_config_key *key, const void *from, void *to);
void vmadj_config_key_print(FILE *out, const struct vmadj_config_key *key, const void *base);

/* What may be given, as "a time from 0.1s to 60s". Return: @buf. */
char *vmadj_config_key_range(const struct vmadj_config_key *key, char *buf, size_t size);

/* Gives all keys of a section their defaults; Return: 0; -ENOMEM. */
int vmadj_config_defaults(enum vmadj_config_kind kind, void *base);

/* Frees the texts of a section's keys. */
void vmadj_config_forget(enum vmadj_config_kind kind, void *base);

/**
 * vmadj_config_read() - a file whole, and none that is no text
 *
 * Return: 0, @ret_text with a NUL behind it; the errnos of vmadj_config_load().
 */
int vmadj_config_read(const char *path, char **ret_text);

/* What of a text of @len bytes is none of a configuration: NUL, not UTF-8, control characters.
 * Return: 0; -EINVAL, logged. */
int vmadj_config_check_text(const char *path, const char *text, size_t len);

/* vmadj_config_load() from a text that was checked, and that it writes into. */
int vmadj_config_parse(const char *path, char *text, struct vmadj_config **ret_config);
