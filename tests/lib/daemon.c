// SPDX-License-Identifier: GPL-2.0-only
/* daemon.c - `vmadjust-bpf run` as a user runs it, with folders of its own */
#include "tests/lib/daemon.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/cmd/daemon_client.h"
#include "user/cmd/exitcode.h"
#include "user/util/cleanup.h"
#include "user/util/file.h"

#define RUNS_MAX 8
#define START_S	 30
#define LOG_MAX	 (1 << 20)

struct vmadj_run {
	char dir[64], config[96], socket[96], log[96];
	pid_t pid; /* 0: it does not run */
	FILE *watch;
	char text[LOG_MAX];
};

static struct vmadj_run *runs[RUNS_MAX];

static double now_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void nap(void)
{
	const struct timespec pause = { .tv_nsec = 20000000 };

	(void)nanosleep(&pause, NULL);
}

static const char *output(void)
{
	const char *dir = getenv("O");

	return dir ? dir : "build";
}

static pid_t start_program(struct vmadj_run *run, const char *command)
{
	pid_t parent = getpid(), pid = fork();
	char program[4096];
	int log;

	if (pid)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	log = open(run->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (getppid() != parent || log < 0)
		_exit(127);
	(void)dup2(log, STDERR_FILENO);
	(void)snprintf(program, sizeof(program), "%s/vmadjust-bpf", output());
	execl(program, program, "-v", command, "-c", run->config, NULL);
	_exit(127);
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

const char *vmadj_run_log(struct vmadj_run *run)
{
	(void)vmadj_file_read(AT_FDCWD, run->log, run->text, sizeof(run->text));
	return run->text;
}

static void wait_until_ready(struct vmadj_run *run)
{
	double until_s = now_s() + START_S;
	int fd = -1;

	while (fd < 0 && now_s() < until_s) {
		int status;

		if (waitpid(run->pid, &status, WNOHANG) == run->pid) {
			run->pid = 0;
			if (WIFEXITED(status) && WEXITSTATUS(status) == VMADJ_EXIT_CANNOT_OBSERVE)
				cr_skip_test("VMs cannot be observed here");
			cr_fatal("it ended: %s", vmadj_run_log(run));
		}
		fd = vmadj_daemon_connect(run->socket);
		if (fd < 0)
			nap();
	}
	if (fd < 0)
		cr_fatal("it does not answer: %s", vmadj_run_log(run));
	(void)close(fd);
}

static void write_config(const struct vmadj_run *run, const char *keys, const char *config)
{
	_cleanup_free_ char *policies = NULL, *full = NULL;
	_cleanup_fclose_ FILE *out = fopen(run->config, "w");

	if (!out || asprintf(&policies, "%s/tests/policies", output()) < 0)
		cr_fatal("%s: %m", run->config);
	full = canonicalize_file_name(policies);
	(void)fprintf(out,
		      "[daemon]\nstate_dir = %s/state\nrun_dir = %s/run\npolicy_dir = %s\n%s"
		      "[vm *]\nmanage = no\n%s",
		      run->dir, run->dir, full, keys, config);
}

void vmadj_run_again(struct vmadj_run *run)
{
	run->pid = start_program(run, "run");
	if (run->pid < 0)
		cr_fatal("fork: %m");
	wait_until_ready(run);
}

struct vmadj_run *vmadj_run_start(const char *config)
{
	return vmadj_run_start_with("", config);
}

struct vmadj_run *vmadj_run_start_with(const char *keys, const char *config)
{
	struct vmadj_run *run = calloc(1, sizeof(*run));
	size_t i;

	for (i = 0; i < RUNS_MAX && runs[i]; i++)
		;
	if (!run || i == RUNS_MAX)
		cr_fatal("too many daemons");
	(void)snprintf(run->dir, sizeof(run->dir), "/tmp/vmadj-run.XXXXXX");
	if (!mkdtemp(run->dir))
		cr_fatal("%s: %m", run->dir);
	runs[i] = run;
	(void)snprintf(run->config, sizeof(run->config), "%s/conf", run->dir);
	(void)snprintf(run->log, sizeof(run->log), "%s/log", run->dir);
	(void)snprintf(run->socket, sizeof(run->socket), "%s/run/control.sock", run->dir);
	write_config(run, keys, config);
	vmadj_run_again(run);
	return run;
}

void vmadj_run_reload(struct vmadj_run *run, const char *keys, const char *config)
{
	write_config(run, keys, config);
	(void)kill(run->pid, SIGHUP);
}

pid_t vmadj_run_pid(const struct vmadj_run *run)
{
	return run->pid;
}

int vmadj_run_end(struct vmadj_run *run, int sig)
{
	pid_t pid = run->pid;

	if (run->watch)
		(void)fclose(run->watch);
	run->watch = NULL;
	run->pid = 0;
	(void)kill(pid, sig);
	return wait_for(pid);
}

int vmadj_run_restore(struct vmadj_run *run)
{
	return wait_for(start_program(run, "restore"));
}

static void remove_folders(const struct vmadj_run *run)
{
	static const char *const names[] = { "state/ledger",
					     "state/ledger.lock",
					     "state/ledger.new",
					     "run/control.sock",
					     "state",
					     "run",
					     "conf",
					     "log" };
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", run->dir, names[i]);
		(void)remove(path);
	}
	(void)rmdir(run->dir);
}

void vmadj_run_end_all(void)
{
	for (size_t i = 0; i < RUNS_MAX && runs[i]; i++) {
		if (runs[i]->pid)
			(void)vmadj_run_end(runs[i], SIGKILL);
		remove_folders(runs[i]);
		free(runs[i]);
		runs[i] = NULL;
	}
}

json_t *vmadj_run_ask(struct vmadj_run *run, const char *request)
{
	_cleanup_close_ int fd = vmadj_daemon_connect(run->socket);
	json_t *asked = json_loads(request, 0, NULL), *answer = NULL;

	if (fd < 0 || !asked || vmadj_daemon_request(fd, asked, &answer))
		cr_fatal("no answer to %s: %s", request, vmadj_run_log(run));
	json_decref(asked);
	return answer;
}

bool vmadj_run_wait_log(struct vmadj_run *run, const char *text, double seconds)
{
	double until_s = now_s() + seconds;

	while (!strstr(vmadj_run_log(run), text)) {
		if (now_s() > until_s)
			return false;
		nap();
	}
	return true;
}

void vmadj_run_watch(struct vmadj_run *run)
{
	int fd = vmadj_daemon_connect(run->socket);
	json_t *request = json_pack("{s:s}", "verb", "watch"), *answer = NULL;

	if (fd < 0 || vmadj_daemon_request(fd, request, &answer))
		cr_fatal("it cannot be watched: %s", vmadj_run_log(run));
	json_decref(request);
	json_decref(answer);
	run->watch = fdopen(fd, "r");
}

json_t *vmadj_run_sample(struct vmadj_run *run, double *ret_waited_s)
{
	_cleanup_free_ char *line = NULL;
	double start_s = now_s();
	size_t size = 0;
	json_t *sample;

	if (getline(&line, &size, run->watch) <= 0)
		cr_fatal("no sample comes: %s", vmadj_run_log(run));
	*ret_waited_s = now_s() - start_s;
	sample = json_loads(line, 0, NULL);
	if (!sample)
		cr_fatal("a sample that is no JSON");
	return sample;
}

const json_t *vmadj_run_vm(const json_t *sample, const char *name)
{
	const json_t *vms = json_object_get(sample, "vms");

	for (size_t i = 0; i < json_array_size(vms); i++) {
		const json_t *vm = json_array_get(vms, i);
		const char *its = json_string_value(json_object_get(vm, "name"));

		if (its && !strcmp(its, name))
			return vm;
	}
	return NULL;
}
