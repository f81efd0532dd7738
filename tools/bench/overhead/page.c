// SPDX-License-Identifier: GPL-2.0-only
/* page.c - docs/overhead.md: what was measured, what must hold, how to repeat it */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tools/bench/overhead/figures.h"

#define REAL_TIME "build/vmadjust-bpf bench overhead --markdown"
#define LINE_LEN  512

static const char *const columns[VMADJ_OVER_TOOLS] = {
	"nothing",	 "empty `tp_btf`", "kmod, polling", "kmod, tracing",
	"ours, polling", "ours, tracing",  "`cpudist`",	    "`runqlat`",
};

static void put(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(FILE *to, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vfprintf(to, format, args);
	va_end(args);
}

static void put_cell(FILE *to, double value, bool added)
{
	if (isnan(value))
		put(to, " |");
	else if (added)
		put(to, " %+.0f |", round(value) == 0 ? 0.0 : value);
	else
		put(to, " %.0f |", value);
}

/* Return: whether that tool was not to be had. */
static bool is_lacking(size_t kernel, enum vmadj_over_tool tool)
{
	for (size_t row = 0; row < VMADJ_OVER_ROWS; row++) {
		if (vmadj_over_series(kernel, tool, row)->n)
			return false;
	}
	return true;
}

static bool has_row(size_t kernel, enum vmadj_over_row row)
{
	for (size_t i = 0; i < VMADJ_OVER_TOOLS; i++) {
		if (vmadj_over_series(kernel, i, row)->n)
			return true;
	}
	return false;
}

/* @added: what each tool adds to that of nothing. @part: of the unit. */
struct line {
	const char *what;
	enum vmadj_over_row row;
	bool added;
	double part;
};

static void put_line(FILE *to, size_t kernel, const struct line *line)
{
	double whole = vmadj_over_figure(kernel, VMADJ_OVER_NOTHING, line->row);

	if (!has_row(kernel, line->row))
		return;
	put(to, "| %s: %s |", vmadj_over_kernels[kernel], line->what);
	for (size_t i = 0; i < VMADJ_OVER_TOOLS; i++) {
		double value = vmadj_over_figure(kernel, i, line->row);

		if (is_lacking(kernel, i))
			put(to, " not to be had |");
		else if (line->added && i)
			put_cell(to, value - whole, true);
		else if (!line->added && !i)
			put_cell(to, NAN, false);
		else
			put_cell(to, value / line->part, false);
	}
	put(to, "\n");
}

static void put_counts(FILE *to, size_t kernel)
{
	char what[96];

	for (size_t i = 0; i < VMADJ_OVER_COUNTS; i++) {
		const struct line line = { what, VMADJ_OVER_TICK + i, false, vmadj_over_counts[i] };

		(void)snprintf(what, sizeof(what), "a VM and tick, of %u", vmadj_over_counts[i]);
		put_line(to, kernel, &line);
	}
	for (size_t i = 0; i < VMADJ_OVER_COUNTS; i++) {
		const struct line line = { what, VMADJ_OVER_MEMORY + i, false, 1 };

		(void)snprintf(what, sizeof(what), "memory held, KiB, VMs: %u",
			       vmadj_over_counts[i]);
		put_line(to, kernel, &line);
	}
}

static void put_table(FILE *to)
{
	static const struct line lines[] = {
		{ "a switch without a vCPU", VMADJ_OVER_SWITCH, true, 1 },
		{ "a switch with a vCPU", VMADJ_OVER_SWITCH_VCPU, true, 1 },
		{ "a page-cache hit, of no VM", VMADJ_OVER_HIT, true, 1 },
		{ "a page-cache hit, of a VM", VMADJ_OVER_HIT_VM, true, 1 },
		{ "a page-cache miss, of no VM", VMADJ_OVER_MISS, true, 1 },
		{ "a page-cache miss, of a VM", VMADJ_OVER_MISS_VM, true, 1 },
		{ "until attached, millions", VMADJ_OVER_LOAD, false, 1e6 },
	};
	unsigned int lines_kmod = vmadj_over_kmod_lines();

	put(to, "| instructions |");
	for (size_t i = 0; i < VMADJ_OVER_TOOLS; i++)
		put(to, " %s |", columns[i]);
	put(to, "\n|---|");
	for (size_t i = 0; i < VMADJ_OVER_TOOLS; i++)
		put(to, "--:|");
	put(to, "\n");
	for (size_t kernel = 0; kernel < VMADJ_OVER_KERNELS; kernel++) {
		for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
			put_line(to, kernel, &lines[i]);
		put_counts(to, kernel);
	}
	put(to,
	    "| lines of kernel code that can crash the host | | 0 | %u | %u | 0 | 0 | 0 | 0 |\n",
	    lines_kmod, lines_kmod);
}

static void put_bars(FILE *to)
{
	static const char *const names[VMADJ_OVER_BARS] = {
		"a switch without a vCPU: ours tracing less an empty program, instructions",
		"a switch with a vCPU: ours tracing less an empty program / what kmod, tracing, adds",
		"a whole switch with a vCPU: ours tracing / kmod, tracing",
		"a whole switch with a vCPU: ours tracing / `runqlat` attached",
		"a tick with the figures in user space: ours, the dearer mode / kmod, polling",
	};
	static const double bars[VMADJ_OVER_BARS] = { 25, 1.2, 1.03, 0.93, 1 };

	put(to, "| what must hold | at most |");
	for (size_t kernel = 0; kernel < VMADJ_OVER_KERNELS; kernel++)
		put(to, " %s | |", vmadj_over_kernels[kernel]);
	put(to, "\n|---|--:|");
	for (size_t kernel = 0; kernel < VMADJ_OVER_KERNELS; kernel++)
		put(to, "--:|---|");
	put(to, "\n");
	for (size_t i = 0; i < VMADJ_OVER_BARS; i++) {
		put(to, "| %s | %g |", names[i], bars[i]);
		for (size_t kernel = 0; kernel < VMADJ_OVER_KERNELS; kernel++) {
			double values[VMADJ_OVER_BARS];

			vmadj_over_judged(kernel, values);
			if (isnan(values[i]))
				put(to, " | not measured |");
			else
				put(to, i ? " %.3f | %s |" : " %+.0f | %s |", values[i],
				    values[i] <= bars[i] ? "holds" : "**does not hold**");
		}
		put(to, "\n");
	}
	for (size_t kernel = 0; kernel < VMADJ_OVER_KERNELS; kernel++) {
		unsigned int most = vmadj_over_most_vms(kernel);

		if (most)
			put(to, "%s%s: the tick is that of %u VMs.", kernel ? " " : "\n",
			    vmadj_over_kernels[kernel], most);
	}
	put(to, "\n");
}

/* What the command prints, as far as it can measure here. */
static void put_real_time(FILE *to)
{
	char line[LINE_LEN], text[1 << 14] = "";
	FILE *run = popen(REAL_TIME " 2>/dev/null", "re");
	size_t len = 0;

	while (run && fgets(line, sizeof(line), run) && len + sizeof(line) < sizeof(text)) {
		memcpy(text + len, line, strlen(line) + 1);
		len += strlen(line);
	}
	if (run)
		(void)pclose(run);
	put(to, "\n## In real time, on this host\n\n");
	put(to, "%s",
	    len ? text : "Not measured: `vmadjust-bpf bench overhead` gave nothing here.\n");
}

static const char head[] =
	"<!-- made by `make bench-overhead`; do not edit -->\n"
	"# What observing costs\n\n"
	"Instructions, counted: a host with real KVM guests runs inside of an emulator whose clock "
	"advances by one\nfor each instruction, so that the figures are the same on any machine. "
	"Against the kernel module of `tools/kmod`,\nwhich does the same job natively, and against "
	"bcc's `cpudist` and `runqlat`, as what one would attach instead.\n\n"
	"![instructions added to a context switch](overhead.svg)\n\n"
	"## What must hold\n\n";

static const char legend[] =
	"\nUnder *nothing* the whole, then what each adds to it. A switch: a byte goes to and fro "
	"over two pipes; the partner is a\nprocess, or the vCPU thread of a KVM guest. A page: 4 KiB "
	"by `pread`, from a file system in memory (copying it is about 4096 of\nthe instructions: a "
	"repeated one counts each time). A VM and tick: one sample, up to the snapshot in user space, "
	"divided by\nthe VMs; of the module, what its kernel thread runs in an interval, and reading and "
	"parsing its file. Until attached: with our\nself-test, which alone burns 100 million. Memory: "
	"what is free less once it runs, its process included, its file not; to some 50 KiB.\n";

static const char repeat[] =
	"\n## To repeat it\n\n"
	"    make bench-overhead                  all, and this page; half an hour\n"
	"    make bench-overhead BENCH=switch     only the switches; minutes; the page stays\n\n"
	"It wants QEMU, and Debian's mirror for the kernels, their headers and `libbpf-tools` "
	"(`tools/lab/apt.sh`); what it cannot have,\nit names. `build/bench/overhead.json` has the "
	"figures.\n";

int vmadj_over_write_page(const char *path)
{
	FILE *to = fopen(path, "we");
	bool failed;

	if (!to)
		return -errno;
	put(to, "%s", head);
	put_bars(to);
	put(to, "\n## All figures\n\n");
	put_table(to);
	put(to, "%s", legend);
	put(to,
	    "Two passes over all tools differ by at most %.2f %% in the rows down to *until "
	    "attached*.\n",
	    100 * vmadj_over_spread(VMADJ_OVER_LOAD));
	put(to, "%s", repeat);
	put_real_time(to);
	failed = ferror(to);
	failed |= fclose(to) != 0;
	return failed ? -EIO : 0;
}
