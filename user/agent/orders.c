// SPDX-License-Identifier: GPL-2.0-only
/* orders.c - lines from the host: how often to report */
#include "user/agent/orders.h"

#include <jansson.h>

/* Return: the interval that this line orders; 0: none. */
static unsigned int line_interval(const char *line, size_t len)
{
	json_t *json = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *version = json_object_get(json, "vmadjust");
	const json_t *interval = json_object_get(json, "interval_ms");
	json_int_t ms = 0;

	if (json_is_integer(version) && json_integer_value(version) == 1)
		ms = json_integer_value(interval);
	json_decref(json);
	return ms >= VMADJ_INTERVAL_MIN_MS && ms <= VMADJ_INTERVAL_MAX_MS ? (unsigned int)ms : 0;
}

unsigned int vmadj_orders_feed(struct vmadj_orders *orders, const char *bytes, size_t n)
{
	unsigned int interval_ms = 0, ms;

	for (size_t i = 0; i < n; i++) {
		if (bytes[i] == '\n') {
			ms = orders->too_long ? 0 : line_interval(orders->buf, orders->len);
			interval_ms = ms ? ms : interval_ms;
			orders->len = 0;
			orders->too_long = false;
		} else if (orders->len == sizeof(orders->buf) - 1) {
			orders->too_long = true;
		} else {
			orders->buf[orders->len++] = bytes[i];
		}
	}
	return interval_ms;
}
