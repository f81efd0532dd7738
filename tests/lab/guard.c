// SPDX-License-Identifier: GPL-2.0-only
/*
 * guard.c - a process between a test and a program that must not outlive it
 *
 * A test can crash or be killed, and then nobody stops its QEMU or removes its
 * files. So the test forks a guard, which starts the program and waits until
 * the test lets go of their socket, on purpose or by dying. If the guard itself
 * is killed, the kernel kills the program. Without a program it just cleans up.
 *
 * On the socket, from the guard: "pid N", later "ended".
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lab/private.h"

#define GUARD_START_MS 10000
#define GUARD_POLL_MS  50
#define GUARD_END_MS   10000 /* from the end signal to SIGKILL */

static void reset_signals(void (*handler)(int))
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)signal(signals[i], handler);
}

static __attribute__((noreturn)) void guard_child(const struct vmadj_lab_job *job, pid_t guard)
{
	int log = open(job->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	int null = open("/dev/null", O_RDONLY);
	int err;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != guard)
		_exit(127);
	reset_signals(SIG_DFL);
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(log, STDOUT_FILENO);
	(void)dup2(log, STDERR_FILENO);
	(void)close_range(3, ~0U, 0);
	err = vmadj_lab_place_enter(&job->place);
	if (!err) {
		execvp(job->argv[0], job->argv);
		err = -errno;
	}
	dprintf(STDERR_FILENO, "%s: %s\n", job->argv[0], strerror(-err));
	_exit(127);
}

/* Return: whether the process ended in that time (-1: however long it takes). */
static bool wait_ended(int pidfd, int timeout_ms)
{
	struct pollfd pfd = { .fd = pidfd, .events = POLLIN };

	return poll(&pfd, 1, timeout_ms) > 0;
}

/* until the test has let go; the program may end before */
static void guard_watch(struct vmadj_lab_lines *test, int pidfd)
{
	struct pollfd pfds[2] = { { .fd = test->fd, .events = POLLIN },
				  { .fd = pidfd, .events = POLLIN } };

	for (;;) {
		if (poll(pfds, 2, -1) < 0)
			continue;
		if (pfds[0].revents)
			return;
		if (pfds[1].revents) {
			(void)vmadj_lab_lines_write(test, "ended");
			pfds[1].fd = -1;
		}
	}
}

/* Others may have come to use it meanwhile: they hold the lock shared. */
static void guard_wait_users(const char *path)
{
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd >= 0)
		(void)flock(fd, LOCK_EX);
}

/* somebody else ends it, and removes that file when done */
static void guard_wait_gone(const char *path)
{
	for (int ms = 0; path && ms < GUARD_END_MS && !access(path, F_OK); ms += GUARD_POLL_MS)
		(void)poll(NULL, 0, GUARD_POLL_MS);
}

static void guard_end_program(pid_t pid, int pidfd, int end_signal)
{
	kill(pid, end_signal);
	if (!wait_ended(pidfd, GUARD_END_MS))
		kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

static __attribute__((noreturn)) void guard_main(const struct vmadj_lab_job *job, int fd)
{
	struct vmadj_lab_lines test = { .fd = fd };
	char line[64];
	int pidfd = -1;
	pid_t pid = 0;

	/* the guard holds nothing open that is the test's, and outlives what kills its group */
	(void)setpgid(0, 0);
	test.fd = fd == 3 ? fd : dup2(fd, 3);
	(void)close_range(4, ~0U, 0);
	reset_signals(SIG_IGN);
	if (job->argv) {
		const pid_t self = getpid();

		pid = fork();
		if (!pid)
			guard_child(job, self);
		pidfd = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
		if (pidfd < 0)
			_exit(1);
	}
	(void)snprintf(line, sizeof(line), "pid %d", (int)pid);
	(void)vmadj_lab_lines_write(&test, line);
	guard_watch(&test, pidfd);
	guard_wait_users(job->wait_users);
	guard_wait_gone(job->wait_gone);
	if (pid)
		guard_end_program(pid, pidfd, job->end_signal);
	if (job->remove_dir)
		vmadj_lab_remove(job->remove_dir);
	if (job->remove_file)
		(void)unlink(job->remove_file);
	if (job->at_end)
		job->at_end();
	_exit(0);
}

/**
 * vmadj_lab_guard_start - start a program under guard
 *
 * Return: 0; -EIO: it could not be started; or what fork() or socketpair() gave.
 */
int vmadj_lab_guard_start(const struct vmadj_lab_job *job, struct vmadj_lab_guard *guard)
{
	char line[VMADJ_LAB_LINE_MAX];
	int fds[2], err;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return vmadj_lab_fail(-errno, "socketpair");
	guard->lines = (struct vmadj_lab_lines){ .fd = fds[0] };
	guard->guard = fork();
	if (!guard->guard)
		guard_main(job, fds[1]);
	close(fds[1]);
	if (guard->guard < 0) {
		err = -errno;
		close(fds[0]);
		guard->guard = 0;
		return vmadj_lab_fail(err, "fork");
	}
	err = vmadj_lab_lines_read(&guard->lines, GUARD_START_MS, line);
	/* NOLINTNEXTLINE(cert-err34-c): our own line */
	if (!err && sscanf(line, "pid %d", &guard->pid) == 1)
		return 0;
	vmadj_lab_guard_stop(guard);
	return vmadj_lab_fail(-EIO, "%s cannot be started", job->argv ? job->argv[0] : "guard");
}

/* Return: whether the program has ended by itself. */
bool vmadj_lab_guard_ended(struct vmadj_lab_guard *guard)
{
	char line[VMADJ_LAB_LINE_MAX];

	return vmadj_lab_lines_read(&guard->lines, 0, line) != -ETIME;
}

/* Ends the program, waits until it is gone and its folder removed. Takes one not started. */
void vmadj_lab_guard_stop(struct vmadj_lab_guard *guard)
{
	if (!guard->guard)
		return;
	close(guard->lines.fd);
	while (waitpid(guard->guard, NULL, 0) < 0 && errno == EINTR)
		;
	guard->guard = 0;
}
