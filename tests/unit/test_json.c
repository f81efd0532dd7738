/* SPDX-License-Identifier: GPL-2.0-only */
/* test_json.c - a snapshot in the form of docs/output.md */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/sample_snapshot.h"

static struct sample sample;
static json_t *root;

static void set_up(void)
{
	sample_make(&sample);
}

static void tear_down(void)
{
	json_decref(root);
	root = NULL;
}

TestSuite(json, .timeout = 10, .init = set_up, .fini = tear_down);

static void write_and_parse(void)
{
	json_error_t error;
	char *text;
	size_t len;

	cr_assert(zero(int, vmadj_snapshot_to_json(&sample.snapshot, &text, &len)));
	cr_assert(eq(sz, len, strlen(text)));
	cr_assert(eq(ptr, strchr(text, '\n'), NULL), "one document is one line");
	root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	cr_assert(ne(ptr, root, NULL), "%s: %s", error.text, text);
	free(text);
}

/* "vms.1.cpu.run_ns" */
static json_t *at(const char *path)
{
	json_t *json = root;
	char copy[128];
	char *rest = copy;
	char *part;

	(void)snprintf(copy, sizeof(copy), "%s", path);
	while ((part = strsep(&rest, ".")) != NULL) {
		json = json_is_array(json) ? json_array_get(json, (size_t)strtoul(part, NULL, 10))
					   : json_object_get(json, part);
		cr_assert(ne(ptr, json, NULL), "%s is missing in %s", part, path);
	}
	return json;
}

static json_int_t whole(const char *path)
{
	cr_assert(eq(int, json_typeof(at(path)), JSON_INTEGER), "%s is not a whole number", path);
	return json_integer_value(at(path));
}

static double real(const char *path)
{
	cr_assert(eq(int, json_typeof(at(path)), JSON_REAL), "%s is not a real number", path);
	return json_real_value(at(path));
}

static char *string(const char *path)
{
	cr_assert(eq(int, json_typeof(at(path)), JSON_STRING), "%s is not a string", path);
	return (char *)json_string_value(at(path));
}

/* The keys of an object, in their order. */
static void assert_keys(const char *path, const char *expected)
{
	json_t *json = *path ? at(path) : root;
	char keys[512] = "";
	const char *key;
	json_t *value;

	json_object_foreach(json, key, value)
	{
		size_t len = strlen(keys);

		(void)snprintf(keys + len, sizeof(keys) - len, "%s%s", len ? " " : "", key);
	}
	cr_assert(eq(str, keys, (char *)expected), "%s", path);
}

static void assert_null(const char *path)
{
	cr_assert(eq(int, json_typeof(at(path)), JSON_NULL), "%s is not null", path);
}

Test(json, has_every_key_of_the_contract_in_its_order)
{
	write_and_parse();
	assert_keys("", "schema time_unix_s interval_s host vms observer");
	assert_keys("host", "kernel cpus load1 load5 load15 cpu_busy_pct cpu_psi_some_pct "
			    "mem_total_bytes mem_available_bytes mem_psi_some_pct mem_vms_bytes");
	assert_keys("vms.0", "id name ended uuid pid vmm accel manager note cpu vcpus host_cache "
			     "guest io_read_bytes knobs delta");
	assert_keys("vms.0.cpu",
		    "run_ns wait_ns switches preemptions migrations emulator_run_ns usage_pct "
		    "wait_pct wait_p50_us wait_p99_us waited_for");
	assert_keys("vms.0.cpu.waited_for.0", "who wait_ns");
	assert_keys("vms.0.vcpus.0", "id tid run_ns wait_ns switches preemptions migrations cpu");
	assert_keys("vms.0.host_cache", "accessed_pages hit_pages miss_pages hit_pct");
	assert_keys("vms.0.delta", "run_ns wait_ns accessed_pages hit_pages miss_pages");
	assert_keys("observer", "mode lost_events vms vcpus");
}

Test(json, a_vm_has_the_same_keys_whatever_is_known)
{
	write_and_parse();
	assert_keys("vms.2", "id name ended uuid pid vmm accel manager note cpu vcpus host_cache "
			     "guest io_read_bytes knobs delta");
	assert_keys("vms.2.cpu",
		    "run_ns wait_ns switches preemptions migrations emulator_run_ns usage_pct "
		    "wait_pct wait_p50_us wait_p99_us waited_for");
	assert_keys("vms.2.delta", "run_ns wait_ns accessed_pages hit_pages miss_pages");
}

