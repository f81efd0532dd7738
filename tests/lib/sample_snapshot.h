/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sample_snapshot.h - a made-up snapshot for tests: three VMs on two CPUs
 *
 * vms[0] "db1" (pid 100, KVM, 2 vCPUs) runs; vms[1] "web1" (pid 200, KVM, 1 vCPU)
 * waits half its time for db1; vms[2] "odd" (pid 300, TCG) has CPU and cache not
 * known. Tests change what they like.
 */
#pragma once

#include "user/snapshot/snapshot.h"

#define SAMPLE_VMS 3

struct sample {
	struct vmadj_snapshot snapshot;
	struct vmadj_snap_vm vms[SAMPLE_VMS];
	struct vmadj_snap_vcpu vcpus[3];
	struct vmadj_snap_waited waited[SAMPLE_VMS][VMADJ_WAITED_MAX];
};

/* Fills in @sample, which must not move afterwards. */
void sample_make(struct sample *sample);
