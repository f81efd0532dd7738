/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * parse.c - a snapshot from one line of JSON
 *
 * Texts stay where jansson put them: the document lives as long as the snapshot. A value of the
 * wrong type is remembered and refuses the whole document at the end.
 */
#include "user/snapshot/parse.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA 1

struct parsed {
	struct vmadj_snapshot snapshot; /* first: what the caller holds */
	json_t *root;
	int err;
};

/* --- one value ---------------------------------------------------------- */

static const json_t *get(const json_t *object, const char *key, bool *ret_known)
{
	const json_t *value = json_object_get(object, key);

	*ret_known = value && !json_is_null(value);
	return value;
}

static double get_real(struct parsed *p, const json_t *object, const char *key)
{
	bool known;
	const json_t *value = get(object, key, &known);

	if (!known)
		return NAN;
	if (!json_is_number(value))
		p->err = -EINVAL;
	return json_number_value(value);
}

static uint64_t get_u64(struct parsed *p, const json_t *object, const char *key, uint64_t unknown)
{
	bool known;
	const json_t *value = get(object, key, &known);

	if (!known)
		return unknown;
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		p->err = -EINVAL;
	return (uint64_t)json_integer_value(value);
}

static int get_int(struct parsed *p, const json_t *object, const char *key, int unknown)
{
	bool known;
	const json_t *value = get(object, key, &known);
	json_int_t number = json_integer_value(value);

	if (!known)
		return unknown;
	if (!json_is_integer(value) || number < INT_MIN || number > INT_MAX)
		p->err = -EINVAL;
	return (int)number;
}

static bool get_bool(struct parsed *p, const json_t *object, const char *key)
{
	bool known;
	const json_t *value = get(object, key, &known);

	if (known && !json_is_boolean(value))
		p->err = -EINVAL;
	return json_is_true(value);
}

static const char *get_string(struct parsed *p, const json_t *object, const char *key)
{
	bool known;
	const json_t *value = get(object, key, &known);

	if (known && !json_is_string(value))
		p->err = -EINVAL;
	return json_string_value(value);
}

/* A text that is never NULL in a snapshot. */
static const char *get_text(struct parsed *p, const json_t *object, const char *key)
{
	const char *text = get_string(p, object, key);

	if (!text)
		p->err = -EINVAL;
	return text;
}

/* NULL where it is null or missing. */
static const json_t *get_object(struct parsed *p, const json_t *object, const char *key)
{
	bool known;
	const json_t *value = get(object, key, &known);

	if (!known)
		return NULL;
	if (!json_is_object(value))
		p->err = -EINVAL;
	return value;
}

/* Its length in @ret_n. */
static const json_t *get_array(struct parsed *p, const json_t *object, const char *key, size_t max,
			       size_t *ret_n)
{
	bool known;
	const json_t *value = get(object, key, &known);

	if (known && !json_is_array(value))
		p->err = -EINVAL;
	*ret_n = json_array_size(value);
	if (*ret_n > max) {
		p->err = -E2BIG;
		*ret_n = 0;
	}
	return value;
}

/* --- the parts ---------------------------------------------------------- */

static void read_host(struct parsed *p, const json_t *json, struct vmadj_snap_host *host)
{
	host->kernel = get_text(p, json, "kernel");
	host->cpus = (unsigned int)get_int(p, json, "cpus", 0);
	host->load1 = get_real(p, json, "load1");
	host->load5 = get_real(p, json, "load5");
	host->load15 = get_real(p, json, "load15");
	host->cpu_busy_pct = get_real(p, json, "cpu_busy_pct");
	host->cpu_psi_some_pct = get_real(p, json, "cpu_psi_some_pct");
	host->mem_total_bytes = get_u64(p, json, "mem_total_bytes", 0);
	host->mem_available_bytes = get_u64(p, json, "mem_available_bytes", 0);
	host->mem_psi_some_pct = get_real(p, json, "mem_psi_some_pct");
}

