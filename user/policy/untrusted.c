/* SPDX-License-Identifier: GPL-2.0-only */
/* untrusted.c - what comes out of a policy's process, checked and made presentable */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "user/policy/runner_private.h"
#include "user/util/log.h"

#define PRINTS_WINDOW_S	 10
#define PRINTS_LINES_MAX 20 /* a window */
#define NAME_CHARS	 "abcdefghijklmnopqrstuvwxyz0123456789_-"

static bool is_ended(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

#define IS_ENDED(array) is_ended(array, sizeof(array))

/* In place: what grows by it is cut. */
static void escape(char *text, size_t size)
{
	char copy[VMADJ_RUNNER_LINE_MAX];

	(void)snprintf(copy, sizeof(copy), "%s", text);
	(void)vmadj_escape(copy, text, size);
}

#define ESCAPE(array) escape(array, sizeof(array))

static bool take_param(struct vmadj_runner_param_info *param)
{
	if (!IS_ENDED(param->name) || !IS_ENDED(param->unit) || !IS_ENDED(param->help) ||
	    param->type < VMADJ_PARAM_INT || param->type > VMADJ_PARAM_BOOL)
		return false;
	ESCAPE(param->name);
	ESCAPE(param->unit);
	ESCAPE(param->help);
	return true;
}

bool vmadj_runner_take_info(const struct vmadj_runner_info *from, struct vmadj_runner_info *ret_to)
{
	struct vmadj_runner_info info = *from;

	if (!IS_ENDED(info.name) || !IS_ENDED(info.summary) || info.name[0] == '\0' ||
	    info.name[strspn(info.name, NAME_CHARS)] != '\0' ||
	    (info.knobs & ~(VMADJ_KNOB_CPU | VMADJ_KNOB_MEMORY)) ||
	    info.n_params > sizeof(info.param) / sizeof(info.param[0]))
		return false;
	ESCAPE(info.summary);
	for (size_t i = 0; i < info.n_params; i++) {
		if (!take_param(&info.param[i]))
			return false;
	}
	*ret_to = info;
	return true;
}

static const char *knob_name(uint32_t knob)
{
	switch (knob) {
	case VMADJ_KNOB_CPU:
		return "the CPU share";
	case VMADJ_KNOB_MEMORY:
		return "memory";
	default:
		return "a knob that does not exist";
	}
}

const char *vmadj_runner_check_wishes(uint32_t knobs, struct vmadj_policy_wish *wish, size_t n,
				      char *buf, size_t size)
{
	for (; n > 0; n--, wish++) {
		bool nothing = wish->knob == VMADJ_KNOB_NONE;

		if (!IS_ENDED(wish->vm) || !IS_ENDED(wish->reason))
			return "a wish has a text without an end";
		ESCAPE(wish->vm);
		ESCAPE(wish->reason);
		if (!nothing && wish->knob != (knobs & VMADJ_KNOB_CPU) &&
		    wish->knob != (knobs & VMADJ_KNOB_MEMORY)) {
			(void)snprintf(buf, size, "a wish for %s, which it has not declared",
				       knob_name(wish->knob));
			return buf;
		}
		if (!nothing && !isfinite(wish->value)) {
			(void)snprintf(buf, size, "a wish for %s without a finite value",
				       knob_name(wish->knob));
			return buf;
		}
		if (nothing)
			wish->value = 0;
	}
	return NULL;
}

/* --- what it prints ----------------------------------------------------- */

static void say_line(struct vmadj_runner *runner)
{
	struct vmadj_runner_prints *prints = &runner->prints;
	const char *name = runner->info.name[0] ? runner->info.name : runner->file;
	int level = runner->trial ? LOG_NOTICE : LOG_INFO;
	struct timespec now;

	prints->line[prints->len] = '\0';
	prints->len = 0;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec - prints->window_s >= PRINTS_WINDOW_S) {
		prints->window_s = now.tv_sec;
		prints->lines = 0;
	}
	prints->lines++;
	if (prints->lines <= PRINTS_LINES_MAX) {
		vmadj_log(level, "policy %s prints: %s", name, prints->line);
	} else if (prints->lines == PRINTS_LINES_MAX + 1) {
		vmadj_log(level, "policy %s prints more; not shown for up to %d s", name,
			  PRINTS_WINDOW_S);
	}
}

bool vmadj_runner_read_prints(struct vmadj_runner *runner)
{
	struct vmadj_runner_prints *prints = &runner->prints;
	static char buf[65536]; /* as much as a pipe holds */
	ssize_t n = read(runner->process.prints, buf, sizeof(buf));

	for (ssize_t i = 0; i < n; i++) {
		if (buf[i] != '\n')
			prints->line[prints->len++] = buf[i];
		if (buf[i] == '\n' || prints->len == sizeof(prints->line) - 1)
			say_line(runner);
	}
	return n > 0 || (n < 0 && errno == EINTR);
}
