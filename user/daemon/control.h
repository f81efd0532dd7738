/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * control.h - the socket on which `vmadjust-bpf ctl` and `dump` ask the daemon
 *
 * One JSON document a line each way. Who may ask is told by the kernel (SO_PEERCRED): root and the
 * daemon's own user everything; members of daemon.control_group what changes nothing.
 *
 *	{"verb":"why","vm":"web1"}  ->  {"ok":true,...}  or  {"ok":false,"error":"..."}
 *
 * Errors:    0 or a negative errno.
 * Ownership: clients that do not read, or send more than a line of 64 KiB, are let go.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "user/util/jsonw.h"

struct vmadj_control;
struct vmadj_client;
struct vmadj_daemon;
struct vmadj_snapshot;

#define VMADJ_CONTROL_SOCKET   "control.sock" /* in daemon.run_dir */
#define VMADJ_CONTROL_LINE_MAX (64 << 10)
#define VMADJ_CONTROL_CLIENTS  64

/** vmadj_control_new() - listen; Return: 0; -EADDRINUSE: another daemon listens; -errno. */
int vmadj_control_new(struct vmadj_daemon *daemon, struct vmadj_control **ret_control);
void vmadj_control_free(struct vmadj_control *control);

/* Every watching client gets the snapshot. */
void vmadj_control_show(struct vmadj_control *control, const struct vmadj_snapshot *snapshot);

/* --- for verbs.c -------------------------------------------------------- */

/* Answers @client: with what @w holds (an open object), or with a sentence. */
void vmadj_client_answer(struct vmadj_client *client, struct vmadj_jsonw *w);
void vmadj_client_refuse(struct vmadj_client *client, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* From now on it gets every snapshot. */
void vmadj_client_watch(struct vmadj_client *client);

/* Does what @request says, now or later. @full: it may change something. */
void vmadj_control_verb(struct vmadj_daemon *daemon, struct vmadj_client *client,
			const json_t *request, bool full);

/* The client has gone: nobody is to answer it any more. */
void vmadj_control_client_gone(struct vmadj_daemon *daemon, struct vmadj_client *client);
