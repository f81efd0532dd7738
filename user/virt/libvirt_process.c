// SPDX-License-Identifier: GPL-2.0-only
/* libvirt_process.c - start and end the libvirt helper */
#include "user/virt/libvirt_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/util/cleanup.h"
#include "user/virt/libvirt.h"
#include "user/virt/libvirt_wire.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static const char *program = "/proc/self/exe";

void vmadj_libvirt_set_program(const char *path)
{
	program = path;
}

/* Between fork() and exec(): nothing of the daemon's goes along but the socket. */
static __attribute__((noreturn)) void become_helper(int fd, const char *uri)
{
	char *const argv[] = { "vmadjust-bpf", "libvirt-helper", (char *)uri, NULL };
	int null;

	if (fd == VMADJ_LIBVIRT_FD) {
		(void)fcntl(fd, F_SETFD, 0);
	} else if (dup2(fd, VMADJ_LIBVIRT_FD) < 0) {
		_exit(1);
	}
	null = open("/dev/null", O_RDWR);
	for (int i = 0; i <= STDERR_FILENO; i++) {
		if (dup2(null, i) < 0)
			_exit(1);
	}
	(void)syscall(SYS_close_range, VMADJ_LIBVIRT_FD + 1, ~0U, 0);
	(void)execv(program, argv);
	_exit(1);
}

int vmadj_libvirt_process_start(const char *uri, struct vmadj_libvirt_process *ret_process)
{
	int fds[2], err = 0;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	pid = fork();
	if (!pid)
		become_helper(fds[1], uri);
	if (pid < 0)
		err = -errno;
	(void)close(fds[1]);
	if (err) {
		(void)close(fds[0]);
		return err;
	}
	*ret_process = (struct vmadj_libvirt_process){ .pid = pid, .fd = fds[0] };
	return 0;
}

static int on_ended(sd_event_source *source, int pidfd, uint32_t events, void *userdata)
{
	siginfo_t info;

	(void)events;
	(void)userdata;
	(void)waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG);
	(void)sd_event_source_set_floating(source, 0); /* its last reference */
	return 0;
}

static void reap_later(sd_event *event, pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	sd_event_source *source;

	if (pidfd < 0 || sd_event_add_io(event, &source, pidfd, EPOLLIN, on_ended, NULL) < 0) {
		if (pidfd >= 0)
			(void)close(pidfd);
		(void)waitpid(pid, NULL, 0);
		return;
	}
	(void)sd_event_source_set_io_fd_own(source, 1);
	/* The event loop holds it until it ends by itself. */
	(void)sd_event_source_set_floating(source, 1);
	(void)sd_event_source_unref(source);
}

void vmadj_libvirt_process_end(sd_event *event, struct vmadj_libvirt_process *process)
{
	if (process->fd >= 0)
		(void)close(process->fd);
	if (process->pid > 0) {
		(void)kill(process->pid, SIGKILL);
		if (event) {
			reap_later(event, process->pid);
		} else {
			(void)waitpid(process->pid, NULL, 0);
		}
	}
	*process = (struct vmadj_libvirt_process){ .fd = -1 };
}
