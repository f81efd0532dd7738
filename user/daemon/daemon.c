/* SPDX-License-Identifier: GPL-2.0-only */
/* daemon.c - from start to end: open all parts, tick, put everything back */
#include "user/daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "user/actuate/cpu.h"
#include "user/actuate/ledger.h"
#include "user/daemon/control.h"
#include "user/daemon/cost.h"
#include "user/daemon/restoring.h"
#include "user/daemon/rights.h"
#include "user/daemon/tick.h"
#include "user/snapshot/snapshot.h"
#include "user/util/log.h"
#include "user/virt/libvirt.h"
#include "user/vm/inventory.h"

#define FDS_MAX 16

double vmadj_daemon_now_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* --- events ------------------------------------------------------------- */

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct vmadj_daemon *daemon = userdata;
	int err = vmadj_inventory_dispatch(daemon->inventory);

	(void)source;
	(void)fd;
	(void)revents;
	if (!err)
		return 0;
	log_err("cannot follow the VMs of this host: %s", strerror(-err));
	return sd_event_exit(daemon->event, err);
}

/* A second signal does not wait for who does not answer: what is not put back stays in the ledger.
 */
static int on_end_signal(sd_event_source *source, const struct signalfd_siginfo *info,
			 void *userdata)
{
	struct vmadj_daemon *daemon = userdata;

	(void)source;
	(void)info;
	if (daemon->stopping)
		return sd_event_exit(daemon->event, -EINTR);
	daemon->stopping = true;
	(void)sd_notify(false, "STOPPING=1\nSTATUS=putting back what was changed");
	vmadj_daemon_reload_cancel(daemon);
	vmadj_policies_clear(&daemon->policies);
	vmadj_daemon_restoring_clear(daemon);
	if (vmadj_daemon_restore(daemon, NULL, NULL))
		return sd_event_exit(daemon->event, -EIO);
	return 0;
}

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	(void)source;
	(void)info;
	(void)vmadj_daemon_reload(userdata, NULL, NULL);
	return 0;
}

static int watch(struct vmadj_daemon *daemon)
{
	int fds[FDS_MAX], err, n;

	err = sd_event_add_signal(daemon->event, NULL, SIGINT, on_end_signal, daemon);
	if (err >= 0)
		err = sd_event_add_signal(daemon->event, NULL, SIGTERM, on_end_signal, daemon);
	if (err >= 0)
		err = sd_event_add_signal(daemon->event, NULL, SIGHUP, on_hangup, daemon);
	if (err < 0)
		return err;
	n = vmadj_inventory_fds(daemon->inventory, fds, FDS_MAX);
	for (int i = 0; i < n; i++) {
		err = sd_event_add_io(daemon->event, NULL, fds[i], EPOLLIN, on_readable, daemon);
		if (err < 0)
			return err;
	}
	err = sd_event_set_watchdog(daemon->event, true);
	return err < 0 ? err : vmadj_tick_start(daemon);
}

/* --- from start to end -------------------------------------------------- */

static int open_ledger(struct vmadj_daemon *daemon)
{
	const char *dir = daemon->config->state_dir;
	int err = vmadj_ledger_open(dir, &daemon->ledger);

	if (err == -EBUSY) {
		log_err("another vmadjust-bpf holds the ledger in %s: stop that first", dir);
	} else if (err) {
		log_err("cannot open the ledger in %s: %s; state_dir in the configuration says where it is",
			dir, strerror(-err));
	}
	return err;
}

static int open_control(struct vmadj_daemon *daemon)
{
	int err = vmadj_control_new(daemon, &daemon->control);

	if (err == -EADDRINUSE) {
		log_err("another vmadjust-bpf listens in %s: stop that first",
			daemon->config->run_dir);
	} else if (err) {
		log_err("cannot listen in %s: %s; run_dir in the configuration says where",
			daemon->config->run_dir, strerror(-err));
	}
	return err;
}

static int open_parts(struct vmadj_daemon *daemon)
{
	int err = sd_event_new(&daemon->event);

	if (err >= 0)
		err = vmadj_inventory_new(daemon->observer, &daemon->inventory);
	if (!err)
		err = vmadj_snapshot_builder_new(daemon->inventory, &daemon->builder);
	if (!err) {
		err = vmadj_libvirt_new(daemon->event, daemon->config->libvirt_uri,
					&daemon->libvirt);
	}
	if (!err)
		err = vmadj_cpu_new(daemon->event, daemon->libvirt, NULL, &daemon->cpu);
	if (!err)
		err = vmadj_cost_new(daemon, &daemon->cost);
	if (!err)
		err = watch(daemon);
	if (err < 0)
		log_err("cannot start: %s", strerror(-err));
	return err < 0 ? err : 0;
}

static void load_policies(struct vmadj_daemon *daemon)
{
	for (size_t i = 0; i < daemon->config->n_policies; i++) {
		const struct vmadj_config_policy *policy = &daemon->config->policies[i];
		int err = vmadj_policies_load(&daemon->policies, policy, NULL, NULL);

		if (err)
			log_err("policy %s is not loaded: %s", policy->name, strerror(-err));
	}
}

/* What an earlier one could not put back is put back before anything else is turned. */
static void take_over(struct vmadj_daemon *daemon)
{
	size_t n = vmadj_ledger_count(daemon->ledger);

	if (!n)
		return;
	log_notice("%zu knobs were left changed by an earlier run: they are put back", n);
	(void)vmadj_daemon_restore(daemon, NULL, NULL);
}

static int loop(struct vmadj_daemon *daemon)
{
	int err;

	vmadj_rights_drop();
	take_over(daemon);
	load_policies(daemon);
	(void)sd_notify(false, "READY=1\nSTATUS=observing");
	log_notice("running: %zu policies, every %g s%s", daemon->config->n_policies,
		   daemon->config->interval_s, daemon->dry_run ? ", dry run" : "");
	err = sd_event_loop(daemon->event);
	if (err == -EIO)
		log_err("some knobs could not be put back; vmadjust-bpf restore tries again");
	return err;
}

static void close_parts(struct vmadj_daemon *daemon)
{
	vmadj_control_free(daemon->control);
	vmadj_cost_free(daemon->cost);
	vmadj_daemon_reload_cancel(daemon);
	vmadj_policies_clear(&daemon->policies);
	vmadj_daemon_restoring_clear(daemon);
	vmadj_vms_clear(&daemon->vms);
	vmadj_cpu_free(daemon->cpu);
	vmadj_libvirt_free(daemon->libvirt);
	vmadj_ledger_close(daemon->ledger);
	vmadj_snapshot_builder_free(daemon->builder);
	vmadj_inventory_free(daemon->inventory);
	(void)sd_event_source_disable_unref(daemon->beat);
	(void)sd_event_unref(daemon->event);
	vmadj_config_free(daemon->config);
}

int vmadj_daemon_run(const struct vmadj_daemon_options *options)
{
	struct vmadj_daemon *daemon = calloc(1, sizeof(*daemon));
	int err;

	if (!daemon) {
		vmadj_config_free(options->config);
		return -ENOMEM;
	}
	daemon->config_path = options->config_path;
	daemon->config = options->config;
	daemon->observer = options->observer;
	daemon->dry_run = options->dry_run;
	daemon->policies.daemon = daemon;
	daemon->started_s = vmadj_daemon_now_s();
	err = open_ledger(daemon);
	if (!err)
		err = open_parts(daemon);
	if (!err)
		err = open_control(daemon);
	if (!err)
		err = loop(daemon);
	close_parts(daemon);
	free(daemon);
	return err;
}
