// SPDX-License-Identifier: GPL-2.0-only
/* report.c - rows of a benchmark: a table for people, JSON for programs */
#include "tools/bench/report.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <jansson.h>

#include "user/util/cleanup.h"

#define ROWS_MAX 256

struct row {
	char *what, *unit, *why; /* why: it could not be measured */
	enum vmadj_bench_sense sense;
	double bar, value, min, max;
	size_t runs;
	bool holds;
};

struct vmadj_bench_report {
	char *name;
	size_t n;
	struct row rows[ROWS_MAX];
};

static const char *const sense_text[] = {
	[VMADJ_BENCH_SHOWN] = "",
	[VMADJ_BENCH_AT_MOST] = "<=",
	[VMADJ_BENCH_AT_LEAST] = ">=",
};

int vmadj_bench_report_new(const char *name, struct vmadj_bench_report **ret_report)
{
	struct vmadj_bench_report *report = calloc(1, sizeof(*report));

	if (!report)
		return -ENOMEM;
	report->name = strdup(name);
	if (!report->name) {
		free(report);
		return -ENOMEM;
	}
	*ret_report = report;
	return 0;
}

void vmadj_bench_report_free(struct vmadj_bench_report *report)
{
	if (!report)
		return;
	for (size_t i = 0; i < report->n; i++) {
		free(report->rows[i].what);
		free(report->rows[i].unit);
		free(report->rows[i].why);
	}
	free(report->name);
	free(report);
}

static int row_new(struct vmadj_bench_report *report, const char *what, const char *unit,
		   struct row **ret_row)
{
	struct row *row = &report->rows[report->n];

	if (report->n == ROWS_MAX)
		return -ENOMEM;
	*row = (struct row){ .what = strdup(what), .unit = strdup(unit) };
	report->n++;
	if (!row->what || !row->unit)
		return -ENOMEM;
	*ret_row = row;
	return 0;
}

static double row_value(const struct vmadj_bench_row *row, const struct vmadj_bench_series *runs)
{
	if (!row->worst)
		return vmadj_bench_series_at(runs, 0.5);
	return vmadj_bench_series_at(runs, row->sense == VMADJ_BENCH_AT_LEAST ? 0 : 1);
}

int vmadj_bench_report_add(struct vmadj_bench_report *report, const struct vmadj_bench_row *row,
			   const struct vmadj_bench_series *runs)
{
	struct row *made;
	int err;

	if (!runs->n)
		return -ENODATA;
	err = row_new(report, row->what, row->unit, &made);
	if (err)
		return err;
	made->sense = row->sense;
	made->bar = row->bar;
	made->runs = runs->n;
	made->value = row_value(row, runs);
	made->min = vmadj_bench_series_at(runs, 0);
	made->max = vmadj_bench_series_at(runs, 1);
	made->holds = row->sense == VMADJ_BENCH_AT_LEAST ? made->value >= row->bar
							 : made->value <= row->bar;
	return 0;
}

int vmadj_bench_report_lack(struct vmadj_bench_report *report, const char *what, const char *why)
{
	struct row *row;
	int err = row_new(report, what, "", &row);

	if (err)
		return err;
	row->why = strdup(why);
	return row->why ? 0 : -ENOMEM;
}

static const char *verdict(const struct row *row)
{
	if (row->sense == VMADJ_BENCH_SHOWN)
		return "shown";
	return row->holds ? "holds" : "FAILS";
}

/* Three digits that say something, whatever the size. */
static const char *number(double value, char *buf, size_t size)
{
	double abs = fabs(value);
	int digits = abs < 0.0005 ? 0 : abs < 1 ? 3 : abs < 10 ? 2 : abs < 100 ? 1 : 0;

	if (isinf(value))
		(void)snprintf(buf, size, "never");
	else
		(void)snprintf(buf, size, "%.*f", digits, value);
	return buf;
}

static void row_print(const struct row *row, FILE *to)
{
	char value[32], bar[32] = "", min[32], max[32], range[72];

	if (row->why) {
		(void)fprintf(to, "%-66s %9s  not measured: %s\n", row->what, "-", row->why);
		return;
	}
	if (row->sense != VMADJ_BENCH_SHOWN)
		(void)number(row->bar, bar, sizeof(bar));
	(void)snprintf(range, sizeof(range), "%s..%s", number(row->min, min, sizeof(min)),
		       number(row->max, max, sizeof(max)));
	(void)fprintf(to, "%-66s %9s %-6s %2s %-6s %4zu  %-16s %s\n", row->what,
		      number(row->value, value, sizeof(value)), row->unit, sense_text[row->sense],
		      bar, row->runs, range, verdict(row));
}

void vmadj_bench_report_print(const struct vmadj_bench_report *report, FILE *to)
{
	(void)fprintf(to, "\n%-66s %9s %-6s %-9s %4s  %-16s\n", "what", "value", "unit", "bar",
		      "runs", "min..max");
	for (size_t i = 0; i < report->n; i++)
		row_print(&report->rows[i], to);
}

/* JSON has no number for what never comes. */
static json_t *number_json(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *row_json(const struct row *row)
{
	bool judged = row->sense != VMADJ_BENCH_SHOWN;
	json_t *json;

	if (row->why) {
		return json_pack("{s:s, s:n, s:s, s:n, s:n, s:n, s:i, s:n, s:n, s:s}", "what",
				 row->what, "value", "unit", row->unit, "sense", "bar", "holds",
				 "runs", 0, "min", "max", "why", row->why);
	}
	json = json_pack("{s:s, s:o, s:s, s:n, s:n, s:n, s:I, s:o, s:o}", "what", row->what,
			 "value", number_json(row->value), "unit", row->unit, "sense", "bar",
			 "holds", "runs", (json_int_t)row->runs, "min", number_json(row->min),
			 "max", number_json(row->max));
	if (judged && json) {
		(void)json_object_set_new(json, "sense", json_string(sense_text[row->sense]));
		(void)json_object_set_new(json, "bar", json_real(row->bar));
		(void)json_object_set_new(json, "holds", json_boolean(row->holds));
	}
	return json;
}

static json_t *report_json(const struct vmadj_bench_report *report, const char *commit)
{
	json_t *rows = json_array();
	struct utsname uts;

	(void)uname(&uts);
	for (size_t i = 0; i < report->n && rows; i++)
		(void)json_array_append_new(rows, row_json(&report->rows[i]));
	return json_pack("{s:i, s:s, s:s, s:s, s:i, s:o}", "schema", 1, "bench", report->name,
			 "commit", commit, "kernel", uts.release, "cpus",
			 (int)sysconf(_SC_NPROCESSORS_ONLN), "rows", rows);
}

int vmadj_bench_report_write(const struct vmadj_bench_report *report, const char *dir,
			     const char *commit)
{
	json_t *json = report_json(report, commit);
	char path[512], fresh[520];
	int failed;

	if (!json)
		return -ENOMEM;
	(void)snprintf(path, sizeof(path), "%s/%s.json", dir, report->name);
	(void)snprintf(fresh, sizeof(fresh), "%s.new", path);
	failed = json_dump_file(json, fresh, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	json_decref(json);
	if (failed || rename(fresh, path)) {
		(void)unlink(fresh);
		return -EIO;
	}
	return 0;
}

int vmadj_bench_report_status(const struct vmadj_bench_report *report)
{
	int status = report->n ? 0 : 2;

	for (size_t i = 0; i < report->n; i++) {
		const struct row *row = &report->rows[i];

		if (row->sense != VMADJ_BENCH_SHOWN && !row->holds)
			return 1;
		if (row->why)
			status = 2;
	}
	return status;
}
