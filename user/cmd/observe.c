/* SPDX-License-Identifier: GPL-2.0-only */
/* observe.c - an observer for a command, or why there is none */
#include "user/cmd/observe.h"

#include <string.h>

#include "user/cmd/exitcode.h"
#include "user/cmd/options.h"
#include "user/util/log.h"

static void say_why_not(const struct vmadj_checks *checks)
{
	for (size_t i = 0; i < checks->n; i++) {
		const struct vmadj_check *check = &checks->check[i];

		if (check->state != VMADJ_CHECK_FATAL)
			continue;
		log_err("cannot observe VMs here: %s: %s; %s; %s", check->name, check->found,
			check->cost ? check->cost : "nothing can be seen without it",
			check->remedy ? check->remedy : "see vmadjust-bpf doctor");
	}
}

int vmadj_observe(const struct vmadj_options *options, enum vmadj_mode mode,
		  struct vmadj_observer **ret_observer)
{
	const struct vmadj_observer_options how = {
		.pin_dir = options->pin_dir,
		.mode = mode,
		.self_test = true,
	};
	int err = vmadj_observer_open(&how, ret_observer);

	if (err) {
		log_err("cannot start to observe: %s", strerror(-err));
		return VMADJ_EXIT_FAILED;
	}
	if (!vmadj_observer_running(*ret_observer)) {
		say_why_not(vmadj_observer_checks(*ret_observer));
		return VMADJ_EXIT_CANNOT_OBSERVE;
	}
	return VMADJ_EXIT_DONE;
}
