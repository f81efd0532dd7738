/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cache_model.h - VMs with page caches, moved by a policy, in made-up time
 *
 * Each guest has a cache that drops what was not used for longest, and reads files in blocks of
 * 16 pages by one or more streams. A second is a tick: the guests read, the policy decides on a
 * snapshot of what they tell, and memory moves as the daemon moves it: only so much a second, and
 * growing only into what others have left.
 *
 * Units: blocks of 64 KiB, seconds. The same seed gives the same run.
 */
#pragma once

#include <stdint.h>

#define CACHE_GUESTS_MAX  4
#define CACHE_STREAMS_MAX 4
#define CACHE_BLOCK_BYTES 65536
#define CACHE_BLOCKS_MAX  (1 << 20) /* ids of a guest */

/* A guest's equal part, and how much of it is no cache. */
#define CACHE_EQUAL_BLOCKS 4096
#define CACHE_USED_BLOCKS  1024

enum cache_kind {
	CACHE_UNIFORM, /* any of the blocks */
	CACHE_ZIPF,    /* the first ones more often */
	CACHE_CYCLE,   /* one after the other, and again */
	CACHE_SCAN,    /* one after the other, never again */
};

/* It reads while from_s <= t < to_s (0: for ever), and of each every_s (0: always) for_s. */
struct cache_stream {
	enum cache_kind kind;
	uint32_t first, n; /* which blocks */
	double per_s;	   /* 0: the list ends here */
	double from_s, to_s, every_s, for_s;
	double exponent; /* of Zipf's law */
};

struct cache_guest {
	const char *name;
	struct cache_stream streams[CACHE_STREAMS_MAX];
};

struct cache_mix {
	const char *name;
	struct cache_guest guests[CACHE_GUESTS_MAX]; /* a NULL name ends them */
	double seconds, measured_from_s;
};

enum cache_source { CACHE_AGENT, CACHE_QGA, CACHE_BALLOON };

struct cache_param {
	const char *name; /* NULL ends a list */
	double value;
};

struct cache_run {
	const struct cache_mix *mix;
	const char *policy;
	const struct cache_param *params; /* or NULL */
	enum cache_source source;
	uint64_t seed;
	void (*watch)(double now_s, const char *line); /* once a tick, or NULL */
};

struct cache_result {
	double hit_pct, guest_hit_pct[CACHE_GUESTS_MAX]; /* from measured_from_s on */
	double most_blocks;				 /* that all had together at any time */
	double moved_s; /* until the largest one had 9/10 of its gain; NAN: none gained */
	uint32_t turns; /* how often a guest's direction changed */
};

/* Ends the test where the policy does what it may not. */
struct cache_result cache_model_run(const struct cache_run *run);
