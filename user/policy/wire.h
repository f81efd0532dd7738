/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * wire.h - what the daemon and a policy's process say to each other
 *
 * Over a SOCK_SEQPACKET socket, one struct a message; both are this very program. The daemon
 * trusts nothing that it receives: lengths, texts and numbers are checked where they are read.
 * Wishes come through shared memory of a fixed size, the snapshot through a sealed one that is
 * sent anew when it has to grow.
 */
#pragma once

#include <stdint.h>

#include "user/policy/runner.h"

#define VMADJ_RUNNER_SOCKET_FD 3
#define VMADJ_RUNNER_POLICY_FD 4
#define VMADJ_WIRE_TEXT_MAX    8192
#define VMADJ_WIRE_WISHES_SIZE                \
	(sizeof(struct vmadj_policy_wishes) + \
	 VMADJ_RUNNER_WISHES_MAX * sizeof(struct vmadj_policy_wish))

enum vmadj_wire_type {
	/* to the process */
	VMADJ_WIRE_HELLO = 1, /* first, with the descriptor of the wishes */
	VMADJ_WIRE_FEED,      /* with the descriptor of the snapshot when it is another */
	/* to the daemon */
	VMADJ_WIRE_READY,
	VMADJ_WIRE_UNUSABLE, /* the policy or its parameters are wrong; it ends */
	VMADJ_WIRE_TROUBLE,  /* why it is about to end */
	VMADJ_WIRE_ANSWER,
};

struct vmadj_wire_hello {
	uint32_t type;
	int32_t daemon_pid;
	int32_t uid, gid; /* -1: stay who it is */
	uint64_t memory_bytes;
	uint32_t n_params;
	char params[VMADJ_WIRE_TEXT_MAX]; /* name NUL value NUL ... */
};

struct vmadj_wire_feed {
	uint32_t type;
	uint32_t size; /* of the shared memory */
	uint64_t seq;
};

struct vmadj_wire_ready {
	uint32_t type;
	struct vmadj_runner_info info;
};

struct vmadj_wire_unusable {
	uint32_t type;
	char why[VMADJ_WIRE_TEXT_MAX];
};

struct vmadj_wire_trouble {
	uint32_t type;
	int32_t signal;		/* 0: its own memory is at an end */
	int32_t syscall;	/* with SIGSYS */
	uint32_t out_of_memory; /* no more was to be had when it crashed */
};

struct vmadj_wire_answer {
	uint32_t type;
	uint32_t n; /* wishes */
	uint64_t seq;
};

union vmadj_wire_any {
	uint32_t type;
	struct vmadj_wire_ready ready;
	struct vmadj_wire_unusable unusable;
	struct vmadj_wire_trouble trouble;
	struct vmadj_wire_answer answer;
};
