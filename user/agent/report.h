/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * report.h - one line from the guest to the host: docs/guest-protocol.md
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/agent/figures.h"

#define VMADJ_REPORT_MAX     4096 /* bytes, with the end of the line */
#define VMADJ_REPORT_WHY_MAX 96	  /* bytes, without a NUL */

struct vmadj_report {
	const char *agent; /* 16 hexadecimal digits */
	uint64_t seq;
	unsigned int interval_ms;
	const char *why; /* no accesses are counted; NULL: they are */
	struct vmadj_figures figures;
	uint64_t hit_pages, miss_pages; /* of 4096 bytes, totals */
};

/**
 * vmadj_report_line() - @report as one line with its end, which the caller frees
 *
 * Return: 0; -ENOMEM.
 */
int vmadj_report_line(const struct vmadj_report *report, char **ret_line, size_t *ret_len);
