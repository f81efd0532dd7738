/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agent_compare.h - what an agent claims to have read, against what the host has seen read
 *
 * A miss is a page that came from a disk, and QEMU reads its disks by itself. So over some
 * seconds three things cannot be:
 *
 *	misses of more than 4 times what the host saw read, and 4 MiB;
 *	reads from disks, likewise;
 *	reads that the host saw, of more than twice what the guest admits (the larger of misses and
 *	reads from disks), and 16 MiB.
 *
 * Four times, because a page may be there once on the disk and several times in the guest: images
 * and file systems are compressed, by two to three. Twice and 16 MiB, because QEMU reads its own
 * metadata, and the host reads ahead. What the host reads before the agent runs (boot), and what is
 * written, counts on neither side; reads past the guest's cache are reads from its disks.
 *
 * The two sides are not asked at the same moment. Each look has the host's figure and a report from
 * before it, so the host's figure of the look before is from before that report:
 *
 *	look     i-1      i              j-1      j
 *	host      H       H               H       H      at most: H(j) - H(i-1)
 *	report  r       r               r       r        claimed: r(j) - r(i)
 *	                                                 at least: H(j-1) - H(i)
 *
 * Zeroes: nothing is known yet. Units: bytes, seconds of a monotonic clock.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "user/guest/guest.h"

#define VMADJ_COMPARE_WINDOW_S 10
#define VMADJ_COMPARE_LOOKS    32

struct vmadj_agent_look {
	double now_s, report_s;
	uint64_t host_bytes;		   /* read, as the host saw it */
	uint64_t missed_bytes, disk_bytes; /* as the guest claims; unknown: it does not */
};

struct vmadj_agent_compare {
	size_t n;
	struct vmadj_agent_look looks[VMADJ_COMPARE_LOOKS]; /* the newest last */
};

/**
 * vmadj_agent_compare_add() - the host has read @seen_bytes until @now_s
 *
 * @guest: of the newest report, which came at @report_s; its miss_pages are at most
 * VMADJ_AGENT_PAGES_MAX. What is unknown or goes back makes it begin anew.
 *
 * Return: NULL; or what the guest claims that cannot be, a text that stays.
 */
const char *vmadj_agent_compare_add(struct vmadj_agent_compare *compare, double now_s,
				    uint64_t seen_bytes, const struct vmadj_guest *guest,
				    double report_s);
