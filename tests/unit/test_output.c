/* SPDX-License-Identifier: GPL-2.0-only */
/* test_output.c - documents, each whole or not at all */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/grab_log.h"
#include "user/cmd/exitcode.h"
#include "user/cmd/output.h"
#include "user/cmd/signals.h"

#define BIG (1 << 20) /* more than a pipe holds */

static char *big;

static void set_up(void)
{
	(void)unsetenv("JOURNAL_STREAM");
	cr_assert(zero(int, vmadj_output_prepare()));
	cr_assert(zero(int, vmadj_signals_block()));
	big = malloc(BIG);
	cr_assert(ne(ptr, big, NULL));
	memset(big, 'x', BIG);
	big[BIG - 1] = '\n';
}

static void tear_down(void)
{
	free(big);
}

TestSuite(output, .timeout = 15, .init = set_up, .fini = tear_down);

static double now_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static off_t size_of(int fd)
{
	struct stat st;

	cr_assert(zero(int, fstat(fd, &st)));
	return st.st_size;
}

static void limit_files_to(rlim_t bytes)
{
	struct rlimit limit = { bytes, RLIM_INFINITY };

	cr_assert(zero(int, setrlimit(RLIMIT_FSIZE, &limit)));
}

Test(output, a_document_is_written_whole)
{
	int fd = memfd_create("out", 0);

	cr_assert(zero(int, vmadj_output_write(fd, "one\n", 4)));
	cr_assert(zero(int, vmadj_output_write(fd, "two\n", 4)));
	cr_assert(eq(long, size_of(fd), 8));
}

Test(output, a_pipe_that_was_closed_is_told)
{
	int fds[2];

	cr_assert(zero(int, pipe(fds)));
	cr_assert(zero(int, close(fds[0])));
	cr_assert(eq(int, vmadj_output_write(fds[1], "x\n", 2), -EPIPE));
}

Test(output, a_full_device_is_told)
{
	int fd = open("/dev/full", O_WRONLY);

	cr_assert(eq(int, vmadj_output_write(fd, "x\n", 2), -ENOSPC));
}

Test(output, a_document_that_does_not_fit_into_a_file_leaves_nothing)
{
	int fd = memfd_create("out", 0);

	limit_files_to(10);
	cr_assert(zero(int, vmadj_output_write(fd, "first\n", 6)));
	cr_assert(eq(int, vmadj_output_write(fd, "second\n", 7), -EFBIG));
	cr_assert(eq(long, size_of(fd), 6));
	cr_assert(eq(long, lseek(fd, 0, SEEK_CUR), 6));
	cr_assert(zero(int, vmadj_output_write(fd, "3rd\n", 4)), "a shorter one still fits");
	cr_assert(eq(long, size_of(fd), 10));
}

Test(output, a_file_opened_for_appending_is_cut_back_too)
{
	char path[] = "/tmp/vmadj-test-output-XXXXXX";
	int fd = mkostemp(path, O_APPEND);

	cr_assert(ge(int, fd, 0));
	cr_assert(zero(int, unlink(path)));
	cr_assert(eq(long, write(fd, "old\n", 4), 4));
	limit_files_to(10);
	cr_assert(eq(int, vmadj_output_write(fd, "too long\n", 9), -EFBIG));
	cr_assert(eq(long, size_of(fd), 4));
}

Test(output, what_somebody_else_wrote_behind_is_not_cut_off)
{
	int fd = memfd_create("out", 0);

	cr_assert(zero(int, ftruncate(fd, 20)));
	limit_files_to(10);
	cr_assert(eq(int, vmadj_output_write(fd, "longer than ten\n", 16), -EFBIG));
	cr_assert(eq(long, size_of(fd), 20));
}

Test(output, a_stuck_reader_does_not_survive_a_signal)
{
	double start_s = now_s();
	int fds[2];

	cr_assert(zero(int, pipe(fds)));
	cr_assert(zero(int, kill(getpid(), SIGTERM)));
	cr_assert(eq(int, vmadj_output_write(fds[1], big, BIG), -ECANCELED));
	cr_assert(lt(dbl, now_s() - start_s, 2));
}

