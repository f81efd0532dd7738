/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agent_rates.h - what a guest's page cache did between its last two reports
 *
 * Zeroes: there was no report yet. Units: seconds of a monotonic clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/guest/agent_parse.h"

struct vmadj_agent_rates {
	bool known;
	double since_s;
	char agent[VMADJ_AGENT_ID_SIZE];
	struct vmadj_guest_cache from; /* with the rates as they were last */
};

/**
 * vmadj_agent_rates_add() - fills in hit_pct and efficiency of a report that came at @now_s
 *
 * Those of before, where the report before is too close to divide by.
 */
void vmadj_agent_rates_add(struct vmadj_agent_rates *rates, double now_s,
			   struct vmadj_agent_report *report);
