// SPDX-License-Identifier: GPL-2.0-only
/* base64.c - bytes that came as text */
#include "user/util/base64.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* Return: 0..63; 64: it stands for nothing. */
static uint32_t value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (uint32_t)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (uint32_t)(c - 'a') + 26;
	if (c >= '0' && c <= '9')
		return (uint32_t)(c - '0') + 52;
	return c == '+' ? 62 : c == '/' ? 63 : 64;
}

ssize_t vmadj_base64_decode(const char *text, char *buf, size_t size)
{
	size_t len = strlen(text), used = 0;
	size_t pad = len && text[len - 1] == '=' ? 1 + (len > 1 && text[len - 2] == '=') : 0;

	if (len % 4)
		return -EINVAL;
	if (len / 4 * 3 - pad >= size)
		return -E2BIG;
	for (size_t i = 0; i < len; i += 4) {
		size_t n = i + 4 == len ? 4 - pad : 4; /* characters that are not padding */
		uint32_t bits = 0;

		for (size_t j = 0; j < n; j++) {
			uint32_t value = value_of(text[i + j]);

			if (value > 63)
				return -EINVAL;
			bits |= value << (18 - 6 * j);
		}
		for (size_t j = 0; j + 1 < n; j++)
			buf[used++] = (char)(bits >> (16 - 8 * j));
	}
	buf[used] = '\0';
	return (ssize_t)used;
}
