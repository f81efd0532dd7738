/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * memory_value.h - how a balloon stood, as the ledger keeps it: "bytes=1073741824 period=0"
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "user/util/scan.h"

#define VMADJ_MEMORY_VALUE_MAX 64

struct vmadj_memory_value {
	uint64_t bytes;
	unsigned int period_s; /* between two statistics; 0: none are asked for */
};

static inline void vmadj_memory_value_text(struct vmadj_memory_value value,
					   char text[VMADJ_MEMORY_VALUE_MAX])
{
	(void)snprintf(text, VMADJ_MEMORY_VALUE_MAX, "bytes=%llu period=%u",
		       (unsigned long long)value.bytes, value.period_s);
}

static inline bool vmadj_memory_value_parse(const char *text, struct vmadj_memory_value *ret_value)
{
	const char *bytes_at = vmadj_scan_after(text, "bytes=");
	const char *period_at = vmadj_scan_after(text, " period=");
	uint64_t bytes, period_s;

	if (!bytes_at || !period_at || !vmadj_scan_u64(&bytes_at, &bytes) ||
	    !vmadj_scan_u64(&period_at, &period_s) || period_s > UINT_MAX)
		return false;
	*ret_value = (struct vmadj_memory_value){ bytes, (unsigned int)period_s };
	return true;
}
