/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stream.h - the snapshots of the daemon that runs on this host, one after the other
 *
 * Ownership: vmadj_stream_close() takes NULL.
 */
#pragma once

#include <stddef.h>

struct vmadj_snapshot;
struct vmadj_stream;

/**
 * vmadj_stream_open() - ask the daemon for its snapshots
 *
 * @path: of its socket; NULL: the usual one. @ret_interval_s: how often they come.
 *
 * Return: 0; -ENOENT, -ECONNREFUSED: no daemon runs; -EACCES: not for this user; -errno.
 */
int vmadj_stream_open(const char *path, double *ret_interval_s, struct vmadj_stream **ret_stream);
void vmadj_stream_close(struct vmadj_stream *stream);

/* To be polled for reading. */
int vmadj_stream_fd(const struct vmadj_stream *stream);

/**
 * vmadj_stream_read() - take what has come, without waiting
 *
 * Return: 0 and a snapshot that the caller frees (vmadj_snapshot_free()); -EAGAIN: none is whole
 * yet; -ECONNRESET: the daemon has ended; -EPROTO, -ENOMEM, -errno.
 */
int vmadj_stream_read(struct vmadj_stream *stream, struct vmadj_snapshot **ret_snapshot);
