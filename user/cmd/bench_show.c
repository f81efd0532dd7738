// SPDX-License-Identifier: GPL-2.0-only
/* bench_show.c - what `vmadjust-bpf bench overhead` found */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/cmd/bench.h"
#include "user/util/jsonw.h"
#include "user/util/wrap.h"

#define CELL_MAX    96
#define GAP	    2
#define COLUMNS	    (sizeof(columns) / sizeof(columns[0]))
#define SCHEMA	    1
#define NOTE_COLUMN 2
#define DECIMALS    6

/* --- cells ---------------------------------------------------------------- */

static void put_value(const struct vmadj_overhead_row *row, double value, char *cell)
{
	bool ratio = !strcmp(row->unit, "ratio");

	if (isnan(value)) {
		(void)snprintf(cell, CELL_MAX, "-");
	} else {
		(void)snprintf(cell, CELL_MAX, "%.*f", ratio ? 3 : 1, value);
	}
}

static void text_what(const struct vmadj_overhead_row *row, char *cell)
{
	(void)snprintf(cell, CELL_MAX, "%s", row->what);
}

static void text_median(const struct vmadj_overhead_row *row, char *cell)
{
	char value[CELL_MAX / 2];
	bool unit = row->values.n && strcmp(row->unit, "ratio") != 0;

	put_value(row, vmadj_overhead_median(row), cell);
	(void)snprintf(value, sizeof(value), "%.40s", cell);
	(void)snprintf(cell, CELL_MAX, "%s%s%s", value, unit ? " " : "", unit ? row->unit : "");
}

static void text_quartiles(const struct vmadj_overhead_row *row, char *cell)
{
	char low[CELL_MAX], high[CELL_MAX];

	cell[0] = '\0';
	if (!row->values.n)
		return;
	put_value(row, vmadj_bench_series_at(&row->values, 0.25), low);
	put_value(row, vmadj_bench_series_at(&row->values, 0.75), high);
	(void)snprintf(cell, CELL_MAX, "%.40s..%.40s", low, high);
}

static void text_switch(const struct vmadj_overhead_row *row, char *cell)
{
	cell[0] = '\0';
	if (!isnan(row->off_ns))
		(void)snprintf(cell, CELL_MAX, "%.1f / %.1f", row->on_ns, row->off_ns);
}

static void text_bar(const struct vmadj_overhead_row *row, char *cell)
{
	cell[0] = '\0';
	if (row->bar)
		(void)snprintf(cell, CELL_MAX, "%.3f", row->bar);
}

static void text_verdict(const struct vmadj_overhead_row *row, char *cell)
{
	cell[0] = '\0';
	if (!row->values.n) {
		(void)snprintf(cell, CELL_MAX, "not measured");
	} else if (row->bar) {
		(void)snprintf(cell, CELL_MAX, "%s%s",
			       vmadj_overhead_holds(row) ? "holds" : "does not hold",
			       vmadj_overhead_sure(row) ? "" : " (not sure)");
	}
}

static const char *tint_verdict(const struct vmadj_overhead_row *row)
{
	if (!row->values.n || (row->bar && !vmadj_overhead_sure(row)))
		return "\033[33m";
	if (!row->bar)
		return "";
	return vmadj_overhead_holds(row) ? "\033[32m" : "\033[1;31m";
}

static const struct column {
	const char *title, *markdown;
	bool left;
	unsigned int leaves; /* on a narrow terminal the lowest goes first; 0: never */
	void (*text)(const struct vmadj_overhead_row *row, char *cell);
} columns[] = {
	{ "WHAT", "what", true, 0, text_what },
	{ "MEDIAN", "median", false, 0, text_median },
	{ "QUARTILES", "quartiles", false, 2, text_quartiles },
	{ "NS A SWITCH", "ns a switch", false, 1, text_switch },
	{ "AT MOST", "at most", false, 3, text_bar },
	{ "", "", true, 0, text_verdict },
};

/* --- for people ----------------------------------------------------------- */

