/* SPDX-License-Identifier: GPL-2.0-only */
/* reload.c - the configuration anew, all of it or nothing */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "user/daemon/daemon.h"
#include "user/daemon/turn.h"
#include "user/util/log.h"
#include "user/util/text.h"

/* One that is under way: the new policies are being tried. */
struct vmadj_reload {
	struct vmadj_config *config;
	bool again; /* asked for once more meanwhile */
	vmadj_policy_loaded done;
	void *userdata;
};

/* What is open already cannot move. */
static const char *fixed(const struct vmadj_config *old, const struct vmadj_config *new)
{
	if (!vmadj_text_same(old->state_dir, new->state_dir))
		return "state_dir";
	if (!vmadj_text_same(old->run_dir, new->run_dir))
		return "run_dir";
	if (old->mode != new->mode)
		return "mode";
	if (!vmadj_text_same(old->control_group, new->control_group))
		return "control_group";
	if (!vmadj_text_same(old->libvirt_uri, new->libvirt_uri))
		return "libvirt_uri";
	return NULL;
}

static void change_limits(struct vmadj_daemon *daemon)
{
	for (size_t i = 0; i < daemon->vms.n; i++) {
		struct vmadj_managed *managed = daemon->vms.vm[i];
		bool managed_before = managed->limits.manage;

		managed->limits = vmadj_config_limits(daemon->config, managed->target.name,
						      managed->target.id, managed->target.uuid);
		vmadj_turn_memory_limit(managed);
		if (managed_before && !managed->limits.manage)
			(void)vmadj_daemon_restore(daemon, NULL, managed->target.id);
	}
}

/* @why: NULL: the policies are those of the new configuration already. */
static void end_reload(struct vmadj_daemon *daemon, const char *why)
{
	struct vmadj_reload reload = *daemon->reload;

	free(daemon->reload);
	daemon->reload = NULL;
	if (why) {
		vmadj_config_free(reload.config);
		log_err("the configuration is not reloaded, the old one stays");
	} else {
		vmadj_config_free(daemon->config);
		daemon->config = reload.config;
		change_limits(daemon);
		log_notice("the configuration was reloaded");
	}
	(void)sd_notify(false, "READY=1");
	if (reload.done)
		reload.done(reload.userdata, why);
	if (reload.again)
		(void)vmadj_daemon_reload(daemon, NULL, NULL);
}

static void on_swapped(void *userdata, const char *why)
{
	end_reload(userdata, why);
}

static int load(struct vmadj_daemon *daemon, struct vmadj_config **ret_config)
{
	int err = vmadj_config_load(daemon->config_path, ret_config);
	const char *key = err ? NULL : fixed(daemon->config, *ret_config);

	if (err == -ENOENT)
		log_err("%s: there is no such file", daemon->config_path);
	if (!key)
		return err;
	log_err("%s cannot change while the daemon runs: restart it for that", key);
	return -EINVAL;
}

int vmadj_daemon_reload(struct vmadj_daemon *daemon, vmadj_policy_loaded done, void *userdata)
{
	struct vmadj_reload *reload;
	int err;

	if (daemon->reload) {
		daemon->reload->again |= !done;
		return -EBUSY;
	}
	reload = calloc(1, sizeof(*reload));
	if (!reload)
		return -ENOMEM;
	daemon->reload = reload;
	(void)sd_notify(false, "RELOADING=1");
	err = load(daemon, &reload->config);
	if (!err) {
		reload->done = done;
		reload->userdata = userdata;
		err = vmadj_policies_swap(&daemon->policies, daemon->config, reload->config,
					  on_swapped, daemon);
	}
	/* Whoever hears it by the return value is not told again. */
	if (err && daemon->reload) {
		reload->done = NULL;
		end_reload(daemon, strerror(-err));
	}
	return err;
}

void vmadj_daemon_reload_forget(struct vmadj_daemon *daemon, const void *userdata)
{
	if (daemon->reload && daemon->reload->userdata == userdata)
		daemon->reload->done = NULL;
}

void vmadj_daemon_reload_cancel(struct vmadj_daemon *daemon)
{
	if (!daemon->reload)
		return;
	vmadj_policies_swap_cancel(&daemon->policies);
	vmadj_config_free(daemon->reload->config);
	free(daemon->reload);
	daemon->reload = NULL;
}
