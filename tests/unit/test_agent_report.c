/* SPDX-License-Identifier: GPL-2.0-only */
/* test_agent_report.c - what vmadjust-guest makes of its kernel's texts, and how it says it */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "user/agent/figures.h"
#include "user/agent/report.h"

#define UNKNOWN VMADJ_FIGURE_UNKNOWN

TestSuite(agent_report, .timeout = 10);

static const char meminfo[] = "MemTotal:         230500 kB\nMemFree:          101320 kB\n"
			      "MemAvailable:     150000 kB\nBuffers:            1000 kB\n"
			      "Cached:            70000 kB\nSwapCached:            5 kB\n"
			      "Active(file):      39000 kB\nCommitted_AS:      52000 kB\n";
static const char vmstat[] = "nr_free_pages 25330\nworkingset_refault_anon 5\n"
			     "workingset_refault_file 4\npgpgin 4711\npgpgout 7\npswpin 2\n"
			     "pswpout 3\nallocstall_dma 0\nallocstall_normal 6\n"
			     "allocstall_movable 1\npgmajfault 99\noom_kill 1\n";

static json_t *line_of(const struct vmadj_report *report)
{
	char *line = NULL;
	size_t len = 0;
	json_t *json;

	cr_assert(zero(int, vmadj_report_line(report, &line, &len)));
	cr_assert(eq(sz, len, strlen(line)));
	cr_assert(le(sz, len, VMADJ_REPORT_MAX));
	cr_assert(eq(chr, line[len - 1], '\n'));
	cr_assert(eq(ptr, strchr(line, '\n'), line + len - 1));
	cr_assert(zero(int, strncmp(line, "{\"vmadjust\":1,", 14)));
	json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	cr_assert(json != NULL, "%s", line);
	free(line);
	return json;
}

static uint64_t count_of(const json_t *json, const char *part, const char *key)
{
	const json_t *value = json_object_get(json_object_get(json, part), key);

	cr_assert(value != NULL, "%s.%s", part, key);
	return json_is_integer(value) ? (uint64_t)json_integer_value(value) : UNKNOWN;
}

/* The library's is a macro, which an assertion cannot take. */
static bool is_null(const json_t *json)
{
	return json_is_null(json);
}

Test(agent_report, figures_are_those_of_the_kernels_texts)
{
	struct vmadj_figures figures = { 0 };

	vmadj_figures_meminfo(&figures, meminfo);
	vmadj_figures_vmstat(&figures, vmstat, 4096);
	cr_expect(eq(u64, figures.total_bytes, 230500 * 1024ULL));
	cr_expect(eq(u64, figures.free_bytes, 101320 * 1024ULL));
	cr_expect(eq(u64, figures.available_bytes, 150000 * 1024ULL));
	cr_expect(eq(u64, figures.cached_bytes, 70000 * 1024ULL));
	cr_expect(eq(u64, figures.active_file_bytes, 39000 * 1024ULL));
	cr_expect(eq(u64, figures.committed_bytes, 52000 * 1024ULL));
	cr_expect(eq(u64, figures.refaults, 4));
	cr_expect(eq(u64, figures.swap_in_bytes, 2 * 4096));
	cr_expect(eq(u64, figures.swap_out_bytes, 3 * 4096));
	cr_expect(eq(u64, figures.major_faults, 99));
	cr_expect(eq(u64, figures.oom_kills, 1));
	cr_expect(eq(u64, figures.alloc_stalls, 7));
	cr_expect(eq(u64, figures.disk_read_bytes, 4711 * 1024));
}

Test(agent_report, what_a_kernel_does_not_say_is_unknown)
{
	struct vmadj_figures figures = { 0 };

	vmadj_figures_meminfo(&figures, "");
	vmadj_figures_vmstat(&figures, "pswpin 9223372036854775807\n", 4096);
	cr_expect(eq(u64, figures.total_bytes, UNKNOWN));
	cr_expect(eq(u64, figures.refaults, UNKNOWN));
	cr_expect(eq(u64, figures.alloc_stalls, UNKNOWN));
	cr_expect(eq(u64, figures.swap_in_bytes, UNKNOWN), "no room for it in bytes");
}

