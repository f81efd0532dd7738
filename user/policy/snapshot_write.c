/* SPDX-License-Identifier: GPL-2.0-only */
/* snapshot_write.c - a snapshot in the form of policy.h */
#include <math.h>
#include <time.h>

#include "user/policy/runner.h"
#include "user/snapshot/snapshot.h"
#include "user/util/text.h"

#define MIB	       (1ULL << 20)
#define COPY(to, text) copy(text, to, sizeof(to))

_Static_assert(VMADJ_UNKNOWN == VMADJ_GUEST_UNKNOWN, "unknown counts are copied as they are");

/* The policy may print it: it is escaped already, and cut between characters. */
static void copy(const char *text, char *to, size_t size)
{
	if (text)
		(void)vmadj_escape(text, to, size);
}

static uint64_t count(bool known, uint64_t value)
{
	return known ? value : VMADJ_UNKNOWN;
}

static double monotonic_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void write_usage(const struct vmadj_snap_vm *vm, struct vmadj_policy_vm *to)
{
	const struct vmadj_snap_cpu *cpu = &vm->cpu;
	const struct vmadj_snap_cache *cache = &vm->host_cache;

	to->usage_pct = cpu->usage_pct;
	to->wait_pct = cpu->wait_pct;
	to->wait_p50_us = cpu->wait_p50_us;
	to->wait_p99_us = cpu->wait_p99_us;
	to->run_ns = count(cpu->known, cpu->run_ns);
	to->wait_ns = count(cpu->known, cpu->wait_ns);
	to->delta_run_ns = count(cpu->known, vm->delta.run_ns);
	to->delta_wait_ns = count(cpu->known, vm->delta.wait_ns);
	if (cpu->known && cpu->n_waited > 0)
		COPY(to->waited_for, cpu->waited_for[0].who);
	to->accessed_pages = count(cache->known, vm->delta.accessed_pages);
	to->hit_pages = count(cache->known, vm->delta.hit_pages);
	to->miss_pages = count(cache->known, vm->delta.miss_pages);
	to->hit_pct = cache->known ? cache->hit_pct : (double)NAN;
}

static void write_cpu_knob(const struct vmadj_snap_knobs *knobs, struct vmadj_policy_vm *to)
{
	bool known = knobs->known && knobs->cpu.kind;

	to->nice = known ? knobs->cpu.nice : VMADJ_NICE_UNKNOWN;
	to->nice_min = known ? knobs->nice_min : VMADJ_NICE_UNKNOWN;
	to->nice_max = known ? knobs->nice_max : VMADJ_NICE_UNKNOWN;
	if (known && knobs->managed && knobs->cpu.effective)
		to->knobs |= VMADJ_KNOB_CPU;
}

/* As the guard has it (actuate/memory.h): half of the most where no minimum is set; whole MiB. */
static uint64_t least_bytes(const struct vmadj_snap_knobs *knobs, uint64_t max_bytes)
{
	bool is_set = knobs->mem_min_bytes != UINT64_MAX;
	uint64_t least = is_set ? knobs->mem_min_bytes : max_bytes / 2;

	if (least > max_bytes || max_bytes - least < MIB)
		return max_bytes;
	return (least + MIB - 1) / MIB * MIB;
}

static void write_memory_knob(const struct vmadj_snap_knobs *knobs, struct vmadj_policy_vm *to)
{
	const struct vmadj_snap_balloon_knob *balloon = &knobs->balloon;
	bool known = knobs->known && balloon->kind;

	to->mem_bytes = count(known, balloon->actual_bytes);
	to->mem_target_bytes = count(known, balloon->target_bytes);
	to->mem_min_bytes = VMADJ_UNKNOWN;
	to->mem_max_bytes = VMADJ_UNKNOWN;
	if (!known)
		return;
	to->mem_max_bytes = knobs->mem_max_bytes < balloon->max_bytes ? knobs->mem_max_bytes
								      : balloon->max_bytes;
	to->mem_min_bytes = least_bytes(knobs, to->mem_max_bytes);
	if (knobs->managed && balloon->effective)
		to->knobs |= VMADJ_KNOB_MEMORY;
}

