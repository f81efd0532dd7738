/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * histogram.h - which slot of the wait histogram a wait belongs to
 *
 * Free of helpers, so that unit tests run the same code as BPF. Log-linear: the
 * octave of the wait in us gives the group, its next two bits the slot.
 */
#pragma once

/* Of waits below 256 us. Six octaves, which are 24 slots, more for each division by 64. */
static const unsigned char vmadj_wait_slots[256] = {
	[1] = 1,
	[2] = 2,
	[3] = 3,
	[4] = 4,
	[5] = 5,
	[6] = 6,
	[7] = 7,
	[8 ... 9] = 8,
	[10 ... 11] = 9,
	[12 ... 13] = 10,
	[14 ... 15] = 11,
	[16 ... 19] = 12,
	[20 ... 23] = 13,
	[24 ... 27] = 14,
	[28 ... 31] = 15,
	[32 ... 39] = 16,
	[40 ... 47] = 17,
	[48 ... 55] = 18,
	[56 ... 63] = 19,
	[64 ... 79] = 20,
	[80 ... 95] = 21,
	[96 ... 111] = 22,
	[112 ... 127] = 23,
	[128 ... 159] = 24,
	[160 ... 191] = 25,
	[192 ... 223] = 26,
	[224 ... 255] = 27,
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
