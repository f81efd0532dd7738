// SPDX-License-Identifier: GPL-2.0-only
/* balloon.c - one VM's balloon, whoever it is reached through */
#include "user/actuate/balloon.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "user/actuate/balloon_private.h"
#include "user/virt/libvirt_wire.h"
#include "user/virt/qmp.h"

static bool is_libvirts(const struct vmadj_target *target)
{
	return target->manager && !strcmp(target->manager, "libvirt");
}

/* Return: why @target's balloon cannot be reached, a constant; NULL: it is open. */
static const char *choose(struct vmadj_balloon *balloon, struct vmadj_libvirt *libvirt,
			  const struct vmadj_target *target, int *ret_err)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];

	*ret_err = -EOPNOTSUPP;
	if (is_libvirts(target)) {
		/* Its only QMP socket is libvirt's. */
		if (!libvirt || !target->uuid) {
			return libvirt ? "libvirt manages it, but its UUID is not known"
				       : "libvirt manages it, but libvirt is not used here";
		}
		*ret_err = vmadj_balloon_use_libvirt(balloon, libvirt, target);
		return NULL;
	}
	switch (vmadj_qmp_path(target->pid, path, sizeof(path))) {
	case 0:
		*ret_err = vmadj_balloon_use_qmp(balloon, path, target);
		return NULL;
	case -ENOENT:
		return "QEMU has no QMP socket (-qmp unix:PATH,server=on,wait=off)";
	case -ENAMETOOLONG:
		return "the path of QEMU's QMP socket is too long";
	case -ESRCH:
		return "the process is gone";
	default:
		return "QEMU's command line cannot be read";
	}
}

int vmadj_balloon_open(sd_event *event, struct vmadj_libvirt *libvirt,
		       const struct vmadj_target *target, struct vmadj_balloon **ret_balloon,
		       const char **ret_why)
{
	struct vmadj_balloon *balloon = calloc(1, sizeof(*balloon));
	const char *why;
	int err;

	if (!balloon)
		return -ENOMEM;
	balloon->event = event;
	why = choose(balloon, libvirt, target, &err);
	if (err) {
		free(balloon);
		if (why)
			*ret_why = why;
		return err;
	}
	*ret_balloon = balloon;
	return 0;
}

void vmadj_balloon_close(struct vmadj_balloon *balloon)
{
	if (!balloon)
		return;
	balloon->ops->close(balloon);
	free(balloon);
}

const char *vmadj_balloon_kind(const struct vmadj_balloon *balloon)
{
	return balloon->ops->kind;
}

const char *vmadj_balloon_why(const struct vmadj_balloon *balloon)
{
	return balloon->why;
}

void vmadj_balloon_set_why(struct vmadj_balloon *balloon, const char *why)
{
	(void)snprintf(balloon->why, sizeof(balloon->why), "%s", why);
}

void vmadj_balloon_finish(struct vmadj_balloon *balloon, int err)
{
	const struct vmadj_balloon_state state = balloon->state;
	vmadj_balloon_seen seen = balloon->seen;
	vmadj_balloon_done done = balloon->done;

	balloon->seen = NULL;
	balloon->done = NULL;
	if (seen) {
		seen(balloon->userdata, err, &state);
	} else if (done) {
		done(balloon->userdata, err);
	}
}

static bool is_busy(const struct vmadj_balloon *balloon)
{
	return balloon->seen || balloon->done;
}

/* What could not even be asked is not open. */
static int begun(struct vmadj_balloon *balloon, int err)
{
	if (err) {
		balloon->seen = NULL;
		balloon->done = NULL;
	}
	return err;
}

int vmadj_balloon_look(struct vmadj_balloon *balloon, vmadj_balloon_seen seen, void *userdata)
{
	const unsigned int period_s = balloon->state.period_s;

	if (is_busy(balloon))
		return -EBUSY;
	balloon->state = (struct vmadj_balloon_state){ .period_s = period_s };
	memset(&balloon->state.stats, 0xff, sizeof(balloon->state.stats));
	balloon->state.stats.last_update_s = 0;
	balloon->why[0] = '\0';
	balloon->seen = seen;
	balloon->userdata = userdata;
	return begun(balloon, balloon->ops->look(balloon));
}

int vmadj_balloon_set(struct vmadj_balloon *balloon, uint64_t bytes, vmadj_balloon_done done,
		      void *userdata)
{
	if (is_busy(balloon))
		return -EBUSY;
	balloon->why[0] = '\0';
	balloon->done = done;
	balloon->userdata = userdata;
	return begun(balloon, balloon->ops->set(balloon, bytes));
}

int vmadj_balloon_set_period(struct vmadj_balloon *balloon, unsigned int seconds,
			     vmadj_balloon_done done, void *userdata)
{
	if (is_busy(balloon))
		return -EBUSY;
	balloon->why[0] = '\0';
	balloon->done = done;
	balloon->userdata = userdata;
	return begun(balloon, balloon->ops->set_period(balloon, seconds));
}
