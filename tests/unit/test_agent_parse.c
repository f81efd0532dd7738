/* SPDX-License-Identifier: GPL-2.0-only */
/* test_agent_parse.c - what is a report, and what is refused */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "user/guest/agent_parse.h"

#define MAX	(1ULL << 30)
#define UNKNOWN VMADJ_GUEST_UNKNOWN
#define AGENT	"\"vmadjust\":1,\"agent\":\"9f86d081884c7d65\","
#define TIMES	"\"seq\":17,\"interval_ms\":1000,"
#define HEAD	AGENT TIMES "\"mode\":\"trace\""

TestSuite(agent_parse, .timeout = 20);

/* In memory of its own length, so that the sanitizer sees what is read behind it. */
static const char *parse(const char *line, size_t len, struct vmadj_agent_report *report)
{
	char *exact = malloc(len ? len : 1);
	const char *refused;

	if (!exact)
		cr_fatal("no memory");
	memcpy(exact, line, len);
	refused = vmadj_agent_parse(exact, len, MAX, report);
	free(exact);
	return refused;
}

static struct vmadj_agent_report must(const char *line)
{
	struct vmadj_agent_report report;
	const char *refused = parse(line, strlen(line), &report);

	if (refused)
		cr_fatal("%s: %s", line, refused);
	return report;
}

Test(agent_parse, all_figures_are_taken)
{
	struct vmadj_agent_report report = must(
		"{" HEAD ",\"why\":null,\"mem\":{\"total_bytes\":100,\"free_bytes\":1,"
		"\"available_bytes\":2,\"cached_bytes\":3,\"active_file_bytes\":4,"
		"\"committed_bytes\":500},\"vm\":{\"refaults\":6,\"swap_in_bytes\":7,"
		"\"swap_out_bytes\":8,\"major_faults\":9,\"oom_kills\":10,\"alloc_stalls\":11,"
		"\"disk_read_bytes\":12,\"psi_some_pct\":1.25},\"cache\":{\"accessed_pages\":15,"
		"\"hit_pages\":13,\"miss_pages\":2}}");
	const struct vmadj_guest *guest = &report.guest;

	cr_expect(eq(str, report.agent, "9f86d081884c7d65"));
	cr_expect(eq(u64, report.seq, 17));
	cr_expect(eq(uint, report.interval_ms, 1000));
	cr_expect(eq(str, report.why, ""));
	cr_expect(guest->known);
	cr_expect(eq(str, (char *)guest->source, "agent"));
	cr_expect(eq(u64, guest->mem_total_bytes, 100));
	cr_expect(eq(u64, guest->mem_free_bytes, 1));
	cr_expect(eq(u64, guest->mem_available_bytes, 2));
	cr_expect(eq(u64, guest->cached_bytes, 3));
	cr_expect(eq(u64, guest->active_file_bytes, 4));
	cr_expect(eq(u64, guest->committed_bytes, 500));
	cr_expect(eq(u64, guest->refaults, 6));
	cr_expect(eq(u64, guest->swap_in_bytes, 7));
	cr_expect(eq(u64, guest->swap_out_bytes, 8));
	cr_expect(eq(u64, guest->major_faults, 9));
	cr_expect(eq(u64, guest->oom_kills, 10));
	cr_expect(eq(u64, guest->alloc_stalls, 11));
	cr_expect(eq(u64, guest->disk_read_bytes, 12));
	cr_expect(eq(dbl, guest->mem_psi_some_pct, 1.25));
	cr_expect(guest->cache.known);
	cr_expect(eq(u64, guest->cache.accessed_pages, 15));
	cr_expect(eq(u64, guest->cache.hit_pages, 13));
	cr_expect(eq(u64, guest->cache.miss_pages, 2));
	cr_expect(isnan(guest->cache.hit_pct));
}

