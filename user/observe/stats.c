// SPDX-License-Identifier: GPL-2.0-only
/* stats.c - let the kernel count how long BPF programs run, while it is asked */
#include "user/observe/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <cap-ng.h>

#include "user/util/file.h"

#define HELD_FD 3

struct vmadj_stats {
	pid_t pid;
	int fd; /* our end of the socket; -1: the process has ended */
	sd_event_source *source;
	vmadj_stats_answer answer;
	void *userdata;
};

static int answer_to(bool on, int *stats_fd)
{
	if (*stats_fd >= 0)
		(void)close(*stats_fd);
	*stats_fd = on ? bpf_enable_stats(BPF_STATS_RUN_TIME) : -1;
	return on && *stats_fd < 0 ? *stats_fd : 0;
}

/* Between fork() and exec(): nothing of the daemon's goes along but the socket. */
static __attribute__((noreturn)) void become_helper(int fd)
{
	char *const argv[] = { (char *)"vmadjust-bpf", (char *)"stats-helper", NULL };
	int null = open("/dev/null", O_RDWR);

	for (int i = 0; i < HELD_FD; i++) {
		if (dup2(null, i) < 0)
			_exit(1);
	}
	if (fd != HELD_FD && dup2(fd, HELD_FD) < 0)
		_exit(1);
	(void)fcntl(HELD_FD, F_SETFD, 0);
	(void)syscall(SYS_close_range, HELD_FD + 1, ~0U, 0);
	(void)execv("/proc/self/exe", argv);
	_exit(1);
}

/* What it may beyond a common process is to turn on statistics. */
static void keep_one_right(void)
{
	capng_clear(CAPNG_SELECT_BOTH);
	(void)capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_SYS_ADMIN);
	if (!capng_apply(CAPNG_SELECT_CAPS))
		return;
	/* Not ours: then none. */
	capng_clear(CAPNG_SELECT_BOTH);
	(void)capng_apply(CAPNG_SELECT_CAPS);
}

int vmadj_stats_helper_main(void)
{
	int stats_fd = -1, err;
	bool on;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	keep_one_right();
	while (recv(HELD_FD, &on, sizeof(on), 0) == sizeof(on)) {
		err = answer_to(on, &stats_fd);
		if (on && send(HELD_FD, &err, sizeof(err), MSG_NOSIGNAL) != sizeof(err))
			break;
	}
	return 0;
}

static void end(struct vmadj_stats *stats)
{
	if (stats->fd >= 0)
		(void)close(stats->fd);
	stats->fd = -1;
	if (stats->pid > 0) {
		(void)kill(stats->pid, SIGKILL);
		(void)waitpid(stats->pid, NULL, 0);
	}
	stats->pid = 0;
}

static int on_readable(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct vmadj_stats *stats = userdata;
	int err;
	ssize_t got = recv(fd, &err, sizeof(err), MSG_DONTWAIT);

	(void)events;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got != sizeof(err)) {
		(void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
		end(stats);
		err = -EPIPE;
	}
	stats->answer(stats->userdata, err);
	return 0;
}

static int start(struct vmadj_stats *stats)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	stats->fd = fds[0];
	stats->pid = fork();
	if (!stats->pid)
		become_helper(fds[1]);
	(void)close(fds[1]);
	return stats->pid < 0 ? -errno : 0;
}

int vmadj_stats_new(sd_event *event, vmadj_stats_answer answer, void *userdata,
		    struct vmadj_stats **ret_stats)
{
	struct vmadj_stats *stats = calloc(1, sizeof(*stats));
	int err;

	if (!stats)
		return -ENOMEM;
	stats->fd = -1;
	stats->answer = answer;
	stats->userdata = userdata;
	err = start(stats);
	if (!err) {
		err = sd_event_add_io(event, &stats->source, stats->fd, EPOLLIN, on_readable,
				      stats);
	}
	if (err < 0) {
		vmadj_stats_free(stats);
		return err;
	}
	*ret_stats = stats;
	return 0;
}

void vmadj_stats_free(struct vmadj_stats *stats)
{
	if (!stats)
		return;
	(void)sd_event_source_disable_unref(stats->source);
	end(stats);
	free(stats);
}

static int tell(const struct vmadj_stats *stats, bool on)
{
	if (stats->fd < 0)
		return -EPIPE;
	return send(stats->fd, &on, sizeof(on), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int vmadj_stats_on(struct vmadj_stats *stats)
{
	return tell(stats, true);
}

void vmadj_stats_off(struct vmadj_stats *stats)
{
	(void)tell(stats, false);
}

pid_t vmadj_stats_pid(const struct vmadj_stats *stats)
{
	return stats->pid;
}

bool vmadj_stats_always(void)
{
	char text[8];

	return vmadj_file_read(AT_FDCWD, "/proc/sys/kernel/bpf_stats_enabled", text, sizeof(text)) >
		       0 &&
	       text[0] == '1';
}
