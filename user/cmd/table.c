/* SPDX-License-Identifier: GPL-2.0-only */
/* table.c - a snapshot as a table for people */
#include "user/cmd/table.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/cmd/cell.h"
#include "user/util/cleanup.h"
#include "user/util/text.h"

#define COLUMNS_MAX 16
#define GAP	    2
#define LINE_MAX_   1024
#define HEAD_LINES  4 /* two of the host, a blank one, the titles */
#define GIB	    (1024.0 * 1024 * 1024)

struct printer {
	FILE *out;
	const struct vmadj_table *table;
	const struct vmadj_table_style *style;
	unsigned int width[COLUMNS_MAX]; /* 0: left out */
};

static const char *const tint_codes[] = {
	[VMADJ_TINT_NONE] = "",		  [VMADJ_TINT_DIM] = "\033[2m",
	[VMADJ_TINT_BOLD] = "\033[1m",	  [VMADJ_TINT_GREEN] = "\033[32m",
	[VMADJ_TINT_YELLOW] = "\033[33m", [VMADJ_TINT_RED] = "\033[1;31m",
};

static void put_tinted(const struct printer *p, enum vmadj_tint tint, const char *text)
{
	bool tinted = p->style->color && tint != VMADJ_TINT_NONE && *text;

	(void)fprintf(p->out, "%s%s%s", tinted ? tint_codes[tint] : "", text,
		      tinted ? "\033[0m" : "");
}

/* On a screen, what is left of the line before is wiped out. */
static void end_line(const struct printer *p)
{
	(void)fputs(p->style->screen ? "\033[K\n" : "\n", p->out);
}

static void put_line(const struct printer *p, enum vmadj_tint tint, const char *text)
{
	char line[LINE_MAX_];

	(void)snprintf(line, sizeof(line), "%s", text);
	if (p->style->width)
		(void)vmadj_text_cut(line, sizeof(line), p->style->width, "");
	put_tinted(p, tint, line);
	end_line(p);
}

/* --- the host ----------------------------------------------------------- */

/* Appends a part of the header unless it would make the line too wide. */
static void append(const struct printer *p, char *line, const char *part)
{
	size_t len = strlen(line);
	size_t width = vmadj_text_width(line) + vmadj_text_width(part) + (len ? 3 : 0);

	if (p->style->width && len && width > p->style->width)
		return;
	(void)snprintf(line + len, LINE_MAX_ - len, "%s%s", len ? "   " : "", part);
}

static void append_pct(const struct printer *p, char *line, const char *what, double pct,
		       const char *unit)
{
	char part[80];

	if (isnan(pct)) {
		(void)snprintf(part, sizeof(part), "%s %s%s", what, vmadj_cell_unknown(p->style),
			       unit);
	} else {
		(void)snprintf(part, sizeof(part), "%s %.1f %%%s", what, pct, unit);
	}
	append(p, line, part);
}

static void put_first_line(const struct printer *p)
{
	const struct vmadj_snapshot *snapshot = p->table->snapshot;
	time_t seconds = (time_t)snapshot->time_unix_s;
	char line[LINE_MAX_] = "", part[128], kernel[96];
	struct tm tm;

	part[0] = '\0';
	if (localtime_r(&seconds, &tm))
		(void)strftime(part, sizeof(part), p->style->screen ? "%H:%M:%S" : "%F %T %z", &tm);
	append(p, line, part);
	(void)snprintf(part, sizeof(part), "%u VM%s, %u vCPU%s", snapshot->observer.vms,
		       snapshot->observer.vms == 1 ? "" : "s", snapshot->observer.vcpus,
		       snapshot->observer.vcpus == 1 ? "" : "s");
	append(p, line, part);
	(void)snprintf(part, sizeof(part), "%u CPU%s", snapshot->host.cpus,
		       snapshot->host.cpus == 1 ? "" : "s");
	append_pct(p, line, part, snapshot->host.cpu_busy_pct, " busy");
	append_pct(p, line, "pressure", snapshot->host.cpu_psi_some_pct, "");
	(void)snprintf(part, sizeof(part), "load %.2f %.2f %.2f", snapshot->host.load1,
		       snapshot->host.load5, snapshot->host.load15);
	append(p, line, part);
	vmadj_cell_foreign(p->style, snapshot->host.kernel, kernel, sizeof(kernel));
	(void)snprintf(part, sizeof(part), "kernel %s", kernel);
	append(p, line, part);
	put_line(p, VMADJ_TINT_BOLD, line);
}

