/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * meter.h - what a BPF program costs, beside an empty one on the same event
 *
 * The kernel counts a program's runs and their time while somebody wants it
 * (BPF_ENABLE_STATS). Its two clock reads are part of each figure, so that only
 * the difference to an empty program says something. Whether a program comes first
 * or second on its event matters too, and so does where its code lies:
 * compare several loads, in both orders.
 *
 * Units:     ns; runs as a count.
 * Errors:    0 or a negative errno.
 * Ownership: the _close functions take what was set to VMADJ_BENCH_NO_PROGRAM, and twice.
 */
#pragma once

#include <stdint.h>

struct vmadj_bench_spent {
	uint64_t runs;
	uint64_t time_ns;
};

/* A program on tp_btf/sched_switch; -1 where there is none. */
struct vmadj_bench_program {
	int prog, link, map;
};

#define VMADJ_BENCH_NO_PROGRAM       \
	(struct vmadj_bench_program) \
	{                            \
		-1, -1, -1           \
	}

/** vmadj_bench_empty_open() - it does nothing; Return: 0; the kernel's errno. */
int vmadj_bench_empty_open(struct vmadj_bench_program *ret_program);

/**
 * vmadj_bench_tally_open() - it counts the switches from or to a task with storage in @tags
 *
 * Attach it last: it brings the storage into the cache.
 *
 * Return: 0; the kernel's errno.
 */
int vmadj_bench_tally_open(int tags, struct vmadj_bench_program *ret_program);
int vmadj_bench_tally_read(const struct vmadj_bench_program *program, uint64_t *ret_switches);

void vmadj_bench_program_close(struct vmadj_bench_program *program);

/** vmadj_bench_spent() - totals of the program @fd; Return: 0, -errno of bpf(). */
int vmadj_bench_spent(int fd, struct vmadj_bench_spent *ret_spent);
