// SPDX-License-Identifier: GPL-2.0-only
/* figures.c - the emulated hosts are run, what they print is kept */
#include "tools/bench/overhead/figures.h"

#include <errno.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define LINE_LEN 512

const char *const vmadj_over_kernels[] = { "6.1", "6.12" };
const unsigned int vmadj_over_counts[] = { 1, 10, 100, 1000 };
const char *const vmadj_over_tools[] = {
	"nothing",   "empty",	   "kmod-poll", "kmod-trace",
	"ours-poll", "ours-trace", "cpudist",	"runqlat",
};

static const char *const row_names[VMADJ_OVER_ROWS] = {
	"switch",    "switch_vcpu", "hit",	 "miss",       "hit_vm",
	"miss_vm",   "load",	    "tick_1",	 "tick_10",    "tick_100",
	"tick_1000", "memory_1",    "memory_10", "memory_100", "memory_1000",
};

static struct vmadj_bench_series figures[VMADJ_OVER_KERNELS][VMADJ_OVER_TOOLS][VMADJ_OVER_ROWS];

static size_t find(const char *const *names, size_t n, const char *name)
{
	size_t i = 0;

	while (i < n && strcmp(names[i], name) != 0)
		i++;
	return i;
}

bool vmadj_over_take(size_t kernel, const char *line)
{
	size_t at_tool, at_row;
	char tool[32], row[32];
	double value;

	if (sscanf(line, "figure %31s %31s %lf", tool, row, &value) != 3)
		return false;
	at_tool = find(vmadj_over_tools, VMADJ_OVER_TOOLS, tool);
	at_row = find(row_names, VMADJ_OVER_ROWS, row);
	if (at_tool < VMADJ_OVER_TOOLS && at_row < VMADJ_OVER_ROWS)
		vmadj_bench_series_add(&figures[kernel][at_tool][at_row], value);
	return true;
}

/* No figure: a tool is not to be had, or something is wrong there. */
static void tell(struct vmadj_bench *bench, size_t kernel, const char *line)
{
	char tool[32], row[32], what[128], why[LINE_LEN];

	if (sscanf(line, "lack %31s %31s %511[^\n]", tool, row, why) != 3) {
		(void)fprintf(stderr, "%s: %s", vmadj_over_kernels[kernel], line);
		return;
	}
	(void)snprintf(what, sizeof(what), "%s: %s: %s", vmadj_over_kernels[kernel], tool, row);
	(void)vmadj_bench_report_lack(bench->report, what, why);
}

static int run_kernel(struct vmadj_bench *bench, size_t kernel, const char *args, int *n_figures)
{
	char command[256], line[LINE_LEN], what[64], why[64];
	FILE *run;
	int status;

	(void)snprintf(command, sizeof(command), "tools/bench/overhead/run.sh %s %s 2>&1",
		       vmadj_over_kernels[kernel], args);
	run = popen(command, "re");
	if (!run)
		return -errno;
	while (fgets(line, sizeof(line), run)) {
		if (vmadj_over_take(kernel, line))
			++*n_figures;
		else
			tell(bench, kernel, line);
	}
	status = pclose(run);
	if (vmadj_bench_sleep_ms(0))
		return -EINTR;
	if (!status)
		return 0;
	(void)snprintf(what, sizeof(what), "%s: %s", vmadj_over_kernels[kernel], args);
	(void)snprintf(why, sizeof(why),
		       WEXITSTATUS(status) == 77 ? "not to be had here" : "exit status %d",
		       WEXITSTATUS(status));
	return vmadj_bench_report_lack(bench->report, what, why);
}

int vmadj_over_run(struct vmadj_bench *bench, const char *args)
{
	int n_figures = 0, err = 0;

	for (size_t kernel = 0; kernel < VMADJ_OVER_KERNELS && !err; kernel++)
		err = run_kernel(bench, kernel, args, &n_figures);
	if (!err && !n_figures)
		return vmadj_bench_fail(bench, -ENODATA, "no emulated host gave a figure");
	return err;
}

const struct vmadj_bench_series *vmadj_over_series(size_t kernel, enum vmadj_over_tool tool,
						   enum vmadj_over_row row)
{
	return &figures[kernel][tool][row];
}

