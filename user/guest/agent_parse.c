// SPDX-License-Identifier: GPL-2.0-only
/* agent_parse.c - one line of an agent's */
#include "user/guest/agent_parse.h"

#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "user/util/json_depth.h"

#define VERSION		1
#define DEPTH_MAX	4
#define INTERVAL_MIN_MS 200
#define INTERVAL_MAX_MS 60000

/* One whole number of an object's, and where it goes. */
struct figure {
	const char *key;
	size_t offset; /* of a uint64_t in struct vmadj_guest */
};

#define FIGURE(key, member)                               \
	{                                                 \
		key, offsetof(struct vmadj_guest, member) \
	}

static const struct figure mem_figures[] = {
	FIGURE("total_bytes", mem_total_bytes),
	FIGURE("free_bytes", mem_free_bytes),
	FIGURE("available_bytes", mem_available_bytes),
	FIGURE("cached_bytes", cached_bytes),
	FIGURE("active_file_bytes", active_file_bytes),
	FIGURE("committed_bytes", committed_bytes),
	{ NULL, 0 },
};

static const struct figure vm_figures[] = {
	FIGURE("refaults", refaults),
	FIGURE("swap_in_bytes", swap_in_bytes),
	FIGURE("swap_out_bytes", swap_out_bytes),
	FIGURE("major_faults", major_faults),
	FIGURE("oom_kills", oom_kills),
	FIGURE("alloc_stalls", alloc_stalls),
	FIGURE("disk_read_bytes", disk_read_bytes),
	{ NULL, 0 },
};

static const struct figure cache_figures[] = {
	FIGURE("accessed_pages", cache.accessed_pages),
	FIGURE("hit_pages", cache.hit_pages),
	FIGURE("miss_pages", cache.miss_pages),
	{ NULL, 0 },
};

/* jansson has refused what is 2^63 or more. Return: whether it is one, or not there. */
static bool take_whole(const json_t *json, uint64_t *ret_value)
{
	*ret_value = VMADJ_GUEST_UNKNOWN;
	if (!json || json_is_null(json))
		return true;
	if (!json_is_integer(json) || json_integer_value(json) < 0)
		return false;
	*ret_value = (uint64_t)json_integer_value(json);
	return true;
}

static bool take_figures(const json_t *root, const char *key, const struct figure *figures,
			 struct vmadj_guest *guest)
{
	const json_t *object = json_object_get(root, key);

	if (!object || json_is_null(object))
		return true;
	if (!json_is_object(object))
		return false;
	for (; figures->key; figures++) {
		uint64_t *to = (uint64_t *)((char *)guest + figures->offset);

		if (!take_whole(json_object_get(object, figures->key), to))
			return false;
	}
	return true;
}

static bool take_psi(const json_t *root, struct vmadj_guest *guest)
{
	const json_t *json = json_object_get(json_object_get(root, "vm"), "psi_some_pct");
	double value = json_number_value(json);

	if (!json || json_is_null(json))
		return true;
	if (value >= 0 && value <= 100)
		guest->mem_psi_some_pct = value;
	return json_is_number(json);
}

/* What the version, the agent and its mode are; Return: NULL or why not. */
static const char *take_head(const json_t *root, struct vmadj_agent_report *report)
{
	const char *agent = json_string_value(json_object_get(root, "agent"));
	const char *mode = json_string_value(json_object_get(root, "mode"));
	const json_t *why = json_object_get(root, "why");
	uint64_t version, interval_ms;

	if (!take_whole(json_object_get(root, "vmadjust"), &version) || version != VERSION)
		return "the agent speaks another protocol, or another version";
	if (!agent || strlen(agent) != VMADJ_AGENT_ID_SIZE - 1)
		return "the agent does not say which one it is";
	for (size_t i = 0; agent[i]; i++) {
		if (!isxdigit((unsigned char)agent[i]))
			return "the agent does not say which one it is";
	}
	if (!take_whole(json_object_get(root, "seq"), &report->seq) || !report->seq ||
	    report->seq == VMADJ_GUEST_UNKNOWN)
		return "the agent does not number its reports";
	if (!take_whole(json_object_get(root, "interval_ms"), &interval_ms) ||
	    interval_ms < INTERVAL_MIN_MS || interval_ms > INTERVAL_MAX_MS)
		return "the agent reports without a sane interval";
	if (!mode || (strcmp(mode, "trace") != 0 && strcmp(mode, "counters") != 0) ||
	    (why && !json_is_null(why) && json_string_length(why) >= sizeof(report->why)) ||
	    (why && !json_is_null(why) && !json_is_string(why)))
		return "the agent does not say what it can";
	(void)snprintf(report->agent, sizeof(report->agent), "%s", agent);
	report->interval_ms = (unsigned int)interval_ms;
	if (!strcmp(mode, "counters")) {
		(void)snprintf(report->why, sizeof(report->why), "%s",
			       json_is_string(why) ? json_string_value(why) : "no reason given");
	}
	return NULL;
}

