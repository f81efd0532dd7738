/* SPDX-License-Identifier: GPL-2.0-only */
/* ctl_show_cost.c - what observing costs, as the daemon has measured it, for people */
#include "user/cmd/ctl.h"
#include "user/cmd/ctl_value.h"

/* Three digits, however little it is. */
static void put_share(FILE *out, double pct)
{
	if (isnan(pct)) {
		(void)fputs("? %", out);
	} else {
		(void)fprintf(out, "%.3g %%", pct);
	}
}

static void show_programs(FILE *out, const json_t *cost)
{
	const json_t *programs = json_object_get(cost, "programs"), *program;
	char text[TEXT_MAX];
	size_t i;

	if (*text_of(cost, "programs_why_not", text)) {
		(void)fprintf(out, "  BPF programs: not known: %s\n", text);
		return;
	}
	json_array_foreach(programs, i, program)
	{
		double ns = number_of(program, "ns_per_call");

		(void)fprintf(out, "  BPF program %s: ", text_of(program, "name", text));
		put_share(out, number_of(program, "cpu_pct"));
		(void)fprintf(out, ", %.0f calls a second", number_of(program, "calls_per_s"));
		if (!isnan(ns))
			(void)fprintf(out, " of %.0f ns", ns);
		(void)fputc('\n', out);
	}
}

static void show_processes(FILE *out, const json_t *processes)
{
	const json_t *process;
	char text[TEXT_MAX];
	size_t i;

	json_array_foreach(processes, i, process)
	{
		double bytes = number_of(process, "rss_bytes");

		(void)fprintf(out, "  process %.0f, %s: ", number_of(process, "pid"),
			      text_of(process, "what", text));
		put_share(out, number_of(process, "cpu_pct"));
		if (!isnan(bytes)) {
			(void)fputs(", ", out);
			put_size(out, bytes);
			(void)fputs(" resident", out);
		}
		(void)fputc('\n', out);
	}
}

void vmadj_ctl_show_cost(FILE *out, const json_t *cost)
{
	double age_s = number_of(cost, "age_s"), max_pct = number_of(cost, "max_pct");
	char text[TEXT_MAX];

	if (isnan(age_s)) {
		(void)fputs("cost: being measured, for a second: ask again\n", out);
		return;
	}
	(void)fputs("cost: ", out);
	put_share(out, number_of(cost, "cpu_pct"));
	(void)fputs(" of a CPU", out);
	if (!isnan(max_pct)) {
		(void)fputs(", at most ", out);
		put_share(out, max_pct);
	}
	(void)fprintf(out, "; measured %.0f s ago\n", age_s);
	show_programs(out, cost);
	show_processes(out, json_object_get(cost, "processes"));
	if (*text_of(cost, "fallen_back", text))
		(void)fprintf(out, "  it polls, although it began to trace: %s\n", text);
}
