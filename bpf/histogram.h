/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * histogram.h - which slot of the wait histogram a wait belongs to
 *
 * Free of helpers, so that unit tests run the same code as BPF. Log-linear: the
 * octave of the wait in us gives the group, its next two bits the slot.
 */
#pragma once

static inline __attribute__((always_inline)) __u32 vmadj_wait_slot(__u64 wait_ns)
{
	__u64 us = wait_ns / 1000, v = us, slot;
	__u32 octave = 0;

	if (us < 4)
		return us;
	if (v >> 32)
		return VMADJ_WAIT_SLOTS - 1;
	/* Branch-free enough for the verifier: five halvings find the top bit of 32. */
	for (__u32 step = 16; step; step >>= 1) {
		if (v >> step) {
			v >>= step;
			octave += step;
		}
	}
	slot = (__u64)(octave - 1) * 4 + ((us >> (octave - 2)) & 3);

	return slot < VMADJ_WAIT_SLOTS ? slot : VMADJ_WAIT_SLOTS - 1;
}

/* The shortest wait in us that belongs to @slot. */
static inline __attribute__((always_inline)) __u64 vmadj_wait_slot_us(__u32 slot)
{
	if (slot < 4)
		return slot;
	return (__u64)(4 + (slot & 3)) << (slot / 4 - 1);
}
