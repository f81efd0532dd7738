// SPDX-License-Identifier: GPL-2.0-only
/*
 * inside_switch.c - instructions a context switch, with a vCPU and without
 *
 * A ball goes to a partner over a pipe and comes back: two switches a round. The partner is a
 * process, or the vCPU thread of a KVM guest that leaves the guest for each ball (kvmvm's load
 * "pass"). How many switches there were is what the kernel counts.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/bench/bench.h"
#include "tools/bench/overhead/inside.h"

#define WINDOWS	  200
#define ROUNDS	  50
#define WARM_UP	  500
#define SETTLE_MS 2500 /* until a tool has seen the VM */

struct partner {
	pid_t pid;
	int to, from; /* the ball */
	int hold;     /* the guest lives as long as this is open */
};

static void partner_stop(struct partner *partner)
{
	(void)kill(partner->pid, SIGKILL);
	(void)waitpid(partner->pid, NULL, 0);
	(void)close(partner->to);
	(void)close(partner->from);
	(void)close(partner->hold);
}

static __attribute__((noreturn)) void echo(int in, int out)
{
	char ball;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(in, &ball, 1) == 1 && write(out, &ball, 1) == 1)
		;
	_exit(1);
}

static __attribute__((noreturn)) void guest(int in, int out, int hold)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Above all numbers that are given away below. */
	in = fcntl(in, F_DUPFD, 10);
	out = fcntl(out, F_DUPFD, 10);
	(void)dup2(hold, STDIN_FILENO);
	(void)dup2(in, 3);
	(void)dup2(out, 4);
	(void)dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
	(void)execlp("kvmvm", "kvmvm", "--name", "pass", "--load", "pass", NULL);
	_exit(127);
}

static int partner_start(bool vcpu, struct partner *ret_partner)
{
	int there[2], back[2], hold[2];
	struct partner partner;

	if (pipe2(there, O_CLOEXEC) || pipe2(back, O_CLOEXEC) || pipe2(hold, O_CLOEXEC))
		return -errno;
	partner = (struct partner){ .to = there[1], .from = back[0], .hold = hold[1] };
	partner.pid = fork();
	if (partner.pid < 0)
		return -errno;
	if (!partner.pid && vcpu)
		guest(there[0], back[1], hold[0]);
	if (!partner.pid)
		echo(there[0], back[1]);
	(void)close(there[0]);
	(void)close(back[1]);
	(void)close(hold[0]);
	*ret_partner = partner;
	return 0;
}

static int play(const struct partner *partner, unsigned int rounds)
{
	char ball = 0;

	for (unsigned int i = 0; i < rounds; i++) {
		if (write(partner->to, &ball, 1) != 1 || read(partner->from, &ball, 1) != 1)
			return -EPIPE;
	}
	return 0;
}

/* How often this process has left its CPU. */
static double left(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_nvcsw + (double)usage.ru_nivcsw;
}

/* One CPU, two who run: who leaves it comes back, with another switch. */
static int window(const struct partner *partner, struct vmadj_bench_series *series)
{
	double before = left(), switches;
	uint64_t start = vmadj_inside_now(), end;
	int err = play(partner, ROUNDS);

	end = vmadj_inside_now();
	switches = 2 * (left() - before);
	if (!err && switches < ROUNDS)
		return -ENODATA;
	vmadj_bench_series_add(series, (double)(end - start) / switches);
	return err;
}

static int seen(const struct vmadj_inside_running *running, uint64_t *ret_switches)
{
	struct vmadj_inside_sample sample = { 0 };
	int err = 0;

	if (running->tool->kind == VMADJ_INSIDE_OURS)
		err = vmadj_inside_ours_sample(running, &sample);
	else if (running->tool->kind == VMADJ_INSIDE_MODULE)
		err = vmadj_inside_module_sample(&sample);
	*ret_switches = sample.switches;
	return err;
}

/* A tool that did not see the switches did not pay for them. */
static int check_seen(const struct vmadj_inside_running *running, uint64_t before)
{
	uint64_t after;
	int err;

	if (running->tool->kind != VMADJ_INSIDE_OURS && running->tool->kind != VMADJ_INSIDE_MODULE)
		return 0;
	(void)vmadj_bench_sleep_ms(SETTLE_MS); /* who polls has looked again */
	err = seen(running, &after);
	if (!err && after - before < (uint64_t)WINDOWS * ROUNDS) {
		(void)fprintf(stderr, "%s: saw %llu of the vCPU's switches\n", running->tool->name,
			      (unsigned long long)(after - before));
		return -ENODATA;
	}
	return err;
}

static int measure(const struct vmadj_inside_running *running, bool vcpu)
{
	struct vmadj_bench_series series = { 0 };
	struct partner partner = { 0 };
	uint64_t before = 0;
	int err = partner_start(vcpu, &partner);

	if (err)
		return err;
	err = play(&partner, WARM_UP);
	(void)vmadj_bench_sleep_ms(SETTLE_MS);
	if (!err && vcpu)
		err = seen(running, &before);
	for (int i = 0; i < WINDOWS && !err; i++)
		err = window(&partner, &series);
	if (!err && vcpu)
		err = check_seen(running, before);
	partner_stop(&partner);
	if (!err) {
		vmadj_inside_figure(running, vcpu ? "switch_vcpu" : "switch",
				    vmadj_bench_series_at(&series, 0.5));
	}
	return err;
}

int vmadj_inside_switch(const struct vmadj_inside_running *running)
{
	int err = measure(running, false);

	return err ? err : measure(running, true);
}
