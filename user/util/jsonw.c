/* SPDX-License-Identifier: GPL-2.0-only */
/* jsonw.c - write JSON straight into one growing buffer */
#include "user/util/jsonw.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/util/text.h"

#define FIRST_SIZE   4096
#define NUMBER_MAX   32	 /* 20 digits, a sign, a point */
#define DOUBLE_MAX   344 /* 309 digits before the point, 6 behind it, and a reserve */
#define DECIMALS_MAX 6

static const double powers_of_ten[DECIMALS_MAX + 1] = { 1, 10, 100, 1e3, 1e4, 1e5, 1e6 };

/* Room for @more bytes and a NUL. False once memory has run out. */
static bool reserve(struct vmadj_jsonw *w, size_t more)
{
	size_t size = w->size ? w->size : FIRST_SIZE;
	char *buf;

	if (w->failed)
		return false;
	if (w->len + more < w->size)
		return true;
	while (size <= w->len + more)
		size *= 2;
	buf = realloc(w->buf, size);
	if (!buf) {
		w->failed = true;
		return false;
	}
	w->buf = buf;
	w->size = size;
	return true;
}

static void put(struct vmadj_jsonw *w, const char *text, size_t len)
{
	if (!reserve(w, len))
		return;
	memcpy(w->buf + w->len, text, len);
	w->len += len;
}

/* The comma and the key before a value. */
static void begin_value(struct vmadj_jsonw *w, const char *key)
{
	size_t len = key ? strlen(key) : 0;
	char *p;

	if (!reserve(w, len + 4))
		return;
	p = w->buf + w->len;
	if (w->comma)
		*p++ = ',';
	if (key) {
		*p++ = '"';
		p = mempcpy(p, key, len);
		*p++ = '"';
		*p++ = ':';
	}
	w->len = (size_t)(p - w->buf);
	w->comma = true;
}

void vmadj_jsonw_open(struct vmadj_jsonw *w, const char *key, char kind)
{
	begin_value(w, key);
	put(w, &kind, 1);
	w->comma = false;
}

void vmadj_jsonw_close(struct vmadj_jsonw *w, char kind)
{
	put(w, &kind, 1);
	w->comma = true;
}

void vmadj_jsonw_null(struct vmadj_jsonw *w, const char *key)
{
	begin_value(w, key);
	put(w, "null", 4);
}

void vmadj_jsonw_bool(struct vmadj_jsonw *w, const char *key, bool value)
{
	begin_value(w, key);
	put(w, value ? "true" : "false", value ? 4 : 5);
}

/* Writes @value so that it ends before @end, with a point before the last @decimals digits. */
static char *digits_before(char *end, uint64_t value, unsigned int decimals)
{
	unsigned int written = 0;

	do {
		if (decimals > 0 && written == decimals)
			*--end = '.';
		*--end = (char)('0' + value % 10);
		value /= 10;
		written++;
	} while (value > 0 || written <= decimals);
	return end;
}

static void put_number(struct vmadj_jsonw *w, bool negative, uint64_t value, unsigned int decimals)
{
	char number[NUMBER_MAX];
	char *end = number + sizeof(number);
	char *start = digits_before(end, value, decimals);

	if (negative && value > 0)
		*--start = '-';
	put(w, start, (size_t)(end - start));
}

void vmadj_jsonw_u64(struct vmadj_jsonw *w, const char *key, uint64_t value)
{
	begin_value(w, key);
	put_number(w, false, value, 0);
}

void vmadj_jsonw_i64(struct vmadj_jsonw *w, const char *key, int64_t value)
{
	begin_value(w, key);
	put_number(w, value < 0, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 0);
}

void vmadj_jsonw_double(struct vmadj_jsonw *w, const char *key, double value, unsigned int decimals)
{
	char number[DOUBLE_MAX];
	double scaled;

	if (!isfinite(value)) {
		vmadj_jsonw_null(w, key);
		return;
	}
	if (decimals > DECIMALS_MAX)
		decimals = DECIMALS_MAX;
	begin_value(w, key);
	scaled = fabs(value) * powers_of_ten[decimals];
	if (scaled < 1e15) {
		put_number(w, value < 0, (uint64_t)(scaled + 0.5), decimals);
		return;
	}
	(void)snprintf(number, sizeof(number), "%.*f", (int)decimals, value);
	put(w, number, strlen(number));
}

/* How many bytes at the start of @text need no escape. */
static size_t plain_length(const char *text)
{
	size_t len = 0;

	while ((unsigned char)text[len] >= 0x20 && (unsigned char)text[len] < 0x7f &&
	       text[len] != '"' && text[len] != '\\')
		len++;
	return len;
}

/* One character that is not plain; returns the bytes that it had. */
static size_t put_special(struct vmadj_jsonw *w, const char *text)
{
	char escape[16];
	uint32_t c = 0;
	size_t len = vmadj_utf8_decode(text, &c);

	if (len == 0) {
		put(w, "\xef\xbf\xbd", 3); /* U+FFFD */
		return 1;
	}
	if (c == '"' || c == '\\') {
		escape[0] = '\\';
		escape[1] = (char)c;
		put(w, escape, 2);
	} else if (!vmadj_char_is_treacherous(c)) {
		put(w, text, len);
	} else if (c > 0xffff) {
		(void)snprintf(escape, sizeof(escape), "\\u%04x\\u%04x",
			       0xd800U + ((c - 0x10000U) >> 10), 0xdc00U + (c & 0x3ffU));
		put(w, escape, 12);
	} else {
		(void)snprintf(escape, sizeof(escape), "\\u%04x", c);
		put(w, escape, 6);
	}
	return len;
}

void vmadj_jsonw_string(struct vmadj_jsonw *w, const char *key, const char *value)
{
	if (!value) {
		vmadj_jsonw_null(w, key);
		return;
	}
	begin_value(w, key);
	put(w, "\"", 1);
	while (*value) {
		size_t len = plain_length(value);

		put(w, value, len);
		value += len;
		if (*value)
			value += put_special(w, value);
	}
	put(w, "\"", 1);
}

void vmadj_jsonw_newline(struct vmadj_jsonw *w)
{
	put(w, "\n", 1);
	w->comma = false;
}

int vmadj_jsonw_finish(struct vmadj_jsonw *w, char **ret_text, size_t *ret_len)
{
	const struct vmadj_jsonw empty = { 0 };

	if (!reserve(w, 0)) {
		free(w->buf);
		*w = empty;
		return -ENOMEM;
	}
	w->buf[w->len] = '\0';
	*ret_text = w->buf;
	*ret_len = w->len;
	*w = empty;
	return 0;
}
