/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * access.h - a VM's process uses a file, and what the observer and the kernel say of that
 *
 * The truth does not come from the observer's events: pages asked for follow from the calls,
 * pages brought in from mincore() before and after, and the kernel accounts to each
 * thread what it had read from storage.
 *
 * Units: bytes where named so; pages are the kernel's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct vmadj_vmm;
struct vmadj_world;

enum vmadj_access_how {
	VMADJ_ACCESS_READ,
	VMADJ_ACCESS_WRITE,
	VMADJ_ACCESS_MMAP,	      /* one load a page */
	VMADJ_ACCESS_SENDFILE,	      /* to /dev/null */
	VMADJ_ACCESS_SPLICE,	      /* through a pipe */
	VMADJ_ACCESS_COPY,	      /* each chunk is read, and written where it was */
	VMADJ_ACCESS_WRITE_THEN_READ, /* one chunk is written, the next one read, and so on */
};

/* Calls of @each_bytes cover [from_bytes, from_bytes + bytes), in order or in none. */
struct vmadj_access {
	enum vmadj_access_how how;
	int flags;	    /* more for open(), as O_DIRECT */
	bool cold;	    /* nothing of the file is in the page cache when it begins */
	bool warm;	    /* all of it is */
	bool random;	    /* each call somewhere in that range */
	bool worker;	    /* by a thread made for it */
	unsigned int times; /* 0: once */
	uint64_t from_bytes, bytes, each_bytes;
	char path[128];

	/* filled in */
	uint64_t asked_pages;	/* within the file */
	uint64_t added_pages;	/* in the cache at the end, and not before */
	uint64_t storage_pages; /* that the thread had read from storage */
	uint64_t faults;
	uint64_t accessed_pages, missed_pages; /* what the observer says */
	int err;
};

/* Has @vmm do it, between two samples of @world. Fails the test if it cannot be done. */
void vmadj_access_do(struct vmadj_world *world, struct vmadj_vmm *vmm, struct vmadj_access *access);

/* Whether @ours is within 1 % of @theirs; says both on stderr if not. */
bool vmadj_access_agrees(const char *what, uint64_t ours, uint64_t theirs);
