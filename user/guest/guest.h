/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * guest.h - what a guest says of itself, whatever the source
 *
 * Units: bytes, counts, seconds; VMADJ_GUEST_UNKNOWN (NAN of a real number) where this source
 *        cannot tell. Counts are totals since the guest or its agent began; they go back when it
 *        begins anew.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define VMADJ_GUEST_UNKNOWN UINT64_MAX

/* The guest's own page cache, as an agent counts it: files on disks only. */
struct vmadj_guest_cache {
	bool known;
	uint64_t accessed_pages, hit_pages, miss_pages; /* of 4096 bytes; totals */
	double hit_pct;	   /* between the last two reports; NAN without accesses */
	double efficiency; /* P2: hit pages a second / cache pages, likewise; NAN: not known */
};

struct vmadj_guest {
	bool known;
	const char *source; /* "balloon", "qemu-ga", "agent" */
	double age_s;
	uint64_t mem_total_bytes, mem_free_bytes, mem_available_bytes;
	uint64_t cached_bytes, active_file_bytes, committed_bytes;
	uint64_t refaults; /* pages of files that were dropped and wanted again */
	uint64_t swap_in_bytes, swap_out_bytes, major_faults, oom_kills;
	uint64_t alloc_stalls;	  /* times that a task had to free memory itself to get some */
	uint64_t disk_read_bytes; /* from its disks, past the cache or not */
	double mem_psi_some_pct;  /* avg10 of its own pressure stall information */
	struct vmadj_guest_cache cache;
};

/* Nothing of it is known, but for its source. */
struct vmadj_guest vmadj_guest_unknown(const char *source);

/* Whether a part of its memory is more than all of it, which a guest that tells the truth never
 * says; what is not known contradicts nothing. */
bool vmadj_guest_contradicts_itself(const struct vmadj_guest *guest);
