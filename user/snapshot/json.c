/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * json.c - a snapshot as one line of JSON, in the form of docs/output.md
 *
 * Every key is always there. What is not known is null.
 */
#include <errno.h>
#include <math.h>

#include "user/snapshot/snapshot.h"
#include "user/util/jsonw.h"

#define SCHEMA 1

/* A count that may not be known. */
static void put_count(struct vmadj_jsonw *w, const char *key, bool known, uint64_t count)
{
	if (!known) {
		vmadj_jsonw_null(w, key);
		return;
	}
	vmadj_jsonw_u64(w, key, count);
}

static void put_real(struct vmadj_jsonw *w, const char *key, bool known, double value)
{
	vmadj_jsonw_double(w, key, known ? value : (double)NAN, 2);
}

static void put_us(struct vmadj_jsonw *w, const char *key, bool known, double value_us)
{
	vmadj_jsonw_double(w, key, known ? value_us : (double)NAN, 1);
}

static void put_host(struct vmadj_jsonw *w, const struct vmadj_snapshot *snapshot)
{
	const struct vmadj_snap_host *host = &snapshot->host;

	vmadj_jsonw_open(w, "host", '{');
	vmadj_jsonw_string(w, "kernel", host->kernel);
	vmadj_jsonw_u64(w, "cpus", host->cpus);
	vmadj_jsonw_double(w, "load1", host->load1, 2);
	vmadj_jsonw_double(w, "load5", host->load5, 2);
	vmadj_jsonw_double(w, "load15", host->load15, 2);
	vmadj_jsonw_double(w, "cpu_busy_pct", host->cpu_busy_pct, 2);
	vmadj_jsonw_double(w, "cpu_psi_some_pct", host->cpu_psi_some_pct, 2);
	vmadj_jsonw_u64(w, "mem_total_bytes", host->mem_total_bytes);
	vmadj_jsonw_u64(w, "mem_available_bytes", host->mem_available_bytes);
	vmadj_jsonw_double(w, "mem_psi_some_pct", host->mem_psi_some_pct, 2);
	put_count(w, "mem_vms_bytes", snapshot->mem_vms_bytes != UINT64_MAX,
		  snapshot->mem_vms_bytes);
	vmadj_jsonw_close(w, '}');
}

static void put_waited_for(struct vmadj_jsonw *w, const struct vmadj_snap_cpu *cpu)
{
	if (!cpu->known || cpu->polled) {
		vmadj_jsonw_null(w, "waited_for");
		return;
	}
	vmadj_jsonw_open(w, "waited_for", '[');
	for (size_t i = 0; i < cpu->n_waited; i++) {
		vmadj_jsonw_open(w, NULL, '{');
		vmadj_jsonw_string(w, "who", cpu->waited_for[i].who);
		vmadj_jsonw_u64(w, "wait_ns", cpu->waited_for[i].wait_ns);
		vmadj_jsonw_close(w, '}');
	}
	vmadj_jsonw_close(w, ']');
}

static void put_cpu(struct vmadj_jsonw *w, const struct vmadj_snap_cpu *cpu)
{
	vmadj_jsonw_open(w, "cpu", '{');
	put_count(w, "run_ns", cpu->known, cpu->run_ns);
	put_count(w, "wait_ns", cpu->known, cpu->wait_ns);
	put_count(w, "switches", cpu->known, cpu->switches);
	put_count(w, "preemptions", cpu->known, cpu->preemptions);
	put_count(w, "migrations", cpu->known, cpu->migrations);
	put_count(w, "emulator_run_ns", cpu->known, cpu->emulator_run_ns);
	put_real(w, "usage_pct", cpu->known, cpu->usage_pct);
	put_real(w, "wait_pct", cpu->known, cpu->wait_pct);
	put_us(w, "wait_p50_us", cpu->known, cpu->wait_p50_us);
	put_us(w, "wait_p99_us", cpu->known, cpu->wait_p99_us);
	put_waited_for(w, cpu);
	vmadj_jsonw_close(w, '}');
}

static void put_vcpus(struct vmadj_jsonw *w, const struct vmadj_snap_vm *vm)
{
	if (!vm->cpu.known) {
		vmadj_jsonw_null(w, "vcpus");
		return;
	}
	vmadj_jsonw_open(w, "vcpus", '[');
	for (size_t i = 0; i < vm->n_vcpus; i++) {
		const struct vmadj_snap_vcpu *vcpu = &vm->vcpus[i];

		vmadj_jsonw_open(w, NULL, '{');
		vmadj_jsonw_i64(w, "id", vcpu->id);
		vmadj_jsonw_i64(w, "tid", vcpu->tid);
		vmadj_jsonw_u64(w, "run_ns", vcpu->run_ns);
		vmadj_jsonw_u64(w, "wait_ns", vcpu->wait_ns);
		vmadj_jsonw_u64(w, "switches", vcpu->switches);
		vmadj_jsonw_u64(w, "preemptions", vcpu->preemptions);
		vmadj_jsonw_u64(w, "migrations", vcpu->migrations);
		put_count(w, "cpu", vcpu->cpu >= 0, (uint64_t)vcpu->cpu);
		vmadj_jsonw_close(w, '}');
	}
	vmadj_jsonw_close(w, ']');
}

