/* SPDX-License-Identifier: GPL-2.0-only */
/* cell.c - the columns of the table: what stands in each, how wide, in which colour */
#include "user/cmd/cell.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "user/util/text.h"

#define WAIT_SHOWN_PCT	  0.5 /* below it nobody is blamed */
#define DEMAND_LEAST_PCT  1   /* of a CPU; who wants less is not called starved */
#define STARVED_A_BIT_PCT 10
#define STARVED_PCT	  25
#define MIB		  1048576.0
#define CULPRIT_LEAST_PCT 10 /* a second and third culprit are named from here on */

const char *vmadj_cell_unknown(const struct vmadj_table_style *style)
{
	return style->utf8 ? "\xe2\x80\x93" : "-";
}

void vmadj_cell_foreign(const struct vmadj_table_style *style, const char *text, char *cell,
			size_t size)
{
	if (style->utf8) {
		(void)vmadj_escape(text, cell, size);
	} else {
		(void)vmadj_escape_ascii(text, cell, size);
	}
}

double vmadj_cell_starved_pct(const struct vmadj_snap_vm *vm)
{
	double demand_pct = vm->cpu.usage_pct + vm->cpu.wait_pct;

	if (!vm->cpu.known || !(demand_pct >= DEMAND_LEAST_PCT))
		return NAN;
	return vm->cpu.wait_pct * 100 / demand_pct;
}

void vmadj_cell_bar(const struct vmadj_snap_vm *vm, unsigned int *ret_run, unsigned int *ret_wait)
{
	double whole_pct = 100.0 * (double)vm->n_vcpus;
	double run = vm->cpu.usage_pct / whole_pct * VMADJ_BAR_WIDTH;
	double both = (vm->cpu.usage_pct + vm->cpu.wait_pct) / whole_pct * VMADJ_BAR_WIDTH;

	*ret_run = *ret_wait = 0;
	if (!vm->cpu.known || !(both > 0))
		return;
	/* Rounding must not lengthen the bar, and many vCPUs may be a little above 100 %. */
	both = fmin(round(both), VMADJ_BAR_WIDTH);
	run = fmin(round(run), both);
	*ret_run = (unsigned int)run;
	*ret_wait = (unsigned int)(both - run);
}

static void put_pct(double pct, const struct vmadj_table_style *style, char *cell)
{
	if (isnan(pct)) {
		(void)snprintf(cell, VMADJ_CELL_MAX, "%s", vmadj_cell_unknown(style));
	} else {
		(void)snprintf(cell, VMADJ_CELL_MAX, "%.1f", pct);
	}
}

static void text_name(const struct vmadj_row *row, const struct vmadj_table *table,
		      const struct vmadj_table_style *style, char *cell)
{
	const char *mark = row->vm->ended ? "ended: " : "";

	(void)table;
	(void)snprintf(cell, VMADJ_CELL_MAX, "%s", mark);
	vmadj_cell_foreign(style, row->vm->name, cell + strlen(mark),
			   VMADJ_CELL_MAX - strlen(mark));
}

static void text_pid(const struct vmadj_row *row, const struct vmadj_table *table,
		     const struct vmadj_table_style *style, char *cell)
{
	(void)table;
	(void)style;
	(void)snprintf(cell, VMADJ_CELL_MAX, "%d", (int)row->vm->pid);
}

static void text_accel(const struct vmadj_row *row, const struct vmadj_table *table,
		       const struct vmadj_table_style *style, char *cell)
{
	const char *accel = row->vm->accel ? row->vm->accel : vmadj_cell_unknown(style);

	(void)table;
	(void)snprintf(cell, VMADJ_CELL_MAX, "%s", accel);
}

static void text_vcpus(const struct vmadj_row *row, const struct vmadj_table *table,
		       const struct vmadj_table_style *style, char *cell)
{
	(void)table;
	if (!row->vm->cpu.known && row->vm->n_vcpus == 0) {
		(void)snprintf(cell, VMADJ_CELL_MAX, "%s", vmadj_cell_unknown(style));
	} else {
		(void)snprintf(cell, VMADJ_CELL_MAX, "%zu", row->vm->n_vcpus);
	}
}

static void text_use(const struct vmadj_row *row, const struct vmadj_table *table,
		     const struct vmadj_table_style *style, char *cell)
{
	(void)table;
	put_pct(row->vm->cpu.known ? row->vm->cpu.usage_pct : (double)NAN, style, cell);
}

