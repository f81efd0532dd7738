/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * balloon_stats.h - what a virtio balloon says, as it says it
 *
 * The guest writes all of this, unchecked: user/guest/ makes figures of it.
 *
 * Units: bytes; VMADJ_BALLOON_UNSET: not told.
 */
#pragma once

#include <stdint.h>

#define VMADJ_BALLOON_UNSET UINT64_MAX

struct vmadj_balloon_stats {
	uint64_t actual_bytes;	/* what the guest has: its memory less the balloon */
	uint64_t last_update_s; /* unix time of the statistics below; 0: never */
	uint64_t total_bytes, free_bytes, available_bytes;
	uint64_t cached_bytes; /* "disk caches" */
	uint64_t swap_in_bytes, swap_out_bytes;
	uint64_t major_faults, minor_faults;
	uint64_t oom_kills, alloc_stalls; /* newer QEMU and guests; libvirt tells neither */
};
