/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * log.h - the one way in which this program says something
 *
 * One message, one line, one write to standard error. When that is the journal
 * ($JOURNAL_STREAM), "<N>" in front gives the level; else the program's name.
 * Messages are logged once, where it is decided what happens next.
 *
 * Whole messages pass vmadj_escape(), so a foreign string can neither forge a
 * line nor reach the terminal; lines are cut at VMADJ_LOG_LINE_MAX bytes.
 *
 * Errors:  none; errno is the same afterwards. "%m" works.
 * Threads: any.
 */
#pragma once

#include <stdarg.h>
#include <syslog.h>

#include "user/util/text.h"

#define VMADJ_LOG_LINE_MAX 2048

/* What stands in front, a text that stays; at start: "vmadjust-bpf". */
void vmadj_log_set_program(const char *name);

/* Messages above this level (LOG_DEBUG is the highest) are dropped. At start: LOG_NOTICE. */
void vmadj_log_set_max_level(int level);
int vmadj_log_max_level(void);

void vmadj_log(int level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void vmadj_logv(int level, const char *fmt, va_list args) __attribute__((format(printf, 2, 0)));

#define log_err(...)	 vmadj_log(LOG_ERR, __VA_ARGS__)
#define log_warning(...) vmadj_log(LOG_WARNING, __VA_ARGS__)
#define log_notice(...)	 vmadj_log(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)	 vmadj_log(LOG_INFO, __VA_ARGS__)
#define log_debug(...)	 vmadj_log(LOG_DEBUG, __VA_ARGS__)