static void text_wait(const struct vmadj_row *row, const struct vmadj_table *table,
		      const struct vmadj_table_style *style, char *cell)
{
	(void)table;
	put_pct(row->vm->cpu.known ? row->vm->cpu.wait_pct : (double)NAN, style, cell);
}

static void text_emulator(const struct vmadj_row *row, const struct vmadj_table *table,
			  const struct vmadj_table_style *style, char *cell)
{
	(void)table;
	put_pct(row->emulator_pct, style, cell);
}

static void text_p99(const struct vmadj_row *row, const struct vmadj_table *table,
		     const struct vmadj_table_style *style, char *cell)
{
	double us = row->vm->cpu.wait_p99_us;

	(void)table;
	if (!row->vm->cpu.known || isnan(us)) {
		(void)snprintf(cell, VMADJ_CELL_MAX, "%s", vmadj_cell_unknown(style));
	} else if (us < 1000) {
		(void)snprintf(cell, VMADJ_CELL_MAX, "%.0f us", us);
	} else if (us < 1e6) {
		(void)snprintf(cell, VMADJ_CELL_MAX, us < 1e5 ? "%.1f ms" : "%.0f ms", us / 1e3);
	} else {
		(void)snprintf(cell, VMADJ_CELL_MAX, "%.1f s", us / 1e6);
	}
}

static void text_culprits(const struct vmadj_row *row, const struct vmadj_table *table,
			  const struct vmadj_table_style *style, char *cell)
{
	size_t used = 0;

	(void)table;
	cell[0] = '\0';
	if (!row->vm->cpu.known) {
		/* Why so much of this row is not known stands where there is room for it. */
		if (row->vm->note)
			vmadj_cell_foreign(style, row->vm->note, cell, VMADJ_CELL_MAX);
		return;
	}
	if (row->vm->cpu.polled)
		(void)snprintf(cell, VMADJ_CELL_MAX, "%s", vmadj_cell_unknown(style));
	if (!(row->vm->cpu.wait_pct >= WAIT_SHOWN_PCT))
		return;
	for (size_t i = 0; i < row->n_culprits; i++) {
		const struct vmadj_culprit *culprit = &row->culprits[i];
		char who[64];

		if (i > 0 && culprit->share_pct < CULPRIT_LEAST_PCT)
			return;
		vmadj_cell_foreign(style, culprit->who, who, sizeof(who));
		used += (size_t)snprintf(cell + used, VMADJ_CELL_MAX - used, "%s%s %.0f %%",
					 i ? ", " : "", who, culprit->share_pct);
	}
}

static void text_pages(const struct vmadj_row *row, const struct vmadj_table *table,
		       const struct vmadj_table_style *style, char *cell)
{
	double rate = (double)row->vm->delta.accessed_pages / table->snapshot->interval_s;

	if (!row->vm->host_cache.known || !(table->snapshot->interval_s > 0)) {
		(void)snprintf(cell, VMADJ_CELL_MAX, "%s", vmadj_cell_unknown(style));
	} else if (rate < 1e5) {
		(void)snprintf(cell, VMADJ_CELL_MAX, "%.0f", rate);
	} else if (rate < 1e7) {
		(void)snprintf(cell, VMADJ_CELL_MAX, "%.0fk", rate / 1e3);
	} else {
		(void)snprintf(cell, VMADJ_CELL_MAX, "%.0fM", rate / 1e6);
	}
}

static void text_hit(const struct vmadj_row *row, const struct vmadj_table *table,
		     const struct vmadj_table_style *style, char *cell)
{
	(void)table;
	put_pct(row->vm->host_cache.known ? row->vm->host_cache.hit_pct : (double)NAN, style, cell);
}

/* "5", and where it was changed "5 (0)"; a value without effect in brackets of another kind. */
static void text_nice(const struct vmadj_row *row, const struct vmadj_table *table,
		      const struct vmadj_table_style *style, char *cell)
{
	const struct vmadj_snap_cpu_knob *knob = &row->vm->knobs.cpu;

	(void)table;
	if (!knob->kind) {
		(void)snprintf(cell, VMADJ_CELL_MAX, "%s", vmadj_cell_unknown(style));
	} else if (!knob->effective) {
		(void)snprintf(cell, VMADJ_CELL_MAX, "[%d]", knob->nice);
	} else if (knob->nice != knob->original_nice) {
		(void)snprintf(cell, VMADJ_CELL_MAX, "%d (%d)", knob->nice, knob->original_nice);
	} else {
		(void)snprintf(cell, VMADJ_CELL_MAX, "%d", knob->nice);
	}
}

