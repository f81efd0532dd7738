/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cache_mixes.c - what the guests do
 *
 * A guest's cache is CACHE_EQUAL_BLOCKS - CACHE_USED_BLOCKS = 3072 blocks in the equal split.
 */
#include "tests/lib/cache_mixes.h"

#define HOUR 3600

/* A web server whose content never fits: 40 times the cache. */
#define LOW_LOCALITY                                                         \
	{                                                                    \
		.kind = CACHE_UNIFORM, .first = 0, .n = 122880, .per_s = 100 \
	}

const struct cache_mix cache_mixes[] = {
	/* A part of what the second reads suddenly gets 100 times the accesses: it does not fit in
	 * an equal split, and would fit in more. */
	{ .name = "P2 case 1",
	  .guests = { { "web1", { LOW_LOCALITY } },
		      { "web2",
			{ LOW_LOCALITY,
			  { .kind = CACHE_UNIFORM,
			    .first = 1000,
			    .n = 5000,
			    .per_s = 407,
			    .from_s = 120 } } } },
	  .measured_from_s = 120,
	  .seconds = 720 },
	/* High locality that fits. */
	{ .name = "P2 case 2",
	  .guests = { { "web1", { LOW_LOCALITY } },
		      { "nfs",
			{ { .kind = CACHE_ZIPF,
			    .n = 2500,
			    .per_s = 400,
			    .exponent = 0.8,
			    .from_s = 120 } } } },
	  .measured_from_s = 120,
	  .seconds = 720 },
	{ .name = "giver's set comes back",
	  .guests = { { "batch",
			{ { .kind = CACHE_UNIFORM,
			    .n = 2800,
			    .per_s = 400,
			    .every_s = 120,
			    .for_s = 60 },
			  { .kind = CACHE_UNIFORM, .n = 2800, .per_s = 5 } } },
		      { "web", { { .kind = CACHE_UNIFORM, .n = 5200, .per_s = 400 } } } },
	  .measured_from_s = 60,
	  .seconds = 1260 },
	{ .name = "giver comes back, receiver gains little",
	  .guests = { { "batch",
			{ { .kind = CACHE_UNIFORM,
			    .n = 3000,
			    .per_s = 600,
			    .every_s = 60,
			    .for_s = 20 } } },
		      { "web",
			{ { .kind = CACHE_ZIPF, .n = 60000, .per_s = 200, .exponent = 0.9 } } } },
	  .measured_from_s = 60,
	  .seconds = 1260 },
	{ .name = "three in rotation, too large",
	  .guests = { { "a",
			{ { .kind = CACHE_UNIFORM,
			    .n = 4500,
			    .per_s = 500,
			    .every_s = 180,
			    .for_s = 60 },
			  { .kind = CACHE_UNIFORM, .n = 4500, .per_s = 10 } } },
		      { "b",
			{ { .kind = CACHE_UNIFORM,
			    .n = 4500,
			    .per_s = 500,
			    .every_s = 180,
			    .for_s = 60,
			    .from_s = 60 },
			  { .kind = CACHE_UNIFORM, .n = 4500, .per_s = 10 } } },
		      { "c",
			{ { .kind = CACHE_UNIFORM,
			    .n = 4500,
			    .per_s = 500,
			    .every_s = 180,
			    .for_s = 60,
			    .from_s = 120 },
			  { .kind = CACHE_UNIFORM, .n = 4500, .per_s = 10 } } } },
	  .measured_from_s = 180,
	  .seconds = 1260 },
	{ .name = "three in rotation, Zipf",
	  .guests = { { "a",
			{ { .kind = CACHE_ZIPF,
			    .n = 20000,
			    .per_s = 300,
			    .every_s = 180,
			    .for_s = 60,
			    .exponent = 0.9 } } },
		      { "b",
			{ { .kind = CACHE_ZIPF,
			    .n = 20000,
			    .per_s = 300,
			    .every_s = 180,
			    .for_s = 60,
			    .from_s = 60,
			    .exponent = 0.9 } } },
		      { "c",
			{ { .kind = CACHE_ZIPF,
			    .n = 20000,
			    .per_s = 300,
			    .every_s = 180,
			    .for_s = 60,
			    .from_s = 120,
			    .exponent = 0.9 } } } },
	  .measured_from_s = 180,
	  .seconds = 1260 },
	{ .name = "three in rotation, they fit",
	  .guests = { { "a",
			{ { .kind = CACHE_UNIFORM,
			    .n = 2900,
			    .per_s = 300,
			    .every_s = 180,
			    .for_s = 60 } } },
		      { "b",
			{ { .kind = CACHE_UNIFORM,
			    .n = 2900,
			    .per_s = 300,
			    .every_s = 180,
			    .for_s = 60,
			    .from_s = 60 } } },
		      { "c",
			{ { .kind = CACHE_UNIFORM,
			    .n = 2900,
			    .per_s = 300,
			    .every_s = 180,
			    .for_s = 60,
			    .from_s = 120 } } } },
	  .measured_from_s = 180,
	  .seconds = 1260 },
	{ .name = "a scan beside a hot set",
	  .guests = { { "backup",
			{ { .kind = CACHE_SCAN, .n = 1000000, .per_s = 400, .from_s = 60 } } },
		      { "web", { { .kind = CACHE_UNIFORM, .n = 4500, .per_s = 400 } } } },
	  .measured_from_s = 60,
	  .seconds = 900 },
	{ .name = "a scan beside a hot set that fits",
	  .guests = { { "backup",
			{ { .kind = CACHE_SCAN, .n = 1000000, .per_s = 400, .from_s = 60 } } },
		      { "web", { { .kind = CACHE_CYCLE, .n = 3000, .per_s = 400 } } } },
	  .measured_from_s = 60,
	  .seconds = 900 },
	{ .name = "a loop too large beside a hot set",
	  .guests = { { "loop", { { .kind = CACHE_CYCLE, .n = 12000, .per_s = 400 } } },
		      { "web", { { .kind = CACHE_UNIFORM, .n = 3000, .per_s = 300 } } } },
	  .measured_from_s = 60,
	  .seconds = 900 },
	/* One that loses all by one block less. */
	{ .name = "a giver on the edge",
	  .guests = { { "edge", { { .kind = CACHE_CYCLE, .n = 3040, .per_s = 150 } } },
		      { "web", { { .kind = CACHE_UNIFORM, .n = 9000, .per_s = 600 } } } },
	  .measured_from_s = 60,
	  .seconds = 900 },
	{ .name = "two alike",
	  .guests = { { "a", { { .kind = CACHE_UNIFORM, .n = 5000, .per_s = 400 } } },
		      { "b", { { .kind = CACHE_UNIFORM, .n = 5000, .per_s = 400 } } } },
	  .measured_from_s = 60,
	  .seconds = 900 },
	{ .name = "two that take turns in seconds",
	  .guests = { { "a",
			{ { .kind = CACHE_ZIPF,
			    .n = 8000,
			    .per_s = 500,
			    .every_s = 20,
			    .for_s = 10,
			    .exponent = 0.7 } } },
		      { "b",
			{ { .kind = CACHE_ZIPF,
			    .n = 8000,
			    .per_s = 500,
			    .every_s = 20,
			    .for_s = 10,
			    .from_s = 10,
			    .exponent = 0.7 } } } },
	  .measured_from_s = 60,
	  .seconds = 900 },
	{ .name = "the hot set moves on",
	  .guests = { { "a",
			{ { .kind = CACHE_UNIFORM, .n = 4500, .per_s = 400, .to_s = 300 },
			  { .kind = CACHE_UNIFORM,
			    .first = 50000,
			    .n = 2500,
			    .per_s = 400,
			    .from_s = 300,
			    .to_s = 600 },
			  { .kind = CACHE_UNIFORM,
			    .first = 100000,
			    .n = 60000,
			    .per_s = 400,
			    .from_s = 600 } } },
		      { "b",
			{ { .kind = CACHE_UNIFORM, .n = 2600, .per_s = 100, .to_s = 300 },
			  { .kind = CACHE_UNIFORM,
			    .first = 50000,
			    .n = 4800,
			    .per_s = 400,
			    .from_s = 300 } } } },
	  .measured_from_s = 60,
	  .seconds = HOUR / 4 },
	{ 0 },
};

