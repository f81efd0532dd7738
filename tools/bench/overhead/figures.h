/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * figures.h - what was counted in the emulated hosts, by kernel, tool and row
 *
 * Units:     instructions; memory in KiB; each figure is a series with one value a pass.
 * Errors:    0 or a negative errno.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tools/bench/bench.h"

#define VMADJ_OVER_KERNELS 2
#define VMADJ_OVER_COUNTS  4 /* of VMs */

enum vmadj_over_tool {
	VMADJ_OVER_NOTHING,
	VMADJ_OVER_EMPTY,
	VMADJ_OVER_KMOD_POLL,
	VMADJ_OVER_KMOD_TRACE,
	VMADJ_OVER_OURS_POLL,
	VMADJ_OVER_OURS_TRACE,
	VMADJ_OVER_CPUDIST,
	VMADJ_OVER_RUNQLAT,
	VMADJ_OVER_TOOLS,
};

enum vmadj_over_row {
	VMADJ_OVER_SWITCH,
	VMADJ_OVER_SWITCH_VCPU,
	VMADJ_OVER_HIT,
	VMADJ_OVER_MISS,
	VMADJ_OVER_HIT_VM,
	VMADJ_OVER_MISS_VM,
	VMADJ_OVER_LOAD,
	VMADJ_OVER_TICK, /* of 1, 10, 100, 1000 VMs */
	VMADJ_OVER_MEMORY = VMADJ_OVER_TICK + VMADJ_OVER_COUNTS,
	VMADJ_OVER_ROWS = VMADJ_OVER_MEMORY + VMADJ_OVER_COUNTS,
};

extern const char *const vmadj_over_kernels[VMADJ_OVER_KERNELS];
extern const char *const vmadj_over_tools[VMADJ_OVER_TOOLS]; /* as overhead-inside names them */
extern const unsigned int vmadj_over_counts[VMADJ_OVER_COUNTS];

/**
 * vmadj_over_run() - overhead-inside with @args in each of the emulated hosts
 *
 * A kernel that is not to be had, or whose host died, is a row of the report.
 *
 * Return: 0; -EINTR; -ENODATA: of no kernel there is a figure.
 */
int vmadj_over_run(struct vmadj_bench *bench, const char *args);

/* A line of overhead-inside; Return: whether it is a figure. */
bool vmadj_over_take(size_t kernel, const char *line);

const struct vmadj_bench_series *vmadj_over_series(size_t kernel, enum vmadj_over_tool tool,
						   enum vmadj_over_row row);

/* The median of its passes; NAN: it was not measured. */
double vmadj_over_figure(size_t kernel, enum vmadj_over_tool tool, enum vmadj_over_row row);

/* The greatest difference between passes, of the rows below @rows, as a part of the figure. */
double vmadj_over_spread(enum vmadj_over_row rows);

/*
 * What must hold, of one kernel: a switch without a vCPU beyond an empty program; with a vCPU, what
 * is added / what the module adds; the whole of it / the module's; / runqlat's; a tick at the most
 * VMs.
 */
#define VMADJ_OVER_BARS 5
void vmadj_over_judged(size_t kernel, double *ret_values);

/* The most VMs of which there are ticks of all; 0: none. */
unsigned int vmadj_over_most_vms(size_t kernel);

/* Lines of code of the module: what there can crash the host. */
unsigned int vmadj_over_kmod_lines(void);

/** vmadj_over_write_page() - docs/overhead.md; Return: 0; -errno. */
int vmadj_over_write_page(const char *path);

/** vmadj_over_draw() - docs/overhead.svg; Return: 0; -errno. */
int vmadj_over_draw(const char *path);
