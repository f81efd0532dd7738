/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * restoring.h - what is being put back (daemon.h starts it)
 */
#pragma once

struct vmadj_daemon;

/* Stops it; what is not done stays in the ledger. */
void vmadj_daemon_restoring_clear(struct vmadj_daemon *daemon);
