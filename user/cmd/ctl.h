/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl.h - the daemon's answers, for people (ctl_show.c, ctl_show_cost.c)
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

void vmadj_ctl_show_status(FILE *out, const json_t *answer);
void vmadj_ctl_show_cost(FILE *out, const json_t *cost);
void vmadj_ctl_show_policies(FILE *out, const json_t *answer);
void vmadj_ctl_show_why(FILE *out, const json_t *answer);
