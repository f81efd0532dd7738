// SPDX-License-Identifier: GPL-2.0-only
/* messages.c - groups of processes that send each other messages */
#include "user/bench/messages.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define GROUPS	4
#define PLAYERS 10 /* of each kind in a group */
#define LOOPS	100
#define BYTES	100
#define LIMIT_S 60

/* How they all start at once: each writes a byte, and then waits until nobody can write. */
struct gun {
	int ready[2], go[2];
};

static void wait_for_go(const struct gun *gun)
{
	char byte = 0;

	(void)close(gun->go[1]);
	if (write(gun->ready[1], &byte, 1) != 1 || read(gun->go[0], &byte, 1) != 0)
		_exit(1);
}

static __attribute__((noreturn)) void send_all(const int *to)
{
	static const char message[BYTES];

	for (int loop = 0; loop < LOOPS; loop++) {
		for (int i = 0; i < PLAYERS; i++) {
			if (send(to[i], message, BYTES, MSG_NOSIGNAL) != BYTES)
				_exit(1);
		}
	}
	_exit(0);
}

static __attribute__((noreturn)) void receive_all(int from)
{
	char message[BYTES];

	for (int i = 0; i < PLAYERS * LOOPS; i++) {
		if (recv(from, message, BYTES, MSG_WAITALL) != BYTES)
			_exit(1);
	}
	_exit(0);
}

/* One process: it receives from @from, or, where that is -1, sends to all of @to. */
static void start_player(const struct gun *gun, int from, const int *to)
{
	pid_t pid = fork();

	if (pid < 0)
		_exit(1);
	if (pid)
		return;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	wait_for_go(gun);
	if (from < 0)
		send_all(to);
	receive_all(from);
}

static void start_group(const struct gun *gun)
{
	int from[PLAYERS], to[PLAYERS];

	for (int i = 0; i < PLAYERS; i++) {
		int pair[2];

		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
			_exit(1);
		from[i] = pair[0];
		to[i] = pair[1];
	}
	for (int i = 0; i < PLAYERS; i++) {
		start_player(gun, from[i], NULL);
		start_player(gun, -1, to);
	}
	for (int i = 0; i < PLAYERS; i++) {
		(void)close(from[i]);
		(void)close(to[i]);
	}
}

/* The parent of all others: they end with it. */
static __attribute__((noreturn)) void leader_main(const cpu_set_t *may, uint64_t *took_ns)
{
	const int all = GROUPS * PLAYERS * 2;
	struct gun gun;
	uint64_t start;
	int status;
	char byte;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
	if (sched_setaffinity(0, sizeof(*may), may) || pipe(gun.ready) || pipe(gun.go))
		_exit(1);
	for (int i = 0; i < GROUPS; i++)
		start_group(&gun);
	for (int i = 0; i < all; i++) {
		if (read(gun.ready[0], &byte, 1) != 1)
			_exit(1);
	}
	start = vmadj_bench_now_ns();
	(void)close(gun.go[1]);
	for (int i = 0; i < all; i++) {
		if (wait(&status) < 0 || status)
			_exit(1);
	}
	*took_ns = vmadj_bench_now_ns() - start;
	_exit(0);
}

int vmadj_bench_messages_time(const struct vmadj_bench_cpus *cpus, double *ret_ns)
{
	uint64_t *took_ns = mmap(NULL, sizeof(*took_ns), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t leader;
	int err;

	if (took_ns == MAP_FAILED)
		return -errno;
	leader = fork();
	if (!leader)
		leader_main(&cpus->may, took_ns);
	err = leader < 0 ? -errno : vmadj_bench_wait(&leader, LIMIT_S);
	vmadj_bench_kill(&leader);
	if (!err)
		*ret_ns = (double)*took_ns;
	(void)munmap(took_ns, sizeof(*took_ns));
	return err;
}
