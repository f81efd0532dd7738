/* SPDX-License-Identifier: GPL-2.0-only */
/* test_log.c - the one way in which this program says something */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/grab_log.h"
#include "user/util/log.h"

static void start(void)
{
	(void)unsetenv("JOURNAL_STREAM");
	grab_log_start();
}

TestSuite(log, .timeout = 10, .init = start);

static void name_stderr_in_journal_stream(int add_to_inode)
{
	struct stat st;
	char stream[64];

	cr_assert(zero(int, fstat(STDERR_FILENO, &st)));
	(void)snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
		       (uintmax_t)st.st_ino + (uintmax_t)add_to_inode);
	(void)setenv("JOURNAL_STREAM", stream, 1);
}

Test(log, a_message_is_one_line_with_the_program_in_front)
{
	log_err("no such VM: %s", "web1");
	cr_assert(eq(str, (char *)grab_log_text(), "vmadjust-bpf: no such VM: web1\n"));
}

Test(log, a_newline_at_the_end_is_not_doubled)
{
	log_err("libbpf says\n");
	cr_assert(eq(str, (char *)grab_log_text(), "vmadjust-bpf: libbpf says\n"));
}

Test(log, the_journal_gets_the_level)
{
	name_stderr_in_journal_stream(0);
	log_warning("careful");
	cr_assert(eq(str, (char *)grab_log_text(), "<4>careful\n"));
}

Test(log, a_journal_stream_that_is_not_stderr_is_ignored)
{
	name_stderr_in_journal_stream(1);
	log_warning("careful");
	cr_assert(eq(str, (char *)grab_log_text(), "vmadjust-bpf: careful\n"));
}

Test(log, a_foreign_string_forges_no_line)
{
	log_err("vm=%s", "x\n<3>forged\033[2J");
	cr_assert(eq(str, (char *)grab_log_text(), "vmadjust-bpf: vm=x\\n<3>forged\\x1b[2J\n"));
}

Test(log, levels_above_the_limit_are_dropped)
{
	log_info("not at the start");
	vmadj_log_set_max_level(LOG_INFO);
	log_info("now");
	log_debug("not yet");
	vmadj_log_set_max_level(LOG_ERR);
	log_warning("no more");
	cr_assert(eq(str, (char *)grab_log_text(), "vmadjust-bpf: now\n"));
}

Test(log, errno_survives_and_is_printed)
{
	errno = ENOSPC;
	log_err("write: %m");
	cr_assert(eq(int, errno, ENOSPC));
	cr_assert(
		eq(str, (char *)grab_log_text(), "vmadjust-bpf: write: No space left on device\n"));
}

Test(log, a_long_message_is_cut_and_still_one_line)
{
	static char text[2 * VMADJ_LOG_LINE_MAX];
	const char *got;

	memset(text, 'x', sizeof(text) - 1);
	log_err("%s", text);
	got = grab_log_text();
	cr_assert(lt(sz, strlen(got), VMADJ_LOG_LINE_MAX + 64));
	cr_assert(eq(chr, got[strlen(got) - 1], '\n'));
	cr_assert(eq(ptr, strchr(got, '\n'), (void *)(got + strlen(got) - 1)));
}

Test(log, a_reader_that_does_not_read_holds_nobody_up)
{
	static char filler[4096];
	struct timespec before, after;
	int pipe_fds[2];

	cr_assert(zero(int, pipe2(pipe_fds, O_NONBLOCK)));
	while (write(pipe_fds[1], filler, sizeof(filler)) > 0)
		continue;
	cr_assert(ge(int, dup2(pipe_fds[1], STDERR_FILENO), 0));
	cr_assert(zero(int, fcntl(STDERR_FILENO, F_SETFL, 0)));
	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	log_err("nobody hears this");
	(void)clock_gettime(CLOCK_MONOTONIC, &after);
	cr_assert(le(long, after.tv_sec - before.tv_sec, 2));
}
