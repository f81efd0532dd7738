// SPDX-License-Identifier: GPL-2.0-only
/* qga_exchange.c - some commands to a qemu-ga and its answers, without I/O */
#include "user/guest/qga_exchange.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "user/guest/qga_words.h"

#define SENTINEL      '\xff'
#define SYNC_LINE_MAX 256
#define SKIPPED_MAX   (1UL << 20)

void vmadj_qga_exchange_begin(struct vmadj_qga_exchange *exchange, const char *commands,
			      uint64_t id)
{
	/* Not the answers: they are large. */
	memset(exchange, 0, offsetof(struct vmadj_qga_exchange, answers));
	exchange->commands = commands;
	exchange->id = id;
	exchange->answers[0] = '\0';
	(void)snprintf(exchange->sync, sizeof(exchange->sync),
		       "%c{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":%" PRIu64
		       "}}\n",
		       SENTINEL, id);
}

size_t vmadj_qga_exchange_next(struct vmadj_qga_exchange *exchange, const char **ret_text)
{
	const char *text = exchange->sync_sent ? exchange->commands : exchange->sync;
	size_t len = strcspn(text, "\n");

	len += text[len] == '\n';
	if (exchange->sync_sent)
		exchange->commands += len;
	exchange->sync_sent = true;
	*ret_text = text;
	return len;
}

/* A line after a sentinel is complete; what it is not the answer we wait for, is skipped. */
static bool take_sync(struct vmadj_qga_exchange *exchange)
{
	exchange->synced = vmadj_qga_is_sync(exchange->answers, exchange->len, exchange->id);
	exchange->marked = false;
	exchange->len = 0;
	return exchange->synced;
}

/* Return: 1: synchronised, with the last of the bytes; 0; -EPROTO; -EMSGSIZE. */
static int skip(struct vmadj_qga_exchange *exchange, const char *bytes, size_t n)
{
	exchange->n_skipped += n;
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] == SENTINEL) {
			exchange->marked = true;
			exchange->len = 0;
		} else if (exchange->marked && bytes[i] == '\n' && take_sync(exchange)) {
			return i + 1 == n ? 1 : -EPROTO;
		} else if (exchange->marked && exchange->len < SYNC_LINE_MAX) {
			exchange->answers[exchange->len++] = bytes[i];
		} else {
			exchange->marked = false;
		}
	}
	return exchange->n_skipped > SKIPPED_MAX ? -EMSGSIZE : 0;
}

int vmadj_qga_exchange_take(struct vmadj_qga_exchange *exchange, const char *bytes, size_t n)
{
	const char *end;

	if (!exchange->synced)
		return skip(exchange, bytes, n);
	if (n > VMADJ_QGA_ANSWERS_MAX - exchange->len)
		return -EMSGSIZE;
	/* What reads the answers takes them for a string. */
	if (memchr(bytes, '\0', n))
		return -EPROTO;
	memcpy(exchange->answers + exchange->len, bytes, n);
	exchange->len += n;
	exchange->answers[exchange->len] = '\0';
	end = memchr(bytes, '\n', n);
	if (!end)
		return 0;
	return end + 1 == bytes + n ? 1 : -EPROTO;
}
