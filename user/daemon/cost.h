/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cost.h - the daemon watches what it costs
 *
 * Once each daemon.cost_every, and when `ctl status` asks for it, the kernel counts for a second
 * how long our BPF programs run; CPU time of our processes is what they used since the measurement
 * before. More than daemon.cost_max in two measurements in a row: from tracing it falls back to
 * polling, where that costs less and the mode is auto; else it says so.
 *
 * Errors:    what cannot be measured is not known, and `ctl status` says why.
 * Threads:   that of the event loop.
 * Ownership: vmadj_cost_free() takes NULL.
 */
#pragma once

#include "user/util/jsonw.h"

struct vmadj_cost;
struct vmadj_daemon;

/** vmadj_cost_new() - while CAP_SYS_ADMIN is still there; Return: 0; -ENOMEM; -errno of sd-event.
 */
int vmadj_cost_new(struct vmadj_daemon *daemon, struct vmadj_cost **ret_cost);
void vmadj_cost_free(struct vmadj_cost *cost);

/* Measures, unless the last figures are younger than a minute; not waited for. */
void vmadj_cost_ask(struct vmadj_cost *cost);

void vmadj_cost_write(const struct vmadj_cost *cost, const char *key, struct vmadj_jsonw *w);
