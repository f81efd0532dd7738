/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * report.h - what a benchmark found: a table for people, JSON for programs
 *
 * A row is made of several runs; its value is their median, or the worst of them. With a
 * bar it is judged, without one it is shown. The form of the JSON file is in
 * docs/output.md, "What benchmarks write"; a row that could not be measured has the
 * value null and a key "why". A time that never comes is INFINITY: "never", in JSON null.
 *
 * Errors:    0 or a negative errno.
 * Ownership: vmadj_bench_report_free() takes NULL. A row's texts are copied.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "user/bench/series.h"

enum vmadj_bench_sense {
	VMADJ_BENCH_SHOWN, /* no bar */
	VMADJ_BENCH_AT_MOST,
	VMADJ_BENCH_AT_LEAST,
};

struct vmadj_bench_row {
	const char *what;
	const char *unit;
	enum vmadj_bench_sense sense;
	double bar;
	bool worst; /* of all runs, as the sense has it; else their median */
};

struct vmadj_bench_report;

/** vmadj_bench_report_new() - @name is that of the JSON file; Return: 0; -ENOMEM. */
int vmadj_bench_report_new(const char *name, struct vmadj_bench_report **ret_report);
void vmadj_bench_report_free(struct vmadj_bench_report *report);

/** vmadj_bench_report_add() - a row with its runs; Return: 0; -ENOMEM; -ENODATA: no runs. */
int vmadj_bench_report_add(struct vmadj_bench_report *report, const struct vmadj_bench_row *row,
			   const struct vmadj_bench_series *runs);

/** vmadj_bench_report_lack() - something that could not be measured; Return: 0; -ENOMEM. */
int vmadj_bench_report_lack(struct vmadj_bench_report *report, const char *what, const char *why);

void vmadj_bench_report_print(const struct vmadj_bench_report *report, FILE *to);

/** vmadj_bench_report_write() - DIR/NAME.json, replaced whole; Return: 0; -ENOMEM; -EIO. */
int vmadj_bench_report_write(const struct vmadj_bench_report *report, const char *dir,
			     const char *commit);

/* 0: all bars hold; 1: one does not; 2: something could not be measured. */
int vmadj_bench_report_status(const struct vmadj_bench_report *report);
