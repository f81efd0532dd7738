/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * inside.h - what `make bench-overhead` runs inside of an emulated host
 *
 * QEMU's -icount advances the guest's TSC by one for each instruction, so that a difference of two
 * readings is a count of instructions. What is compared is the median over windows shorter than
 * a timer tick: most of them see nothing but what is measured.
 *
 * Each figure is a line "figure TOOL ROW VALUE" on stdout; what a tool cannot give is a line
 * "lack TOOL ROW REASON". main.c reads them.
 *
 * Units:     instructions, unless a row is named otherwise.
 * Errors:    0 or a negative errno.
 * Ownership: a tool started is ended by vmadj_inside_tool_stop(), which takes a zeroed one.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "user/bench/meter.h"
#include "tools/bench/report.h"
#include "user/observe/observer.h"

enum vmadj_inside_kind {
	VMADJ_INSIDE_NOTHING,
	VMADJ_INSIDE_EMPTY,  /* an empty program on sched_switch */
	VMADJ_INSIDE_MODULE, /* ours, to compare with */
	VMADJ_INSIDE_OURS,
	VMADJ_INSIDE_OTHER, /* a program of somebody else's */
};

struct vmadj_inside_tool {
	const char *name;
	enum vmadj_inside_kind kind;
	enum vmadj_mode mode; /* of ours */
	const char *arg;      /* of the module; the other program */
};

extern const struct vmadj_inside_tool vmadj_inside_tools[];
extern const size_t vmadj_inside_n_tools;

/* A tool that runs. */
struct vmadj_inside_running {
	const struct vmadj_inside_tool *tool;
	struct vmadj_bench_program empty;
	pid_t pid; /* of its process, or of the module's kernel thread */
	int talk;  /* with its process */
	uint64_t load;
};

/** vmadj_inside_tool_start() - Return: 0 when it is attached; -ENOENT: not to be had; -errno. */
int vmadj_inside_tool_start(const struct vmadj_inside_tool *tool,
			    struct vmadj_inside_running *ret_running);
void vmadj_inside_tool_stop(struct vmadj_inside_running *running);

/* What ours answers when it is asked for a sample. */
struct vmadj_inside_sample {
	uint64_t cost, vms, switches;
	uint64_t accessed_pages;
};

/** vmadj_inside_ours_sample() - Return: 0; -EPIPE: it has ended. */
int vmadj_inside_ours_sample(const struct vmadj_inside_running *running,
			     struct vmadj_inside_sample *ret_sample);

/** vmadj_inside_ours_main() - the observer in a process of its own; Return: the exit status. */
int vmadj_inside_ours_main(enum vmadj_mode mode);

/** vmadj_inside_module_sample() - the same of the module's file: read and parsed; Return: 0;
 * -errno.
 */
int vmadj_inside_module_sample(struct vmadj_inside_sample *ret_sample);

/* The groups: of one tool that runs; what they find is printed. Return: 0; -errno. */
int vmadj_inside_switch(const struct vmadj_inside_running *running);
int vmadj_inside_cache(const struct vmadj_inside_running *running);
int vmadj_inside_tick(const struct vmadj_inside_running *running, unsigned int vms);

/* What is counted here: instructions of this CPU. */
uint64_t vmadj_inside_now(void);
void vmadj_inside_figure(const struct vmadj_inside_running *running, const char *row, double value);
void vmadj_inside_lack(const char *tool, const char *row, const char *why);
