/* SPDX-License-Identifier: GPL-2.0-only */
/* test_snapshot_parse.c - a snapshot from JSON, and written again */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/sample_snapshot.h"
#include "user/snapshot/parse.h"

static struct sample sample;
static struct vmadj_snapshot *parsed;
static char *text;
static size_t len;

static void set_up(void)
{
	sample_make(&sample);
	parsed = NULL;
	text = NULL;
}

static void tear_down(void)
{
	vmadj_snapshot_free(parsed);
	free(text);
}

TestSuite(snapshot_parse, .timeout = 20, .init = set_up, .fini = tear_down);

static void give_knobs_and_guest(void)
{
	sample.vms[0].guest = (struct vmadj_guest){
		.known = true,
		.source = "balloon",
		.age_s = 0.4,
		.mem_total_bytes = 1ULL << 30,
		.mem_free_bytes = 5,
		.mem_available_bytes = 6,
		.cached_bytes = 7,
		.active_file_bytes = VMADJ_GUEST_UNKNOWN,
		.committed_bytes = VMADJ_GUEST_UNKNOWN,
		.refaults = VMADJ_GUEST_UNKNOWN,
		.swap_in_bytes = 8,
		.swap_out_bytes = 9,
		.major_faults = INT64_MAX,
		.oom_kills = 0,
	};
	sample.vms[0].knobs = (struct vmadj_snap_knobs){
		.known = true,
		.managed = true,
		.priority = -3,
		.nice_min = -20,
		.nice_max = 19,
		.mem_min_bytes = 1 << 20,
		.mem_max_bytes = UINT64_MAX,
		.cpu = { .kind = "cgroup2-weight",
			 .owner = "libvirt",
			 .nice = 5,
			 .original_nice = -1,
			 .effective = true },
		.balloon = { .kind = "qmp",
			     .actual_bytes = 10,
			     .target_bytes = 11,
			     .max_bytes = 12,
			     .original_bytes = 13,
			     .why_not = "no driver" },
	};
	sample.vms[1].knobs = (struct vmadj_snap_knobs){ .known = true,
							 .mem_min_bytes = UINT64_MAX,
							 .mem_max_bytes = UINT64_MAX };
}

static void write_and_parse(void)
{
	cr_assert(zero(int, vmadj_snapshot_to_json(&sample.snapshot, &text, &len)));
	cr_assert(zero(int, vmadj_snapshot_from_json(text, len, &parsed)), "%s", text);
}

static void assert_written_again_is_the_same(void)
{
	char *again;
	size_t again_len;

	write_and_parse();
	cr_assert(zero(int, vmadj_snapshot_to_json(parsed, &again, &again_len)));
	cr_assert(eq(str, again, text));
	free(again);
}

Test(snapshot_parse, written_again_is_the_same)
{
	assert_written_again_is_the_same();
}

Test(snapshot_parse, written_again_is_the_same_with_guest_and_knobs)
{
	give_knobs_and_guest();
	assert_written_again_is_the_same();
	cr_assert(ne(ptr, strstr(text, "\"guest\":{\"source\":\"balloon\""), NULL), "%s", text);
	cr_assert(ne(ptr, strstr(text, "\"limits\":{\"managed\":true"), NULL), "%s", text);
}

Test(snapshot_parse, written_again_is_the_same_with_odd_values)
{
	sample.vms[0].name = "a\"},{\n\033[2J\\\u202e";
	sample.vms[1].name = "\xff\xfe";
	sample.vms[1].cpu.usage_pct = 123456789012.25;
	sample.vms[1].cpu.run_ns = INT64_MAX;
	sample.vms[2].ended = true;
	sample.snapshot.host.load1 = 0.005;
	assert_written_again_is_the_same();
}

Test(snapshot_parse, written_again_is_the_same_without_vms)
{
	sample.snapshot.n_vms = 0;
	assert_written_again_is_the_same();
}

Test(snapshot_parse, written_again_is_the_same_where_it_was_polled)
{
	sample.snapshot.observer.mode = "poll";
	sample.vms[1].cpu.polled = true;
	sample.vms[1].cpu.wait_p50_us = sample.vms[1].cpu.wait_p99_us = NAN;
	assert_written_again_is_the_same();
	cr_assert(parsed->vms[1].cpu.polled);
	cr_assert(not(parsed->vms[0].cpu.polled));
	cr_assert(ne(ptr, strstr(text, "\"waited_for\":null"), NULL), "%s", text);
}

