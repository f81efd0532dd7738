// SPDX-License-Identifier: GPL-2.0-only
/* cli.c - the program itself, `vmadjust-bpf dump --json`, as somebody would run it */
#include "tools/bench/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>

#include "tools/bench/bench.h"
#include "user/util/cleanup.h"

#define NOBODY 65534
#define FAILED 126 /* could not be started */

static const int wanted_caps[] = { CAP_BPF, CAP_PERFMON };

#define WANTED (sizeof(wanted_caps) / sizeof(wanted_caps[0]))

static int open_program(int *ret_fd)
{
	char path[512];
	int fd, err = vmadj_bench_output("vmadjust-bpf", path, sizeof(path));

	if (err)
		return err;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

static int keep_caps(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	for (size_t i = 0; i < WANTED; i++) {
		uint32_t bit = CAP_TO_MASK(wanted_caps[i]);

		data[CAP_TO_INDEX(wanted_caps[i])].permitted |= bit;
		data[CAP_TO_INDEX(wanted_caps[i])].effective |= bit;
		data[CAP_TO_INDEX(wanted_caps[i])].inheritable |= bit;
	}
	if (syscall(SYS_capset, &header, data))
		return -errno;
	for (size_t i = 0; i < WANTED; i++) {
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, wanted_caps[i], 0, 0))
			return -errno;
	}
	return 0;
}

static int become_nobody(void)
{
	if (prctl(PR_SET_KEEPCAPS, 1) || setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		return -errno;
	return keep_caps();
}

static __attribute__((noreturn)) void cli_main(int program, int out, bool unprivileged)
{
	char *const argv[] = { "vmadjust-bpf", "dump", "--json", NULL };
	int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
	if (unprivileged && become_nobody())
		_exit(FAILED);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)dup2(nowhere, STDIN_FILENO);
	(void)dup2(out, STDOUT_FILENO);
	(void)dup2(nowhere, STDERR_FILENO);
	(void)fexecve(program, argv, environ);
	_exit(FAILED);
}

int vmadj_bench_cli_start(bool unprivileged, struct vmadj_bench_cli *ret_cli)
{
	_cleanup_close_ int program = -1, in = -1, out = -1;
	struct vmadj_bench_cli cli;
	int fds[2], err = open_program(&program);

	if (err)
		return err;
	if (unprivileged && geteuid())
		return -EPERM;
	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	in = fds[0];
	out = fds[1];
	cli.out = fdopen(in, "r");
	if (!cli.out)
		return -errno;
	(void)vmadj_steal_fd(&in);
	cli.pid = fork();
	if (!cli.pid)
		cli_main(program, out, unprivileged);
	if (cli.pid < 0) {
		err = -errno;
		(void)fclose(cli.out);
		return err;
	}
	*ret_cli = cli;
	return 0;
}

void vmadj_bench_cli_stop(struct vmadj_bench_cli *cli)
{
	if (cli->pid > 0) {
		(void)kill(cli->pid, SIGTERM);
		while (waitpid(cli->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (cli->out)
		(void)fclose(cli->out);
	*cli = (struct vmadj_bench_cli){ 0 };
}

int vmadj_bench_cli_read(struct vmadj_bench_cli *cli, json_t **ret_sample)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	json_t *sample;

	if (getline(&line, &size, cli->out) < 0)
		return -EPIPE;
	sample = json_loads(line, 0, NULL);
	if (!sample)
		return -EBADMSG;
	*ret_sample = sample;
	return 0;
}
