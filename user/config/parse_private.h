/* SPDX-License-Identifier: GPL-2.0-only */
/* parse_private.h - what parse.c and sections.c share: a file that is being read */
#pragma once

#include "user/config/config_private.h"

/* The section whose keys come now; of NO_SECTION are skipped, in silence where line is not 0: the
 * section itself was wrong. */
struct vmadj_config_open_section {
	enum vmadj_config_kind kind;
	unsigned int line;
	void *base; /* what its keys' offsets are into */
	struct vmadj_config_policy *policy;
	struct vmadj_config_vm *vm;
	unsigned int key_line[VMADJ_CONFIG_KEYS_MAX]; /* 0: not set yet */
};

struct vmadj_config_loader {
	const char *path;
	char *at; /* what has not been read yet */
	unsigned int line;
	unsigned int unsplit_line; /* given to inih, and nothing was heard of it; 0: none */
	unsigned int daemon_line;
	unsigned int n_faults;
	bool too_many_policies, too_many_vms; /* said so */
	int err;
	struct vmadj_config *config;
	struct vmadj_config_open_section section;
};

/* Says what is wrong, and that the file is refused. */
__attribute__((format(printf, 3, 4))) void vmadj_config_fault(struct vmadj_config_loader *loader,
							      unsigned int line, const char *fmt,
							      ...);

/* @text: the line, from "[" on, that it writes into. */
void vmadj_config_open_section(struct vmadj_config_loader *loader, char *text);

/* Closes the one before, and the keys that come now belong to none. */
void vmadj_config_skip_section(struct vmadj_config_loader *loader);

/* Looks for what its keys contradict. */
void vmadj_config_close_section(struct vmadj_config_loader *loader);

/* Looks for what sections contradict, and works out what is "auto". */
void vmadj_config_settle(struct vmadj_config_loader *loader);
