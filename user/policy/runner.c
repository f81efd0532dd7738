/* SPDX-License-Identifier: GPL-2.0-only */
/* runner.c - one policy in a process of its own: its life, as the daemon sees it */
#include "user/policy/runner.h"

#include <errno.h>
#include <math.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/policy/runner_private.h"
#include "user/snapshot/snapshot.h"
#include "user/util/cleanup.h"
#include "user/util/log.h"

#define USEC_PER_S	    1e6
#define TIMER_ACCURACY_USEC 1000
#define DEADLINE_S	    0.25
#define MEMORY_BYTES	    (64ULL << 20)
#define RESTART_S	    1
#define RESTART_MAX_TIMES   60 /* of the first delay */
#define LOAD_TIMES	    20 /* the deadline: for loading, which the host may have to read first */
#define SNAPSHOT_SIZE_MIN   65536
#define LAST_PRINTS_MAX	    16 /* readings of what it printed before it ended */

VMADJ_DEFINE_CLEANUP(struct vmadj_runner, vmadj_runner_free)

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata);

static int set_timer(struct vmadj_runner *runner, double seconds)
{
	runner->timer = sd_event_source_disable_unref(runner->timer);
	return sd_event_add_time_relative(runner->event, &runner->timer, CLOCK_MONOTONIC,
					  (uint64_t)(seconds * USEC_PER_S), TIMER_ACCURACY_USEC,
					  on_timer, runner);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static const struct vmadj_runner_process no_process = { .pidfd = -1, .socket = -1, .prints = -1 };

/* The process must have been waited for, or never have been started. */
static void forget_process(struct vmadj_runner *runner)
{
	struct vmadj_runner_process *process = &runner->process;

	(void)sd_event_source_disable_unref(process->exit_source);
	(void)sd_event_source_disable_unref(process->socket_source);
	(void)sd_event_source_disable_unref(process->prints_source);
	close_fd(&process->pidfd);
	close_fd(&process->socket);
	close_fd(&process->prints);
	*process = no_process;
}

static void kill_and_wait(struct vmadj_runner *runner)
{
	if (runner->process.pid > 0) {
		(void)kill(runner->process.pid, SIGKILL);
		while (waitpid(runner->process.pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	forget_process(runner);
}

static const char *name_of(const struct vmadj_runner *runner)
{
	return runner->info.name[0] ? runner->info.name : runner->file;
}

/* There is no process any more. The runner may be gone afterwards. */
static void fail(struct vmadj_runner *runner, const char *why, bool permanent)
{
	runner->timer = sd_event_source_disable_unref(runner->timer);
	(void)vmadj_escape(why, runner->why, sizeof(runner->why));
	runner->good_ticks = 0;
	runner->failures++;
	runner->state = permanent || runner->trial || runner->failures >= VMADJ_RUNNER_FAILURES_MAX
				? VMADJ_RUNNER_DISABLED
				: VMADJ_RUNNER_WAITING;
	if (runner->state == VMADJ_RUNNER_WAITING && set_timer(runner, runner->next_restart_s) < 0)
		runner->state = VMADJ_RUNNER_DISABLED;
	if (runner->state == VMADJ_RUNNER_WAITING) {
		log_warning("policy %s: %s; it is started again in %g s", name_of(runner),
			    runner->why, runner->next_restart_s);
		runner->next_restart_s =
			fmin(runner->next_restart_s * 2, runner->restart_s * RESTART_MAX_TIMES);
	} else if (!runner->trial) {
		log_err("policy %s is disabled until it is loaded anew: %s%s", name_of(runner),
			runner->why, permanent ? "" : " (it failed too often)");
	}
	if (runner->events.failed)
		runner->events.failed(runner->userdata, runner, runner->why);
}

void vmadj_runner_end(struct vmadj_runner *runner, const char *why)
{
	struct vmadj_runner_process *process = &runner->process;

	runner->timer = sd_event_source_disable_unref(runner->timer);
	process->socket_source = sd_event_source_disable_unref(process->socket_source);
	(void)snprintf(process->ending, sizeof(process->ending), "%s", why);
	(void)kill(process->pid, SIGKILL);
}

static void explain_trouble(const struct vmadj_runner *runner, char *why, size_t size)
{
	const struct vmadj_wire_trouble *trouble = &runner->process.trouble;
	_cleanup_free_ char *call = NULL;

	if (trouble->out_of_memory) {
		(void)snprintf(why, size, "ran out of memory, its limit is %llu MiB",
			       (unsigned long long)(runner->hello.memory_bytes >> 20));
		return;
	}
	call = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, trouble->syscall);
	(void)snprintf(why, size, "made the system call %s, which policies may not make",
		       call ? call : "with a number that does not exist");
}

static void explain_end(const struct vmadj_runner *runner, const siginfo_t *info, char *why,
			size_t size)
{
	const struct vmadj_runner_process *process = &runner->process;
	const char *name = sigabbrev_np(info->si_status);

	if (process->ending[0]) {
		(void)snprintf(why, size, "%s", process->ending);
	} else if (process->trouble.out_of_memory || process->trouble.signal == SIGSYS) {
		explain_trouble(runner, why, size);
	} else if (info->si_code != CLD_EXITED) {
		(void)snprintf(why, size, "crashed: SIG%s", name ? name : "?");
	} else if (info->si_status == VMADJ_RUNNER_EXIT_NOT_EXECUTED) {
		(void)snprintf(why, size, "its process cannot be executed");
	} else {
		(void)snprintf(why, size, "ended by itself with exit status %d", info->si_status);
	}
}

static int on_exit_(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct vmadj_runner *runner = userdata;
	char why[VMADJ_RUNNER_WHY_MAX];
	siginfo_t info = { 0 };
	bool unusable;

	(void)source;
	(void)fd;
	(void)revents;
	if (waitid(P_PID, (id_t)runner->process.pid, &info, WEXITED | WNOHANG) == 0 &&
	    info.si_pid == 0)
		return 0;
	for (int i = 0; i < LAST_PRINTS_MAX && vmadj_runner_read_prints(runner); i++)
		;
	explain_end(runner, &info, why, sizeof(why));
	unusable = runner->process.unusable;
	forget_process(runner);
	fail(runner, why, unusable);
	return 0;
}

static int on_prints(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct vmadj_runner *runner = userdata;

	(void)source;
	(void)fd;
	(void)revents;
	if (!vmadj_runner_read_prints(runner)) {
		runner->process.prints_source =
			sd_event_source_disable_unref(runner->process.prints_source);
	}
	return 0;
}

/* --- start and deadline -------------------------------------------------- */

static int watch_process(struct vmadj_runner *runner)
{
	struct vmadj_runner_process *process = &runner->process;
	int err = sd_event_add_io(runner->event, &process->socket_source, process->socket, EPOLLIN,
				  vmadj_runner_on_socket, runner);

	if (err >= 0) {
		err = sd_event_add_io(runner->event, &process->prints_source, process->prints,
				      EPOLLIN, on_prints, runner);
	}
	if (err >= 0) {
		err = sd_event_add_io(runner->event, &process->exit_source, process->pidfd, EPOLLIN,
				      on_exit_, runner);
	}
	/* Its last messages say why it ended. */
	if (err >= 0) {
		err = sd_event_source_set_priority(process->exit_source,
						   SD_EVENT_PRIORITY_NORMAL + 1);
	}
	if (err >= 0)
		err = set_timer(runner, runner->deadline_s * LOAD_TIMES);
	return err < 0 ? err : 0;
}

static void start(struct vmadj_runner *runner)
{
	char why[VMADJ_RUNNER_WHY_MAX] = "";
	bool permanent = false;
	int err;

	runner->state = VMADJ_RUNNER_STARTING;
	runner->snapshot_sent = false;
	err = vmadj_runner_spawn(runner, why, sizeof(why), &permanent);
	if (!err) {
		err = watch_process(runner);
		(void)snprintf(why, sizeof(why), "it cannot be watched: %s", strerror(-err));
	}
	if (err) {
		kill_and_wait(runner);
		fail(runner, why, permanent);
	}
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct vmadj_runner *runner = userdata;
	char why[64];

	(void)source;
	(void)usec;
	if (runner->process.pid == 0) {
		start(runner);
		return 0;
	}
	if (runner->state == VMADJ_RUNNER_STARTING) {
		(void)snprintf(why, sizeof(why), "was not loaded within %g s",
			       runner->deadline_s * LOAD_TIMES);
	} else {
		(void)snprintf(why, sizeof(why), "did not answer within %g s", runner->deadline_s);
	}
	vmadj_runner_end(runner, why);
	return 0;
}

/* --- public -------------------------------------------------------------- */

static int copy_params(const struct vmadj_runner_options *options, struct vmadj_wire_hello *hello)
{
	size_t used = 0;

	for (size_t i = 0; i < options->n_params; i++) {
		const struct vmadj_runner_param *param = &options->params[i];
		size_t name = strlen(param->name) + 1, value = strlen(param->value) + 1;

		if (name + value > sizeof(hello->params) - used)
			return -E2BIG;
		memcpy(hello->params + used, param->name, name);
		memcpy(hello->params + used + name, param->value, value);
		used += name + value;
	}
	hello->n_params = (uint32_t)options->n_params;
	return 0;
}

static int set_options(struct vmadj_runner *runner, const struct vmadj_runner_options *options)
{
	runner->file = strdup(options->file);
	runner->user = strdup(options->user ? options->user : "nobody");
	runner->copy = calloc(VMADJ_RUNNER_WISHES_MAX, sizeof(*runner->copy));
	if (!runner->file || !runner->user || !runner->copy)
		return -ENOMEM;
	runner->trial = options->trial;
	runner->deadline_s = options->deadline_s > 0 ? options->deadline_s : DEADLINE_S;
	runner->restart_s = options->restart_s > 0 ? options->restart_s : RESTART_S;
	runner->next_restart_s = runner->restart_s;
	runner->hello.type = VMADJ_WIRE_HELLO;
	runner->hello.daemon_pid = getpid();
	runner->hello.memory_bytes = options->memory_bytes ? options->memory_bytes : MEMORY_BYTES;
	return copy_params(options, &runner->hello);
}

int vmadj_runner_new(sd_event *event, const struct vmadj_runner_options *options,
		     const struct vmadj_runner_events *events, void *userdata,
		     struct vmadj_runner **ret_runner)
{
	_cleanup_(vmadj_runner_freep) struct vmadj_runner *runner = calloc(1, sizeof(*runner));
	int err;

	if (!runner)
		return -ENOMEM;
	runner->policy_fd = -1;
	runner->process = no_process;
	runner->event = sd_event_ref(event);
	runner->events = *events;
	runner->userdata = userdata;
	err = set_options(runner, options);
	if (!err)
		err = vmadj_shared_open(VMADJ_WIRE_WISHES_SIZE, false, &runner->wishes);
	/* From the event loop: what is wrong with the file is told like every other failure. */
	if (!err)
		err = set_timer(runner, 0);
	if (err < 0)
		return err; /* NOLINT(clang-analyzer-unix.Malloc): it does not know cleanup */
	*ret_runner = vmadj_steal(runner);
	return 0;
}

void vmadj_runner_free(struct vmadj_runner *runner)
{
	if (!runner)
		return;
	(void)sd_event_source_disable_unref(runner->timer);
	kill_and_wait(runner);
	vmadj_shared_close(&runner->snapshot);
	vmadj_shared_close(&runner->wishes);
	close_fd(&runner->policy_fd);
	(void)sd_event_unref(runner->event);
	free(runner->copy);
	free(runner->file);
	free(runner->user);
	free(runner);
}

enum vmadj_runner_state vmadj_runner_state(const struct vmadj_runner *runner)
{
	return runner->state;
}

const struct vmadj_runner_info *vmadj_runner_info(const struct vmadj_runner *runner)
{
	return &runner->info;
}

const char *vmadj_runner_why(const struct vmadj_runner *runner)
{
	return runner->why;
}

pid_t vmadj_runner_pid(const struct vmadj_runner *runner)
{
	return runner->process.pid;
}

/* Makes the shared snapshot large enough; the process gets another one with the next message. */
static int write_snapshot(struct vmadj_runner *runner, const struct vmadj_snapshot *snapshot,
			  uint64_t seq)
{
	struct vmadj_shared *shared = &runner->snapshot;
	size_t needed = vmadj_policy_snapshot_write(snapshot, seq, shared->map,
						    shared->map ? shared->size : 0);
	int err;

	if (!shared->map || needed > shared->size) {
		struct vmadj_shared larger;

		err = vmadj_shared_open(needed * 2 + SNAPSHOT_SIZE_MIN, true, &larger);
		if (err)
			return err;
		vmadj_shared_close(shared);
		*shared = larger;
		runner->snapshot_sent = false;
		(void)vmadj_policy_snapshot_write(snapshot, seq, shared->map, shared->size);
	}
	if (runner->trial)
		((struct vmadj_policy_snapshot *)shared->map)->monotonic_s = snapshot->time_unix_s;
	return 0;
}

int vmadj_runner_feed(struct vmadj_runner *runner, const struct vmadj_snapshot *snapshot,
		      uint64_t seq)
{
	struct vmadj_wire_feed feed = { .type = VMADJ_WIRE_FEED, .seq = seq };
	int err;

	if (runner->state != VMADJ_RUNNER_READY || runner->process.ending[0])
		return -EBUSY;
	err = write_snapshot(runner, snapshot, seq);
	if (err)
		return err;
	feed.size = (uint32_t)runner->snapshot.size;
	/* When it has just ended, that is heard of soon. */
	if (vmadj_runner_send(runner->process.socket, &feed, sizeof(feed),
			      runner->snapshot_sent ? -1 : runner->snapshot.fd))
		return -EBUSY;
	err = set_timer(runner, runner->deadline_s);
	if (err < 0)
		return err;
	runner->snapshot_sent = true;
	runner->seq = seq;
	runner->state = VMADJ_RUNNER_BUSY;
	return 0;
}
