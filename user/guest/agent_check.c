// SPDX-License-Identifier: GPL-2.0-only
/* agent_check.c - whether what an agent says, one report after the other, can be believed */
#include "user/guest/agent_check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "user/guest/line.h"

#define LINES_A_S    10
#define LINES_BURST  20
#define BYTES_A_S    (LINES_A_S * VMADJ_GUEST_LINE_MAX)
#define BYTES_BURST  (LINES_BURST * VMADJ_GUEST_LINE_MAX)
#define STARTS_A_S   (1.0 / 60)
#define STARTS_BURST 5

/*
 * Pages that one CPU can ask the page cache for: one in 125 ns. A system call that reads a byte
 * takes longer, and copying 4096 bytes as long at 32 GB/s.
 */
#define ACCESSES_A_S 8e6
#define LATE_S	     2 /* by which a report may have been late */

#define S_US 1000000ULL

static const struct vmadj_alone_times times[VMADJ_AGENT_FAULTS] = {
	[VMADJ_AGENT_REFUSED] = { 10 * S_US, 3600 * S_US },
	[VMADJ_AGENT_NOISY] = { 60 * S_US, 3600 * S_US },
	[VMADJ_AGENT_LIAR] = { 600 * S_US, 86400 * S_US },
};

static uint64_t to_us(double s)
{
	return s > 0 ? (uint64_t)(s * 1e6) : 0;
}

/* Return: false, for the callers' sake. */
static bool accuse(struct vmadj_agent_check *check, enum vmadj_agent_fault fault, const char *why)
{
	vmadj_alone_leave(&check->alone[fault], &times[fault], to_us(check->now_s), true);
	check->fault = fault;
	check->why = why;
	check->known = false;
	check->compare.n = 0;
	return false;
}

static void fill(double *room, double most, double a_s, double elapsed_s)
{
	*room = fmin(most, *room + elapsed_s * a_s);
}

static void advance(struct vmadj_agent_check *check, double now_s)
{
	double elapsed_s = now_s - check->now_s;

	if (!(elapsed_s > 0))
		return;
	check->now_s = now_s;
	fill(&check->lines, LINES_BURST, LINES_A_S, elapsed_s);
	fill(&check->bytes, BYTES_BURST, BYTES_A_S, elapsed_s);
	fill(&check->starts, STARTS_BURST, STARTS_A_S, elapsed_s);
}

void vmadj_agent_check_init(struct vmadj_agent_check *check, unsigned int cpus, double now_s)
{
	*check = (struct vmadj_agent_check){
		.cpus = cpus,
		.now_s = now_s,
		.lines = LINES_BURST,
		.bytes = BYTES_BURST,
		.starts = STARTS_BURST,
	};
}

double vmadj_agent_check_until_s(const struct vmadj_agent_check *check)
{
	return (double)check->alone[check->fault].until_us / 1e6;
}

const char *vmadj_agent_check_why(struct vmadj_agent_check *check, double now_s)
{
	advance(check, now_s);
	if (check->why && check->now_s >= vmadj_agent_check_until_s(check)) {
		check->why = NULL;
		memset(check->agents, 0, sizeof(check->agents));
	}
	return check->why;
}

bool vmadj_agent_check_bytes(struct vmadj_agent_check *check, double now_s, size_t n)
{
	advance(check, now_s);
	check->bytes -= (double)n;
	return check->bytes >= 0 || accuse(check, VMADJ_AGENT_NOISY, "the agent floods");
}

bool vmadj_agent_check_line(struct vmadj_agent_check *check, double now_s)
{
	advance(check, now_s);
	check->lines--;
	return check->lines >= 0 || accuse(check, VMADJ_AGENT_NOISY, "the agent floods");
}

bool vmadj_agent_check_refuse(struct vmadj_agent_check *check, double now_s, const char *why)
{
	advance(check, now_s);
	return accuse(check, VMADJ_AGENT_REFUSED, why);
}

/* Who comes back while another one has talked lives still. */
static bool start(struct vmadj_agent_check *check, const char *agent)
{
	for (size_t i = 0; i < VMADJ_CHECK_AGENTS; i++) {
		if (!strcmp(check->agents[i], agent))
			return accuse(check, VMADJ_AGENT_NOISY, "two agents talk at once");
	}
	check->starts--;
	if (check->starts < 0)
		return accuse(check, VMADJ_AGENT_NOISY, "the agent restarts all the time");
	memmove(check->agents[1], check->agents[0],
		sizeof(check->agents) - sizeof(check->agents[0]));
	(void)snprintf(check->agents[0], sizeof(check->agents[0]), "%s", agent);
	check->compare.n = 0;
	return true;
}

/* Where one of them is unknown, the other must be, too. */
static bool went_back(uint64_t from, uint64_t to)
{
	return to < from || (to != from && to == VMADJ_GUEST_UNKNOWN);
}

/* Only what an agent cannot do without starting anew. */
static const char *fault_between(const struct vmadj_agent_check *check,
				 const struct vmadj_agent_report *to)
{
	const struct vmadj_guest *was = &check->last.guest, *is = &to->guest;
	const struct vmadj_guest_cache *from = &was->cache, *now = &is->cache;
	double elapsed_s = check->now_s - check->last_s + LATE_S;

	if (to->seq <= check->last.seq)
		return "the agent's reports go back in time";
	if (from->known != now->known || now->accessed_pages < from->accessed_pages ||
	    now->hit_pages < from->hit_pages || now->miss_pages < from->miss_pages ||
	    went_back(was->disk_read_bytes, is->disk_read_bytes) ||
	    went_back(was->refaults, is->refaults) ||
	    went_back(was->swap_in_bytes, is->swap_in_bytes) ||
	    went_back(was->swap_out_bytes, is->swap_out_bytes) ||
	    went_back(was->major_faults, is->major_faults) ||
	    went_back(was->oom_kills, is->oom_kills) ||
	    went_back(was->alloc_stalls, is->alloc_stalls))
		return "the agent's counts go back";
	if ((double)(now->accessed_pages - from->accessed_pages) >
	    ACCESSES_A_S * check->cpus * elapsed_s)
		return "the agent claims more accesses than this host's CPUs can do";
	return NULL;
}

bool vmadj_agent_check_report(struct vmadj_agent_check *check, double now_s,
			      const struct vmadj_agent_report *report)
{
	const char *why = NULL;

	advance(check, now_s);
	if (strcmp(check->agents[0], report->agent) != 0) {
		if (!start(check, report->agent))
			return false;
	} else if (check->known) {
		why = fault_between(check, report);
	}
	if (why)
		return accuse(check, VMADJ_AGENT_REFUSED, why);
	check->known = true;
	check->last = *report;
	check->last_s = check->now_s;
	return true;
}

bool vmadj_agent_check_seen(struct vmadj_agent_check *check, double now_s, uint64_t bytes)
{
	const char *why;

	advance(check, now_s);
	if (!check->known)
		return !check->why;
	why = vmadj_agent_compare_add(&check->compare, check->now_s, bytes, &check->last.guest,
				      check->last_s);
	return !why || accuse(check, VMADJ_AGENT_LIAR, why);
}
