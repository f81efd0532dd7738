/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * balloon.h - what a guest says of itself through its balloon
 *
 * A guest is not trusted: unset is unknown, more than its memory is unknown, figures that
 * contradict each other (free, available or cached above total) are all unknown, a time in the
 * future is no time.
 *
 * What Linux means (drivers/virtio/virtio_balloon.c): total is without what the kernel keeps
 * for itself, and shrinks with the balloon, except where that deflates on OOM. Available starts
 * from free pages, and a page in the balloon is not free: it never counts ballooned memory.
 *
 * Units: bytes, counts; VMADJ_GUEST_UNKNOWN where not told or not believed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/guest/guest.h"
#include "user/virt/balloon_stats.h"

/**
 * vmadj_guest_from_balloon() - make figures of @stats
 *
 * @max_bytes: the VM's own memory at most. @now_unix_s: now, to tell the age, which is NAN where
 * the statistics are of the future.
 *
 * Return: whether anything is known; else @ret_guest is left alone.
 */
bool vmadj_guest_from_balloon(const struct vmadj_balloon_stats *stats, uint64_t max_bytes,
			      double now_unix_s, struct vmadj_guest *ret_guest);
