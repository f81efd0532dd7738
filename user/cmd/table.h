/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * table.h - a snapshot as a table for people
 *
 * One row a VM. Columns that do not fit the width go, the least important first;
 * VMs that do not fit the height are counted. What is not known is a dash, what
 * is not worth a look is blank, and only a VM that waits has a colour.
 *
 * Ownership: the text belongs to the caller.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "user/cmd/view.h"

struct vmadj_table_style {
	bool color;		    /* use SGR sequences */
	bool utf8;		    /* else ASCII only */
	bool screen;		    /* a frame for a terminal: drawn over the one before */
	unsigned int width, height; /* of the terminal; 0: as wide or high as it gets */
};

struct vmadj_table {
	const struct vmadj_snapshot *snapshot;
	const struct vmadj_row *rows;
	size_t n_rows;
	bool filtered; /* --vm was given */
};

/**
 * vmadj_table_render() - the table, ready to be written
 *
 * Return: 0; -ENOMEM.
 */
int vmadj_table_render(const struct vmadj_table *table, const struct vmadj_table_style *style,
		       char **ret_text, size_t *ret_len);
