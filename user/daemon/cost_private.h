/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cost_private.h - a measurement of what the daemon costs
 *
 * Units: per cent of one CPU; NAN: not known.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "user/daemon/cost.h"
#include "user/daemon/cost_judge.h"
#include "user/daemon/cost_processes.h"
#include "user/observe/programs.h"

enum vmadj_cost_state {
	VMADJ_COST_IDLE,
	VMADJ_COST_ASKED,    /* for the kernel's statistics */
	VMADJ_COST_COUNTING, /* for a second */
};

/* One program, in that second. */
struct vmadj_cost_program {
	char name[16];
	double calls_per_s, ns_per_call, cpu_pct;
};

struct vmadj_cost {
	struct vmadj_daemon *daemon;
	struct vmadj_stats *stats; /* NULL: it could not be started */
	sd_event_source *due;
	sd_event_source *end; /* of the second */
	enum vmadj_cost_state state;
	int stats_err; /* why the programs' time will not be known */

	size_t n_before;
	struct vmadj_program_time before[VMADJ_PROGRAMS_MAX];
	double before_s;

	/* The last measurement. */
	double measured_s; /* monotonic; NAN: none yet */
	int programs_err;  /* why the programs' time is not known */
	size_t n_programs;
	struct vmadj_cost_program program[VMADJ_PROGRAMS_MAX];
	struct vmadj_cost_processes processes;
	struct vmadj_cost_figures figures;

	struct vmadj_cost_judge judge;
	bool cannot_fall_back; /* it was tried */
	char why_poll[160];    /* "": it has not fallen back */
};

/* What follows from a measurement: falls back, or says that it costs too much. */
void vmadj_cost_act(struct vmadj_cost *cost);