static void put_second_line(const struct printer *p)
{
	const struct vmadj_snapshot *snapshot = p->table->snapshot;
	char line[LINE_MAX_] = "", part[128];

	(void)snprintf(part, sizeof(part), "memory %.1f of %.1f GiB available",
		       (double)snapshot->host.mem_available_bytes / GIB,
		       (double)snapshot->host.mem_total_bytes / GIB);
	append(p, line, part);
	append_pct(p, line, "pressure", snapshot->host.mem_psi_some_pct, "");
	(void)snprintf(part, sizeof(part), "%s over %.1f s",
		       vmadj_text_same(snapshot->observer.mode, "poll") ? "polled" : "sampled",
		       snapshot->interval_s);
	append(p, line, part);
	put_line(p, VMADJ_TINT_DIM, line);
}

/* --- the columns -------------------------------------------------------- */

static void cell_text(const struct printer *p, const struct vmadj_column *column,
		      const struct vmadj_row *row, char *cell)
{
	cell[0] = '\0';
	if (column->text)
		column->text(row, p->table, p->style, cell);
}

/* As wide as the title and what stands in it, within what the column allows. */
static unsigned int wished_width(const struct printer *p, const struct vmadj_column *column)
{
	unsigned int width = (unsigned int)strlen(column->title);

	width = column->width > width ? column->width : width;
	for (size_t i = 0; column->most > width && i < p->table->n_rows; i++) {
		char cell[VMADJ_CELL_MAX];
		unsigned int w;

		cell_text(p, column, &p->table->rows[i], cell);
		w = (unsigned int)vmadj_text_width(cell);
		w = w < column->most ? w : column->most;
		width = w > width ? w : width;
	}
	return width;
}

static unsigned int total_width(const struct printer *p)
{
	unsigned int total = 0;

	for (size_t i = 0; vmadj_column_table[i].title; i++)
		total += p->width[i] ? p->width[i] + (total ? GAP : 0) : 0;
	return total;
}

/* Takes from a column that had grown, down to its least width. */
static void shrink(struct printer *p, size_t i)
{
	unsigned int over = total_width(p) - p->style->width;
	unsigned int least = vmadj_column_table[i].width;

	if (vmadj_column_table[i].most && p->width[i] > least)
		p->width[i] = p->width[i] - least > over ? p->width[i] - over : least;
}

static bool is_wanted(const struct printer *p, const struct vmadj_column *column)
{
	bool wanted = !column->wanted;

	for (size_t i = 0; i < p->table->n_rows && !wanted; i++)
		wanted = column->wanted(&p->table->rows[i]);
	return wanted;
}

static void fit_columns(struct printer *p)
{
	for (size_t i = 0; vmadj_column_table[i].title; i++) {
		const struct vmadj_column *column = &vmadj_column_table[i];

		p->width[i] = is_wanted(p, column) ? wished_width(p, column) : 0;
	}
	for (size_t i = COLUMNS_MAX; i-- > 0;) {
		if (p->width[i] && p->style->width && total_width(p) > p->style->width)
			shrink(p, i);
	}
	for (unsigned int turn = 1; turn < COLUMNS_MAX; turn++) {
		for (size_t i = 0; vmadj_column_table[i].title; i++) {
			if (vmadj_column_table[i].leaves == turn && p->style->width &&
			    total_width(p) > p->style->width)
				p->width[i] = 0;
		}
	}
}

/* Once columns have gone, those that may grow share what is left over. */
static void grow_columns(struct printer *p)
{
	for (size_t i = 0; p->style->width && vmadj_column_table[i].title; i++) {
		unsigned int total = total_width(p);
		unsigned int spare = p->style->width > total ? p->style->width - total : 0;
		unsigned int wish;

		if (!p->width[i] || !vmadj_column_table[i].most)
			continue;
		wish = wished_width(p, &vmadj_column_table[i]);
		if (wish > p->width[i])
			p->width[i] += wish - p->width[i] < spare ? wish - p->width[i] : spare;
	}
}

static void put_padding(const struct printer *p, size_t count)
{
	(void)fprintf(p->out, "%*s", (int)count, "");
}

static bool is_last(const struct printer *p, size_t i)
{
	for (i++; vmadj_column_table[i].title; i++) {
		if (p->width[i])
			return false;
	}
	return true;
}

/* One cell of column @i: cut, aligned, tinted; nothing is put behind the last one. */
static void put_cell(const struct printer *p, size_t i, enum vmadj_tint tint, char *cell)
{
	const struct vmadj_column *column = &vmadj_column_table[i];
	size_t used = vmadj_text_cut(cell, VMADJ_CELL_MAX, p->width[i],
				     p->style->utf8 ? "\xe2\x80\xa6" : "~");
	size_t pad = p->width[i] - used;

	if (!column->left)
		put_padding(p, pad);
	put_tinted(p, tint, cell);
	if (column->left && !is_last(p, i))
		put_padding(p, pad);
}