static void put_cache(struct vmadj_jsonw *w, const struct vmadj_snap_cache *cache)
{
	if (!cache->known) {
		vmadj_jsonw_null(w, "host_cache");
		return;
	}
	vmadj_jsonw_open(w, "host_cache", '{');
	vmadj_jsonw_u64(w, "accessed_pages", cache->accessed_pages);
	vmadj_jsonw_u64(w, "hit_pages", cache->hit_pages);
	vmadj_jsonw_u64(w, "miss_pages", cache->miss_pages);
	vmadj_jsonw_double(w, "hit_pct", cache->hit_pct, 2);
	vmadj_jsonw_close(w, '}');
}

static void put_delta(struct vmadj_jsonw *w, const struct vmadj_snap_vm *vm)
{
	const struct vmadj_snap_delta *delta = &vm->delta;

	vmadj_jsonw_open(w, "delta", '{');
	put_count(w, "run_ns", vm->cpu.known, delta->run_ns);
	put_count(w, "wait_ns", vm->cpu.known, delta->wait_ns);
	put_count(w, "accessed_pages", vm->host_cache.known, delta->accessed_pages);
	put_count(w, "hit_pages", vm->host_cache.known, delta->hit_pages);
	put_count(w, "miss_pages", vm->host_cache.known, delta->miss_pages);
	vmadj_jsonw_close(w, '}');
}

static void put_guest_count(struct vmadj_jsonw *w, const char *key, uint64_t count)
{
	put_count(w, key, count != VMADJ_GUEST_UNKNOWN, count);
}

static void put_guest_cache(struct vmadj_jsonw *w, const struct vmadj_guest_cache *cache)
{
	if (!cache->known) {
		vmadj_jsonw_null(w, "cache");
		return;
	}
	vmadj_jsonw_open(w, "cache", '{');
	vmadj_jsonw_u64(w, "accessed_pages", cache->accessed_pages);
	vmadj_jsonw_u64(w, "hit_pages", cache->hit_pages);
	vmadj_jsonw_u64(w, "miss_pages", cache->miss_pages);
	vmadj_jsonw_double(w, "hit_pct", cache->hit_pct, 2);
	vmadj_jsonw_double(w, "efficiency", cache->efficiency, 4);
	vmadj_jsonw_close(w, '}');
}

static void put_guest(struct vmadj_jsonw *w, const struct vmadj_guest *guest)
{
	if (!guest->known) {
		vmadj_jsonw_null(w, "guest");
		return;
	}
	vmadj_jsonw_open(w, "guest", '{');
	vmadj_jsonw_string(w, "source", guest->source);
	vmadj_jsonw_double(w, "age_s", guest->age_s, 3);
	put_guest_count(w, "mem_total_bytes", guest->mem_total_bytes);
	put_guest_count(w, "mem_free_bytes", guest->mem_free_bytes);
	put_guest_count(w, "mem_available_bytes", guest->mem_available_bytes);
	put_guest_count(w, "cached_bytes", guest->cached_bytes);
	put_guest_count(w, "active_file_bytes", guest->active_file_bytes);
	put_guest_count(w, "committed_bytes", guest->committed_bytes);
	put_guest_count(w, "refaults", guest->refaults);
	put_guest_count(w, "swap_in_bytes", guest->swap_in_bytes);
	put_guest_count(w, "swap_out_bytes", guest->swap_out_bytes);
	put_guest_count(w, "major_faults", guest->major_faults);
	put_guest_count(w, "oom_kills", guest->oom_kills);
	put_guest_count(w, "alloc_stalls", guest->alloc_stalls);
	put_guest_count(w, "disk_read_bytes", guest->disk_read_bytes);
	vmadj_jsonw_double(w, "mem_psi_some_pct", guest->mem_psi_some_pct, 2);
	put_guest_cache(w, &guest->cache);
	vmadj_jsonw_close(w, '}');
}

static void put_cpu_knob(struct vmadj_jsonw *w, const struct vmadj_snap_cpu_knob *cpu)
{
	if (!cpu->kind) {
		vmadj_jsonw_null(w, "cpu");
		return;
	}
	vmadj_jsonw_open(w, "cpu", '{');
	vmadj_jsonw_string(w, "kind", cpu->kind);
	vmadj_jsonw_i64(w, "nice", cpu->nice);
	vmadj_jsonw_i64(w, "original_nice", cpu->original_nice);
	vmadj_jsonw_string(w, "owner", cpu->owner);
	vmadj_jsonw_bool(w, "effective", cpu->effective);
	vmadj_jsonw_string(w, "why_not", cpu->why_not);
	vmadj_jsonw_close(w, '}');
}

