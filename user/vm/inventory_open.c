// SPDX-License-Identifier: GPL-2.0-only
/* inventory_open.c - open and close an inventory */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "user/observe/parts.h"
#include "user/util/log.h"
#include "user/vm/inventory.h"
#include "user/vm/inventory_private.h"
#include "user/vm/uevent.h"

int vmadj_inventory_new(struct vmadj_observer *observer, struct vmadj_inventory **ret_inventory)
{
	struct vmadj_inventory *inventory = calloc(1, sizeof(*inventory));
	int err;

	if (!inventory)
		return -ENOMEM;
	inventory->observer = observer;
	inventory->timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	err = inventory->timer < 0 ? -errno : 0;
	/* Listening before looking: what comes in between is heard. */
	inventory->uevents = vmadj_uevent_open();
	if (inventory->uevents < 0) {
		log_notice("no news of VMs from KVM (%s): each sample looks for new ones itself",
			   strerror(-inventory->uevents));
		inventory->uevents = -1;
	}
	inventory->first_scan = true;
	if (!err)
		err = vmadj_inventory_scan_all(inventory);
	if (err) {
		vmadj_inventory_free(inventory);
		return err;
	}
	inventory->first_scan = false;
	vmadj_inventory_follow_threads(inventory);
	err = vmadj_inventory_dispatch(inventory);
	if (err) {
		vmadj_inventory_free(inventory);
		return err;
	}
	*ret_inventory = inventory;
	return 0;
}

void vmadj_inventory_free(struct vmadj_inventory *inventory)
{
	if (!inventory)
		return;
	for (size_t i = 0; i < inventory->n; i++)
		vmadj_vm_free(inventory->vms[i]);
	if (inventory->uevents >= 0)
		(void)close(inventory->uevents);
	if (inventory->timer >= 0)
		(void)close(inventory->timer);
	free(inventory->vms);
	free(inventory);
}

int vmadj_inventory_fds(const struct vmadj_inventory *inventory, int *fds, size_t max)
{
	const int all[] = { inventory->timer,
			    vmadj_life_event_fd(vmadj_observer_life(inventory->observer)),
			    inventory->uevents };
	size_t n = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && n < max; i++) {
		if (all[i] >= 0)
			fds[n++] = all[i];
	}
	return (int)n;
}
