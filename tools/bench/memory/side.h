/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * side.h - the guests, the daemon and the samples of one side
 *
 * Errors:    as in bench.h.
 * Ownership: vmadj_exp_side_end() takes a zeroed one, and one that was half begun.
 */
#pragma once

#include <sys/types.h>

#include "tests/lab/lab.h"
#include "tools/bench/memory/experiment.h"
#include "tools/bench/served.h"

struct vmadj_exp_place {
	const struct vmadj_exp_case *what;
	const struct vmadj_exp_side *side;
	size_t index;
	struct vmadj_lab_vm *vm[VMADJ_EXP_VMS_MAX];
	int port[VMADJ_EXP_VMS_MAX]; /* to the load; 0: none */
	struct vmadj_bench_served served;
	pid_t sampler; /* 0: none */
};

/** vmadj_exp_side_boot() - its guests, with their memory at split_mib */
int vmadj_exp_side_boot(struct vmadj_bench *bench, struct vmadj_exp_place *place);

/** vmadj_exp_side_serve() - its daemon, and what writes its samples down */
int vmadj_exp_side_serve(struct vmadj_bench *bench, struct vmadj_exp_place *place);

/** vmadj_exp_side_go() - tell the guests their load: it begins at once */
int vmadj_exp_side_go(struct vmadj_bench *bench, struct vmadj_exp_place *place);

/** vmadj_exp_side_check() - Return: 0; -EIO: a guest or the daemon has ended */
int vmadj_exp_side_check(struct vmadj_bench *bench, const struct vmadj_exp_place *place);

/** vmadj_exp_side_read() - what its guests and its daemon told; @start_s: Unix time of "go" */
int vmadj_exp_side_read(struct vmadj_bench *bench, const struct vmadj_exp_place *place,
			double start_s, struct vmadj_exp_track *ret_tracks);

void vmadj_exp_side_end(struct vmadj_exp_place *place);

/** vmadj_exp_balloon() - ask a QEMU for a size, by its QMP socket; Return: 0; -errno. */
int vmadj_exp_balloon(const char *socket_path, unsigned int mib);

/* talk.c: a stream socket connected to @path; Return: it, or -errno. */
int vmadj_exp_connect(const char *path);

/* tell.c: what console and samples say */
int vmadj_exp_read_console(const char *path, unsigned int end_s, struct vmadj_exp_track *track);
int vmadj_exp_read_samples(const struct vmadj_exp_place *place, const char *path, double start_s,
			   struct vmadj_exp_track *tracks);
