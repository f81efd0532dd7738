// SPDX-License-Identifier: GPL-2.0-only
/* tell.c - what a side's guests and its daemon told, as series over time */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "tools/bench/memory/side.h"
#include "user/util/cleanup.h"

#define MIB 0x1p20

/* --- consoles ----------------------------------------------------------- */

/* Totals for each second; a second without a line has those of the one before. */
int vmadj_exp_read_console(const char *path, unsigned int end_s, struct vmadj_exp_track *track)
{
	_cleanup_fclose_ FILE *console = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	unsigned int last = 0;

	if (!console)
		return -errno;
	while (getline(&line, &size, console) > 0) {
		const char *at = strstr(line, "FILES ");
		double pages, hits, late_ms;
		unsigned int s;

		/* NOLINTNEXTLINE(cert-err34-c): the load is ours, and prints what fits */
		if (!at ||
		    sscanf(at, "FILES %u %*f %lf %lf %*f %lf", &s, &pages, &hits, &late_ms) != 4 ||
		    s <= last || s > VMADJ_EXP_SECONDS_MAX)
			continue;
		for (; last + 1 < s; last++) {
			track->pages[last + 1] = track->pages[last];
			track->hits[last + 1] = track->hits[last];
		}
		last = s;
		track->pages[s] = pages;
		track->hits[s] = hits;
		track->late_ms = late_ms;
	}
	return last < end_s ? -ENODATA : 0;
}

/* --- samples ------------------------------------------------------------ */

static const json_t *vm_of(const json_t *sample, const struct vmadj_lab_vm *vm)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(sample, "vms"), i, one)
	{
		if (json_integer_value(json_object_get(one, "pid")) == vmadj_lab_vm_pid(vm))
			return one;
	}
	return NULL;
}

/* NAN where it is null. */
static double number_at(const json_t *json, const char *key)
{
	const json_t *value = json_object_get(json, key);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

/* What was told last, and how often by whom it should be. */
struct counted {
	double pages, hits;
	double samples, told;
};

static struct counted counted_of(const json_t *vm)
{
	const json_t *cache = json_object_get(json_object_get(vm, "guest"), "cache");

	return (struct counted){ .pages = number_at(cache, "accessed_pages"),
				 .hits = number_at(cache, "hit_pages") };
}

static void take(const json_t *vm, double at_s, const struct vmadj_exp_case *what,
		 struct vmadj_exp_track *track)
{
	double tick = floor(at_s * VMADJ_EXP_TICKS_S);
	const json_t *balloon = json_object_get(json_object_get(vm, "knobs"), "balloon");
	const json_t *guest = json_object_get(vm, "guest");
	struct counted counted = counted_of(vm);

	if (tick >= 0 && tick < VMADJ_EXP_TICKS_MAX)
		track->mem_mib[(size_t)tick] = number_at(balloon, "actual_bytes") / MIB;
	if (at_s <= what->from_s && !isnan(counted.pages)) {
		/* at the beginning, for the difference */
		track->agent_pages = -counted.pages;
		track->agent_hits = -counted.hits;
	}
	if (at_s <= what->from_s) {
		track->base_mib =
			(number_at(balloon, "actual_bytes") - number_at(guest, "mem_free_bytes") -
			 number_at(guest, "cached_bytes")) /
			MIB;
	}
}

/* Ticks that no sample fell into have the value of the one before. */
static void close_gaps(struct vmadj_exp_track *track, size_t n)
{
	for (size_t t = 1; t < n; t++) {
		if (isnan(track->mem_mib[t]))
			track->mem_mib[t] = track->mem_mib[t - 1];
	}
	for (size_t t = n; t-- > 1;) {
		if (isnan(track->mem_mib[t - 1]))
			track->mem_mib[t - 1] = track->mem_mib[t];
	}
}

static bool is_told_by(const json_t *vm, const struct vmadj_exp_side *side)
{
	const char *source =
		json_string_value(json_object_get(json_object_get(vm, "guest"), "source"));

	return source && !strcmp(source, side->source ? side->source : "agent");
}

static void read_one(const struct vmadj_exp_place *place, const json_t *sample, double at_s,
		     struct vmadj_exp_track *tracks, struct counted *last)
{
	for (size_t i = 0; i < place->what->n_vms; i++) {
		const json_t *vm = vm_of(sample, place->vm[i]);

		if (!vm)
			continue;
		take(vm, at_s, place->what, &tracks[i]);
		if (at_s > place->what->end_s)
			continue;
		if (at_s >= place->what->from_s) {
			last[i].samples++;
			last[i].told += is_told_by(vm, place->side);
		}
		if (!isnan(counted_of(vm).pages)) {
			last[i].pages = counted_of(vm).pages;
			last[i].hits = counted_of(vm).hits;
		}
	}
}

static void fill(struct vmadj_exp_track *track, double mib)
{
	for (size_t t = 0; t < VMADJ_EXP_TICKS_MAX; t++)
		track->mem_mib[t] = mib;
}

int vmadj_exp_read_samples(const struct vmadj_exp_place *place, const char *path, double start_s,
			   struct vmadj_exp_track *tracks)
{
	struct counted last[VMADJ_EXP_VMS_MAX] = { 0 };
	_cleanup_fclose_ FILE *samples = NULL;
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	for (size_t i = 0; i < place->what->n_vms; i++) {
		fill(&tracks[i], place->side->policy ? NAN : place->side->fixed_mib[i]);
		tracks[i].agent_pages = tracks[i].agent_hits = tracks[i].base_mib = NAN;
	}
	if (!place->side->policy)
		return 0;
	samples = fopen(path, "re");
	if (!samples)
		return -errno;
	while (getline(&line, &size, samples) > 0) {
		json_t *sample = json_loads(line, 0, NULL);

		if (sample) {
			read_one(place, sample, number_at(sample, "time_unix_s") - start_s, tracks,
				 last);
		}
		json_decref(sample);
	}
	for (size_t i = 0; i < place->what->n_vms; i++) {
		close_gaps(&tracks[i], (size_t)place->what->end_s * VMADJ_EXP_TICKS_S);
		tracks[i].agent_pages += last[i].pages;
		tracks[i].agent_hits += last[i].hits;
		tracks[i].told = last[i].samples > 0 ? last[i].told / last[i].samples : 0;
		if (isnan(tracks[i].mem_mib[0]))
			return -ENODATA;
	}
	return 0;
}