Test(agent_report, a_line_says_all_of_it)
{
	struct vmadj_report report = {
		.agent = "0123456789abcdef",
		.seq = 17,
		.interval_ms = 1000,
		.hit_pages = 70,
		.miss_pages = 30,
	};
	json_t *json;

	vmadj_figures_meminfo(&report.figures, meminfo);
	vmadj_figures_vmstat(&report.figures, vmstat, 4096);
	report.figures.psi_some_pct = 1.5;
	json = line_of(&report);
	cr_expect(eq(str, (char *)json_string_value(json_object_get(json, "agent")),
		     "0123456789abcdef"));
	cr_expect(eq(int, (int)json_integer_value(json_object_get(json, "seq")), 17));
	cr_expect(eq(int, (int)json_integer_value(json_object_get(json, "interval_ms")), 1000));
	cr_expect(eq(str, (char *)json_string_value(json_object_get(json, "mode")), "trace"));
	cr_expect(is_null(json_object_get(json, "why")));
	cr_expect(eq(u64, count_of(json, "mem", "total_bytes"), 230500 * 1024ULL));
	cr_expect(eq(u64, count_of(json, "mem", "free_bytes"), 101320 * 1024ULL));
	cr_expect(eq(u64, count_of(json, "mem", "available_bytes"), 150000 * 1024ULL));
	cr_expect(eq(u64, count_of(json, "mem", "cached_bytes"), 70000 * 1024ULL));
	cr_expect(eq(u64, count_of(json, "mem", "active_file_bytes"), 39000 * 1024ULL));
	cr_expect(eq(u64, count_of(json, "mem", "committed_bytes"), 52000 * 1024ULL));
	cr_expect(eq(u64, count_of(json, "vm", "refaults"), 4));
	cr_expect(eq(u64, count_of(json, "vm", "swap_in_bytes"), 8192));
	cr_expect(eq(u64, count_of(json, "vm", "swap_out_bytes"), 12288));
	cr_expect(eq(u64, count_of(json, "vm", "major_faults"), 99));
	cr_expect(eq(u64, count_of(json, "vm", "oom_kills"), 1));
	cr_expect(eq(u64, count_of(json, "vm", "alloc_stalls"), 7));
	cr_expect(eq(u64, count_of(json, "vm", "disk_read_bytes"), 4711 * 1024));
	cr_expect(epsilon_eq(
		dbl, json_real_value(json_object_get(json_object_get(json, "vm"), "psi_some_pct")),
		1.5, 1e-9));
	cr_expect(eq(u64, count_of(json, "cache", "accessed_pages"), 100));
	cr_expect(eq(u64, count_of(json, "cache", "hit_pages"), 70));
	cr_expect(eq(u64, count_of(json, "cache", "miss_pages"), 30));
	json_decref(json);
}

Test(agent_report, unknown_is_null_and_so_is_what_does_not_fit_the_protocol)
{
	struct vmadj_report report = { .agent = "x" };
	json_t *json;

	vmadj_figures_meminfo(&report.figures, "");
	vmadj_figures_vmstat(&report.figures, "pgmajfault 9223372036854775808\n", 4096);
	report.figures.psi_some_pct = NAN;
	json = line_of(&report);
	cr_expect(is_null(json_object_get(json_object_get(json, "mem"), "total_bytes")));
	cr_expect(is_null(json_object_get(json_object_get(json, "vm"), "major_faults")));
	cr_expect(is_null(json_object_get(json_object_get(json, "vm"), "psi_some_pct")));
	json_decref(json);
}

Test(agent_report, without_counting_there_is_no_cache_and_a_short_reason)
{
	char why[300];
	struct vmadj_report report = { .agent = "x", .why = why };
	const char *said;
	json_t *json;

	memset(why, 'w', sizeof(why));
	why[0] = '\n';
	why[sizeof(why) - 1] = '\0';
	json = line_of(&report);
	said = json_string_value(json_object_get(json, "why"));
	cr_expect(eq(str, (char *)json_string_value(json_object_get(json, "mode")), "counters"));
	cr_expect(is_null(json_object_get(json, "cache")));
	cr_expect(eq(sz, strlen(said), VMADJ_REPORT_WHY_MAX));
	cr_expect(zero(int, strncmp(said, "\\nww", 4)));
	json_decref(json);
}

Test(agent_report, the_longest_line_fits_the_protocol)
{
	char why[300];
	struct vmadj_report report = {
		.agent = "ffffffffffffffff",
		.seq = INT64_MAX,
		.interval_ms = 60000,
		.why = why,
		.figures = { INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX,
			     INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX,
			     INT64_MAX, 100 },
	};

	memset(why, '"', sizeof(why));
	why[sizeof(why) - 1] = '\0';
	json_decref(line_of(&report));
}
