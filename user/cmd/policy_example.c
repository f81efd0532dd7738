/* SPDX-License-Identifier: GPL-2.0-only */
/* policy_example.c - a made-up snapshot: three VMs on two busy CPUs */
#include <math.h>

#include "user/cmd/policy.h"

#define GIB	 (1ULL << 30)
#define UNKNOWN_ VMADJ_GUEST_UNKNOWN

static struct vmadj_snap_vcpu vcpus[] = {
	{ .id = 0, .tid = 1001, .run_ns = 900000000, .wait_ns = 90000000 },
	{ .id = 0, .tid = 2001, .run_ns = 700000000, .wait_ns = 250000000 },
	{ .id = 0, .tid = 3001, .run_ns = 300000000, .wait_ns = 600000000 },
};

static struct vmadj_snap_waited waited_for[] = {
	{ "vm:db1", 90000000 },
	{ "vm:db1", 250000000 },
	{ "vm:db1", 600000000 },
};

/* CPU in per cent of one; its priority, memory and what is free of it. */
static struct vmadj_snap_vm make_vm(int i, const char *id, const char *name, double usage_pct,
				    double wait_pct)
{
	const uint64_t memory = (uint64_t)(i + 1) * GIB;

	return (struct vmadj_snap_vm){
		.id = id,
		.name = name,
		.vmm = "qemu",
		.accel = "kvm",
		.manager = "libvirt",
		.pid = vcpus[i].tid - 1,
		.cpu = { .known = true,
			 .run_ns = vcpus[i].run_ns,
			 .wait_ns = vcpus[i].wait_ns,
			 .usage_pct = usage_pct,
			 .wait_pct = wait_pct,
			 .wait_p50_us = 2000,
			 .wait_p99_us = 12000,
			 .n_waited = 1,
			 .waited_for = &waited_for[i] },
		.n_vcpus = 1,
		.vcpus = &vcpus[i],
		.host_cache = { .hit_pct = (double)NAN },
		.guest = { .known = true,
			   .source = "balloon",
			   .age_s = 0.5,
			   .mem_total_bytes = memory,
			   .mem_free_bytes = memory / 8,
			   .mem_available_bytes = memory / 4,
			   .cached_bytes = memory / 4,
			   .active_file_bytes = UNKNOWN_,
			   .committed_bytes = UNKNOWN_,
			   .refaults = UNKNOWN_,
			   .oom_kills = UNKNOWN_,
			   .alloc_stalls = UNKNOWN_,
			   .disk_read_bytes = UNKNOWN_,
			   .mem_psi_some_pct = NAN },
		.io_read_bytes = UNKNOWN_,
		.knobs = { .known = true,
			   .managed = true,
			   .priority = 10 - 5 * i,
			   .nice_min = -20,
			   .nice_max = 19,
			   .mem_min_bytes = memory / 4,
			   .mem_max_bytes = UINT64_MAX,
			   .mem_weight = 100,
			   .cpu = { .kind = "cgroup2-weight", .effective = true },
			   .balloon = { .kind = "libvirt",
					.actual_bytes = memory,
					.target_bytes = memory,
					.max_bytes = memory,
					.original_bytes = memory,
					.effective = true } },
		.delta = { .run_ns = vcpus[i].run_ns, .wait_ns = vcpus[i].wait_ns },
	};
}

const struct vmadj_snapshot *vmadj_policy_example(void)
{
	static struct vmadj_snap_vm vms[3];
	static const struct vmadj_snapshot snapshot = {
		.time_unix_s = 1e9,
		.interval_s = 1,
		.host = { .kernel = "",
			  .cpus = 2,
			  .load1 = 3,
			  .load5 = 2.5,
			  .load15 = 1.9,
			  .cpu_busy_pct = 95,
			  .cpu_psi_some_pct = 30,
			  .mem_total_bytes = 8 * GIB,
			  .mem_available_bytes = GIB,
			  .mem_psi_some_pct = 1 },
		.mem_vms_bytes = 5 * GIB,
		.n_vms = 3,
		.vms = vms,
		.observer = { .mode = "made up", .vms = 3, .vcpus = 3 },
	};

	vms[0] = make_vm(0, "1000-1", "db1", 90, 9);
	vms[1] = make_vm(1, "2000-1", "web1", 70, 25);
	vms[2] = make_vm(2, "3000-1", "batch1", 30, 60);
	return &snapshot;
}
