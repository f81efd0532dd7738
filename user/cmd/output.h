/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * output.h - documents to standard output, each whole or not at all
 *
 * A reader may close the pipe, never read again, or be a full disk. Into a regular
 * file a document that does not fit leaves nothing of itself. A reader that does not
 * read holds the program up, but not its end: once a signal of signals.h waits, it has
 * VMADJ_OUTPUT_GRACE_MS left.
 *
 * Errors:    0 or a negative errno of write(2); -ECANCELED: a signal asked for the end
 *            while the reader did not read.
 * Threads:   one at a time (it uses SIGALRM and the real-time interval timer).
 */
#pragma once

#include <stddef.h>

#define VMADJ_OUTPUT_GRACE_MS 1000

/**
 * vmadj_output_prepare() - once, at the start: ignore SIGPIPE and SIGXFSZ, take SIGALRM,
 * and see to it that descriptors 0 to 2 are taken
 *
 * Return: 0; -errno.
 */
int vmadj_output_prepare(void);

/**
 * vmadj_output_write() - write a document whole
 *
 * Return: 0; -EPIPE, -ENOSPC, -EDQUOT, -EFBIG, -EIO, -EBADF, ...; -ECANCELED.
 */
int vmadj_output_write(int fd, const char *text, size_t len);

/**
 * vmadj_output_print() - the same to standard output, and the message when it fails
 *
 * Return: enum vmadj_exit: VMADJ_EXIT_DONE or VMADJ_EXIT_OUTPUT.
 */
int vmadj_output_print(const char *text, size_t len);