Test(json, carries_the_host)
{
	write_and_parse();
	cr_assert(eq(llong, whole("schema"), 1));
	cr_assert(epsilon_eq(dbl, real("time_unix_s"), 1795205644.123, 0.0005));
	cr_assert(epsilon_eq(dbl, real("interval_s"), 1, 1e-9));
	cr_assert(eq(str, string("host.kernel"), "6.18.44"));
	cr_assert(eq(llong, whole("host.cpus"), 2));
	cr_assert(epsilon_eq(dbl, real("host.load5"), 0.25, 1e-9));
	cr_assert(epsilon_eq(dbl, real("host.cpu_busy_pct"), 73.1, 1e-9));
	cr_assert(eq(llong, whole("host.mem_total_bytes"), 8LL << 30));
	assert_null("host.mem_psi_some_pct");
}

Test(json, carries_a_vm)
{
	write_and_parse();
	cr_assert(eq(str, string("vms.0.id"), "100-5000"));
	cr_assert(eq(str, string("vms.0.name"), "db1"));
	cr_assert(eq(int, json_typeof(at("vms.0.ended")), JSON_FALSE));
	cr_assert(eq(llong, whole("vms.0.pid"), 100));
	cr_assert(eq(str, string("vms.0.manager"), "libvirt"));
	assert_null("vms.0.note");
	assert_null("vms.0.guest");
	assert_null("vms.0.knobs");
	assert_null("vms.1.uuid");
	assert_null("vms.1.manager");
}

Test(json, carries_cpu_time_and_culprits)
{
	write_and_parse();
	cr_assert(eq(llong, whole("vms.0.cpu.run_ns"), 1500));
	cr_assert(eq(llong, whole("vms.0.cpu.migrations"), 1));
	cr_assert(epsilon_eq(dbl, real("vms.0.cpu.usage_pct"), 150.25, 1e-9));
	cr_assert(epsilon_eq(dbl, real("vms.1.cpu.wait_p99_us"), 12345.7, 1e-9));
	cr_assert(eq(sz, json_array_size(at("vms.1.cpu.waited_for")), 2));
	cr_assert(eq(str, string("vms.1.cpu.waited_for.1.who"), "host:postgres"));
	cr_assert(eq(llong, whole("vms.1.cpu.waited_for.1.wait_ns"), 10));
	cr_assert(eq(llong, whole("vms.0.vcpus.1.run_ns"), 900));
	cr_assert(eq(llong, whole("vms.0.vcpus.0.cpu"), 0));
	assert_null("vms.1.vcpus.0.cpu");
}

Test(json, cpu_that_is_not_known_is_null)
{
	static const char *const keys[] = { "run_ns",	   "wait_ns",	     "switches",
					    "preemptions", "migrations",     "usage_pct",
					    "wait_pct",	   "wait_p50_us",    "wait_p99_us",
					    "waited_for",  "emulator_run_ns" };
	char path[64];

	write_and_parse();
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		(void)snprintf(path, sizeof(path), "vms.2.cpu.%s", keys[i]);
		assert_null(path);
	}
	assert_null("vms.2.vcpus");
	assert_null("vms.2.delta.run_ns");
	assert_null("vms.2.delta.wait_ns");
	cr_assert(eq(str, string("vms.2.note"), "its vCPU threads cannot be told apart"));
}

Test(json, a_cache_that_is_not_known_is_null)
{
	write_and_parse();
	assert_null("vms.2.host_cache");
	assert_null("vms.2.delta.accessed_pages");
	assert_null("vms.2.delta.hit_pages");
	assert_null("vms.2.delta.miss_pages");
}

Test(json, an_interval_without_accesses_has_no_hit_rate)
{
	write_and_parse();
	assert_null("vms.1.host_cache.hit_pct");
	cr_assert(eq(llong, whole("vms.1.host_cache.accessed_pages"), 0));
	cr_assert(eq(llong, whole("vms.1.delta.accessed_pages"), 0));
}

Test(json, hostile_names_stay_one_valid_line)
{
	sample.vms[0].name = "a\"},{\n\033[2J\\";
	sample.vms[1].name = "\xff\xfe";
	(void)strcpy(sample.vms[1].cpu.waited_for[0].who, "vm:\"\n");
	write_and_parse();
	cr_assert(eq(str, string("vms.0.name"), "a\"},{\n\033[2J\\"));
	cr_assert(eq(str, string("vms.1.name"), "\xef\xbf\xbd\xef\xbf\xbd"));
	cr_assert(eq(str, string("vms.1.cpu.waited_for.0.who"), "vm:\"\n"));
	cr_assert(eq(sz, json_array_size(at("vms")), SAMPLE_VMS));
}

Test(json, a_host_without_vms_has_an_empty_list)
{
	sample.snapshot.n_vms = 0;
	sample.snapshot.vms = NULL;
	write_and_parse();
	cr_assert(eq(int, json_typeof(at("vms")), JSON_ARRAY));
	cr_assert(eq(sz, json_array_size(at("vms")), 0));
}

Test(json, an_ended_vm_says_so)
{
	sample.vms[0].ended = true;
	write_and_parse();
	cr_assert(eq(int, json_typeof(at("vms.0.ended")), JSON_TRUE));
}
