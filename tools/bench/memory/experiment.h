/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * experiment.h - the same load under several policies at the same time, and what became of it
 *
 * A side is one policy: a daemon of its own, which manages VMs of its own and no others. All sides
 * of a case run beside each other, so that what else the machine does hits all of them. Their VMs
 * are Linux guests with a shared disk that is only read; each is told its load, the same on all
 * sides, at the same moment (tools/lab/fileload.c).
 *
 * What is measured does not come from what is tested: hits and misses are counted by the load in
 * the guest with mincore(2). The memory of the VMs comes from the daemon's samples, which are
 * the balloon's own words.
 *
 * Units:     seconds since the load began; MiB; pages of 4 KiB.
 * Errors:    as in bench.h.
 * Ownership: what a case started has ended when vmadj_exp_run() returns.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/bench/bench.h"

#define VMADJ_EXP_VMS_MAX     3
#define VMADJ_EXP_SIDES_MAX   8
#define VMADJ_EXP_MARKS_MAX   4
#define VMADJ_EXP_SECONDS_MAX 1024
#define VMADJ_EXP_TICKS_S     5 /* looks at the memory, in a second */
#define VMADJ_EXP_TICKS_MAX   (VMADJ_EXP_SECONDS_MAX * VMADJ_EXP_TICKS_S)

/* What a side is: a policy, or memory that nobody moves. */
struct vmadj_exp_side {
	const char *title;  /* for people */
	const char *policy; /* policies/NAME.c; NULL: no daemon, "fixed_mib" */
	const char *params; /* lines for its section */
	unsigned int fixed_mib[VMADJ_EXP_VMS_MAX];
	const char *cache;  /* of its disks: "writeback", "none" */
	const char *source; /* who alone tells of its guests; NULL: "agent"; "qemu-ga", "balloon" */
};

struct vmadj_exp_vm {
	const char *role;    /* for people */
	const char *streams; /* fileload.c */
};

struct vmadj_exp_case {
	const char *name;
	const char *title;
	size_t n_vms;
	struct vmadj_exp_vm vm[VMADJ_EXP_VMS_MAX];
	unsigned int max_mib, min_mib, split_mib; /* of each VM; it begins with split_mib */
	unsigned int from_s, end_s;		  /* what counts */
	unsigned int
		mark_s[VMADJ_EXP_MARKS_MAX]; /* moments at which the load changes; 0: no more */
};

/* One VM of one side. [s]: totals at the end of second s; [0] is 0. */
struct vmadj_exp_track {
	double pages[VMADJ_EXP_SECONDS_MAX + 1], hits[VMADJ_EXP_SECONDS_MAX + 1];
	double late_ms;			     /* the most that a request came too late */
	double mem_mib[VMADJ_EXP_TICKS_MAX]; /* [t]: at t / VMADJ_EXP_TICKS_S; NAN: not known */
	double agent_pages, agent_hits;	     /* of from_s..end_s, as the daemon tells; NAN: not */
	double told;	 /* 0..1 of its samples of from_s..end_s are by that source */
	double base_mib; /* had, and neither free nor cache, at from_s; NAN: not known */
};

struct vmadj_exp_result {
	const struct vmadj_exp_case *what;
	size_t n_sides;
	const struct vmadj_exp_side *side[VMADJ_EXP_SIDES_MAX];
	struct vmadj_exp_track track[VMADJ_EXP_SIDES_MAX][VMADJ_EXP_VMS_MAX];
};

/**
 * vmadj_exp_run() - @ret_result: large, and overwritten
 *
 * Return: 0; -EINTR; -ENODEV: no guests here; -EIO: a guest or a daemon ended; -errno.
 */
int vmadj_exp_run(struct vmadj_bench *bench, const struct vmadj_exp_case *what,
		  const struct vmadj_exp_side *sides, size_t n,
		  struct vmadj_exp_result *ret_result);

/* --- what a result says (figures.c) -------------------------------------- */

/* In from..to seconds, 0..100; NAN without accesses. @vm: VMADJ_EXP_VMS_MAX: all together. */
double vmadj_exp_hit_pct(const struct vmadj_exp_result *result, size_t side, size_t vm,
			 unsigned int from_s, unsigned int to_s);

/* How far a VM's memory moved in from..to, MiB, signed: its level at the end less that before. */
double vmadj_exp_moved_mib(const struct vmadj_exp_result *result, size_t side, size_t vm,
			   unsigned int from_s, unsigned int to_s);

/*
 * Seconds from @from_s until 90 % of what moved had moved, of that VM; INFINITY: less than
 * @least_mib moved that way (negative: down).
 */
double vmadj_exp_moved_s(const struct vmadj_exp_result *result, size_t side, size_t vm,
			 const unsigned int span_s[2], double least_mib);

/* How much more than its least a VM had at the most, from_s..end_s, MiB. */
double vmadj_exp_range_mib(const struct vmadj_exp_result *result, size_t side, size_t vm);

/* The most that all VMs of a side had together, at any moment, MiB. */
double vmadj_exp_most_mib(const struct vmadj_exp_result *result, size_t side);

/* --- the picture (picture.c) --------------------------------------------- */

struct vmadj_exp_picture {
	const char *path, *title, *subtitle;
	/* What is read, MiB, a line of steps for each VM; NULL: none. [k]: from mark k on. */
	const double (*wanted_mib)[VMADJ_EXP_VMS_MAX];
};

/** vmadj_exp_draw() - an SVG; Return: 0; -errno. */
int vmadj_exp_draw(const struct vmadj_exp_result *result, const struct vmadj_exp_picture *picture);
