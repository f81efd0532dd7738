/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * runner_main.c - a policy's own process
 *
 * Nothing is believed here of the policy either: it shares this memory, so whatever it does to it
 * ends this process, and the daemon holds what comes out of it against its own rules.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "user/policy/load.h"
#include "user/policy/sandbox.h"
#include "user/policy/wire.h"
#include "user/util/cleanup.h"

#define EXIT_HAND      2
#define ALT_STACK_SIZE 32768
#define PROBE_BYTES    (4U << 20) /* not to be had: the memory is at an end */

static struct vmadj_policy_wishes *wishes;
static struct vmadj_policy_snapshot *snapshot;
static size_t snapshot_size;

static bool tell(const void *message, size_t size)
{
	return send(VMADJ_RUNNER_SOCKET_FD, message, size, MSG_NOSIGNAL) == (ssize_t)size;
}

/* One message; a descriptor that came with it, or -1. */
static ssize_t hear(void *message, size_t size, int *ret_fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = message, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(VMADJ_RUNNER_SOCKET_FD, &msg, MSG_CMSG_CLOEXEC);
	struct cmsghdr *cmsg = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;

	*ret_fd = -1;
	if (cmsg && cmsg->cmsg_type == SCM_RIGHTS)
		memcpy(ret_fd, CMSG_DATA(cmsg), sizeof(*ret_fd));
	return n;
}

/* The signal that follows ends the process: after this message its default is back. */
static void on_crash(int sig, siginfo_t *info, void *context)
{
	struct vmadj_wire_trouble trouble = { .type = VMADJ_WIRE_TROUBLE, .signal = sig };

	(void)context;
	if (sig == SIGSYS) {
		trouble.syscall = info->si_syscall;
	} else {
		trouble.out_of_memory = mmap(NULL, PROBE_BYTES, PROT_NONE,
					     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
	}
	(void)tell(&trouble, sizeof(trouble));
	if (sig == SIGSYS)
		_exit(EXIT_FAILURE);
}

/* On a stack of their own, as it may be the stack that is at its end. */
static int catch_crashes(void)
{
	static const int signals[] = { SIGSYS, SIGSEGV, SIGBUS, SIGFPE, SIGILL };
	static char stack[ALT_STACK_SIZE];
	const stack_t alternative = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_sigaction = on_crash,
				    .sa_flags = SA_SIGINFO | SA_ONSTACK | (int)SA_RESETHAND };
	sigset_t none;

	if (sigaltstack(&alternative, NULL) < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (sigaction(signals[i], &action, NULL) < 0)
			return -errno;
	}
	/* The daemon had blocked some. */
	(void)sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) < 0 ? -errno : 0;
}

static int give_up(const char *why)
{
	struct vmadj_wire_unusable message = { .type = VMADJ_WIRE_UNUSABLE };

	(void)snprintf(message.why, sizeof(message.why), "%s", why);
	(void)tell(&message, sizeof(message));
	return EXIT_FAILURE;
}

static int enter_sandbox(const struct vmadj_wire_hello *hello, struct vmadj_sandbox *sandbox)
{
	static char line[BUFSIZ];
	const char *what = "catch signals";
	char why[128];
	int err = catch_crashes();

	*sandbox = (struct vmadj_sandbox){
		.daemon_pid = hello->daemon_pid,
		.uid = hello->uid,
		.gid = hello->gid,
		.memory_bytes = hello->memory_bytes,
	};
	/* With a buffer of its own stdio asks no question that the filter forbids. */
	(void)setvbuf(stdout, line, _IOLBF, sizeof(line));
	if (!err)
		err = vmadj_sandbox_enter(sandbox, &what);
	if (!err) {
		what = "filter its system calls";
		err = vmadj_sandbox_allow_loading(sandbox);
	}
	if (!err)
		return 0;
	(void)snprintf(why, sizeof(why), "its process cannot %s: %s", what, strerror(-err));
	(void)give_up(why);
	return err;
}

static int load(const struct vmadj_wire_hello *hello, struct vmadj_sandbox *sandbox,
		struct vmadj_loaded *loaded)
{
	struct vmadj_wire_ready ready = { .type = VMADJ_WIRE_READY };
	static char why[VMADJ_WIRE_TEXT_MAX];
	FILE *out;
	int err;

	err = vmadj_load_object(VMADJ_RUNNER_POLICY_FD, loaded, why, sizeof(why));
	/* What a constructor may have opened. */
	(void)close_range(VMADJ_RUNNER_POLICY_FD + 1, ~0U, 0);
	if (!err)
		err = vmadj_sandbox_allow_running(sandbox);
	if (!err) {
		out = fmemopen(why, sizeof(why), "w");
		err = out ? vmadj_load_params(loaded, hello->params, hello->n_params, &ready.info,
					      out)
			  : -ENOMEM;
		if (out)
			(void)fclose(out);
	}
	if (err) {
		(void)give_up(*why ? why : strerror(-err));
		return err;
	}
	return tell(&ready, sizeof(ready)) ? 0 : -EPIPE;
}

static bool map_snapshot(int fd, size_t size)
{
	if (snapshot)
		(void)munmap(snapshot, snapshot_size);
	snapshot = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	(void)close(fd);
	snapshot_size = size;
	return snapshot != MAP_FAILED;
}

/* Return: whether there is a next one. */
static bool serve_one(const struct vmadj_loaded *loaded)
{
	struct vmadj_wire_feed feed;
	struct vmadj_wire_answer answer = { .type = VMADJ_WIRE_ANSWER };
	int fd;

	if (hear(&feed, sizeof(feed), &fd) != sizeof(feed) || feed.type != VMADJ_WIRE_FEED)
		return false;
	if (fd >= 0 && !map_snapshot(fd, feed.size)) {
		struct vmadj_wire_trouble trouble = { .type = VMADJ_WIRE_TROUBLE,
						      .out_of_memory = 1 };

		(void)tell(&trouble, sizeof(trouble));
		return false;
	}
	wishes->seq = feed.seq;
	wishes->n = 0;
	wishes->max = VMADJ_RUNNER_WISHES_MAX;
	loaded->ops->decide(loaded->state, snapshot, wishes);
	answer.seq = wishes->seq;
	answer.n = wishes->n;
	return tell(&answer, sizeof(answer));
}

int vmadj_runner_main(void)
{
	static struct vmadj_wire_hello hello;
	struct vmadj_sandbox sandbox;
	struct vmadj_loaded loaded = { 0 };
	int fd;

	if (hear(&hello, sizeof(hello), &fd) != sizeof(hello) || fd < 0 ||
	    hello.type != VMADJ_WIRE_HELLO) {
		(void)fprintf(stderr, "policy-runner is started by the daemon, not by hand\n");
		return EXIT_HAND;
	}
	wishes = mmap(NULL, VMADJ_WIRE_WISHES_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (wishes == MAP_FAILED)
		return give_up("its process cannot map the buffer for wishes");
	if (enter_sandbox(&hello, &sandbox) || load(&hello, &sandbox, &loaded))
		_exit(EXIT_FAILURE);
	while (serve_one(&loaded))
		;
	/* Nothing of the policy runs at the end. */
	_exit(EXIT_SUCCESS);
}
