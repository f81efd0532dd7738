/* SPDX-License-Identifier: GPL-2.0-only */
/* test_daemon_notify.c - what the daemon tells its service manager, and when */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/cmd/exitcode.h"

#define PATIENCE_MS 20000

static char dir[] = "/tmp/vmadj-notify.XXXXXX";
static int manager = -1;
static pid_t daemon_pid;

static const char *path_of(const char *name)
{
	static char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void configure(const char *interval)
{
	FILE *file = fopen(path_of("conf"), "w");

	cr_assert(ne(ptr, file, NULL));
	(void)fprintf(file, "[daemon]\ninterval = %s\nstate_dir = %s/state\nrun_dir = %s/run\n",
		      interval, dir, dir);
	cr_assert(zero(int, fclose(file)));
}

static void listen_as_manager(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", dir);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert(zero(int, bind(manager, (struct sockaddr *)&address, sizeof(address))));
	cr_assert(zero(int, setenv("NOTIFY_SOCKET", address.sun_path, 1)));
	cr_assert(zero(int, setenv("WATCHDOG_USEC", "600000", 1)));
}

static void start(void)
{
	const char *out = getenv("O");
	char program[PATH_MAX], conf[PATH_MAX];

	(void)snprintf(program, sizeof(program), "%s/vmadjust-bpf", out ? out : "build");
	(void)snprintf(conf, sizeof(conf), "%s", path_of("conf"));
	daemon_pid = fork();
	cr_assert(ge(int, daemon_pid, 0));
	if (!daemon_pid) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)execl(program, "vmadjust-bpf", "run", "--quiet", "--config", conf, NULL);
		_exit(127);
	}
}

static void set_up(void)
{
	if (geteuid())
		cr_skip_test("needs root");
	cr_assert(ne(ptr, mkdtemp(dir), NULL));
	configure("0.2s");
	listen_as_manager();
	start();
}

static void tear_down(void)
{
	static const char *const names[] = { "conf", "notify", "state/ledger", "state/ledger.lock",
					     "run/control.sock" };

	if (daemon_pid > 0) {
		(void)kill(daemon_pid, SIGKILL);
		(void)waitpid(daemon_pid, NULL, 0);
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(path_of(names[i]));
	(void)rmdir(path_of("state"));
	(void)rmdir(path_of("run"));
	(void)rmdir(dir);
}

TestSuite(daemon_notify, .init = set_up, .fini = tear_down, .timeout = 90);

/* The next message; "" when the daemon has ended without one. */
static const char *heard(void)
{
	static char text[1024];
	struct pollfd wait = { .fd = manager, .events = POLLIN };
	ssize_t len;
	int status;

	if (poll(&wait, 1, PATIENCE_MS) <= 0) {
		if (waitpid(daemon_pid, &status, WNOHANG) == daemon_pid) {
			daemon_pid = 0;
			if (WIFEXITED(status) && WEXITSTATUS(status) == VMADJ_EXIT_CANNOT_OBSERVE)
				cr_skip_test("VMs cannot be observed here");
		}
		return "";
	}
	len = recv(manager, text, sizeof(text) - 1, 0);
	text[len > 0 ? len : 0] = '\0';
	return text;
}

static bool has_line(const char *message, const char *line)
{
	const char *at = strstr(message, line);
	size_t len = strlen(line);

	return at && (at == message || at[-1] == '\n') && (at[len] == '\n' || !at[len]);
}

/* Until the one with that line has come; those about the watchdog may come between. */
static void await(const char *line)
{
	const char *message = heard();

	while (has_line(message, "WATCHDOG=1") && strcmp(line, "WATCHDOG=1") != 0)
		message = heard();
	cr_assert(has_line(message, line), "instead of %s: \"%s\"", line, message);
}

Test(daemon_notify, from_ready_to_stopping)
{
	int status;

	await("READY=1");
	await("WATCHDOG=1");
	await("WATCHDOG=1");

	configure("0.5s");
	cr_assert(zero(int, kill(daemon_pid, SIGHUP)));
	await("RELOADING=1");
	await("READY=1");

	/* One that is refused is over, too. */
	configure("nonsense");
	cr_assert(zero(int, kill(daemon_pid, SIGHUP)));
	await("RELOADING=1");
	await("READY=1");

	cr_assert(zero(int, kill(daemon_pid, SIGTERM)));
	await("STOPPING=1");
	cr_assert(eq(int, waitpid(daemon_pid, &status, 0), daemon_pid));
	daemon_pid = 0;
	cr_expect(zero(int, status));
}
