/* SPDX-License-Identifier: GPL-2.0-only */
/* text.c - strings that somebody else wrote */
#include "user/util/text.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define ESCAPED_MAX 12 /* "\U0010ffff" and its NUL */

size_t vmadj_utf8_decode(const char *text, uint32_t *ret_char)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)text;
	uint32_t c;
	size_t len;

	if (p[0] < 0x80) {
		*ret_char = p[0];
		return 1;
	}
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	c = p[0] & (0xffU >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		/* A NUL ends here as well: it is no continuation byte. */
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fU);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret_char = c;
	return len;
}

bool vmadj_char_is_treacherous(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	       (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

static void escape_ascii_control(unsigned char c, char *out)
{
	static const char names[] = "abtnvfr"; /* from 7 on */

	if (c >= 7 && c <= 13) {
		(void)snprintf(out, ESCAPED_MAX, "\\%c", names[c - 7]);
		return;
	}
	(void)snprintf(out, ESCAPED_MAX, "\\x%02x", c);
}

/* Puts one character of @text into @out, as it is or escaped. Returns the bytes it had. */
static size_t escape_one(const char *text, bool ascii_only, char *out)
{
	uint32_t c = 0;
	size_t len = vmadj_utf8_decode(text, &c);

	if (len == 0) {
		(void)snprintf(out, ESCAPED_MAX, "\\x%02x", (unsigned char)*text);
		return 1;
	}
	if (c < 0x20 || c == 0x7f) {
		escape_ascii_control((unsigned char)c, out);
	} else if (vmadj_char_is_treacherous(c) || (ascii_only && c >= 0x80)) {
		(void)snprintf(out, ESCAPED_MAX, c > 0xffff ? "\\U%08x" : "\\u%04x", c);
	} else {
		memcpy(out, text, len);
		out[len] = '\0';
	}
	return len;
}

static char *escape(const char *text, bool ascii_only, char *buf, size_t size)
{
	size_t used = 0;

	for (const char *p = text ? text : "-"; *p;) {
		char piece[ESCAPED_MAX];
		size_t len;

		p += escape_one(p, ascii_only, piece);
		len = strlen(piece);
		if (used + len >= size)
			break;
		memcpy(buf + used, piece, len);
		used += len;
	}
	buf[used] = '\0';
	return buf;
}

char *vmadj_escape(const char *text, char *buf, size_t size)
{
	return escape(text, false, buf, size);
}

char *vmadj_escape_ascii(const char *text, char *buf, size_t size)
{
	return escape(text, true, buf, size);
}

static size_t char_width(uint32_t c)
{
	int width = wcwidth((wchar_t)c);

	return width < 0 ? 1 : (size_t)width;
}

size_t vmadj_text_width(const char *text)
{
	size_t width = 0;

	while (*text) {
		uint32_t c = 0;
		size_t len = vmadj_utf8_decode(text, &c);

		width += len ? char_width(c) : 1;
		text += len ? len : 1;
	}
	return width;
}

size_t vmadj_text_cut(char *text, size_t size, size_t width, const char *mark)
{
	size_t total = vmadj_text_width(text);
	size_t room = width, used = 0, at = 0;

	if (total <= width)
		return total;
	if (*mark)
		room -= room > 0 ? 1 : 0;
	while (text[at]) {
		uint32_t c = 0;
		size_t len = vmadj_utf8_decode(text + at, &c);
		size_t columns = len ? char_width(c) : 1;

		if (used + columns > room)
			break;
		used += columns;
		at += len ? len : 1;
	}
	text[at] = '\0';
	if (room == width || width == 0 || at + strlen(mark) + 1 > size)
		return used;
	memcpy(text + at, mark, strlen(mark) + 1);
	return used + 1;
}

bool vmadj_text_same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}
