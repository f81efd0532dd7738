/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hostile.c - a policy that does what its parameter "how" says, from its tick "from" on
 *
 * System calls are made as such, so that each test knows which one it is.
 */
#include "tests/data/policies/hostile.h"

#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "policies/policy.h"
#include "user/policy/wire.h"

#define PRINTED_BYTES (1 << 20)

struct state {
	double how, from;
	unsigned int ticks;
};

static volatile int *nowhere;
static volatile unsigned int depth;

static void wish_each(const struct vmadj_policy_snapshot *now, struct vmadj_policy_wishes *wishes,
		      uint32_t knob, double value, const char *reason)
{
	for (uint32_t i = 0; i < now->n_vms; i++) {
		struct vmadj_policy_wish *wish = &wishes->wish[wishes->n++];

		memcpy(wish->vm, vmadj_policy_vm_at(now, i)->id, sizeof(wish->vm));
		wish->knob = knob;
		wish->value = value;
		memset(wish->reason, 0, sizeof(wish->reason));
		memcpy(wish->reason, reason, strlen(reason));
	}
}

__attribute__((noinline)) static unsigned int use_stack(unsigned int n)
{
	volatile char room[4096];

	if (depth > 0) /* never */
		return 0;
	room[n % sizeof(room)] = (char)n;
	return use_stack(n + 1) + (unsigned int)room[0];
}

static void use_memory(void)
{
	for (;;) {
		char *more = malloc(1 << 20);

		memset(more, 1, 1 << 20);
		__asm__ volatile("" : : "r"(more) : "memory"); /* it is used, compiler */
	}
}

static void send_answer(uint64_t seq)
{
	const struct vmadj_wire_answer answer = { .type = VMADJ_WIRE_ANSWER, .seq = seq };

	(void)!send(VMADJ_RUNNER_SOCKET_FD, &answer, sizeof(answer), 0);
}

static void send_ready(void)
{
	static struct vmadj_wire_ready ready = { .type = VMADJ_WIRE_READY };

	(void)!send(VMADJ_RUNNER_SOCKET_FD, &ready, sizeof(ready), 0);
}

static void make_call(enum hostile how)
{
	switch (how) {
	case HOSTILE_OPEN:
		(void)!syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
		break;
	case HOSTILE_SOCKET:
		(void)!syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0);
		break;
	case HOSTILE_FORK:
		(void)!syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
		break;
	case HOSTILE_THREAD:
		(void)!syscall(SYS_clone3, NULL, 0);
		break;
	case HOSTILE_EXEC:
		(void)!syscall(SYS_execve, "/bin/true", NULL, NULL);
		break;
	case HOSTILE_KILL: /* its own group, should it be let */
		(void)!syscall(SYS_kill, 0, SIGKILL);
		break;
	case HOSTILE_RAISE:
		(void)!syscall(SYS_tgkill, getpid(), getpid(), SIGSTOP);
		break;
	case HOSTILE_PTRACE:
		(void)!syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
		break;
	case HOSTILE_SIGACTION:
		(void)signal(SIGSEGV, SIG_IGN);
		break;
	case HOSTILE_MAP_CODE:
		(void)!mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		break;
	default:
		break;
	}
}

static void crash(enum hostile how)
{
	switch (how) {
	case HOSTILE_CRASH:
		*nowhere = 1;
		break;
	case HOSTILE_ABORT:
		abort();
	case HOSTILE_EXIT:
		_exit(7);
	case HOSTILE_STACK:
		(void)use_stack(0);
		break;
	case HOSTILE_LOOP:
		for (;;)
			depth++;
	case HOSTILE_MEMORY:
		use_memory();
		break;
	default:
		break;
	}
}

static void write_where_it_may_not(enum hostile how, const struct vmadj_policy_snapshot *now,
				   struct vmadj_policy_wishes *wishes)
{
	struct vmadj_policy_snapshot *its = (struct vmadj_policy_snapshot *)(uintptr_t)now;

	if (how == HOSTILE_WRITE_SNAPSHOT) {
		*(volatile uint32_t *)&its->n_vms = 0;
	} else if (how == HOSTILE_REMAP_SNAPSHOT) {
		if (mprotect(its, 4096, PROT_READ | PROT_WRITE) < 0)
			wish_each(now, wishes, VMADJ_KNOB_NONE, 0, "mprotect failed");
	}
}

