/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libvirt_wire.h - what goes between this program and its libvirt helper
 *
 * Records over a SOCK_SEQPACKET pair; both ends are the same program. A record's text is sent as
 * far as it is used. The helper reads a request only when a thread is free to do it, and sends one
 * reply for each.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "user/virt/balloon_stats.h"

#define VMADJ_LIBVIRT_FD      3 /* the helper's end */
#define VMADJ_LIBVIRT_THREADS 4 /* libvirtd takes five calls of one client at a time */
#define VMADJ_LIBVIRT_AGENTS  2 /* of these, for calls that wait for a guest */
#define VMADJ_UUID_SIZE	      37

#define VMADJ_LIBVIRT_ASK_MAX 1024
#define VMADJ_LIBVIRT_SAY_MAX 65536

struct vmadj_libvirt_request {
	uint64_t id;
	uint64_t value;
	uint32_t what; /* enum vmadj_libvirt_what */
	char uuid[VMADJ_UUID_SIZE];
	char text[VMADJ_LIBVIRT_ASK_MAX]; /* AGENT; ends with NUL */
};

struct vmadj_libvirt_reply {
	uint64_t id;
	int32_t err;
	uint8_t running, job_active;
	uint64_t max_bytes, shares, period_s;
	struct vmadj_balloon_stats balloon;
	char channel[108]; /* as much as a socket's address holds */
	char error[256];
	char text[VMADJ_LIBVIRT_SAY_MAX]; /* AGENT; ends with NUL */
};

/* What is sent of a record with @len bytes of text. */
#define VMADJ_LIBVIRT_RECORD(type, len) (offsetof(struct type, text) + (len) + 1)
