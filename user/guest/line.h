/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * line.h - lines out of a stream that comes in pieces, in a fixed room
 *
 *	while (vmadj_guest_line_next(&line, &at, end))
 *		use(line.text, line.len);
 *
 * A line that is too long is left out to its end, and counted. Zeroes: nothing has come yet.
 *
 * Units: bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* With its end: docs/guest-protocol.md. A fuzzer gets past a shorter one sooner. */
#ifndef VMADJ_GUEST_LINE_MAX
#define VMADJ_GUEST_LINE_MAX 4096
#endif

struct vmadj_guest_line {
	char text[VMADJ_GUEST_LINE_MAX]; /* without its end; no NUL behind it */
	size_t len;
	bool whole;    /* what is in text was given to the caller */
	bool skipping; /* in a line that is too long */
	uint64_t n_too_long;
};

/**
 * vmadj_guest_line_next() - takes bytes from *@at on, up to the end of a line
 *
 * Return: whether text is a whole line; false: all bytes to @end are taken.
 */
bool vmadj_guest_line_next(struct vmadj_guest_line *line, const char **at, const char *end);
