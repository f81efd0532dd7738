/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bench.h - what `vmadjust-bpf bench overhead` found, for people, for programs, for documents
 *
 * Ownership: the text belongs to the caller.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "user/bench/overhead.h"

struct vmadj_bench_result {
	const struct vmadj_overhead *overhead;
	const char *kernel;
	unsigned int cpus, cpu, pairs;
	int others; /* BPF programs of others on the same event; negative: not known */
};

/* @width: of the terminal; 0: as wide as it gets. Return: 0; -ENOMEM. */
int vmadj_bench_to_text(const struct vmadj_bench_result *result, bool color, unsigned int width,
			char **ret_text, size_t *ret_len);

/* A table with no heading. Return: 0; -ENOMEM. */
int vmadj_bench_to_markdown(const struct vmadj_bench_result *result, char **ret_text,
			    size_t *ret_len);

/* One line with its newline (docs/output.md). Return: 0; -ENOMEM. */
int vmadj_bench_to_json(const struct vmadj_bench_result *result, char **ret_text, size_t *ret_len);
