// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - vmadjust-guest: tells the host of this virtual machine what its memory is used for
 *
 * Over a virtio-serial port, line by line: docs/guest-protocol.md.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "user/agent/agent.h"
#include "user/agent/options.h"
#include "user/util/cleanup.h"
#include "user/util/log.h"
#include "user/util/version.h"

VMADJ_DEFINE_CLEANUP(struct vmadj_agent, vmadj_agent_free)

static __attribute__((format(printf, 2, 0))) int from_libbpf(enum libbpf_print_level level,
							     const char *fmt, va_list args)
{
	(void)level;
	vmadj_logv(LOG_DEBUG, fmt, args);
	return 0;
}

static int print_once(struct vmadj_agent *agent)
{
	_cleanup_free_ char *line = NULL;
	size_t len;
	int err = vmadj_agent_once(agent, &line, &len);

	if (!err && (fwrite(line, 1, len, stdout) != len || fflush(stdout)))
		err = -errno;
	return err;
}

static int agent_main(const struct vmadj_guest_options *options)
{
	_cleanup_(vmadj_agent_freep) struct vmadj_agent *agent = NULL;
	int err = vmadj_agent_new(options->port, options->interval_ms, &agent);

	if (!err) {
		err = options->mode == VMADJ_GUEST_ONCE ? print_once(agent)
							: vmadj_agent_run(agent);
	}
	if (err)
		log_err("%s", strerror(-err));
	return err ? VMADJ_GUEST_FAILED : VMADJ_GUEST_DONE;
}

int main(int argc, char **argv)
{
	struct vmadj_guest_options options;

	vmadj_log_set_program("vmadjust-guest");
	libbpf_set_print(from_libbpf);
	(void)signal(SIGPIPE, SIG_IGN);
	if (vmadj_guest_options_read(argc, argv, &options))
		return VMADJ_GUEST_USAGE;
	switch (options.mode) {
	case VMADJ_GUEST_HELP:
		vmadj_guest_help(stdout);
		return VMADJ_GUEST_DONE;
	case VMADJ_GUEST_VERSION:
		(void)puts("vmadjust-guest " VMADJ_VERSION);
		return VMADJ_GUEST_DONE;
	default:
		return agent_main(&options);
	}
}
