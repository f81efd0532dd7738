/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kvmvm_vcpu.h - a vCPU and its thread
 *
 * Ownership: the descriptor and the page shared with KVM belong to the thread.
 */
#ifndef VMADJ_LAB_KVMVM_VCPU_H
#define VMADJ_LAB_KVMVM_VCPU_H

#include <linux/kvm.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kvmvm_guest.h"
#include "kvmvm_regs.h"
#include "kvmvm_util.h"

#define VCPUS_MAX    64
#define LAB_BALL_IN  3
#define LAB_BALL_OUT 4

struct vcpu {
	struct vm *vm;
	unsigned int index;
	int fd;
	struct kvm_run *run;
	pthread_t thread;
	atomic_int tid; /* 0 until the thread runs */
	atomic_bool stop;
	atomic_bool stopped;
};

struct vm {
	const char *name;
	const struct lab_load *load;
	unsigned int period_ms; /* of timed loads */
	int cpu;		/* -1: not pinned */
	bool thread_names;
	int kvm_fd, fd;
	int run_size;
	uint8_t *mem;
	unsigned int nr_vcpus;
	struct vcpu vcpus[VCPUS_MAX];
};

/* pthread_kill() ends KVM_RUN and sleeps with EINTR; there is nothing else to do */
static inline void on_kick(int signo)
{
	(void)signo;
}

/* Whoever wrote the ball gets it back; without one there is nothing to do. */
static inline void pass_ball(void)
{
	char ball;

	if (read(LAB_BALL_IN, &ball, 1) != 1 || write(LAB_BALL_OUT, &ball, 1) != 1)
		pause();
}

static inline void vcpu_exit_io(uint16_t port, unsigned int nr)
{
	if (port == LAB_PORT_PASS)
		pass_ball();
	else if (port == LAB_PORT_SPIN)
		burn_ns(NSEC_MSEC);
	else if (nr % 2)
		burn_ns(300000);
	else
		sleep_ms(1);
}

static inline void vcpu_run(struct vcpu *vcpu)
{
	unsigned int nr_exits = 0;

	while (!vcpu->stop) {
		if (ioctl(vcpu->fd, KVM_RUN, 0)) {
			if (errno != EINTR && errno != EAGAIN)
				die("KVM_RUN");
			continue;
		}
		if (vcpu->run->exit_reason == KVM_EXIT_IO)
			vcpu_exit_io(vcpu->run->io.port, nr_exits++);
		else if (vcpu->run->exit_reason != KVM_EXIT_INTR)
			die("vCPU %u stopped, exit reason %u", vcpu->index, vcpu->run->exit_reason);
	}
}

/* A vCPU thread outlives its vCPU, asleep: its thread id must stop counting as one. */
static inline void *vcpu_thread(void *arg)
{
	struct vcpu *vcpu = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	if (vcpu->vm->cpu >= 0) {
		CPU_SET((size_t)vcpu->vm->cpu, &set);
		if (sched_setaffinity(0, sizeof(set), &set))
			die("CPU %d", vcpu->vm->cpu);
	}
	vcpu->tid = (int)syscall(SYS_gettid);
	vcpu_run(vcpu);
	munmap(vcpu->run, (size_t)vcpu->vm->run_size);
	close(vcpu->fd);
	vcpu->stopped = true;
	for (;;)
		pause();
	return NULL;
}

#endif
