/* SPDX-License-Identifier: GPL-2.0-only */
/* restore.c - `vmadjust-bpf restore`: put back what a daemon that is gone had changed */
#include "user/actuate/restore.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/actuate/cpu.h"
#include "user/actuate/ledger.h"
#include "user/cmd/cmd.h"
#include "user/cmd/configured.h"
#include "user/cmd/exitcode.h"
#include "user/cmd/options.h"
#include "user/cmd/output.h"
#include "user/config/config.h"
#include "user/util/log.h"
#include "user/virt/libvirt.h"

struct restoring {
	struct vmadj_restore_tools tools;
	struct vmadj_restore_sum sum;
};

static void on_done(void *userdata, const struct vmadj_restore_sum *sum)
{
	struct restoring *restoring = userdata;

	restoring->sum = *sum;
	(void)sd_event_exit(restoring->tools.event, 0);
}

static int open_tools(struct vmadj_restore_tools *tools, const struct vmadj_config *config)
{
	int err = vmadj_ledger_open(config->state_dir, &tools->ledger);

	if (err == -EBUSY) {
		log_err("the daemon runs, and puts everything back itself when it ends; "
			"vmadjust-bpf ctl release VM does it for one VM");
	} else if (err) {
		log_err("cannot open the ledger in %s: %s", config->state_dir, strerror(-err));
	}
	if (err)
		return err;
	err = sd_event_new(&tools->event);
	if (err >= 0)
		err = vmadj_libvirt_new(tools->event, config->libvirt_uri, &tools->libvirt);
	if (!err)
		err = vmadj_cpu_new(tools->event, tools->libvirt, NULL, &tools->cpu);
	return err;
}

static int restore_all(struct restoring *restoring)
{
	static const struct vmadj_restore_which all = { 0 };
	struct vmadj_restore *restore = NULL;
	int err = vmadj_restore_start(&restoring->tools, &all, on_done, restoring, &restore);

	if (!err)
		err = sd_event_loop(restoring->tools.event);
	vmadj_restore_free(restore);
	return err;
}

static int tell(const struct vmadj_restore_sum *sum)
{
	char text[256];
	int len;

	len = snprintf(text, sizeof(text),
		       "%u put back, %u left to who changed them since, %u of VMs that have ended, "
		       "%u failed\n",
		       sum->restored, sum->theirs, sum->gone, sum->failed);
	return vmadj_output_print(text, (size_t)len);
}

int vmadj_cmd_restore(const struct vmadj_options *options)
{
	struct restoring restoring = { 0 };
	struct vmadj_config *config = NULL;
	const char *path;
	int err, status;

	status = vmadj_configured(options, &config, &path);
	if (status)
		return status;
	err = open_tools(&restoring.tools, config);
	if (!err)
		err = restore_all(&restoring);
	vmadj_cpu_free(restoring.tools.cpu);
	vmadj_libvirt_free(restoring.tools.libvirt);
	vmadj_ledger_close(restoring.tools.ledger);
	(void)sd_event_unref(restoring.tools.event);
	vmadj_config_free(config);
	if (err) {
		log_debug("restore: %s", strerror(-err));
		return VMADJ_EXIT_FAILED;
	}
	status = tell(&restoring.sum);
	return status ? status : restoring.sum.failed ? VMADJ_EXIT_FAILED : VMADJ_EXIT_DONE;
}
