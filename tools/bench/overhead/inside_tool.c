// SPDX-License-Identifier: GPL-2.0-only
/* inside_tool.c - what is measured: start it, wait until it is attached, end it */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/bench/overhead/inside.h"

#define MODULE	 "/vmadj_kmod.ko"
#define START_MS 120000 /* of the guest's time */

const struct vmadj_inside_tool vmadj_inside_tools[] = {
	{ .name = "nothing", .kind = VMADJ_INSIDE_NOTHING },
	{ .name = "empty", .kind = VMADJ_INSIDE_EMPTY },
	{ .name = "kmod-poll", .kind = VMADJ_INSIDE_MODULE, .arg = "mode=poll" },
	{ .name = "kmod-trace", .kind = VMADJ_INSIDE_MODULE, .arg = "mode=trace" },
	{ .name = "ours-poll", .kind = VMADJ_INSIDE_OURS, .mode = VMADJ_MODE_POLL },
	{ .name = "ours-trace", .kind = VMADJ_INSIDE_OURS, .mode = VMADJ_MODE_TRACE },
	{ .name = "cpudist", .kind = VMADJ_INSIDE_OTHER, .arg = "/usr/sbin/cpudist" },
	{ .name = "runqlat", .kind = VMADJ_INSIDE_OTHER, .arg = "/usr/sbin/runqlat" },
};

const size_t vmadj_inside_n_tools = sizeof(vmadj_inside_tools) / sizeof(vmadj_inside_tools[0]);

/* Return: 0; -EIO: it failed. */
static int run(const char *const *argv)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		(void)execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -errno;
	return status ? -EIO : 0;
}

/* --- the module ----------------------------------------------------------- */

/* The last of that name: of the module's threads only one lives. */
static pid_t kernel_thread(void)
{
	FILE *ps = popen("grep -lx vmadj_kmod /proc/[0-9]*/comm 2>/dev/null", "re");
	int pid = -ESRCH;

	while (ps && fscanf(ps, "/proc/%d/comm\n", &pid) == 1)
		;
	if (ps)
		(void)pclose(ps);
	return pid;
}

static int module_start(struct vmadj_inside_running *running)
{
	const char *const argv[] = { "insmod", MODULE, running->tool->arg, "interval_ms=1000",
				     NULL };
	int err;

	if (access(MODULE, R_OK))
		return -ENOENT;
	err = run(argv);
	running->load = vmadj_inside_now() - running->load;
	if (err)
		return err;
	running->pid = kernel_thread();
	return running->pid < 0 ? running->pid : 0;
}

/* --- programs ------------------------------------------------------------- */

static __attribute__((noreturn)) void child(const char *const *argv, int fd, bool terminal)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (terminal) {
		for (int i = 0; i < 3; i++)
			(void)dup2(fd, i);
	} else {
		(void)dup2(fd, STDIN_FILENO);
	}
	(void)execv(argv[0], (char *const *)argv);
	_exit(127);
}

static int spawn(struct vmadj_inside_running *running, const char *const *argv, int fd, bool tty)
{
	running->pid = fork();
	if (!running->pid)
		child(argv, fd, tty);
	(void)close(fd);
	return running->pid < 0 ? -errno : 0;
}

/* Return: 0 once it has said @word; -EPIPE: it has ended; -ETIME. */
static int wait_for(int fd, const char *word)
{
	char text[4096] = "";
	size_t len = 0;

	while (!strstr(text, word)) {
		struct pollfd pollfd = { .fd = fd, .events = POLLIN };
		ssize_t n = poll(&pollfd, 1, START_MS) > 0
				    ? read(fd, text + len, sizeof(text) - 1 - len)
				    : -ETIME;

		if (n <= 0) {
			(void)fprintf(stderr, "%s\n", text);
			return n == -ETIME ? -ETIME : -EPIPE;
		}
		len += (size_t)n;
		text[len] = '\0';
	}
	return 0;
}

static int ours_start(struct vmadj_inside_running *running)
{
	const char *const argv[] = { "/proc/self/exe", "ours",
				     vmadj_mode_names[running->tool->mode], NULL };
	int fds[2], err;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return -errno;
	running->talk = fds[0];
	err = spawn(running, argv, fds[1], false);
	if (!err)
		err = wait_for(running->talk, "ready");
	running->load = vmadj_inside_now() - running->load;
	return err;
}

/* On a terminal: elsewhere its words would wait in a buffer. */
static int other_start(struct vmadj_inside_running *running)
{
	const char *const argv[] = { running->tool->arg, NULL };
	int side, err;

	if (access(argv[0], X_OK))
		return -ENOENT;
	running->talk = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (running->talk < 0 || grantpt(running->talk) || unlockpt(running->talk))
		return -errno;
	side = open(ptsname(running->talk), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (side < 0)
		return -errno;
	err = spawn(running, argv, side, true);
	if (!err)
		err = wait_for(running->talk, "Ctrl-C");
	running->load = vmadj_inside_now() - running->load;
	return err;
}

/* -------------------------------------------------------------------------- */

static int start(struct vmadj_inside_running *running)
{
	int err = 0;

	switch (running->tool->kind) {
	case VMADJ_INSIDE_NOTHING:
		running->load = 0;
		return 0;
	case VMADJ_INSIDE_EMPTY:
		err = vmadj_bench_empty_open(&running->empty);
		running->load = vmadj_inside_now() - running->load;
		return err;
	case VMADJ_INSIDE_MODULE:
		return module_start(running);
	case VMADJ_INSIDE_OURS:
		return ours_start(running);
	case VMADJ_INSIDE_OTHER:
		return other_start(running);
	}
	return -EINVAL;
}

int vmadj_inside_tool_start(const struct vmadj_inside_tool *tool,
			    struct vmadj_inside_running *ret_running)
{
	struct vmadj_inside_running running = { .tool = tool, .talk = -1 };
	int err;

	running.empty = VMADJ_BENCH_NO_PROGRAM;
	running.load = vmadj_inside_now();
	err = start(&running);
	if (err)
		vmadj_inside_tool_stop(&running);
	else
		*ret_running = running;
	return err;
}

void vmadj_inside_tool_stop(struct vmadj_inside_running *running)
{
	static const char *const rmmod[] = { "rmmod", "vmadj_kmod", NULL };

	vmadj_bench_program_close(&running->empty);
	if (running->tool->kind == VMADJ_INSIDE_MODULE && !access("/proc/vmadj_kmod", F_OK))
		(void)run(rmmod);
	/* Ours ends with the other end of its socket, and takes its maps with it. */
	if (running->talk >= 0)
		(void)close(running->talk);
	if (running->tool->kind == VMADJ_INSIDE_OTHER && running->pid > 0)
		(void)kill(running->pid, SIGKILL);
	if (running->tool->kind >= VMADJ_INSIDE_OURS && running->pid > 0)
		(void)waitpid(running->pid, NULL, 0);
	running->talk = -1;
	running->pid = 0;
}