struct printer {
	FILE *out;
	bool color;
	unsigned int width[COLUMNS]; /* 0: left out */
	unsigned int blanks;	     /* not put yet */
};

static unsigned int total_width(const struct printer *p)
{
	unsigned int total = 0;

	for (size_t i = 0; i < COLUMNS; i++)
		total += p->width[i] ? p->width[i] + (total ? GAP : 0) : 0;
	return total;
}

static void fit(struct printer *p, const struct vmadj_overhead *overhead, unsigned int width)
{
	for (size_t i = 0; i < COLUMNS; i++) {
		p->width[i] = (unsigned int)strlen(columns[i].title);
		for (size_t r = 0; r < overhead->n; r++) {
			char cell[CELL_MAX];
			unsigned int len;

			columns[i].text(&overhead->row[r], cell);
			len = (unsigned int)strlen(cell);
			p->width[i] = len > p->width[i] ? len : p->width[i];
		}
	}
	for (unsigned int turn = 1; width && turn < COLUMNS; turn++) {
		for (size_t i = 0; i < COLUMNS; i++) {
			if (columns[i].leaves == turn && total_width(p) > width)
				p->width[i] = 0;
		}
	}
}

/* Blanks are put only before something: no line ends with them. */
static void put_cell(struct printer *p, size_t i, const char *tint, const char *cell)
{
	unsigned int pad = p->width[i] - (unsigned int)strlen(cell);
	bool tinted = p->color && *tint;

	if (!p->width[i])
		return;
	p->blanks += (i ? GAP : 0) + (columns[i].left ? 0 : pad);
	if (*cell) {
		(void)fprintf(p->out, "%*s%s%s%s", (int)p->blanks, "", tinted ? tint : "", cell,
			      tinted ? "\033[0m" : "");
		p->blanks = 0;
	}
	p->blanks += columns[i].left ? pad : 0;
}

static void end_line(struct printer *p)
{
	(void)fputc('\n', p->out);
	p->blanks = 0;
}

static void put_row(struct printer *p, const struct vmadj_overhead_row *row)
{
	for (size_t i = 0; i < COLUMNS; i++) {
		char cell[CELL_MAX];

		columns[i].text(row, cell);
		put_cell(p, i, i + 1 == COLUMNS ? tint_verdict(row) : "", cell);
	}
	end_line(p);
	if (!row->values.n) {
		vmadj_print_wrapped(p->out, row->why, NOTE_COLUMN,
				    fprintf(p->out, "%*s", NOTE_COLUMN - 1, ""));
	}
}

int vmadj_bench_to_text(const struct vmadj_bench_result *result, bool color, unsigned int width,
			char **ret_text, size_t *ret_len)
{
	char *text = NULL;
	struct printer p = { .color = color };

	p.out = open_memstream(&text, ret_len);
	if (!p.out)
		return -ENOMEM;
	(void)fprintf(p.out, "%skernel %s   %u CPU%s, CPU %u loaded   %u pair%s%s\n\n",
		      color ? "\033[1m" : "", result->kernel, result->cpus,
		      result->cpus == 1 ? "" : "s", result->cpu, result->pairs,
		      result->pairs == 1 ? "" : "s", color ? "\033[0m" : "");
	fit(&p, result->overhead, width);
	for (size_t i = 0; i < COLUMNS; i++)
		put_cell(&p, i, "\033[2m", columns[i].title);
	end_line(&p);
	for (size_t i = 0; i < result->overhead->n; i++)
		put_row(&p, &result->overhead->row[i]);
	if (fclose(p.out)) {
		free(text);
		return -ENOMEM;
	}
	*ret_text = text;
	return 0;
}

/* --- for documents -------------------------------------------------------- */

