/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * guest.h - what a guest says of itself, whatever the source
 *
 * Units: bytes, counts, seconds; VMADJ_GUEST_UNKNOWN where this source cannot tell.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define VMADJ_GUEST_UNKNOWN UINT64_MAX

struct vmadj_guest {
	bool known;
	const char *source; /* "balloon", "qemu-ga", "agent" */
	double age_s;
	uint64_t mem_total_bytes, mem_free_bytes, mem_available_bytes;
	uint64_t cached_bytes, active_file_bytes, committed_bytes;
	uint64_t refaults, swap_in_bytes, swap_out_bytes, major_faults, oom_kills;
};
