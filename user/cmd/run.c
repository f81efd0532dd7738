/* SPDX-License-Identifier: GPL-2.0-only */
/* run.c - `vmadjust-bpf run`: the daemon */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "user/cmd/cmd.h"
#include "user/cmd/configured.h"
#include "user/cmd/exitcode.h"
#include "user/cmd/observe.h"
#include "user/cmd/options.h"
#include "user/cmd/run_check.h"
#include "user/daemon/daemon.h"
#include "user/observe/observer.h"
#include "user/util/log.h"

/* The event loop takes them from a descriptor, SIGHUP also where nohup(1) would ignore it. */
static void block_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

int vmadj_cmd_run(const struct vmadj_options *options)
{
	struct vmadj_daemon_options how = { .dry_run = options->dry_run };
	int err, status;

	block_signals();
	status = vmadj_configured(options, &how.config, &how.config_path);
	if (status)
		return status;
	if (options->check) {
		status = vmadj_run_check(how.config, how.config_path);
		vmadj_config_free(how.config);
		return status;
	}
	status = vmadj_observe(options, (enum vmadj_mode)how.config->mode, &how.observer);
	if (status) {
		vmadj_config_free(how.config);
	} else {
		err = vmadj_daemon_run(&how);
		status = err ? VMADJ_EXIT_FAILED : VMADJ_EXIT_DONE;
	}
	vmadj_observer_close(how.observer);
	return status;
}