static uint32_t dice(uint64_t *random, uint32_t n)
{
	*random = *random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*random >> 33) % n;
}

static struct cache_stream random_stream(uint64_t *random)
{
	static const uint32_t sizes[] = { 500, 1500, 2500, 2900, 3300, 4500, 7000, 15000, 60000 };
	static const double rates[] = { 20, 60, 150, 300, 500 };
	static const double turns_s[] = { 0, 0, 0, 30, 60, 120, 300 };
	struct cache_stream stream = {
		.kind = (enum cache_kind)dice(random, 4),
		.first = dice(random, 2) * 100000,
		.n = sizes[dice(random, sizeof(sizes) / sizeof(sizes[0]))],
		.per_s = rates[dice(random, sizeof(rates) / sizeof(rates[0]))],
		.exponent = 0.5 + dice(random, 8) / 10.0,
		.every_s = turns_s[dice(random, sizeof(turns_s) / sizeof(turns_s[0]))],
	};

	if (stream.kind == CACHE_SCAN) {
		stream.first = 200000;
		stream.n = 800000;
	}
	if (stream.every_s > 0) {
		stream.for_s = stream.every_s * (1 + dice(random, 3)) / 4;
		stream.from_s = dice(random, (uint32_t)stream.every_s);
	}
	return stream;
}

struct cache_mix cache_mix_random(uint64_t seed)
{
	static const char *const names[CACHE_GUESTS_MAX] = { "a", "b", "c", "d" };
	struct cache_mix mix = { .name = "random", .measured_from_s = 60, .seconds = 960 };
	uint64_t random = seed * 7919 + 17;
	uint32_t n;

	(void)dice(&random, 2);
	n = 2 + dice(&random, 3);
	for (uint32_t i = 0; i < n; i++) {
		mix.guests[i].name = names[i];
		mix.guests[i].streams[0] = random_stream(&random);
		if (dice(&random, 2))
			mix.guests[i].streams[1] = random_stream(&random);
	}
	return mix;
}