static void write_guest(const struct vmadj_guest *guest, struct vmadj_policy_vm *to)
{
	bool known = guest->known;

	COPY(to->guest_source, known ? guest->source : NULL);
	to->guest_age_s = known ? guest->age_s : (double)NAN;
	to->guest_total_bytes = count(known, guest->mem_total_bytes);
	to->guest_free_bytes = count(known, guest->mem_free_bytes);
	to->guest_available_bytes = count(known, guest->mem_available_bytes);
	to->guest_cached_bytes = count(known, guest->cached_bytes);
	to->guest_active_file_bytes = count(known, guest->active_file_bytes);
	to->guest_committed_bytes = count(known, guest->committed_bytes);
	to->guest_swap_in_bytes = count(known, guest->swap_in_bytes);
	to->guest_swap_out_bytes = count(known, guest->swap_out_bytes);
	to->guest_major_faults = count(known, guest->major_faults);
	to->guest_refaults = count(known, guest->refaults);
	to->guest_oom_kills = count(known, guest->oom_kills);
	to->guest_alloc_stalls = count(known, guest->alloc_stalls);
	to->guest_disk_read_bytes = count(known, guest->disk_read_bytes);
	to->guest_mem_psi_some_pct = known ? guest->mem_psi_some_pct : (double)NAN;
	to->guest_accessed_pages = count(known && guest->cache.known, guest->cache.accessed_pages);
	to->guest_hit_pages = count(known && guest->cache.known, guest->cache.hit_pages);
	to->guest_miss_pages = count(known && guest->cache.known, guest->cache.miss_pages);
}

static void write_vm(const struct vmadj_snap_vm *vm, struct vmadj_policy_vm *to)
{
	*to = (struct vmadj_policy_vm){ .pid = vm->pid, .vcpus = (uint32_t)vm->n_vcpus };
	COPY(to->id, vm->id);
	COPY(to->name, vm->name);
	COPY(to->uuid, vm->uuid);
	COPY(to->manager, vm->manager);
	to->priority = vm->knobs.known ? vm->knobs.priority : 0;
	to->mem_weight = vm->knobs.known ? (uint32_t)vm->knobs.mem_weight : 100;
	to->io_read_bytes = vm->io_read_bytes;
	COPY(to->mem_need, vm->knobs.known ? vm->knobs.balloon.need : NULL);
	write_usage(vm, to);
	write_cpu_knob(&vm->knobs, to);
	write_memory_knob(&vm->knobs, to);
	write_guest(&vm->guest, to);
}

static void write_head(const struct vmadj_snapshot *snapshot, struct vmadj_policy_snapshot *head)
{
	const struct vmadj_snap_host *host = &snapshot->host;

	*head = (struct vmadj_policy_snapshot){
		.abi = VMADJ_POLICY_ABI,
		.size = sizeof(*head),
		.vm_size = sizeof(struct vmadj_policy_vm),
		.time_unix_s = snapshot->time_unix_s,
		.monotonic_s = monotonic_s(),
		.interval_s = snapshot->interval_s,
		.cpus = host->cpus,
		.load1 = host->load1,
		.load5 = host->load5,
		.load15 = host->load15,
		.cpu_busy_pct = host->cpu_busy_pct,
		.cpu_psi_some_pct = host->cpu_psi_some_pct,
		.mem_psi_some_pct = host->mem_psi_some_pct,
		.mem_total_bytes = host->mem_total_bytes,
		.mem_available_bytes = host->mem_available_bytes,
		.mem_vms_bytes = snapshot->mem_vms_bytes,
	};
}

size_t vmadj_policy_snapshot_write(const struct vmadj_snapshot *snapshot, uint64_t seq, void *to,
				   size_t size)
{
	struct vmadj_policy_snapshot *head = to;
	struct vmadj_policy_vm *vm = (struct vmadj_policy_vm *)(head + 1);
	size_t needed = sizeof(*head) + snapshot->n_vms * sizeof(*vm);

	if (needed > size)
		return needed;
	write_head(snapshot, head);
	head->seq = seq;
	/* Nothing can be wished for a VM that has ended. */
	for (size_t i = 0; i < snapshot->n_vms; i++) {
		if (!snapshot->vms[i].ended)
			write_vm(&snapshot->vms[i], &vm[head->n_vms++]);
	}
	return needed;
}
