/* SPDX-License-Identifier: GPL-2.0-only */
/* sample_snapshot.c - a made-up snapshot for tests */
#include "tests/lib/sample_snapshot.h"

#include <math.h>

static const struct vmadj_snap_vcpu vcpus[3] = {
	{ .id = 0,
	  .tid = 101,
	  .cpu = 0,
	  .run_ns = 600,
	  .wait_ns = 10,
	  .switches = 5,
	  .preemptions = 2,
	  .migrations = 1 },
	{ .id = 1, .tid = 102, .cpu = 1, .run_ns = 900, .wait_ns = 20, .switches = 6 },
	{ .id = 0, .tid = 201, .cpu = -1, .run_ns = 500, .wait_ns = 490, .switches = 7 },
};

static const struct vmadj_snap_vm db1 = {
	.id = "100-5000",
	.name = "db1",
	.uuid = "5f0c2c1e-8a38-4f0a-9d9c-0242ac120002",
	.vmm = "qemu",
	.accel = "kvm",
	.manager = "libvirt",
	.pid = 100,
	.cpu = { .known = true,
		 .run_ns = 1500,
		 .wait_ns = 30,
		 .switches = 11,
		 .preemptions = 2,
		 .migrations = 1,
		 .emulator_run_ns = 20000000,
		 .usage_pct = 150.25,
		 .wait_pct = 3,
		 .wait_p50_us = 12.5,
		 .wait_p99_us = 850,
		 .n_waited = 1 },
	.n_vcpus = 2,
	.host_cache = { .known = true,
			.accessed_pages = 1000,
			.hit_pages = 990,
			.miss_pages = 10,
			.hit_pct = 99 },
	.delta = { .run_ns = 1500,
		   .wait_ns = 30,
		   .accessed_pages = 100,
		   .hit_pages = 99,
		   .miss_pages = 1 },
};

static const struct vmadj_snap_vm web1 = {
	.id = "200-6000",
	.name = "web1",
	.vmm = "firecracker",
	.accel = "kvm",
	.pid = 200,
	.cpu = { .known = true,
		 .run_ns = 500,
		 .wait_ns = 490,
		 .switches = 7,
		 .usage_pct = 50,
		 .wait_pct = 49,
		 .wait_p50_us = 3000,
		 .wait_p99_us = 12345.67,
		 .n_waited = 2 },
	.n_vcpus = 1,
	.host_cache = { .known = true, .hit_pct = NAN },
};

static const struct vmadj_snap_vm odd = {
	.id = "300-7000",
	.name = "odd",
	.vmm = "qemu",
	.accel = "tcg",
	.note = "its vCPU threads cannot be told apart",
	.pid = 300,
	.cpu = { .known = false,
		 .emulator_run_ns = 70,
		 .usage_pct = NAN,
		 .wait_pct = NAN,
		 .wait_p50_us = NAN,
		 .wait_p99_us = NAN },
};

void sample_make(struct sample *sample)
{
	for (int i = 0; i < 3; i++)
		sample->vcpus[i] = vcpus[i];
	sample->vms[0] = db1;
	sample->vms[0].vcpus = &sample->vcpus[0];
	sample->vms[1] = web1;
	sample->vms[1].vcpus = &sample->vcpus[2];
	sample->vms[2] = odd;
	sample->waited[0][0] = (struct vmadj_snap_waited){ "vm:web1", 30 };
	sample->waited[1][0] = (struct vmadj_snap_waited){ "vm:db1", 480 };
	sample->waited[1][1] = (struct vmadj_snap_waited){ "host:postgres", 10 };
	for (int i = 0; i < SAMPLE_VMS; i++)
		sample->vms[i].cpu.waited_for = sample->waited[i];
	sample->snapshot = (struct vmadj_snapshot){
		.time_unix_s = 1795205644.123,
		.interval_s = 1,
		.host = { .kernel = "6.18.44",
			  .cpus = 2,
			  .load1 = 0.5,
			  .load5 = 0.25,
			  .load15 = 0.125,
			  .cpu_busy_pct = 73.1,
			  .cpu_psi_some_pct = 3.5,
			  .mem_total_bytes = 8ULL << 30,
			  .mem_available_bytes = 3ULL << 30,
			  .mem_psi_some_pct = NAN },
		.mem_vms_bytes = 7ULL << 30,
		.n_vms = SAMPLE_VMS,
		.vms = sample->vms,
		.observer = { .mode = "trace", .vms = 3, .vcpus = 3 },
	};
}
