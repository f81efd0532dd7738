/* SPDX-License-Identifier: GPL-2.0-only */
/* runner_start.c - the start of a policy's process */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "user/policy/runner_private.h"
#include "user/util/cleanup.h"

#define FIRST_FREE_FD (VMADJ_RUNNER_POLICY_FD + 1)
#define PASSWD_MAX    16384

static const char *program = "/proc/self/exe";

void vmadj_runner_set_program(const char *path)
{
	program = path ? path : "/proc/self/exe";
}

int vmadj_runner_send(int socket, const void *message, size_t size, int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)message, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *cmsg;

		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	}
	return sendmsg(socket, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* In the child, where only what is safe in signal handlers is. */
__attribute__((noreturn)) static void become_runner(int socket, int policy, int prints)
{
	static char *const argv[] = { (char *)"vmadjust-bpf", (char *)"policy-runner", NULL };
	static char *const envp[] = { NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* First out of the way of the numbers that they shall have. */
	socket = fcntl(socket, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	policy = fcntl(policy, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	prints = fcntl(prints, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	if (dup2(null, STDIN_FILENO) < 0 || dup2(prints, STDOUT_FILENO) < 0 ||
	    dup2(prints, STDERR_FILENO) < 0 || dup2(socket, VMADJ_RUNNER_SOCKET_FD) < 0 ||
	    dup2(policy, VMADJ_RUNNER_POLICY_FD) < 0 || close_range(FIRST_FREE_FD, ~0U, 0) < 0)
		_exit(VMADJ_RUNNER_EXIT_NOT_EXECUTED);
	(void)setsid();
	if (chdir("/") == 0)
		(void)execve(program, argv, envp);
	_exit(VMADJ_RUNNER_EXIT_NOT_EXECUTED);
}

/* @child: ends that belong to the child: its socket, its standard error. */
static int start_process(struct vmadj_runner *runner, const int child[2])
{
	struct vmadj_runner_process *process = &runner->process;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		become_runner(child[0], runner->policy_fd, child[1]);
	process->pid = pid;
	/* Nobody else waits for it: the number is its own until we have. */
	process->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	return process->pidfd < 0 ? -errno : 0;
}

static int start_with_pipes(struct vmadj_runner *runner)
{
	struct vmadj_runner_process *process = &runner->process;
	int sockets[2], pipes[2];
	int child[2];
	int err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		return -errno;
	process->socket = sockets[0];
	child[0] = sockets[1];
	if (pipe2(pipes, O_CLOEXEC) < 0) {
		err = -errno;
		(void)close(child[0]);
		return err;
	}
	process->prints = pipes[0];
	child[1] = pipes[1];
	err = start_process(runner, child);
	(void)close(child[0]);
	(void)close(child[1]);
	if (!err && fcntl(process->prints, F_SETFL, O_NONBLOCK) < 0)
		err = -errno;
	return err;
}

static int find_user(struct vmadj_runner *runner, char *why, size_t size)
{
	char buf[PASSWD_MAX];
	struct passwd passwd;
	struct passwd *found = NULL;

	runner->hello.uid = runner->hello.gid = -1;
	if (geteuid() != 0)
		return 0;
	if (getpwnam_r(runner->user, &passwd, buf, sizeof(buf), &found) != 0 || !found) {
		(void)snprintf(why, size, "there is no user \"%s\" to run it as", runner->user);
		return -ENOENT;
	}
	if (found->pw_uid == 0) {
		(void)snprintf(why, size, "it does not run as \"%s\": that user is root",
			       runner->user);
		return -EPERM;
	}
	runner->hello.uid = (int32_t)found->pw_uid;
	runner->hello.gid = (int32_t)found->pw_gid;
	return 0;
}

static int open_policy(struct vmadj_runner *runner, char *why, size_t size)
{
	_cleanup_free_ char *text = NULL;
	int fd;

	if (runner->policy_fd >= 0)
		return 0;
	fd = vmadj_policy_file_open(runner->file, &text);
	if (fd < 0) {
		(void)snprintf(why, size, "%s", text ? text : strerror(-fd));
		return fd;
	}
	runner->policy_fd = fd;
	return 0;
}

int vmadj_runner_spawn(struct vmadj_runner *runner, char *why, size_t size, bool *ret_permanent)
{
	int err = open_policy(runner, why, size);

	*ret_permanent = true;
	if (!err)
		err = find_user(runner, why, size);
	if (err)
		return err;
	*ret_permanent = false;
	err = start_with_pipes(runner);
	if (!err) {
		err = vmadj_runner_send(runner->process.socket, &runner->hello,
					sizeof(runner->hello), runner->wishes.fd);
	}
	if (err)
		(void)snprintf(why, size, "its process cannot be started: %s", strerror(-err));
	return err;
}
