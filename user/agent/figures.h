/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * figures.h - what this guest's kernel says of its memory
 *
 * Units:     bytes, counts, per cent; VMADJ_FIGURE_UNKNOWN (NAN) where this kernel does not say.
 *            Counts are totals since boot.
 * Ownership: nothing is held between two calls.
 */
#pragma once

#include <stdint.h>

#define VMADJ_FIGURE_UNKNOWN UINT64_MAX

struct vmadj_figures {
	uint64_t total_bytes, free_bytes, available_bytes;
	uint64_t cached_bytes, active_file_bytes, committed_bytes;
	uint64_t refaults, swap_in_bytes, swap_out_bytes, major_faults, oom_kills;
	uint64_t alloc_stalls, disk_read_bytes;
	double psi_some_pct; /* avg10, 0 to 100 */
};

/* The kernel's texts into @figures; what a text does not say is unknown. @page_bytes: of this
 * kernel.
 */
void vmadj_figures_meminfo(struct vmadj_figures *figures, const char *text);
void vmadj_figures_vmstat(struct vmadj_figures *figures, const char *text, uint64_t page_bytes);

/* From /proc/vmstat: what tells distress. */
void vmadj_figures_read_vm(struct vmadj_figures *figures);

/* The rest, from /proc/meminfo and /proc/pressure/memory. */
void vmadj_figures_read_mem(struct vmadj_figures *figures);
