/* SPDX-License-Identifier: GPL-2.0-only */
/* log.c - the one way in which this program says something */
#include "user/util/log.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATIENCE_MS 500 /* with a reader of standard error that does not read */

static int max_level = LOG_NOTICE;
static const char *program = "vmadjust-bpf";

void vmadj_log_set_program(const char *name)
{
	program = name;
}

void vmadj_log_set_max_level(int level)
{
	max_level = level;
}

int vmadj_log_max_level(void)
{
	return max_level;
}

/* $JOURNAL_STREAM names the journal's socket; standard error may be something else by now. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char id[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	(void)snprintf(id, sizeof(id), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(stream, id) == 0;
}

static void write_line(const char *line, size_t len)
{
	struct pollfd pfd = { .fd = STDERR_FILENO, .events = POLLOUT };

	while (len > 0) {
		ssize_t n;

		/* A reader that does not read must not hold the program up for ever. */
		if (poll(&pfd, 1, PATIENCE_MS) == 0)
			return;
		n = write(STDERR_FILENO, line, len);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return; /* There is nobody left to tell. */
		line += n;
		len -= (size_t)n;
	}
}

void vmadj_logv(int level, const char *fmt, va_list args)
{
	char text[VMADJ_LOG_LINE_MAX], line[VMADJ_LOG_LINE_MAX + 32];
	int saved = errno;
	int prefix;
	size_t len;

	if (level > max_level)
		return;
	if (vsnprintf(text, sizeof(text), fmt, args) < 0)
		(void)snprintf(text, sizeof(text), "%s", "(a message that cannot be formatted)");
	len = strlen(text);
	while (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	prefix = stderr_is_journal() ? snprintf(line, sizeof(line), "<%d>", level & LOG_PRIMASK)
				     : snprintf(line, sizeof(line), "%.30s: ", program);
	(void)vmadj_escape(text, line + prefix, sizeof(line) - (size_t)prefix - 1);
	len = strlen(line);
	line[len++] = '\n';
	write_line(line, len);
	errno = saved;
}

void vmadj_log(int level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vmadj_logv(level, fmt, args);
	va_end(args);
}
