/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libvirt_wire.h - what goes between this program and its libvirt helper
 *
 * Records of one size each way over a SOCK_SEQPACKET pair; both ends are the same program. The
 * helper reads a request only when a thread is free to do it, and sends one reply for each.
 */
#pragma once

#include <stdint.h>

#include "user/virt/balloon_stats.h"

#define VMADJ_LIBVIRT_FD      3 /* the helper's end */
#define VMADJ_LIBVIRT_THREADS 4 /* libvirtd takes five calls of one client at a time */
#define VMADJ_UUID_SIZE	      37

struct vmadj_libvirt_request {
	uint64_t id;
	uint64_t value;
	uint32_t what; /* enum vmadj_libvirt_what */
	char uuid[VMADJ_UUID_SIZE];
};

struct vmadj_libvirt_reply {
	uint64_t id;
	int32_t err;
	uint8_t running, job_active;
	uint64_t max_bytes, shares, period_s;
	struct vmadj_balloon_stats balloon;
	char error[256];
};