static void read_waited_for(struct parsed *p, const json_t *json, struct vmadj_snap_cpu *cpu)
{
	size_t n;
	const json_t *array = get_array(p, json, "waited_for", VMADJ_WAITED_MAX, &n);

	if (n == 0)
		return;
	cpu->waited_for = calloc(n, sizeof(*cpu->waited_for));
	if (!cpu->waited_for) {
		p->err = -ENOMEM;
		return;
	}
	cpu->n_waited = n;
	for (size_t i = 0; i < n; i++) {
		const json_t *row = json_array_get(array, i);
		struct vmadj_snap_waited *waited = &cpu->waited_for[i];
		const char *who = get_text(p, row, "who");

		(void)snprintf(waited->who, sizeof(waited->who), "%s", who ? who : "");
		waited->wait_ns = get_u64(p, row, "wait_ns", 0);
	}
}

static void read_cpu(struct parsed *p, const json_t *json, struct vmadj_snap_cpu *cpu)
{
	cpu->known = json_is_integer(json_object_get(json, "run_ns"));
	cpu->run_ns = get_u64(p, json, "run_ns", 0);
	cpu->wait_ns = get_u64(p, json, "wait_ns", 0);
	cpu->switches = get_u64(p, json, "switches", 0);
	cpu->preemptions = get_u64(p, json, "preemptions", 0);
	cpu->migrations = get_u64(p, json, "migrations", 0);
	cpu->emulator_run_ns = get_u64(p, json, "emulator_run_ns", 0);
	cpu->usage_pct = get_real(p, json, "usage_pct");
	cpu->wait_pct = get_real(p, json, "wait_pct");
	cpu->wait_p50_us = get_real(p, json, "wait_p50_us");
	cpu->wait_p99_us = get_real(p, json, "wait_p99_us");
	cpu->polled = cpu->known && json_is_null(json_object_get(json, "waited_for"));
	read_waited_for(p, json, cpu);
}

static void read_vcpus(struct parsed *p, const json_t *json, struct vmadj_snap_vm *vm)
{
	size_t n;
	const json_t *array = get_array(p, json, "vcpus", VMADJ_SNAPSHOT_VCPUS_MAX, &n);

	if (n == 0)
		return;
	vm->vcpus = calloc(n, sizeof(*vm->vcpus));
	if (!vm->vcpus) {
		p->err = -ENOMEM;
		return;
	}
	vm->n_vcpus = n;
	for (size_t i = 0; i < n; i++) {
		const json_t *row = json_array_get(array, i);
		struct vmadj_snap_vcpu *vcpu = &vm->vcpus[i];

		vcpu->id = get_int(p, row, "id", 0);
		vcpu->tid = get_int(p, row, "tid", 0);
		vcpu->cpu = get_int(p, row, "cpu", -1);
		vcpu->run_ns = get_u64(p, row, "run_ns", 0);
		vcpu->wait_ns = get_u64(p, row, "wait_ns", 0);
		vcpu->switches = get_u64(p, row, "switches", 0);
		vcpu->preemptions = get_u64(p, row, "preemptions", 0);
		vcpu->migrations = get_u64(p, row, "migrations", 0);
	}
}

static void read_cache(struct parsed *p, const json_t *json, struct vmadj_snap_cache *cache)
{
	cache->known = json;
	cache->accessed_pages = get_u64(p, json, "accessed_pages", 0);
	cache->hit_pages = get_u64(p, json, "hit_pages", 0);
	cache->miss_pages = get_u64(p, json, "miss_pages", 0);
	cache->hit_pct = get_real(p, json, "hit_pct");
}

static void read_guest_cache(struct parsed *p, const json_t *json, struct vmadj_guest_cache *cache)
{
	if (!json)
		return;
	cache->known = true;
	cache->accessed_pages = get_u64(p, json, "accessed_pages", 0);
	cache->hit_pages = get_u64(p, json, "hit_pages", 0);
	cache->miss_pages = get_u64(p, json, "miss_pages", 0);
	cache->hit_pct = get_real(p, json, "hit_pct");
	cache->efficiency = get_real(p, json, "efficiency");
}

