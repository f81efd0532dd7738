// SPDX-License-Identifier: GPL-2.0-only
/* sides.c - what is attached during one half of a pair; see pairs.h */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "user/bench/kmod.h"
#include "user/bench/meter.h"
#include "user/bench/pairs.h"
#include "user/observe/observer.h"
#include "user/observe/parts.h"

#define POLL_MS 1000

struct state {
	struct vmadj_bench_program empty;
	struct vmadj_observer *observer;
	pid_t poller;
};

static struct state *state_new(void **ret_state)
{
	struct state *state = calloc(1, sizeof(*state));

	if (state)
		state->empty = VMADJ_BENCH_NO_PROGRAM;
	*ret_state = state;
	return state;
}

static int state_close(void *priv)
{
	struct state *state = priv;

	if (!state)
		return 0;
	vmadj_bench_kill(&state->poller);
	vmadj_bench_program_close(&state->empty);
	vmadj_observer_close(state->observer);
	free(state);
	return 0;
}

static int empty_open(const struct vmadj_bench_pairs *pairs, void **ret_state)
{
	struct state *state = state_new(ret_state);

	(void)pairs;
	return state ? vmadj_bench_empty_open(&state->empty) : -ENOMEM;
}

static int observer_open(enum vmadj_mode mode, void **ret_state)
{
	const struct vmadj_observer_options options = { .mode = mode, .self_test = false };
	struct state *state = state_new(ret_state);
	int err = state ? vmadj_observer_open(&options, &state->observer) : -ENOMEM;

	if (err)
		return err;
	return vmadj_observer_running(state->observer) ? 0 : -ENOTSUP;
}

static int trace_open(const struct vmadj_bench_pairs *pairs, void **ret_state)
{
	(void)pairs;
	return observer_open(VMADJ_MODE_TRACE, ret_state);
}

/* It looks while the load runs, which this process waits for. */
static __attribute__((noreturn)) void poller_main(struct vmadj_observer *observer)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!vmadj_observer_poll(observer) && !vmadj_bench_sleep_ms(POLL_MS))
		;
	_exit(0);
}

static int poll_open(const struct vmadj_bench_pairs *pairs, void **ret_state)
{
	int err = observer_open(VMADJ_MODE_POLL, ret_state);
	struct state *state = *ret_state;

	(void)pairs;
	if (err)
		return err;
	state->poller = fork();
	if (!state->poller)
		poller_main(state->observer);
	if (state->poller < 0) {
		state->poller = 0;
		return -errno;
	}
	return 0;
}

/* The state is the module, once it is loaded: one that somebody else has loaded stays. */
static int kmod_open(struct vmadj_bench_kmod *kmod, const char *params, void **ret_state)
{
	int err = vmadj_bench_kmod_load(kmod, params);

	*ret_state = err ? NULL : kmod;
	return err;
}

static int kmod_trace_open(const struct vmadj_bench_pairs *pairs, void **ret_state)
{
	return kmod_open(pairs->kmod, "mode=trace", ret_state);
}

static int kmod_poll_open(const struct vmadj_bench_pairs *pairs, void **ret_state)
{
	return kmod_open(pairs->kmod, "mode=poll", ret_state);
}

static int kmod_close(void *state)
{
	return state ? vmadj_bench_kmod_unload(state) : 0;
}

const struct vmadj_bench_side vmadj_bench_nothing = { NULL, NULL };
const struct vmadj_bench_side vmadj_bench_empty = { empty_open, state_close };
const struct vmadj_bench_side vmadj_bench_trace = { trace_open, state_close };
const struct vmadj_bench_side vmadj_bench_poll = { poll_open, state_close };
const struct vmadj_bench_side vmadj_bench_kmod_trace = { kmod_trace_open, kmod_close };
const struct vmadj_bench_side vmadj_bench_kmod_poll = { kmod_poll_open, kmod_close };
