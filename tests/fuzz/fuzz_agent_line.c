/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz_agent_line.c - a guest's stream: lines, reports, and what is believed of them
 *
 * The first byte decides how the rest is cut to pieces, when each of them comes, and what the host
 * sees meanwhile.
 */
#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user/guest/agent_check.h"
#include "user/guest/agent_parse.h"
#include "user/guest/agent_rates.h"
#include "user/guest/line.h"

#define MAX_BYTES (1ULL << 40)
#define UNKNOWN	  VMADJ_GUEST_UNKNOWN

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	uint32_t dice;
	double now_s;
	uint64_t seen_bytes, lines, sum;
	struct vmadj_guest_line line;
	struct vmadj_agent_check check;
	struct vmadj_agent_rates rates;
};

static void must(bool holds)
{
	if (!holds)
		abort();
}

static uint32_t roll(struct world *world)
{
	world->dice = world->dice * 1664525 + 1013904223;
	return world->dice >> 16;
}

static bool is_part(uint64_t part, uint64_t whole)
{
	return part == UNKNOWN || whole == UNKNOWN || part <= whole;
}

static void check_report(const struct vmadj_agent_report *report)
{
	const struct vmadj_guest *guest = &report->guest;

	must(guest->known && report->seq > 0 && report->seq <= INT64_MAX);
	must(strlen(report->agent) == 16 && strlen(report->why) < sizeof(report->why));
	for (size_t i = 0; i < 16; i++)
		must(isxdigit((unsigned char)report->agent[i]));
	must(report->interval_ms >= 200 && report->interval_ms <= 60000);
	must(guest->mem_total_bytes == UNKNOWN || guest->mem_total_bytes <= MAX_BYTES);
	must(is_part(guest->mem_free_bytes, guest->mem_total_bytes));
	must(is_part(guest->mem_available_bytes, guest->mem_total_bytes));
	must(is_part(guest->cached_bytes, guest->mem_total_bytes));
	must(guest->refaults == UNKNOWN || guest->refaults <= INT64_MAX);
	must(isnan(guest->mem_psi_some_pct) ||
	     (guest->mem_psi_some_pct >= 0 && guest->mem_psi_some_pct <= 100));
	must(guest->cache.hit_pages <= guest->cache.accessed_pages);
	must(guest->cache.miss_pages <= VMADJ_AGENT_PAGES_MAX);
	must(!guest->cache.known || guest->disk_read_bytes != UNKNOWN);
}

static void check_state(const struct world *world)
{
	const struct vmadj_agent_check *check = &world->check;

	must(world->line.len < VMADJ_GUEST_LINE_MAX);
	must(check->compare.n <= VMADJ_COMPARE_LOOKS);
	must(!check->why || vmadj_agent_check_until_s(check) > check->now_s);
	must(!check->why || !check->known);
}

static void take_line(struct world *world)
{
	struct vmadj_agent_report report, untouched;
	const struct vmadj_guest_cache *cache = &report.guest.cache;
	const char *refused;

	memset(&report, 0x5a, sizeof(report));
	memcpy(&untouched, &report, sizeof(report));
	refused = vmadj_agent_parse(world->line.text, world->line.len, MAX_BYTES, &report);
	if (refused) {
		must(!memcmp(&report, &untouched, sizeof(report)));
		if (roll(world) % 4)
			(void)vmadj_agent_check_refuse(&world->check, world->now_s, refused);
		return;
	}
	check_report(&report);
	if (!vmadj_agent_check_line(&world->check, world->now_s) ||
	    !vmadj_agent_check_report(&world->check, world->now_s, &report))
		return;
	vmadj_agent_rates_add(&world->rates, world->now_s, &report);
	must(isnan(cache->hit_pct) || (cache->hit_pct >= 0 && cache->hit_pct <= 100));
	must(isnan(cache->efficiency) || cache->efficiency >= 0);
}

static void add_to_sum(struct world *world)
{
	world->lines++;
	for (size_t i = 0; i < world->line.len; i++)
		world->sum = world->sum * 31 + (unsigned char)world->line.text[i];
}

static void take_piece(struct world *world, const char *at, const char *end)
{
	(void)vmadj_agent_check_bytes(&world->check, world->now_s, (size_t)(end - at));
	check_state(world);
	/* A stream that is not read any more would end the play here. */
	while (vmadj_guest_line_next(&world->line, &at, end)) {
		add_to_sum(world);
		if (!world->check.why)
			take_line(world);
		check_state(world);
	}
}

static void go_on(struct world *world)
{
	static const double steps_s[] = { 0, 0, 0.01, 0.3, 1, 1, 3, 11, 70, 700, 1e5, -5 };

	world->now_s += steps_s[roll(world) % (sizeof(steps_s) / sizeof(steps_s[0]))];
	if (roll(world) % 2)
		world->seen_bytes += (uint64_t)roll(world) << roll(world) % 24;
	(void)vmadj_agent_check_why(&world->check, world->now_s);
	(void)vmadj_agent_check_seen(&world->check, world->now_s,
				     roll(world) % 16 ? world->seen_bytes : UNKNOWN);
	check_state(world);
}

/* However it is cut, it is the same lines. */
static void check_pieces(const struct world *cut, const char *at, const char *end)
{
	static struct world whole;

	whole.line.len = 0;
	whole.line.whole = whole.line.skipping = false;
	whole.lines = whole.sum = whole.line.n_too_long = 0;
	while (vmadj_guest_line_next(&whole.line, &at, end))
		add_to_sum(&whole);
	must(whole.lines == cut->lines && whole.sum == cut->sum &&
	     whole.line.n_too_long == cut->line.n_too_long);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *begin = (const char *)data + 1, *end = (const char *)data + size;
	static struct world world;

	if (!size)
		return 0;
	memset(&world, 0, sizeof(world));
	world.dice = data[0];
	vmadj_agent_check_init(&world.check, 2, 0);
	for (const char *at = begin; at < end;) {
		size_t most = (size_t)(end - at), n = 1 + roll(&world) % 512;

		n = n < most ? n : most;
		take_piece(&world, at, at + n);
		go_on(&world);
		at += n;
	}
	check_pieces(&world, begin, end);
	return 0;
}