static void bound(uint64_t *bytes, uint64_t max_bytes)
{
	if (*bytes > max_bytes)
		*bytes = VMADJ_GUEST_UNKNOWN;
}

static bool is_more(uint64_t part, uint64_t whole)
{
	return part != VMADJ_GUEST_UNKNOWN && whole != VMADJ_GUEST_UNKNOWN && part > whole;
}

static bool is_absurd(const struct vmadj_guest_cache *cache)
{
	return is_more(cache->accessed_pages, VMADJ_AGENT_PAGES_MAX) ||
	       is_more(cache->miss_pages, VMADJ_AGENT_PAGES_MAX);
}

static const char *take_guest(const json_t *root, uint64_t max_bytes,
			      struct vmadj_agent_report *report)
{
	struct vmadj_guest *guest = &report->guest;
	struct vmadj_guest_cache *cache = &guest->cache;

	*guest = vmadj_guest_unknown("agent");
	cache->accessed_pages = cache->hit_pages = cache->miss_pages = VMADJ_GUEST_UNKNOWN;
	if (!take_figures(root, "mem", mem_figures, guest) ||
	    !take_figures(root, "vm", vm_figures, guest) ||
	    !take_figures(root, "cache", cache_figures, guest) || !take_psi(root, guest))
		return "a figure of the agent's is no whole number below 2^63";
	if (vmadj_guest_contradicts_itself(guest) ||
	    is_more(cache->hit_pages, cache->accessed_pages))
		return "the agent's figures contradict each other";
	if (is_absurd(cache))
		return "the agent's figures are absurd";
	bound(&guest->mem_total_bytes, max_bytes);
	bound(&guest->mem_free_bytes, max_bytes);
	bound(&guest->mem_available_bytes, max_bytes);
	bound(&guest->cached_bytes, max_bytes);
	bound(&guest->active_file_bytes, max_bytes);
	cache->known = !report->why[0] && cache->accessed_pages != VMADJ_GUEST_UNKNOWN &&
		       cache->hit_pages != VMADJ_GUEST_UNKNOWN &&
		       cache->miss_pages != VMADJ_GUEST_UNKNOWN &&
		       guest->disk_read_bytes != VMADJ_GUEST_UNKNOWN;
	if (!cache->known)
		cache->accessed_pages = cache->hit_pages = cache->miss_pages = 0;
	guest->known = true;
	return NULL;
}

const char *vmadj_agent_parse(const char *line, size_t len, uint64_t max_bytes,
			      struct vmadj_agent_report *ret_report)
{
	struct vmadj_agent_report report = { .seq = 0 };
	const char *refused;
	json_t *root;

	if (vmadj_json_is_deeper(line, len, DEPTH_MAX))
		return "the agent's words are nested too deeply";
	/* A NUL, a control character and what is not UTF-8 are not taken by jansson. */
	root = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(root)) {
		json_decref(root);
		return "the agent says what is no JSON object";
	}
	refused = take_head(root, &report);
	if (!refused)
		refused = take_guest(root, max_bytes, &report);
	json_decref(root);
	if (!refused)
		*ret_report = report;
	return refused;
}
