// SPDX-License-Identifier: GPL-2.0-only
/* served.c - the daemon itself, `vmadjust-bpf run`, with a configuration of the benchmark's */
#include "tools/bench/served.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tools/bench/bench.h"
#include "user/cmd/daemon_client.h"
#include "user/util/cleanup.h"
#include "user/util/file.h"

#define FAILED	 126   /* could not be started */
#define START_MS 30000 /* with its self-test, on a host with a thousand VMs */
#define STOP_MS	 30000
#define POLL_MS	 20

static int write_config(const struct vmadj_bench_served *served, const char *config)
{
	_cleanup_fclose_ FILE *to = NULL;
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/conf", served->dir);
	to = fopen(path, "we");
	if (!to)
		return -errno;
	(void)fprintf(to, "[daemon]\nstate_dir = %s/state\nrun_dir = %s/run\n%s", served->dir,
		      served->dir, config);
	return fflush(to) ? -EIO : 0;
}

static __attribute__((noreturn)) void served_main(const struct vmadj_bench_served *served,
						  const char *program)
{
	char config[96], log[96];
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC), out;

	(void)snprintf(config, sizeof(config), "%s/conf", served->dir);
	(void)snprintf(log, sizeof(log), "%s/log", served->dir);
	out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	/* As a service it is in no session with its VMs, and a terminal's Ctrl-C is not for it. */
	(void)setsid();
	(void)dup2(in, STDIN_FILENO);
	(void)dup2(out, STDOUT_FILENO);
	(void)dup2(out, STDERR_FILENO);
	(void)execl(program, "vmadjust-bpf", "run", "--config", config, (char *)NULL);
	_exit(FAILED);
}

/* The last that it said, for a reason. */
static int ended(struct vmadj_bench *bench, const struct vmadj_bench_served *served)
{
	char path[96], text[65536];
	ssize_t len;
	const char *last;

	(void)snprintf(path, sizeof(path), "%s/log", served->dir);
	len = vmadj_file_read(AT_FDCWD, path, text, sizeof(text));
	while (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	last = len > 0 ? strrchr(text, '\n') : NULL;
	return vmadj_bench_fail(bench, -EIO, "vmadjust-bpf run: %s",
				last	  ? last + 1
				: len > 0 ? text
					  : "it cannot be started");
}

static int wait_answers(struct vmadj_bench *bench, struct vmadj_bench_served *served)
{
	char path[96];
	int err = 0;

	(void)snprintf(path, sizeof(path), "%s/run/control.sock", served->dir);
	for (int ms = 0; ms < START_MS && !err; ms += POLL_MS) {
		served->socket = vmadj_daemon_connect(path);
		if (served->socket >= 0)
			return 0;
		if (waitpid(served->pid, NULL, WNOHANG) == served->pid) {
			served->pid = 0;
			return ended(bench, served);
		}
		err = vmadj_bench_sleep_ms(POLL_MS);
	}
	return err ? err : vmadj_bench_fail(bench, -ETIMEDOUT, "vmadjust-bpf run does not answer");
}

int vmadj_bench_served_start(struct vmadj_bench *bench, const char *config,
			     struct vmadj_bench_served *ret_served)
{
	struct vmadj_bench_served served = { .socket = -1, .dir = "/tmp/vmadj-bench-XXXXXX" };
	char program[512];
	int err = vmadj_bench_output("vmadjust-bpf", program, sizeof(program));

	if (err)
		return err;
	if (!mkdtemp(served.dir))
		return -errno;
	err = write_config(&served, config);
	if (!err) {
		served.pid = fork();
		if (!served.pid)
			served_main(&served, program);
		err = served.pid < 0 ? -errno : wait_answers(bench, &served);
	}
	if (err) {
		(void)vmadj_bench_served_stop(&served);
	} else {
		*ret_served = served;
	}
	return err;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* Return: its exit status; a signal that ended it counts as one. */
static int wait_end(pid_t pid)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	int status = 1;

	for (int ms = 0; ms < STOP_MS; ms += POLL_MS) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		(void)nanosleep(&pause, NULL);
	}
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, &status, 0);
	return status;
}

int vmadj_bench_served_stop(struct vmadj_bench_served *served)
{
	int status = 0;

	if (served->pid > 0) {
		(void)kill(served->pid, SIGTERM);
		status = wait_end(served->pid);
	}
	if (served->dir[0]) {
		if (served->socket >= 0)
			(void)close(served->socket);
		(void)nftw(served->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	}
	*served = (struct vmadj_bench_served){ .socket = -1 };
	return status ? -EIO : 0;
}

int vmadj_bench_served_ask(struct vmadj_bench *bench, struct vmadj_bench_served *served,
			   const char *verb, const char *vm, json_t **ret_answer)
{
	json_t *request = json_pack("{s:s, s:s*}", "verb", verb, "vm", vm), *answer = NULL;
	int err = request ? vmadj_daemon_request(served->socket, request, &answer) : -ENOMEM;
	const char *error;

	json_decref(request);
	if (err)
		return vmadj_bench_fail(bench, err, "ctl %s: %s", verb, strerror(-err));
	if (json_is_true(json_object_get(answer, "ok"))) {
		*ret_answer = answer;
		return 0;
	}
	error = json_string_value(json_object_get(answer, "error"));
	err = vmadj_bench_fail(bench, -EPROTO, "ctl %s: %s", verb, error ? error : "refused");
	json_decref(answer);
	return err;
}

int vmadj_bench_served_policy(const char *name, char *ret_path, size_t size)
{
	char file[128];

	(void)snprintf(file, sizeof(file), "%s.so", name);
	return vmadj_bench_output(file, ret_path, size);
}
