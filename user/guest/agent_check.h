/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agent_check.h - whether what an agent says, one report after the other, can be believed
 *
 * What it must not do costs it its word for a while, twice as long each time when it does it again
 * soon: then it begins anew, and until then nobody need read what it sends.
 *
 *	refused   10 s .. 1 h    no report, absurd, or what goes back in time
 *	noisy      1 min .. 1 h  more than ten lines a second (20 at once), two agents that talk at
 *	                         once, agents that restart all the time
 *	liar      10 min .. 1 d  the host sees that it is wrong (agent_compare.h)
 *
 * An agent's word is also that it counts: figures that it told once and then keeps to itself are
 * as bad as those that go back, or a liar would forget now and then.
 *
 * Nothing here knows a clock: @now_s is any monotonic one; going back, it stands still.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/guest/agent_compare.h"
#include "user/guest/agent_parse.h"
#include "user/virt/alone.h"

#define VMADJ_CHECK_AGENTS 4 /* that are remembered */

enum vmadj_agent_fault {
	VMADJ_AGENT_REFUSED,
	VMADJ_AGENT_NOISY,
	VMADJ_AGENT_LIAR,
	VMADJ_AGENT_FAULTS,
};

struct vmadj_agent_check {
	unsigned int cpus; /* of the host, which bound what a guest can do */
	double now_s;

	const char *why; /* NULL: it is believed */
	enum vmadj_agent_fault fault;
	struct vmadj_alone alone[VMADJ_AGENT_FAULTS];

	/* How many more there may be; filled up with time. */
	double lines, bytes, starts;

	bool known; /* last is an agent's that goes on */
	double last_s;
	struct vmadj_agent_report last;
	char agents[VMADJ_CHECK_AGENTS][VMADJ_AGENT_ID_SIZE]; /* the newest first */
	struct vmadj_agent_compare compare;
};

void vmadj_agent_check_init(struct vmadj_agent_check *check, unsigned int cpus, double now_s);

/* Why it has no word now, a text that stays; NULL: it has. To be asked before all below. */
const char *vmadj_agent_check_why(struct vmadj_agent_check *check, double now_s);

/* When it gets its word back; only where it has none. */
double vmadj_agent_check_until_s(const struct vmadj_agent_check *check);

/* Each returns whether it has its word still. */
bool vmadj_agent_check_bytes(struct vmadj_agent_check *check, double now_s, size_t n);
bool vmadj_agent_check_line(struct vmadj_agent_check *check, double now_s);
/* @why: as vmadj_agent_parse() gave it. */
bool vmadj_agent_check_refuse(struct vmadj_agent_check *check, double now_s, const char *why);
bool vmadj_agent_check_report(struct vmadj_agent_check *check, double now_s,
			      const struct vmadj_agent_report *report);
/* @bytes: what the host has seen the VM read, a total; VMADJ_GUEST_UNKNOWN: it cannot tell. */
bool vmadj_agent_check_seen(struct vmadj_agent_check *check, double now_s, uint64_t bytes);
