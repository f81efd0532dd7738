/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * guest.h - what all threads of a guest asked of its page cache: the records of guest.bpf.c
 */
#pragma once

#include "bpf/pagecache.h"

/* In each thread's task storage. */
struct vmadj_guest_task {
	struct vmadj_pagecache_state state;
	__u64 ahead_pages; /* brought in by it, and not asked for yet */
};

/* Indexed by CPU; added to atomically, by programs on that CPU. A cache line each. */
struct vmadj_guest_total {
	__u64 hit_pages;
	__u64 missed_pages;
	__u64 lost; /* events whose thread had no room for its state */
	__u64 unused[5];
};
