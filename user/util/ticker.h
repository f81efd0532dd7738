/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ticker.h - a timer that is due again and again
 */
#pragma once

#include <stdint.h>
#include <systemd/sd-event.h>

/**
 * vmadj_ticker_next() - arm @source (CLOCK_MONOTONIC) for its next due time
 *
 * From one due time to the next, so that being late once delays none of those after it; what
 * has passed already is left out.
 *
 * @due_us: the last due time, replaced by the next. Return: 0; -errno of sd-event.
 */
int vmadj_ticker_next(sd_event_source *source, uint64_t step_us, uint64_t *due_us);
