/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * share.h - how two busy VMs on one CPU divide it, against what the kernel's weights say
 *
 * The truth is the kernel's own count of what their threads ran. Others may want that CPU too:
 * they take from both, so only the two VMs' parts of their sum are judged.
 */
#pragma once

#include <sys/types.h>
#include <systemd/sd-event.h>

/* The event loop goes on for so long. */
void vmadj_share_serve(sd_event *event, double seconds);

/*
 * Of two processes, the first with the share that @nice means, the second with that of nice 0: each
 * one's part is within 5 % of what it should be, or the test fails. @what: for the report.
 */
void vmadj_share_check(sd_event *event, const char *what, const pid_t pids[2], int nice);
