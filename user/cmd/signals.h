/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * signals.h - the signals that ask this program to end: SIGINT, SIGTERM, SIGHUP
 *
 * They are blocked from the start and looked at between two documents, so that
 * none of them tears a line or leaves something attached. SIGHUP stays ignored
 * where nohup(1) ignores it.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#define VMADJ_END_SIGNALS_MAX 3

/* Block them; Return: 0; -errno. */
int vmadj_signals_block(void);

/* Which are in use; Return: how many. */
size_t vmadj_signals_list(int signals[VMADJ_END_SIGNALS_MAX]);

/* Whether one of them waits to be looked at. */
bool vmadj_signals_pending(void);
