/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agent_parse.h - one line of an agent's: docs/guest-protocol.md
 *
 * The line is any bytes. What is no report is refused as a whole: no JSON, nested too deeply, a
 * key twice, a value of another kind than it should be, a count of 2^63 or more, figures that
 * contradict each other, absurd counts of pages. What a guest of this size cannot have is unknown,
 * and so are the cache's figures when the reads from its disks are not told, with which the host
 * compares them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/guest/guest.h"

#define VMADJ_AGENT_ID_SIZE  17
#define VMADJ_AGENT_WHY_SIZE 97

/* More than this has no guest looked at: bytes of so many pages fit 63 bits. */
#define VMADJ_AGENT_PAGES_MAX (1ULL << 50)

struct vmadj_agent_report {
	char agent[VMADJ_AGENT_ID_SIZE];
	uint64_t seq;
	unsigned int interval_ms;
	char why[VMADJ_AGENT_WHY_SIZE]; /* why it does not count the cache; "": it does */
	/* No rates in it, and no age: those are of two reports. */
	struct vmadj_guest guest;
};

/**
 * vmadj_agent_parse() - @max_bytes: what the VM may have at most, or VMADJ_GUEST_UNKNOWN
 *
 * Return: NULL; or why it is refused, a text that stays, and @ret_report is left alone.
 */
const char *vmadj_agent_parse(const char *line, size_t len, uint64_t max_bytes,
			      struct vmadj_agent_report *ret_report);
