/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tick.h - once an interval: a snapshot, shown to who watches and to the policies
 */
#pragma once

struct vmadj_daemon;

/** vmadj_tick_start() - the first one is an interval from now; Return: 0; -errno. */
int vmadj_tick_start(struct vmadj_daemon *daemon);