int vmadj_bench_to_markdown(const struct vmadj_bench_result *result, char **ret_text,
			    size_t *ret_len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_len);

	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < COLUMNS; i++)
		(void)fprintf(out, "| %s ", columns[i].markdown);
	(void)fputs("|\n", out);
	for (size_t i = 0; i < COLUMNS; i++)
		(void)fputs(columns[i].left ? "|---" : "|---:", out);
	(void)fputs("|\n", out);
	for (size_t r = 0; r < result->overhead->n; r++) {
		for (size_t i = 0; i < COLUMNS; i++) {
			char cell[CELL_MAX];

			columns[i].text(&result->overhead->row[r], cell);
			(void)fprintf(out, "| %s ", cell);
		}
		(void)fputs("|\n", out);
	}
	if (fclose(out)) {
		free(text);
		return -ENOMEM;
	}
	*ret_text = text;
	return 0;
}

/* --- for programs --------------------------------------------------------- */

static void put_judged(struct vmadj_jsonw *w, const struct vmadj_overhead_row *row)
{
	vmadj_jsonw_string(w, "sense", row->bar ? "<=" : NULL);
	if (row->bar) {
		vmadj_jsonw_double(w, "bar", row->bar, DECIMALS);
	} else {
		vmadj_jsonw_null(w, "bar");
	}
	if (row->bar && row->values.n) {
		vmadj_jsonw_bool(w, "holds", vmadj_overhead_holds(row));
		vmadj_jsonw_bool(w, "sure", vmadj_overhead_sure(row));
	} else {
		vmadj_jsonw_null(w, "holds");
		vmadj_jsonw_null(w, "sure");
	}
}

static void put_json_row(struct vmadj_jsonw *w, const struct vmadj_overhead_row *row)
{
	static const struct {
		const char *key;
		double part;
	} parts[] = { { "min", 0 }, { "q1", 0.25 }, { "q3", 0.75 }, { "max", 1 } };

	vmadj_jsonw_open(w, NULL, '{');
	vmadj_jsonw_string(w, "id", row->id);
	vmadj_jsonw_string(w, "what", row->what);
	vmadj_jsonw_double(w, "value", vmadj_overhead_median(row), DECIMALS);
	vmadj_jsonw_string(w, "unit", row->unit);
	put_judged(w, row);
	vmadj_jsonw_u64(w, "runs", row->values.n);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		vmadj_jsonw_double(w, parts[i].key,
				   vmadj_bench_series_at(&row->values, parts[i].part), DECIMALS);
	}
	vmadj_jsonw_double(w, "on_switch_ns", row->on_ns, 1);
	vmadj_jsonw_double(w, "off_switch_ns", row->off_ns, 1);
	vmadj_jsonw_string(w, "why", row->values.n ? NULL : row->why);
	vmadj_jsonw_close(w, '}');
}

int vmadj_bench_to_json(const struct vmadj_bench_result *result, char **ret_text, size_t *ret_len)
{
	struct vmadj_jsonw w = { 0 };

	vmadj_jsonw_open(&w, NULL, '{');
	vmadj_jsonw_u64(&w, "schema", SCHEMA);
	vmadj_jsonw_string(&w, "bench", "overhead");
	vmadj_jsonw_string(&w, "kernel", result->kernel);
	vmadj_jsonw_u64(&w, "cpus", result->cpus);
	vmadj_jsonw_u64(&w, "cpu", result->cpu);
	vmadj_jsonw_u64(&w, "pairs", result->pairs);
	if (result->pairs < VMADJ_OVERHEAD_PAIRS_LEAST) {
		vmadj_jsonw_null(&w, "quiet");
	} else {
		vmadj_jsonw_bool(&w, "quiet", vmadj_overhead_quiet(result->overhead));
	}
	if (result->others < 0) {
		vmadj_jsonw_null(&w, "others");
	} else {
		vmadj_jsonw_i64(&w, "others", result->others);
	}
	vmadj_jsonw_open(&w, "rows", '[');
	for (size_t i = 0; i < result->overhead->n; i++)
		put_json_row(&w, &result->overhead->row[i]);
	vmadj_jsonw_close(&w, ']');
	vmadj_jsonw_close(&w, '}');
	vmadj_jsonw_newline(&w);
	return vmadj_jsonw_finish(&w, ret_text, ret_len);
}
