/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * qga_figures.h - a guest's figures out of its own /proc
 *
 * A guest is not trusted: what is more than its memory is unknown, figures that contradict each
 * other (free, available, cached or active above total) cost all of them.
 *
 * Totals are the guest's own and begin anew when it boots. /proc/vmstat counts swapping in pages,
 * taken as 4096 bytes each: guests with larger ones (some arm64, ppc64) swap more than is shown.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/guest/guest.h"

/**
 * vmadj_guest_from_proc() - make figures of the texts of a guest's /proc
 *
 * @psi: /proc/pressure/memory; "": there is none. @max_bytes: the VM's own memory at most;
 * VMADJ_GUEST_UNKNOWN: not known. The source is "qemu-ga", the age NAN.
 *
 * Return: whether its memory is told and believed; else @ret_guest is left alone.
 */
bool vmadj_guest_from_proc(const char *meminfo, const char *vmstat, const char *psi,
			   uint64_t max_bytes, struct vmadj_guest *ret_guest);