double vmadj_over_figure(size_t kernel, enum vmadj_over_tool tool, enum vmadj_over_row row)
{
	return vmadj_bench_series_at(&figures[kernel][tool][row], 0.5);
}

double vmadj_over_spread(enum vmadj_over_row rows)
{
	double worst = 0;

	for (size_t i = 0; i < (size_t)VMADJ_OVER_KERNELS * VMADJ_OVER_TOOLS * rows; i++) {
		const struct vmadj_bench_series *series =
			&figures[i / rows / VMADJ_OVER_TOOLS][i / rows % VMADJ_OVER_TOOLS]
				[i % rows];
		double low = vmadj_bench_series_at(series, 0);

		if (series->n > 1 && low > 0)
			worst = fmax(worst, vmadj_bench_series_at(series, 1) / low - 1);
	}
	return worst;
}

unsigned int vmadj_over_most_vms(size_t kernel)
{
	for (size_t i = VMADJ_OVER_COUNTS; i-- > 0;) {
		enum vmadj_over_row row = VMADJ_OVER_TICK + i;

		if (!isnan(vmadj_over_figure(kernel, VMADJ_OVER_KMOD_POLL, row)) &&
		    !isnan(vmadj_over_figure(kernel, VMADJ_OVER_OURS_POLL, row)) &&
		    !isnan(vmadj_over_figure(kernel, VMADJ_OVER_OURS_TRACE, row)))
			return vmadj_over_counts[i];
	}
	return 0;
}

static double judged_tick(size_t kernel)
{
	unsigned int most = vmadj_over_most_vms(kernel);
	size_t i = 0;

	while (i < VMADJ_OVER_COUNTS && vmadj_over_counts[i] != most)
		i++;
	if (i == VMADJ_OVER_COUNTS)
		return NAN;
	return fmax(vmadj_over_figure(kernel, VMADJ_OVER_OURS_POLL, VMADJ_OVER_TICK + i),
		    vmadj_over_figure(kernel, VMADJ_OVER_OURS_TRACE, VMADJ_OVER_TICK + i)) /
	       vmadj_over_figure(kernel, VMADJ_OVER_KMOD_POLL, VMADJ_OVER_TICK + i);
}

void vmadj_over_judged(size_t kernel, double *ret_values)
{
	double plain[VMADJ_OVER_TOOLS], vcpu[VMADJ_OVER_TOOLS];

	for (size_t i = 0; i < VMADJ_OVER_TOOLS; i++) {
		plain[i] = vmadj_over_figure(kernel, i, VMADJ_OVER_SWITCH);
		vcpu[i] = vmadj_over_figure(kernel, i, VMADJ_OVER_SWITCH_VCPU);
	}
	ret_values[0] = plain[VMADJ_OVER_OURS_TRACE] - plain[VMADJ_OVER_EMPTY];
	ret_values[1] = (vcpu[VMADJ_OVER_OURS_TRACE] - vcpu[VMADJ_OVER_EMPTY]) /
			(vcpu[VMADJ_OVER_KMOD_TRACE] - vcpu[VMADJ_OVER_NOTHING]);
	ret_values[2] = vcpu[VMADJ_OVER_OURS_TRACE] / vcpu[VMADJ_OVER_KMOD_TRACE];
	ret_values[3] = vcpu[VMADJ_OVER_OURS_TRACE] / vcpu[VMADJ_OVER_RUNQLAT];
	ret_values[4] = judged_tick(kernel);
}

/* Neither empty nor a comment, as this project writes them. */
static bool is_code(const char *line)
{
	line += strspn(line, " \t");
	return *line != '\n' && strncmp(line, "/*", 2) != 0 && strncmp(line, "//", 2) != 0 &&
	       *line != '*';
}

unsigned int vmadj_over_kmod_lines(void)
{
	glob_t found = { 0 };
	unsigned int n = 0;
	char line[LINE_LEN];

	(void)glob("tools/kmod/*.[ch]", 0, NULL, &found);
	(void)glob("bpf/sched.h", GLOB_APPEND, NULL, &found);
	(void)glob("bpf/histogram.h", GLOB_APPEND, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		FILE *file = fopen(found.gl_pathv[i], "re");

		while (file && fgets(line, sizeof(line), file))
			n += is_code(line);
		if (file)
			(void)fclose(file);
	}
	globfree(&found);
	return n;
}
