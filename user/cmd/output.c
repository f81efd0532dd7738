/* SPDX-License-Identifier: GPL-2.0-only */
/* output.c - documents to standard output, each whole or not at all */
#include "user/cmd/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "user/cmd/exitcode.h"
#include "user/cmd/signals.h"
#include "user/util/log.h"

#define LOOK_UP_MS 200 /* how often a write that blocks is interrupted to look for signals */

static void on_alarm(int sig)
{
	(void)sig; /* It is there to end a write() that blocks with EINTR. */
}

int vmadj_output_prepare(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction alarm_action = { .sa_handler = on_alarm }; /* no SA_RESTART */
	int fd;

	/* A closed descriptor 1 would be given to the next thing that is opened. Writing to
	 * this one fails with EBADF, as it should. */
	do {
		fd = open("/dev/null", O_RDONLY);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return -errno;
	(void)close(fd);
	if (sigaction(SIGPIPE, &ignore, NULL) < 0 || sigaction(SIGXFSZ, &ignore, NULL) < 0 ||
	    sigaction(SIGALRM, &alarm_action, NULL) < 0)
		return -errno;
	return 0;
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void set_alarm(unsigned int every_ms)
{
	struct timeval tv = { .tv_usec = (suseconds_t)every_ms * 1000 };
	struct itimerval timer = { .it_interval = tv, .it_value = tv };

	(void)setitimer(ITIMER_REAL, &timer, NULL);
}

/* Writes until all is written; *ret_written says how far it came in any case. */
static int write_all(int fd, const char *text, size_t len, size_t *ret_written)
{
	uint64_t give_up_ms = 0;

	*ret_written = 0;
	while (*ret_written < len) {
		ssize_t n = write(fd, text + *ret_written, len - *ret_written);

		if (n > 0)
			*ret_written += (size_t)n;
		if (n == 0)
			return -EIO;
		if (n < 0 && errno == EAGAIN) {
			/* Somebody else made this descriptor non-blocking. */
			struct pollfd pfd = { .fd = fd, .events = POLLOUT };

			(void)poll(&pfd, 1, LOOK_UP_MS);
		} else if (n < 0 && errno != EINTR) {
			return -errno;
		}
		if (!vmadj_signals_pending())
			continue;
		if (!give_up_ms)
			give_up_ms = now_ms() + VMADJ_OUTPUT_GRACE_MS;
		if (*ret_written < len && now_ms() >= give_up_ms)
			return -ECANCELED;
	}
	return 0;
}

/* Takes the last @len bytes of a file back, unless somebody has written behind them. */
static void take_back(int fd, size_t len)
{
	off_t end = lseek(fd, 0, SEEK_CUR);
	struct stat st;

	if (end < (off_t)len || fstat(fd, &st) < 0 || st.st_size != end)
		return;
	if (ftruncate(fd, end - (off_t)len) == 0)
		(void)lseek(fd, end - (off_t)len, SEEK_SET);
}

int vmadj_output_write(int fd, const char *text, size_t len)
{
	struct stat st;
	size_t written;
	int err;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		err = write_all(fd, text, len, &written);
		if (err && written > 0)
			take_back(fd, written);
		return err;
	}
	set_alarm(LOOK_UP_MS);
	err = write_all(fd, text, len, &written);
	set_alarm(0);
	return err;
}

int vmadj_output_print(const char *text, size_t len)
{
	int err = vmadj_output_write(STDOUT_FILENO, text, len);

	if (!err)
		return VMADJ_EXIT_DONE;
	if (err == -EPIPE) {
		log_err("the reader of the output has gone; ending");
	} else if (err == -ECANCELED) {
		log_err("the reader of the output does not read; ending in the middle of it");
	} else {
		log_err("cannot write the output: %s; ending. What was written before is whole",
			strerror(-err));
	}
	return VMADJ_EXIT_OUTPUT;
}