Test(snapshot_parse, fills_the_structs)
{
	give_knobs_and_guest();
	write_and_parse();
	cr_assert(eq(sz, parsed->n_vms, SAMPLE_VMS));
	cr_assert(eq(str, (char *)parsed->vms[0].name, "db1"));
	cr_assert(eq(u64, parsed->vms[0].cpu.run_ns, 1500));
	cr_assert(eq(sz, parsed->vms[0].n_vcpus, 2));
	cr_assert(eq(int, parsed->vms[1].vcpus[0].cpu, -1));
	cr_assert(eq(str, parsed->vms[1].cpu.waited_for[1].who, "host:postgres"));
	cr_assert(eq(u64, parsed->vms[0].guest.refaults, VMADJ_GUEST_UNKNOWN));
	cr_assert(eq(u64, parsed->vms[0].guest.oom_kills, 0));
	cr_assert(eq(int, parsed->vms[0].knobs.cpu.nice, 5));
	cr_assert(eq(u64, parsed->vms[0].knobs.mem_max_bytes, UINT64_MAX));
	cr_assert(eq(ptr, (void *)parsed->vms[1].knobs.cpu.kind, NULL));
	cr_assert(not(parsed->vms[2].cpu.known));
	cr_assert(not(parsed->vms[2].host_cache.known));
	cr_assert(not(parsed->vms[2].knobs.known));
	cr_assert(not(parsed->vms[2].guest.known));
}

struct wrong {
	char json[160];
	int err;
};

ParameterizedTestParameters(snapshot_parse, what_is_wrong_is_refused)
{
#define HEAD "{\"schema\":1,\"host\":{\"kernel\":\"6\"},\"vms\":["
	static struct wrong wrongs[] = {
		{ "", -EINVAL },
		{ "[]", -EINVAL },
		{ "{", -EINVAL },
		{ "{\"schema\":1}", -EINVAL },
		{ "{\"schema\":2}", -EPROTONOSUPPORT },
		{ "{\"schema\":1,\"schema\":1}", -EINVAL },
		{ HEAD "{}]}", -EINVAL },
		{ HEAD "3]}", -EINVAL },
		{ HEAD "]} x", -EINVAL },
		{ HEAD "],\"interval_s\":\"1\"}", -EINVAL },
		{ HEAD "],\"observer\":{\"lost_events\":-1}}", -EINVAL },
		{ HEAD "],\"observer\":{\"vms\":99999999999}}", -EINVAL },
		{ HEAD "],\"observer\":{\"lost_events\":18446744073709551615}}", -EINVAL },
		{ HEAD "],\"observer\":[]}", -EINVAL },
	};

	return cr_make_param_array(struct wrong, wrongs, sizeof(wrongs) / sizeof(wrongs[0]));
}

ParameterizedTest(struct wrong *w, snapshot_parse, what_is_wrong_is_refused)
{
	struct vmadj_snapshot *untouched = (void *)&sample;

	cr_assert(eq(int, vmadj_snapshot_from_json(w->json, strlen(w->json), &untouched), w->err),
		  "%s", w->json);
	cr_assert(eq(ptr, untouched, (void *)&sample));
}

Test(snapshot_parse, unknown_keys_are_ignored_and_missing_ones_unknown)
{
	static const char json[] =
		HEAD "{\"id\":\"1-2\",\"name\":\"a\",\"vmm\":\"q\",\"accel\":\"kvm\",\"new\":[1]}"
		     "],\"newer\":{}}";

	cr_assert(zero(int, vmadj_snapshot_from_json(json, strlen(json), &parsed)));
	cr_assert(eq(sz, parsed->n_vms, 1));
	cr_assert(not(parsed->vms[0].cpu.known));
	cr_assert(isnan(parsed->vms[0].cpu.usage_pct));
	cr_assert(isnan(parsed->host.load1));
}

Test(snapshot_parse, more_vcpus_than_the_bound_are_refused)
{
	struct vmadj_snap_vcpu *many = calloc(VMADJ_SNAPSHOT_VCPUS_MAX + 1, sizeof(*many));

	sample.vms[0].vcpus = many;
	sample.vms[0].n_vcpus = VMADJ_SNAPSHOT_VCPUS_MAX + 1;
	cr_assert(zero(int, vmadj_snapshot_to_json(&sample.snapshot, &text, &len)));
	cr_assert(eq(int, vmadj_snapshot_from_json(text, len, &parsed), -E2BIG));
	free(many);
}