static void read_guest(struct parsed *p, const json_t *json, struct vmadj_guest *guest)
{
	const uint64_t unknown = VMADJ_GUEST_UNKNOWN;

	if (!json)
		return;
	guest->known = true;
	guest->source = get_text(p, json, "source");
	guest->age_s = get_real(p, json, "age_s");
	guest->mem_total_bytes = get_u64(p, json, "mem_total_bytes", unknown);
	guest->mem_free_bytes = get_u64(p, json, "mem_free_bytes", unknown);
	guest->mem_available_bytes = get_u64(p, json, "mem_available_bytes", unknown);
	guest->cached_bytes = get_u64(p, json, "cached_bytes", unknown);
	guest->active_file_bytes = get_u64(p, json, "active_file_bytes", unknown);
	guest->committed_bytes = get_u64(p, json, "committed_bytes", unknown);
	guest->refaults = get_u64(p, json, "refaults", unknown);
	guest->swap_in_bytes = get_u64(p, json, "swap_in_bytes", unknown);
	guest->swap_out_bytes = get_u64(p, json, "swap_out_bytes", unknown);
	guest->major_faults = get_u64(p, json, "major_faults", unknown);
	guest->oom_kills = get_u64(p, json, "oom_kills", unknown);
	guest->alloc_stalls = get_u64(p, json, "alloc_stalls", unknown);
	guest->disk_read_bytes = get_u64(p, json, "disk_read_bytes", unknown);
	guest->mem_psi_some_pct = get_real(p, json, "mem_psi_some_pct");
	read_guest_cache(p, get_object(p, json, "cache"), &guest->cache);
}

static void read_cpu_knob(struct parsed *p, const json_t *json, struct vmadj_snap_cpu_knob *cpu)
{
	if (!json)
		return;
	cpu->kind = get_text(p, json, "kind");
	cpu->owner = get_string(p, json, "owner");
	cpu->nice = get_int(p, json, "nice", 0);
	cpu->original_nice = get_int(p, json, "original_nice", 0);
	cpu->effective = get_bool(p, json, "effective");
	cpu->why_not = get_string(p, json, "why_not");
}

static void read_balloon_knob(struct parsed *p, const json_t *json,
			      struct vmadj_snap_balloon_knob *balloon)
{
	if (!json)
		return;
	balloon->kind = get_text(p, json, "kind");
	balloon->actual_bytes = get_u64(p, json, "actual_bytes", 0);
	balloon->target_bytes = get_u64(p, json, "target_bytes", 0);
	balloon->max_bytes = get_u64(p, json, "max_bytes", 0);
	balloon->original_bytes = get_u64(p, json, "original_bytes", 0);
	balloon->effective = get_bool(p, json, "effective");
	balloon->why_not = get_string(p, json, "why_not");
	balloon->need = get_string(p, json, "need");
}

static void read_knobs(struct parsed *p, const json_t *json, struct vmadj_snap_knobs *knobs)
{
	const json_t *limits = get_object(p, json, "limits");

	if (!json)
		return;
	knobs->known = true;
	read_cpu_knob(p, get_object(p, json, "cpu"), &knobs->cpu);
	read_balloon_knob(p, get_object(p, json, "balloon"), &knobs->balloon);
	knobs->managed = get_bool(p, limits, "managed");
	knobs->priority = get_int(p, limits, "priority", 0);
	knobs->nice_min = get_int(p, limits, "nice_min", 0);
	knobs->nice_max = get_int(p, limits, "nice_max", 0);
	knobs->mem_min_bytes = get_u64(p, limits, "mem_min_bytes", UINT64_MAX);
	knobs->mem_max_bytes = get_u64(p, limits, "mem_max_bytes", UINT64_MAX);
	knobs->mem_weight = get_int(p, limits, "mem_weight", 100);
}

static void read_delta(struct parsed *p, const json_t *json, struct vmadj_snap_delta *delta)
{
	delta->run_ns = get_u64(p, json, "run_ns", 0);
	delta->wait_ns = get_u64(p, json, "wait_ns", 0);
	delta->accessed_pages = get_u64(p, json, "accessed_pages", 0);
	delta->hit_pages = get_u64(p, json, "hit_pages", 0);
	delta->miss_pages = get_u64(p, json, "miss_pages", 0);
}