Test(agent_parse, what_is_left_out_or_null_is_unknown)
{
	struct vmadj_agent_report report = must("{" HEAD "}");

	cr_expect(eq(u64, report.guest.mem_total_bytes, UNKNOWN));
	cr_expect(eq(u64, report.guest.disk_read_bytes, UNKNOWN));
	cr_expect(isnan(report.guest.mem_psi_some_pct));
	cr_expect(not(report.guest.cache.known));
	report = must("{" HEAD ",\"mem\":null,\"vm\":{\"refaults\":null},\"cache\":null}");
	cr_expect(eq(u64, report.guest.refaults, UNKNOWN));
	cr_expect(not(report.guest.cache.known));
}

Test(agent_parse, what_such_a_guest_cannot_have_is_unknown)
{
	struct vmadj_agent_report report =
		must("{" HEAD ",\"mem\":{\"total_bytes\":9223372036854775807,"
		     "\"free_bytes\":1073741825,\"cached_bytes\":1073741824},"
		     "\"vm\":{\"psi_some_pct\":100.5}}");

	cr_expect(eq(u64, report.guest.mem_total_bytes, UNKNOWN));
	cr_expect(eq(u64, report.guest.mem_free_bytes, UNKNOWN));
	cr_expect(eq(u64, report.guest.cached_bytes, MAX));
	cr_expect(isnan(report.guest.mem_psi_some_pct));
}

#define CACHE ",\"cache\":{\"accessed_pages\":15,\"hit_pages\":13,\"miss_pages\":2}"

Test(agent_parse, a_cache_that_the_host_cannot_compare_is_not_known)
{
	struct vmadj_agent_report report = must("{" HEAD CACHE "}");

	cr_expect(not(report.guest.cache.known));
	report = must("{" AGENT TIMES "\"mode\":\"counters\",\"why\":\"no BTF\",\"vm\":{"
		      "\"disk_read_bytes\":1}" CACHE "}");
	cr_expect(not(report.guest.cache.known));
	cr_expect(eq(str, report.why, "no BTF"));
}

Test(agent_parse, unknown_keys_are_skipped)
{
	(void)must("{\"a\":1," HEAD ",\"b\":[{\"c\":[]}],\"vm\":{\"d\":\"\"}}");
}

struct refused {
	char line[400];
	char why[64]; /* its beginning */
};

#define NO_JSON "the agent says what is no JSON object"
#define NUMBER	"a figure of the agent's is no whole number"

