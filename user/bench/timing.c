// SPDX-License-Identifier: GPL-2.0-only
/* timing.c - time, the CPU that is measured, and the word to end */
#include "user/bench/timing.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/util/cleanup.h"

#define NS_PER_S  1000000000ULL
#define NS_PER_MS 1000000ULL
#define STEPS	  8
#define STEP_MOST (NS_PER_S / 10)

static volatile sig_atomic_t stopped;

static void on_signal(int signo)
{
	(void)signo;
	stopped = 1;
}

int vmadj_bench_cpus_get(struct vmadj_bench_cpus *ret_cpus)
{
	struct vmadj_bench_cpus cpus = { .first = CPU_SETSIZE };

	if (sched_getaffinity(0, sizeof(cpus.may), &cpus.may))
		return -errno;
	for (unsigned int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &cpus.may))
			continue;
		if (cpus.first == CPU_SETSIZE)
			cpus.first = cpu;
		cpus.last = cpu;
		cpus.n++;
	}
	*ret_cpus = cpus;
	return 0;
}

int vmadj_bench_pin(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

uint64_t vmadj_bench_now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t vmadj_bench_clock_step_ns(void)
{
	uint64_t least = STEP_MOST;

	for (int i = 0; i < STEPS; i++) {
		uint64_t start = vmadj_bench_now_ns(), now = start;

		while (now == start)
			now = vmadj_bench_now_ns();
		least = now - start < least ? now - start : least;
	}
	return least;
}

void vmadj_bench_stop_on(const int *signals, size_t n)
{
	const struct sigaction on_stop = { .sa_handler = on_signal };
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < n; i++) {
		(void)sigaction(signals[i], &on_stop, NULL);
		(void)sigaddset(&set, signals[i]);
	}
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

bool vmadj_bench_stopped(void)
{
	return stopped;
}

int vmadj_bench_sleep_ms(unsigned int ms)
{
	uint64_t end = vmadj_bench_now_ns() + ms * NS_PER_MS;
	const struct timespec until = { (time_t)(end / NS_PER_S), (long)(end % NS_PER_S) };

	/* A child that ends interrupts a sleep too. */
	while (!stopped && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL))
		;
	return stopped ? -EINTR : 0;
}

static int wait_fd(int fd, unsigned int limit_s)
{
	uint64_t end = vmadj_bench_now_ns() + limit_s * NS_PER_S, now;
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	while (!stopped) {
		now = vmadj_bench_now_ns();
		if (now >= end)
			return -ETIMEDOUT;
		if (poll(&pfd, 1, (int)((end - now) / NS_PER_MS) + 1) > 0)
			return 0;
	}
	return -EINTR;
}

int vmadj_bench_wait(pid_t *child, unsigned int limit_s)
{
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, *child, 0);
	int status, err;

	if (fd < 0)
		return -errno;
	err = wait_fd(fd, limit_s);
	if (err)
		return err;
	if (waitpid(*child, &status, 0) < 0)
		return -errno;
	*child = 0;
	return status ? -EIO : 0;
}

void vmadj_bench_kill(pid_t *child)
{
	if (*child <= 0)
		return;
	(void)kill(*child, SIGKILL);
	while (waitpid(*child, NULL, 0) < 0 && errno == EINTR)
		;
	*child = 0;
}