static void read_vm(struct parsed *p, const json_t *json, struct vmadj_snap_vm *vm)
{
	vm->id = get_text(p, json, "id");
	vm->name = get_text(p, json, "name");
	vm->uuid = get_string(p, json, "uuid");
	vm->vmm = get_text(p, json, "vmm");
	vm->accel = get_text(p, json, "accel");
	vm->manager = get_string(p, json, "manager");
	vm->note = get_string(p, json, "note");
	vm->ended = get_bool(p, json, "ended");
	vm->pid = get_int(p, json, "pid", 0);
	read_cpu(p, get_object(p, json, "cpu"), &vm->cpu);
	read_vcpus(p, json, vm);
	read_cache(p, get_object(p, json, "host_cache"), &vm->host_cache);
	read_guest(p, get_object(p, json, "guest"), &vm->guest);
	vm->io_read_bytes = get_u64(p, json, "io_read_bytes", UINT64_MAX);
	read_knobs(p, get_object(p, json, "knobs"), &vm->knobs);
	read_delta(p, get_object(p, json, "delta"), &vm->delta);
}

static void read_vms(struct parsed *p)
{
	size_t n;
	const json_t *array = get_array(p, p->root, "vms", VMADJ_SNAPSHOT_VMS_MAX, &n);

	if (n == 0)
		return;
	p->snapshot.vms = calloc(n, sizeof(*p->snapshot.vms));
	if (!p->snapshot.vms) {
		p->err = -ENOMEM;
		return;
	}
	p->snapshot.n_vms = n;
	for (size_t i = 0; i < n && !p->err; i++)
		read_vm(p, json_array_get(array, i), &p->snapshot.vms[i]);
}

static void read_observer(struct parsed *p, const json_t *json,
			  struct vmadj_snap_observer *observer)
{
	observer->mode = get_string(p, json, "mode");
	observer->lost_events = get_u64(p, json, "lost_events", 0);
	observer->vms = (unsigned int)get_int(p, json, "vms", 0);
	observer->vcpus = (unsigned int)get_int(p, json, "vcpus", 0);
}

static int read_document(struct parsed *p, const char *text, size_t len)
{
	struct vmadj_snapshot *snapshot = &p->snapshot;

	p->root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(p->root))
		return -EINVAL;
	if (json_integer_value(json_object_get(p->root, "schema")) != SCHEMA)
		return -EPROTONOSUPPORT;
	snapshot->time_unix_s = get_real(p, p->root, "time_unix_s");
	snapshot->interval_s = get_real(p, p->root, "interval_s");
	read_host(p, get_object(p, p->root, "host"), &snapshot->host);
	snapshot->mem_vms_bytes =
		get_u64(p, json_object_get(p->root, "host"), "mem_vms_bytes", UINT64_MAX);
	read_vms(p);
	read_observer(p, get_object(p, p->root, "observer"), &snapshot->observer);
	return p->err;
}

int vmadj_snapshot_from_json(const char *text, size_t len, struct vmadj_snapshot **ret_snapshot)
{
	struct parsed *p;
	int err;

	if (len > VMADJ_SNAPSHOT_TEXT_MAX)
		return -E2BIG;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	err = read_document(p, text, len);
	if (err) {
		vmadj_snapshot_free(&p->snapshot);
		return err;
	}
	*ret_snapshot = &p->snapshot;
	return 0;
}

void vmadj_snapshot_free(struct vmadj_snapshot *snapshot)
{
	struct parsed *p = (struct parsed *)snapshot;

	if (!p)
		return;
	for (size_t i = 0; i < snapshot->n_vms; i++) {
		free(snapshot->vms[i].cpu.waited_for);
		free(snapshot->vms[i].vcpus);
	}
	free(snapshot->vms);
	json_decref(p->root);
	free(p);
}
