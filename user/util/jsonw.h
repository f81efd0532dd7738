/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * jsonw.h - write JSON straight into one growing buffer
 *
 * A thousand VMs are some 60 000 values a second: building them as a tree first
 * takes several times as long as writing them, and the tree's library decides
 * about decimals.
 *
 *	struct vmadj_jsonw w = { 0 };
 *	vmadj_jsonw_open(&w, NULL, '{');
 *	vmadj_jsonw_u64(&w, "pid", 4321);
 *	vmadj_jsonw_close(&w, '}');
 *	err = vmadj_jsonw_finish(&w, &text, &len);
 *
 * Keys are the caller's own and written as they are; a key of NULL is an element of an
 * array. Strings may be anything: what is not UTF-8 becomes U+FFFD, control characters
 * and those that reorder text are escaped.
 *
 * Errors:    kept until vmadj_jsonw_finish(), so that nothing between needs a test.
 * Ownership: vmadj_jsonw_finish() gives the text to the caller and empties the writer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vmadj_jsonw {
	char *buf;
	size_t len, size;
	bool comma;  /* a value stands before the next one */
	bool failed; /* out of memory */
};

/* @kind is '{' or '[', for vmadj_jsonw_close() '}' or ']'. */
void vmadj_jsonw_open(struct vmadj_jsonw *w, const char *key, char kind);
void vmadj_jsonw_close(struct vmadj_jsonw *w, char kind);

void vmadj_jsonw_null(struct vmadj_jsonw *w, const char *key);
void vmadj_jsonw_bool(struct vmadj_jsonw *w, const char *key, bool value);
void vmadj_jsonw_u64(struct vmadj_jsonw *w, const char *key, uint64_t value);
void vmadj_jsonw_i64(struct vmadj_jsonw *w, const char *key, int64_t value);

/* @decimals (0..6) are always written; NAN and infinities are null. */
void vmadj_jsonw_double(struct vmadj_jsonw *w, const char *key, double value,
			unsigned int decimals);

/* NULL is null. */
void vmadj_jsonw_string(struct vmadj_jsonw *w, const char *key, const char *value);

/* Ends a line: what comes next is a document of its own. */
void vmadj_jsonw_newline(struct vmadj_jsonw *w);

/**
 * vmadj_jsonw_finish() - the text, NUL-terminated, which the caller frees
 *
 * Return: 0; -ENOMEM when any of the calls before ran out of memory.
 */
int vmadj_jsonw_finish(struct vmadj_jsonw *w, char **ret_text, size_t *ret_len);
