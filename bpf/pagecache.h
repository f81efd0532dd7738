/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pagecache.h - what each thread of a VM asked of the host's page cache: the records of
 * pagecache.bpf.c
 *
 * Indexed by slot (life.h); written only by the thread itself.
 */
#pragma once

struct vmadj_pagecache {
	__u64 accessed_pages;
	__u64 missed_pages;
	/* The read in progress, to tell its further events from the next read. */
	__u64 read_mapping;
	__u64 read_index;
	__u64 read_last;
	__u64 read_call;  /* system calls so far, reads and writes */
	__u64 read_pages; /* counted for it */
	__u64 read_bytes; /* that all reads before it had brought */
	__u64 faults;	  /* done when the last one was counted, and one more */
	/* Pages brought into a block device's cache, by a read or by a write. */
	__u64 added_mapping;
	__u64 added_pages;
	__u64 added_call;
};
