/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * histogram.h - which slot of the wait histogram a wait belongs to
 *
 * Free of helpers, so that unit tests run the same code as BPF. Log-linear: the
 * octave of the wait in us gives the group, its next two bits the slot.
 */
#pragma once

/* Of waits below 256 us. Six octaves, which are 24 slots, more for each division by 64. */
#define TIMES_2(x)  x, x
#define TIMES_4(x)  TIMES_2(x), TIMES_2(x)
#define TIMES_8(x)  TIMES_4(x), TIMES_4(x)
#define TIMES_16(x) TIMES_8(x), TIMES_8(x)
#define TIMES_32(x) TIMES_16(x), TIMES_16(x)
static const unsigned char vmadj_wait_slots[256] = {
	0,
	1,
	2,
	3,
	4,
	5,
	6,
	7,
	TIMES_2(8),
	TIMES_2(9),
	TIMES_2(10),
	TIMES_2(11),
	TIMES_4(12),
	TIMES_4(13),
	TIMES_4(14),
	TIMES_4(15),
	TIMES_8(16),
	TIMES_8(17),
	TIMES_8(18),
	TIMES_8(19),
	TIMES_16(20),
	TIMES_16(21),
	TIMES_16(22),
	TIMES_16(23),
	TIMES_32(24),
	TIMES_32(25),
	TIMES_32(26),
	TIMES_32(27),
};

static inline __attribute__((always_inline)) __u32 vmadj_short_wait_slot(__u64 us)
{
	/* The compiler knows that it is no larger, and the verifier wants to see it. */
	__asm__ volatile("" : "+r"(us));
	return vmadj_wait_slots[us & 255];
}

static inline __attribute__((always_inline)) __u32 vmadj_wait_slot(__u64 wait_ns)
{
	/* / 1000: the multiplication is exact below 2^32, and dividing is dear. */
	__u64 us = wait_ns >> 32 ? wait_ns / 1000 : wait_ns * 274877907 >> 38;

	if (us < 256)
		return vmadj_short_wait_slot(us);
	if (us < 256 << 6)
		return vmadj_short_wait_slot(us >> 6) + 24;
	if (us < 256 << 12)
		return vmadj_short_wait_slot(us >> 12) + 48;
	if (us < 256 << 17)
		return vmadj_short_wait_slot(us >> 18) + 72;
	return VMADJ_WAIT_SLOTS - 1;
}

/* The shortest wait in us that belongs to @slot. */
static inline __attribute__((always_inline)) __u64 vmadj_wait_slot_us(__u32 slot)
{
	if (slot < 4)
		return slot;
	return (__u64)(4 + (slot & 3)) << (slot / 4 - 1);
}