static void wish_badly(enum hostile how, const struct vmadj_policy_snapshot *now,
		       struct vmadj_policy_wishes *wishes)
{
	switch (how) {
	case HOSTILE_MANY:
		for (uint32_t i = 0; i < 1000000; i++)
			vmadj_wish_nice(wishes, vmadj_policy_vm_at(now, 0), 1, "again");
		break;
	case HOSTILE_NAN:
		wish_each(now, wishes, VMADJ_KNOB_CPU, NAN, "not a number");
		break;
	case HOSTILE_INFINITE:
		wish_each(now, wishes, VMADJ_KNOB_CPU, INFINITY, "all of it");
		break;
	case HOSTILE_STRANGER:
		wish_each(now, wishes, VMADJ_KNOB_CPU, 1, "who?");
		memcpy(wishes->wish[0].vm, "1-1", 4);
		break;
	case HOSTILE_UNDECLARED:
		wish_each(now, wishes, VMADJ_KNOB_MEMORY, 1, "the other knob");
		break;
	case HOSTILE_NO_KNOB:
		wish_each(now, wishes, 64, 1, "no knob");
		break;
	case HOSTILE_UNTERMINATED:
		wish_each(now, wishes, VMADJ_KNOB_CPU, 1, "endless");
		memset(wishes->wish[0].reason, 'x', sizeof(wishes->wish[0].reason));
		break;
	case HOSTILE_ESCAPES:
		wish_each(now, wishes, VMADJ_KNOB_CPU, 1, "a\033[2Jb\nc");
		break;
	default:
		break;
	}
}

static void talk_badly(enum hostile how, const struct vmadj_policy_snapshot *now,
		       struct vmadj_policy_wishes *wishes)
{
	switch (how) {
	case HOSTILE_TWICE:
		send_answer(now->seq);
		break;
	case HOSTILE_WRONG_SEQ:
		wishes->seq++;
		break;
	case HOSTILE_GARBAGE:
		(void)!send(VMADJ_RUNNER_SOCKET_FD, "garbage", 7, 0);
		break;
	case HOSTILE_READY_AGAIN:
		send_ready();
		break;
	case HOSTILE_PRINTS:
		for (int i = 0; i < PRINTED_BYTES / 32; i++)
			(void)fprintf(stderr, "line %d \033[2J of too many...\n", i);
		break;
	default:
		break;
	}
}

static void say_who_it_is(const struct vmadj_policy_snapshot *now,
			  struct vmadj_policy_wishes *wishes)
{
	const struct vmadj_policy_vm *vm = vmadj_policy_vm_at(now, 0);

	vmadj_wish_nothing(wishes, vm, "env %d", getenv("PATH") != NULL);
	vmadj_wish_nothing(wishes, vm, "vms %u seq %u name %s cpu %g", now->n_vms,
			   (unsigned int)now->seq, vm->name, now->load15);
	printf("said who it is\n");
}

static void decide(void *state, const struct vmadj_policy_snapshot *now,
		   struct vmadj_policy_wishes *wishes)
{
	struct state *my = state;
	enum hostile how = (enum hostile)my->how;

	my->ticks++;
	if (how == HOSTILE_NOT || my->ticks < my->from) {
		wish_each(now, wishes, VMADJ_KNOB_CPU, 1, "all is well");
		return;
	}
	make_call(how);
	crash(how);
	write_where_it_may_not(how, now, wishes);
	wish_badly(how, now, wishes);
	talk_badly(how, now, wishes);
	if (how == HOSTILE_WHO_AM_I)
		say_who_it_is(now, wishes);
}

static const struct vmadj_policy_param params[] = {
	{ "how", VMADJ_PARAM_INT, offsetof(struct state, how), 0, 0, 100, NULL, "see hostile.h" },
	{ "from", VMADJ_PARAM_INT, offsetof(struct state, from), 1, 1, 1000, "ticks",
	  "from which tick on" },
	{ 0 },
};

const struct vmadj_policy_ops vmadj_policy = {
	VMADJ_POLICY_HEADER,	 .name = "hostile", .summary = "does what it may not \033[2J",
	.knobs = VMADJ_KNOB_CPU, .params = params,  .state_size = sizeof(struct state),
	.decide = decide,
};
