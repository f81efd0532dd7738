/* SPDX-License-Identifier: GPL-2.0-only */
/* main.c - read the command line, do what it says */
#include <errno.h>
#include <locale.h>
#include <malloc.h>
#include <string.h>
#include <unistd.h>

#include "user/cmd/exitcode.h"
#include "user/cmd/options.h"
#include "user/cmd/output.h"
#include "user/cmd/signals.h"
#include "user/observe/stats.h"
#include "user/policy/runner.h"
#include "user/util/log.h"
#include "user/virt/libvirt.h"

#define LARGE_BYTES (128 * 1024) /* as malloc() has it at first */

int main(int argc, char **argv)
{
	struct vmadj_options options;
	int err, status;

	if (argc == 2 && strcmp(argv[1], "policy-runner") == 0)
		return vmadj_runner_main();
	if (argc == 3 && !strcmp(argv[1], "libvirt-helper"))
		return vmadj_libvirt_helper_main(argv[2]);
	if (argc == 2 && !strcmp(argv[1], "stats-helper"))
		return vmadj_stats_helper_main();
	/* Else large blocks come from the heap once one was freed, and are never given back. */
	(void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
	/* Only what is a character, and how wide, follows the locale; numbers do not. */
	(void)setlocale(LC_CTYPE, "");
	err = vmadj_output_prepare();
	if (!err)
		err = vmadj_signals_block();
	if (err) {
		log_err("cannot start: %s", strerror(-err));
		return VMADJ_EXIT_FAILED;
	}
	if (vmadj_options_parse(argc, argv, &options))
		return VMADJ_EXIT_USAGE;
	vmadj_log_set_max_level(options.log_level);
	status = options.command->run(&options);
	/* Some file systems say only now that there was no room. */
	if (close(STDOUT_FILENO) < 0 && errno != EBADF && status == VMADJ_EXIT_DONE) {
		log_err("cannot write the output: %m");
		status = VMADJ_EXIT_OUTPUT;
	}
	return status;
}
