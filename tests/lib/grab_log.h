/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * grab_log.h - read what a test's code wrote to standard error
 */
#pragma once

/* From now on, until the test ends. */
void grab_log_start(void);

/* All of it so far; valid until the next call. */
const char *grab_log_text(void);
