/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cell.h - the columns of the table: what stands in each, how wide, in which colour
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "user/cmd/table.h"

#define VMADJ_CELL_MAX 256 /* bytes of one cell, escapes included */

enum vmadj_tint {
	VMADJ_TINT_NONE,
	VMADJ_TINT_DIM,
	VMADJ_TINT_BOLD,
	VMADJ_TINT_GREEN,
	VMADJ_TINT_YELLOW,
	VMADJ_TINT_RED,
};

struct vmadj_column {
	const char *title;
	bool left;	     /* else right-aligned */
	unsigned int width;  /* least; 0: the title's */
	unsigned int most;   /* columns with a greater one may grow */
	unsigned int leaves; /* on a narrow terminal the lowest goes first; 0: never */
	/* Writes the text; NULL: vmadj_cell_bar(), which has two colours. */
	void (*text)(const struct vmadj_row *row, const struct vmadj_table *table,
		     const struct vmadj_table_style *style, char *cell);
	enum vmadj_tint (*tint)(const struct vmadj_row *row);
	bool (*wanted)(const struct vmadj_row *row); /* shown where a row wants it; NULL: always */
};

extern const struct vmadj_column vmadj_column_table[]; /* title NULL at the end */

#define VMADJ_BAR_WIDTH 10

/* How many of the bar's cells stand for running, and how many for waiting. */
void vmadj_cell_bar(const struct vmadj_snap_vm *vm, unsigned int *ret_run, unsigned int *ret_wait);

/* The sign for "not known". */
const char *vmadj_cell_unknown(const struct vmadj_table_style *style);

/* A foreign string made fit for this terminal. */
void vmadj_cell_foreign(const struct vmadj_table_style *style, const char *text, char *cell,
			size_t size);

/**
 * vmadj_cell_starved_pct() - of the time a VM wanted to run, the part it waited
 *
 * Return: 0..100; NAN when not known or when it hardly wanted to run.
 */
double vmadj_cell_starved_pct(const struct vmadj_snap_vm *vm);