static void text_memory(const struct vmadj_row *row, const struct vmadj_table *table,
			const struct vmadj_table_style *style, char *cell)
{
	const struct vmadj_snap_balloon_knob *knob = &row->vm->knobs.balloon;

	(void)table;
	if (!knob->kind) {
		(void)snprintf(cell, VMADJ_CELL_MAX, "%s", vmadj_cell_unknown(style));
	} else {
		(void)snprintf(cell, VMADJ_CELL_MAX, "%.0f/%.0f", (double)knob->actual_bytes / MIB,
			       (double)knob->max_bytes / MIB);
	}
}

/* Who tells of the guest's memory now: "agent", "qemu-ga", "balloon". */
static void text_guest(const struct vmadj_row *row, const struct vmadj_table *table,
		       const struct vmadj_table_style *style, char *cell)
{
	const struct vmadj_guest *guest = &row->vm->guest;

	(void)table;
	(void)snprintf(cell, VMADJ_CELL_MAX, "%s",
		       guest->known && guest->source ? guest->source : vmadj_cell_unknown(style));
}

static bool has_guest(const struct vmadj_row *row)
{
	return row->vm->guest.known;
}

static bool has_knobs(const struct vmadj_row *row)
{
	return row->vm->knobs.known;
}

static bool has_balloon(const struct vmadj_row *row)
{
	return row->vm->knobs.balloon.kind != NULL;
}

static enum vmadj_tint tint_nice(const struct vmadj_row *row)
{
	const struct vmadj_snap_cpu_knob *knob = &row->vm->knobs.cpu;

	if (!knob->kind || !knob->effective)
		return VMADJ_TINT_DIM;
	return knob->nice != knob->original_nice ? VMADJ_TINT_BOLD : VMADJ_TINT_NONE;
}

static enum vmadj_tint tint_wait(const struct vmadj_row *row)
{
	double starved_pct = vmadj_cell_starved_pct(row->vm);

	if (starved_pct >= STARVED_PCT)
		return VMADJ_TINT_RED;
	return starved_pct >= STARVED_A_BIT_PCT ? VMADJ_TINT_YELLOW : VMADJ_TINT_NONE;
}

static enum vmadj_tint tint_name(const struct vmadj_row *row)
{
	return tint_wait(row) == VMADJ_TINT_NONE ? VMADJ_TINT_NONE : VMADJ_TINT_BOLD;
}

static enum vmadj_tint tint_culprits(const struct vmadj_row *row)
{
	return row->vm->cpu.known ? VMADJ_TINT_NONE : VMADJ_TINT_DIM;
}

const struct vmadj_column vmadj_column_table[] = {
	{ "NAME", true, 16, 40, 0, text_name, tint_name, NULL },
	{ "PID", false, 7, 0, 5, text_pid, NULL, NULL },
	{ "ACCEL", true, 0, 0, 1, text_accel, NULL, NULL },
	{ "VCPUS", false, 0, 0, 4, text_vcpus, NULL, NULL },
	{ "CPU", true, VMADJ_BAR_WIDTH, 0, 6, NULL, NULL, NULL },
	{ "USE%", false, 6, 0, 0, text_use, NULL, NULL },
	{ "WAIT%", false, 6, 0, 0, text_wait, tint_wait, NULL },
	{ "EMUL%", false, 6, 0, 2, text_emulator, NULL, NULL },
	{ "P99 WAIT", false, 8, 0, 8, text_p99, NULL, NULL },
	{ "WAITED FOR", true, 14, 60, 9, text_culprits, tint_culprits, NULL },
	{ "NICE", false, 4, 7, 6, text_nice, tint_nice, has_knobs },
	{ "MEM MIB", false, 9, 15, 6, text_memory, NULL, has_balloon },
	{ "GUEST", true, 7, 0, 2, text_guest, NULL, has_guest },
	{ "PAGES/S", false, 7, 0, 3, text_pages, NULL, NULL },
	{ "HIT%", false, 5, 0, 7, text_hit, NULL, NULL },
	{ 0 },
};
