/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * count.h - arithmetic on counts that does not wrap: a sum stays at the end, a difference at 0
 */
#pragma once

#include <stdint.h>

static inline uint64_t vmadj_least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t vmadj_most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static inline uint64_t vmadj_sum(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static inline uint64_t vmadj_less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}