ParameterizedTestParameters(agent_parse, refused)
{
	static struct refused cases[] = {
		{ "", NO_JSON },
		{ "x", NO_JSON },
		{ "7", NO_JSON },
		{ "[" HEAD "]", NO_JSON },
		{ "{" HEAD, NO_JSON },
		{ "{" HEAD "} x", NO_JSON },
		{ "{" HEAD ",\"a\":\"\x01\"}", NO_JSON },
		{ "{" HEAD ",\"a\":\"\xff\xfe\"}", NO_JSON },
		{ "{" HEAD ",\"a\":\"\xc0\x80\"}", NO_JSON },
		{ "{" HEAD ",\"a\":\"\\u0000\"}", NO_JSON },
		{ "{" HEAD ",\"seq\":18}", NO_JSON },
		{ "{" HEAD ",\"mem\":{\"x\":1,\"x\":1}}", NO_JSON },
		{ "{" HEAD ",\"vm\":{\"refaults\":9223372036854775808}}", NO_JSON },
		{ "{" HEAD ",\"vm\":{\"refaults\":1e999}}", NO_JSON },
		{ "{" HEAD ",\"vm\":{\"refaults\":-1}}", NUMBER },
		{ "{" HEAD ",\"vm\":{\"refaults\":1.0}}", NUMBER },
		{ "{" HEAD ",\"vm\":{\"refaults\":\"1\"}}", NUMBER },
		{ "{" HEAD ",\"vm\":{\"refaults\":true}}", NUMBER },
		{ "{" HEAD ",\"vm\":{\"psi_some_pct\":\"1\"}}", NUMBER },
		{ "{" HEAD ",\"vm\":[]}", NUMBER },
		{ "{" HEAD ",\"cache\":7}", NUMBER },
		{ "{" HEAD ",\"a\":[[[[1]]]]}", "the agent's words are nested too deeply" },
		{ "{" HEAD ",\"mem\":{\"total_bytes\":9,\"free_bytes\":10}}",
		  "the agent's figures" },
		{ "{" HEAD ",\"mem\":{\"total_bytes\":9,\"available_bytes\":10}}",
		  "the agent's figures contradict" },
		{ "{" HEAD ",\"mem\":{\"total_bytes\":9,\"cached_bytes\":10}}",
		  "the agent's figures contradict" },
		{ "{" HEAD ",\"cache\":{\"accessed_pages\":1,\"hit_pages\":2,\"miss_pages\":0}}",
		  "the agent's figures contradict" },
		{ "{" HEAD ",\"cache\":{\"accessed_pages\":0,\"hit_pages\":0,"
		  "\"miss_pages\":1125899906842625}}",
		  "the agent's figures are absurd" },
		{ "{\"vmadjust\":2,\"agent\":\"9f86d081884c7d65\"," TIMES "\"mode\":\"trace\"}",
		  "the agent speaks another protocol" },
		{ "{}", "the agent speaks another protocol" },
		{ "{\"vmadjust\":1,\"agent\":\"9f86d081884c7d6\"," TIMES "\"mode\":\"trace\"}",
		  "the agent does not say which" },
		{ "{\"vmadjust\":1,\"agent\":\"9f86d081884c7d6x\"," TIMES "\"mode\":\"trace\"}",
		  "the agent does not say which" },
		{ "{\"vmadjust\":1,\"agent\":1," TIMES "\"mode\":\"trace\"}",
		  "the agent does not say which" },
		{ "{" AGENT "\"seq\":0,\"interval_ms\":1000,\"mode\":\"trace\"}",
		  "the agent does not number" },
		{ "{" AGENT "\"interval_ms\":1000,\"mode\":\"trace\"}",
		  "the agent does not number" },
		{ "{" AGENT "\"seq\":1,\"interval_ms\":199,\"mode\":\"trace\"}",
		  "the agent reports without a sane interval" },
		{ "{" AGENT "\"seq\":1,\"interval_ms\":60001,\"mode\":\"trace\"}",
		  "the agent reports without a sane interval" },
		{ "{" AGENT TIMES "\"mode\":\"x\"}", "the agent does not say what it can" },
		{ "{" AGENT TIMES "\"mode\":\"counters\",\"why\":7}",
		  "the agent does not say what it can" },
		{ "{" AGENT TIMES "\"mode\":\"counters\",\"why\":\""
		  "0123456789012345678901234567890123456789012345678901234567890123456789"
		  "012345678901234567890123456\"}",
		  "the agent does not say what it can" },
	};

	return cr_make_param_array(struct refused, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct refused *c, agent_parse, refused)
{
	struct vmadj_agent_report report = { .seq = 4711 };
	const char *refused = parse(c->line, strlen(c->line), &report);

	cr_assert(ne(ptr, (void *)refused, NULL), "%s", c->line);
	cr_expect(zero(int, strncmp(refused, c->why, strlen(c->why))), "%s: %s", c->line, refused);
	cr_expect(eq(u64, report.seq, 4711));
}

Test(agent_parse, a_nul_ends_nothing)
{
	static const char line[] = "{" HEAD "}\0";
	struct vmadj_agent_report report;

	cr_expect(eq(ptr, (void *)parse(line, sizeof(line) - 2, &report), NULL));
	cr_expect(ne(ptr, (void *)parse(line, sizeof(line) - 1, &report), NULL));
}

Test(agent_parse, a_thousand_deep_and_all_of_a_line_open)
{
	static char line[4095];
	struct vmadj_agent_report report;

	memset(line, '[', sizeof(line));
	cr_expect(eq(str, (char *)parse(line, sizeof(line), &report),
		     "the agent's words are nested too deeply"));
	memcpy(line, "{\"a\":\"\\\"", 8); /* a quoted quote hides nothing */
	cr_expect(ne(ptr, (void *)parse(line, sizeof(line), &report), NULL));
}
