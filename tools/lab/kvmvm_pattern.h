/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kvmvm_pattern.h - the ways in which kvmvm accesses a file, and what comes of it
 */
#ifndef VMADJ_LAB_KVMVM_PATTERN_H
#define VMADJ_LAB_KVMVM_PATTERN_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define IO_PAGE	       4096UL
#define IO_CHUNK_PAGES 256UL /* "big" reads 1 MiB at a time */
#define IO_PAGES_MAX   (1UL << 20)

/* what mincore() leaves in a byte, and what is noted beside it */
#define IO_CACHED 1
#define IO_SEEN	  2

enum io_how { IO_SEQUENTIAL, IO_RANDOM, IO_BIG, IO_MMAP, IO_WRITE };

/* what happened; pages of this file only */
struct io_truth {
	unsigned long accessed; /* accesses to pages, repeats counted, O_DIRECT too */
	unsigned long absent;	/* first accesses to pages that were not in the cache at first */
	unsigned long added;	/* pages in the cache at the end that were not there before */
};

struct io_job {
	enum io_how how;
	bool drop; /* the file leaves the page cache first */
	int flags; /* of open() */
	int fd;
	unsigned long pages;
	uint8_t *map;	 /* the file, for mincore() and the "mmap" pattern */
	uint8_t *before; /* before[i]: page i was in the cache at first; then the same, after */
	uint8_t *buf;
	struct io_truth truth;
};

static inline int io_set_pattern(struct io_job *job, const char *name)
{
	const struct {
		const char *name;
		enum io_how how;
		bool drop;
		int flags;
	} patterns[] = {
		{ "cold", IO_SEQUENTIAL, true, 0 },    { "warm", IO_SEQUENTIAL, false, 0 },
		{ "random-cold", IO_RANDOM, true, 0 }, { "random", IO_RANDOM, false, 0 },
		{ "big-cold", IO_BIG, true, 0 },       { "big", IO_BIG, false, 0 },
		{ "direct", IO_BIG, false, O_DIRECT }, { "mmap", IO_MMAP, false, 0 },
		{ "write", IO_WRITE, false, 0 },
	};

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		if (strcmp(patterns[i].name, name))
			continue;
		job->how = patterns[i].how;
		job->drop = patterns[i].drop;
		job->flags = patterns[i].flags;
		return 0;
	}
	return -EINVAL;
}

#endif
