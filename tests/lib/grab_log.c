/* SPDX-License-Identifier: GPL-2.0-only */
/* grab_log.c - read what a test's code wrote to standard error */
#include "tests/lib/grab_log.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define GRABBED_MAX 65536

void grab_log_start(void)
{
	int fd = memfd_create("grabbed-log", MFD_CLOEXEC);

	if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
		abort();
	(void)close(fd);
}

const char *grab_log_text(void)
{
	static char text[GRABBED_MAX];
	ssize_t n = pread(STDERR_FILENO, text, sizeof(text) - 1, 0);

	if (n < 0)
		abort();
	text[n] = '\0';
	return text;
}