static void put_balloon_knob(struct vmadj_jsonw *w, const struct vmadj_snap_balloon_knob *balloon)
{
	if (!balloon->kind) {
		vmadj_jsonw_null(w, "balloon");
		return;
	}
	vmadj_jsonw_open(w, "balloon", '{');
	vmadj_jsonw_string(w, "kind", balloon->kind);
	vmadj_jsonw_u64(w, "actual_bytes", balloon->actual_bytes);
	vmadj_jsonw_u64(w, "target_bytes", balloon->target_bytes);
	vmadj_jsonw_u64(w, "max_bytes", balloon->max_bytes);
	vmadj_jsonw_u64(w, "original_bytes", balloon->original_bytes);
	vmadj_jsonw_bool(w, "effective", balloon->effective);
	vmadj_jsonw_string(w, "why_not", balloon->why_not);
	vmadj_jsonw_string(w, "need", balloon->need);
	vmadj_jsonw_close(w, '}');
}

static void put_knobs(struct vmadj_jsonw *w, const struct vmadj_snap_knobs *knobs)
{
	if (!knobs->known) {
		vmadj_jsonw_null(w, "knobs");
		return;
	}
	vmadj_jsonw_open(w, "knobs", '{');
	put_cpu_knob(w, &knobs->cpu);
	put_balloon_knob(w, &knobs->balloon);
	vmadj_jsonw_null(w, "affinity");
	vmadj_jsonw_open(w, "limits", '{');
	vmadj_jsonw_bool(w, "managed", knobs->managed);
	vmadj_jsonw_i64(w, "priority", knobs->priority);
	vmadj_jsonw_i64(w, "nice_min", knobs->nice_min);
	vmadj_jsonw_i64(w, "nice_max", knobs->nice_max);
	put_count(w, "mem_min_bytes", knobs->mem_min_bytes != UINT64_MAX, knobs->mem_min_bytes);
	put_count(w, "mem_max_bytes", knobs->mem_max_bytes != UINT64_MAX, knobs->mem_max_bytes);
	vmadj_jsonw_i64(w, "mem_weight", knobs->mem_weight);
	vmadj_jsonw_close(w, '}');
	vmadj_jsonw_close(w, '}');
}

static void put_vm(struct vmadj_jsonw *w, const struct vmadj_snap_vm *vm)
{
	vmadj_jsonw_open(w, NULL, '{');
	vmadj_jsonw_string(w, "id", vm->id);
	vmadj_jsonw_string(w, "name", vm->name);
	vmadj_jsonw_bool(w, "ended", vm->ended);
	vmadj_jsonw_string(w, "uuid", vm->uuid);
	vmadj_jsonw_i64(w, "pid", vm->pid);
	vmadj_jsonw_string(w, "vmm", vm->vmm);
	vmadj_jsonw_string(w, "accel", vm->accel);
	vmadj_jsonw_string(w, "manager", vm->manager);
	vmadj_jsonw_string(w, "note", vm->note);
	put_cpu(w, &vm->cpu);
	put_vcpus(w, vm);
	put_cache(w, &vm->host_cache);
	put_guest(w, &vm->guest);
	put_count(w, "io_read_bytes", vm->io_read_bytes != UINT64_MAX, vm->io_read_bytes);
	put_knobs(w, &vm->knobs);
	put_delta(w, vm);
	vmadj_jsonw_close(w, '}');
}

static void put_observer(struct vmadj_jsonw *w, const struct vmadj_snap_observer *observer)
{
	vmadj_jsonw_open(w, "observer", '{');
	vmadj_jsonw_string(w, "mode", observer->mode);
	vmadj_jsonw_u64(w, "lost_events", observer->lost_events);
	vmadj_jsonw_u64(w, "vms", observer->vms);
	vmadj_jsonw_u64(w, "vcpus", observer->vcpus);
	vmadj_jsonw_close(w, '}');
}

int vmadj_snapshot_to_json(const struct vmadj_snapshot *snapshot, char **ret_text, size_t *ret_len)
{
	struct vmadj_jsonw w = { 0 };

	vmadj_jsonw_open(&w, NULL, '{');
	vmadj_jsonw_u64(&w, "schema", SCHEMA);
	vmadj_jsonw_double(&w, "time_unix_s", snapshot->time_unix_s, 3);
	vmadj_jsonw_double(&w, "interval_s", snapshot->interval_s, 3);
	put_host(&w, snapshot);
	vmadj_jsonw_open(&w, "vms", '[');
	for (size_t i = 0; i < snapshot->n_vms; i++)
		put_vm(&w, &snapshot->vms[i]);
	vmadj_jsonw_close(&w, ']');
	put_observer(&w, &snapshot->observer);
	vmadj_jsonw_close(&w, '}');
	return vmadj_jsonw_finish(&w, ret_text, ret_len);
}
