/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * status.h - how the daemon does, for `ctl status` and `ctl why`
 */
#pragma once

#include "user/util/jsonw.h"

struct vmadj_daemon;
struct vmadj_managed;

/* Keys into an open object. */
void vmadj_status_write(const struct vmadj_daemon *daemon, struct vmadj_jsonw *w);

/* A VM's name, limits and knobs. */
void vmadj_status_write_vm(const struct vmadj_managed *managed, struct vmadj_jsonw *w);