Test(output, a_stuck_reader_of_a_non_blocking_pipe_does_not_either)
{
	double start_s = now_s();
	int fds[2];

	cr_assert(zero(int, pipe2(fds, O_NONBLOCK)));
	cr_assert(zero(int, kill(getpid(), SIGINT)));
	cr_assert(eq(int, vmadj_output_write(fds[1], big, BIG), -ECANCELED));
	cr_assert(lt(dbl, now_s() - start_s, 2));
}

static void *signal_later(void *arg)
{
	(void)usleep(700 * 1000);
	(void)kill(getpid(), SIGTERM);
	return arg;
}

Test(output, a_signal_that_comes_while_the_reader_is_stuck_ends_it)
{
	double start_s = now_s();
	pthread_t thread;
	int fds[2];

	cr_assert(zero(int, pipe(fds)));
	cr_assert(zero(int, pthread_create(&thread, NULL, signal_later, NULL)));
	cr_assert(eq(int, vmadj_output_write(fds[1], big, BIG), -ECANCELED));
	cr_assert(ge(dbl, now_s() - start_s, 0.7), "not before the signal");
	cr_assert(lt(dbl, now_s() - start_s, 2.7), "and soon after it");
	cr_assert(zero(int, pthread_join(thread, NULL)));
}

struct reader {
	int fd;
	size_t read;
};

static void *read_slowly(void *arg)
{
	struct reader *reader = arg;
	static char buf[65536];
	ssize_t n;

	(void)usleep(500 * 1000);
	while ((n = read(reader->fd, buf, sizeof(buf))) > 0)
		reader->read += (size_t)n;
	return NULL;
}

Test(output, a_slow_reader_gets_all_of_it_signal_or_not)
{
	struct reader reader = { 0 };
	pthread_t thread;
	int fds[2];

	cr_assert(zero(int, pipe(fds)));
	reader.fd = fds[0];
	cr_assert(zero(int, pthread_create(&thread, NULL, read_slowly, &reader)));
	cr_assert(zero(int, kill(getpid(), SIGTERM)));
	cr_assert(zero(int, vmadj_output_write(fds[1], big, BIG)));
	cr_assert(zero(int, close(fds[1])));
	cr_assert(zero(int, pthread_join(thread, NULL)));
	cr_assert(eq(sz, reader.read, BIG));
	cr_assert(eq(int, vmadj_signals_pending(), 1), "the signal is still there for the loop");
}

Test(output, print_says_what_happened_and_gives_the_exit_status)
{
	int fd = open("/dev/full", O_WRONLY);

	grab_log_start();
	cr_assert(ge(int, dup2(fd, STDOUT_FILENO), 0));
	cr_assert(eq(int, vmadj_output_print("x\n", 2), VMADJ_EXIT_OUTPUT));
	cr_assert(eq(str, (char *)grab_log_text(),
		     "vmadjust-bpf: cannot write the output: No space left on device; ending. "
		     "What was written before is whole\n"));
}

Test(output, a_closed_standard_output_is_not_taken_by_another_file)
{
	cr_assert(zero(int, close(STDOUT_FILENO)));
	cr_assert(zero(int, vmadj_output_prepare()));
	cr_assert(eq(int, vmadj_output_write(STDOUT_FILENO, "x\n", 2), -EBADF));
	cr_assert(gt(int, open("/dev/null", O_RDONLY), STDERR_FILENO));
}

Test(output, a_hangup_that_nohup_ignores_stays_ignored)
{
	int signals[VMADJ_END_SIGNALS_MAX];

	cr_assert(eq(sz, vmadj_signals_list(signals), 3));
	cr_assert(ne(ptr, (void *)signal(SIGHUP, SIG_IGN), (void *)SIG_ERR));
	cr_assert(eq(sz, vmadj_signals_list(signals), 2));
}
