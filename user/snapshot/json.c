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

static void put_host(struct vmadj_jsonw *w, const struct vmadj_snap_host *host)
{
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
	vmadj_jsonw_close(w, '}');
}

static void put_waited_for(struct vmadj_jsonw *w, const struct vmadj_snap_cpu *cpu)
{
	if (!cpu->known) {
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
	vmadj_jsonw_null(w, "guest");
	vmadj_jsonw_null(w, "knobs");
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
	put_host(&w, &snapshot->host);
	vmadj_jsonw_open(&w, "vms", '[');
	for (size_t i = 0; i < snapshot->n_vms; i++)
		put_vm(&w, &snapshot->vms[i]);
	vmadj_jsonw_close(&w, ']');
	put_observer(&w, &snapshot->observer);
	vmadj_jsonw_close(&w, '}');
	return vmadj_jsonw_finish(&w, ret_text, ret_len);
}
