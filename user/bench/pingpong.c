// SPDX-License-Identifier: GPL-2.0-only
/* pingpong.c - two processes on one CPU that wake each other in turn over pipes */
#include "user/bench/pingpong.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "user/bench/timing.h"

#define FOR_EVER 0
#define LIMIT_S	 60   /* whoever needs longer does not get the CPU */
#define WARM_UP	 1000 /* round trips before time is taken */

/* fds: a pipe there and one back. The first process sends, the second sends back. */
struct player {
	unsigned int cpu;
	unsigned int trips; /* FOR_EVER, or so many */
	int fds[4];
	uint64_t *took_ns; /* shared */
};

static void play(const struct player *player, bool first, unsigned int trips)
{
	int in = player->fds[first ? 2 : 0], out = player->fds[first ? 1 : 3];
	char ball = 0;

	for (unsigned int i = 0; trips == FOR_EVER || i < trips; i++) {
		if (first && write(out, &ball, 1) != 1)
			_exit(1);
		if (read(in, &ball, 1) != 1)
			_exit(1);
		if (!first && write(out, &ball, 1) != 1)
			_exit(1);
	}
}

static __attribute__((noreturn)) void player_main(const struct player *player, bool first)
{
	uint64_t start;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
	if (vmadj_bench_pin(player->cpu))
		_exit(1);
	/* An end that both hold would never say that the other is gone. */
	for (int i = 0; i < 4; i++) {
		if (i == (first ? 2 : 0) || i == (first ? 1 : 3))
			continue;
		(void)close(player->fds[i]);
	}
	play(player, first, player->trips ? WARM_UP : FOR_EVER);
	start = vmadj_bench_now_ns();
	play(player, first, player->trips);
	if (first)
		*player->took_ns = vmadj_bench_now_ns() - start;
	_exit(0);
}

static int start(const struct player *player, struct vmadj_bench_pingpong *ret_pair)
{
	struct vmadj_bench_pingpong pair = { { 0 } };
	int err;

	for (int i = 0; i < 2; i++) {
		pair.pid[i] = fork();
		if (!pair.pid[i])
			player_main(player, i == 0);
		if (pair.pid[i] < 0) {
			err = -errno;
			pair.pid[i] = 0;
			vmadj_bench_pingpong_stop(&pair);
			return err;
		}
	}
	*ret_pair = pair;
	return 0;
}

static int pipes_open(int *ret_fds)
{
	int err;

	if (pipe2(ret_fds, O_CLOEXEC))
		return -errno;
	if (pipe2(ret_fds + 2, O_CLOEXEC)) {
		err = -errno;
		(void)close(ret_fds[0]);
		(void)close(ret_fds[1]);
		return err;
	}
	return 0;
}

static int pipes_start(struct player *player, struct vmadj_bench_pingpong *ret_pair)
{
	int err = pipes_open(player->fds);

	if (err)
		return err;
	err = start(player, ret_pair);
	for (int i = 0; i < 4; i++)
		(void)close(player->fds[i]);
	return err;
}

int vmadj_bench_pingpong_start(unsigned int cpu, struct vmadj_bench_pingpong *ret_pair)
{
	struct player player = { .cpu = cpu, .trips = FOR_EVER };

	return pipes_start(&player, ret_pair);
}

void vmadj_bench_pingpong_stop(struct vmadj_bench_pingpong *pair)
{
	for (int i = 0; i < 2; i++)
		vmadj_bench_kill(&pair->pid[i]);
}

int vmadj_bench_pingpong_time(unsigned int cpu, unsigned int trips, double *ret_trip_ns)
{
	struct player player = { .cpu = cpu, .trips = trips };
	struct vmadj_bench_pingpong pair = { { 0 } };
	int err;

	player.took_ns = mmap(NULL, sizeof(*player.took_ns), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (player.took_ns == MAP_FAILED)
		return -errno;
	err = pipes_start(&player, &pair);
	for (int i = 0; i < 2 && !err; i++)
		err = vmadj_bench_wait(&pair.pid[i], LIMIT_S);
	vmadj_bench_pingpong_stop(&pair);
	if (!err)
		*ret_trip_ns = (double)*player.took_ns / trips;
	(void)munmap(player.took_ns, sizeof(*player.took_ns));
	return err;
}
