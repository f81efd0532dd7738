/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cli.h - the program itself, `vmadjust-bpf dump --json`, as somebody would run it
 *
 * Errors:    0 or a negative errno.
 * Ownership: it ends with vmadj_bench_cli_stop(), which takes a zeroed one, or with this process.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include <jansson.h>

struct vmadj_bench_cli {
	pid_t pid;
	FILE *out;
};

/**
 * vmadj_bench_cli_start() - one sample a second
 *
 * @unprivileged: as the user nobody, with CAP_BPF and CAP_PERFMON and nothing else.
 *
 * Return: 0; -ENOENT: it is not built; -EPERM: we may not become another user; -errno.
 */
int vmadj_bench_cli_start(bool unprivileged, struct vmadj_bench_cli *ret_cli);
void vmadj_bench_cli_stop(struct vmadj_bench_cli *cli);

/** vmadj_bench_cli_read() - its next sample; Return: 0; -EPIPE: it has ended; -EBADMSG. */
int vmadj_bench_cli_read(struct vmadj_bench_cli *cli, json_t **ret_sample);
