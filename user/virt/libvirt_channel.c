// SPDX-License-Identifier: GPL-2.0-only
/*
 * libvirt_channel.c - the socket of a domain's channel, out of its XML
 *
 * libvirt writes this XML itself, always in the same way, and escapes what is not its own. But one
 * element, <metadata>, may hold anything, comments that look like a channel included. It comes
 * before <devices>, and behind those nothing is written as it came: so the last <devices> that
 * begins a line is the right one.
 */
#include "user/virt/libvirt_channel.h"

#include <stdio.h>
#include <string.h>

#define DEVICES "\n  <devices>\n"

static const char *last(const char *text, const char *what)
{
	const char *found = NULL;

	while ((text = strstr(text, what)))
		found = text++;
	return found;
}

/* The value behind @key, before @end. An escaped one is not worth the trouble. */
static bool value_of(const char *at, const char *end, const char *key, char *buf, size_t size)
{
	const char *value = strstr(at, key), *quote;
	size_t len;

	if (!value)
		return false;
	value += strlen(key);
	quote = strchr(value, '\'');
	len = quote ? (size_t)(quote - value) : size;
	if (!quote || quote >= end || len >= size || memchr(value, '&', len))
		return false;
	(void)snprintf(buf, size, "%.*s", (int)len, value);
	return true;
}

bool vmadj_libvirt_channel(const char *xml, const char *name, char *buf, size_t size)
{
	static const char begins[] = "<channel type='unix'", ends[] = "</channel>";
	const char *at = last(xml, DEVICES);
	char target[128];

	while (at && (at = strstr(at, begins))) {
		const char *end = strstr(at, ends);

		if (!end)
			break;
		if (value_of(at, end, "<target type='virtio' name='", target, sizeof(target)) &&
		    !strcmp(target, name))
			return value_of(at, end, "<source mode='bind' path='", buf, size);
		at = end;
	}
	return false;
}