static void repeat(char *cell, const char *glyph, unsigned int count)
{
	size_t used = 0;

	while (count-- > 0)
		used += (size_t)snprintf(cell + used, VMADJ_CELL_MAX - used, "%s", glyph);
	cell[used] = '\0';
}

static void put_bar(const struct printer *p, const struct vmadj_row *row)
{
	bool plain = row->vm->ended;
	unsigned int run, wait;
	char cell[VMADJ_CELL_MAX];

	if (!row->vm->cpu.known) {
		(void)fputs(vmadj_cell_unknown(p->style), p->out);
		put_padding(p, VMADJ_BAR_WIDTH - 1);
		return;
	}
	vmadj_cell_bar(row->vm, &run, &wait);
	repeat(cell, p->style->utf8 ? "\xe2\x96\x88" : "#", run);
	put_tinted(p, plain ? VMADJ_TINT_DIM : VMADJ_TINT_GREEN, cell);
	repeat(cell, p->style->utf8 ? "\xe2\x96\x92" : "x", wait);
	put_tinted(p, plain ? VMADJ_TINT_DIM : VMADJ_TINT_RED, cell);
	repeat(cell, p->style->utf8 ? "\xc2\xb7" : ".", VMADJ_BAR_WIDTH - run - wait);
	put_tinted(p, VMADJ_TINT_DIM, cell);
}

static void put_titles(const struct printer *p)
{
	bool first = true;

	for (size_t i = 0; vmadj_column_table[i].title; i++) {
		char cell[VMADJ_CELL_MAX];

		if (!p->width[i])
			continue;
		put_padding(p, first ? 0 : GAP);
		first = false;
		(void)snprintf(cell, sizeof(cell), "%s", vmadj_column_table[i].title);
		put_cell(p, i, VMADJ_TINT_DIM, cell);
	}
	end_line(p);
}

static void put_row(const struct printer *p, const struct vmadj_row *row)
{
	bool first = true;

	for (size_t i = 0; vmadj_column_table[i].title; i++) {
		const struct vmadj_column *column = &vmadj_column_table[i];
		enum vmadj_tint tint = column->tint ? column->tint(row) : VMADJ_TINT_NONE;
		char cell[VMADJ_CELL_MAX];

		if (!p->width[i])
			continue;
		put_padding(p, first ? 0 : GAP);
		first = false;
		if (!column->text) {
			put_bar(p, row);
			continue;
		}
		cell_text(p, column, row, cell);
		put_cell(p, i, row->vm->ended ? VMADJ_TINT_DIM : tint, cell);
	}
	end_line(p);
}

/* --- the whole ---------------------------------------------------------- */

static void put_rows(const struct printer *p, size_t room)
{
	size_t n = p->table->n_rows;
	size_t shown = n <= room ? n : room > 0 ? room - 1 : 0;
	char line[80];

	if (n == 0) {
		put_line(p, VMADJ_TINT_NONE,
			 p->table->filtered
				 ? "No VM matches --vm."
				 : "No VM runs on this host; one that starts appears here.");
		return;
	}
	for (size_t i = 0; i < shown; i++)
		put_row(p, &p->table->rows[i]);
	if (shown < n) {
		(void)snprintf(line, sizeof(line), "and %zu more", n - shown);
		put_line(p, VMADJ_TINT_DIM, line);
	}
}

static void put_frame(struct printer *p)
{
	const struct vmadj_table_style *style = p->style;
	uint64_t lost = p->table->snapshot->observer.lost_events;
	unsigned int used = HEAD_LINES + (lost ? 2 : 0) + 1; /* 1: where the cursor rests */
	char line[128];

	put_first_line(p);
	put_second_line(p);
	end_line(p);
	if (p->table->n_rows) {
		fit_columns(p);
		grow_columns(p);
		put_titles(p);
	}
	put_rows(p, style->height > used ? style->height - used : style->height ? 1 : SIZE_MAX);
	if (!lost)
		return;
	end_line(p);
	(void)snprintf(line, sizeof(line), "%ju events were lost: some figures are too low",
		       (uintmax_t)lost);
	put_line(p, VMADJ_TINT_YELLOW, line);
}

int vmadj_table_render(const struct vmadj_table *table, const struct vmadj_table_style *style,
		       char **ret_text, size_t *ret_len)
{
	struct printer p = { .table = table, .style = style };
	char *text = NULL;
	size_t len = 0;

	p.out = open_memstream(&text, &len);
	if (!p.out)
		return -ENOMEM;
	if (style->screen)
		(void)fputs("\033[H", p.out);
	put_frame(&p);
	if (style->screen)
		(void)fputs("\033[J", p.out);
	if (fclose(p.out) != 0) {
		free(text);
		return -ENOMEM;
	}
	*ret_text = text;
	*ret_len = len;
	return 0;
}
