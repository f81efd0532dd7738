/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pagecache.h - what a thread asked of the page cache: the records of pagecache.bpf.c, and what
 * guest.bpf.c shares of them
 */
#pragma once

/* Between two events of a thread. */
struct vmadj_pagecache_state {
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

/* Each thread of a VM's, indexed by slot (life.h); written only by the thread itself. */
struct vmadj_pagecache {
	__u64 accessed_pages;
	__u64 missed_pages;
	struct vmadj_pagecache_state state;
};
