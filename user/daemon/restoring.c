/* SPDX-License-Identifier: GPL-2.0-only */
/* restoring.c - knobs are put back while the daemon goes on, or before it ends */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/actuate/restore.h"
#include "user/daemon/daemon.h"
#include "user/daemon/restoring.h"
#include "user/daemon/turn.h"
#include "user/util/log.h"

struct vmadj_restoring {
	struct vmadj_daemon *daemon;
	struct vmadj_restoring *next;
	struct vmadj_restore *restore;
};

static void drop(struct vmadj_restoring *restoring)
{
	struct vmadj_restoring **at = &restoring->daemon->restoring;

	while (*at != restoring)
		at = &(*at)->next;
	*at = restoring->next;
	vmadj_restore_free(restoring->restore);
	free(restoring);
}

/* What was read before it was put back holds no more. */
static void look_again(struct vmadj_daemon *daemon)
{
	for (size_t i = 0; i < daemon->vms.n; i++) {
		struct vmadj_managed_cpu *cpu = &daemon->vms.vm[i]->cpu;

		if (!cpu->released)
			continue;
		cpu->due_s = 0;
		cpu->released = daemon->restoring != NULL;
	}
}

static void on_done(void *userdata, const struct vmadj_restore_sum *sum)
{
	struct vmadj_restoring *restoring = userdata;
	struct vmadj_daemon *daemon = restoring->daemon;
	bool failed = sum->failed != 0; /* it goes with the restoring */

	log_info("%u knobs were put back, %u are somebody else's by now, %u could not be put back",
		 sum->restored, sum->theirs, sum->failed);
	drop(restoring);
	look_again(daemon);
	if (daemon->stopping && !daemon->restoring)
		(void)sd_event_exit(daemon->event, failed ? -EIO : 0);
}

/* The balloon takes one who asks: not we and the restoring at once. */
static void let_go(struct vmadj_daemon *daemon, const char *by, const char *vm_id)
{
	for (size_t i = 0; i < daemon->vms.n; i++) {
		struct vmadj_managed *managed = daemon->vms.vm[i];

		if (vm_id && strcmp(vm_id, managed->target.id) != 0)
			continue;
		if (!by || !strcmp(by, managed->cpu.use.by))
			vmadj_turn_released(managed, "cpu");
		if (managed->memory && (!by || !strcmp(by, managed->memory->use.by)))
			vmadj_turn_released(managed, "memory");
	}
}

int vmadj_daemon_restore(struct vmadj_daemon *daemon, const char *by, const char *vm_id)
{
	const struct vmadj_restore_tools tools = { daemon->event, daemon->ledger, daemon->cpu,
						   daemon->libvirt };
	const struct vmadj_restore_which which = { .by = by, .vm_id = vm_id };
	struct vmadj_restoring *restoring = calloc(1, sizeof(*restoring));
	int err;

	if (!restoring)
		return -ENOMEM;
	let_go(daemon, by, vm_id);
	restoring->daemon = daemon;
	restoring->next = daemon->restoring;
	daemon->restoring = restoring;
	err = vmadj_restore_start(&tools, &which, on_done, restoring, &restoring->restore);
	if (err) {
		log_err("knobs cannot be put back: %s; they stay in the ledger", strerror(-err));
		drop(restoring);
	}
	return err;
}

void vmadj_daemon_restoring_clear(struct vmadj_daemon *daemon)
{
	struct vmadj_restoring *restoring = daemon->restoring, *next;

	daemon->restoring = NULL;
	for (; restoring; restoring = next) {
		next = restoring->next;
		vmadj_restore_free(restoring->restore);
		free(restoring);
	}
}
