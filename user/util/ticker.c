/* SPDX-License-Identifier: GPL-2.0-only */
/* ticker.c - a timer that is due again and again */
#include "user/util/ticker.h"

int vmadj_ticker_next(sd_event_source *source, uint64_t step_us, uint64_t *due_us)
{
	uint64_t now_us;
	int err = sd_event_now(sd_event_source_get_event(source), CLOCK_MONOTONIC, &now_us);

	if (err < 0)
		return err;
	*due_us += step_us;
	if (*due_us <= now_us)
		*due_us += (now_us - *due_us) / step_us * step_us + step_us;
	err = sd_event_source_set_time(source, *due_us);
	return err < 0 ? err : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}
