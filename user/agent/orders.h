/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * orders.h - lines from the host: how often to report
 *
 * Bytes come as they come. A line longer than VMADJ_ORDERS_MAX, or one that is not understood, is
 * left out whole.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define VMADJ_ORDERS_MAX      4096 /* bytes, with the end of the line */
#define VMADJ_INTERVAL_MIN_MS 200
#define VMADJ_INTERVAL_MAX_MS 60000

/* All zeroes: nothing has come. */
struct vmadj_orders {
	size_t len;    /* of the line in buf that has no end yet */
	bool too_long; /* the rest of this line is left out */
	char buf[VMADJ_ORDERS_MAX];
};

/**
 * vmadj_orders_feed() - some more bytes
 *
 * Return: the last interval that they order, in ms; 0: none.
 */
unsigned int vmadj_orders_feed(struct vmadj_orders *orders, const char *bytes, size_t n);
