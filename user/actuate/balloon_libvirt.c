// SPDX-License-Identifier: GPL-2.0-only
/*
 * balloon_libvirt.c - a balloon through libvirt
 *
 * A look is two questions: STATE, which libvirtd answers itself, and BALLOON only if the VM runs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "user/actuate/balloon_private.h"
#include "user/virt/libvirt.h"
#include "user/virt/libvirt_wire.h"

struct through_libvirt {
	struct vmadj_libvirt *libvirt;
	char uuid[VMADJ_UUID_SIZE];
	bool period_known;
	unsigned int new_period_s;
};

static int ask(struct vmadj_balloon *balloon, enum vmadj_libvirt_what what, uint64_t value,
	       vmadj_libvirt_done done)
{
	const struct through_libvirt *through = balloon->priv;

	return vmadj_libvirt_ask(through->libvirt, through->uuid, what, value, done, balloon);
}

/* Asks on; what cannot be asked ends it. */
static void ask_next(struct vmadj_balloon *balloon, enum vmadj_libvirt_what what,
		     vmadj_libvirt_done done)
{
	int err = ask(balloon, what, 0, done);

	if (err)
		vmadj_balloon_finish(balloon, err);
}

static void fail(struct vmadj_balloon *balloon, int err, const struct vmadj_libvirt_answer *answer)
{
	vmadj_balloon_set_why(balloon, answer->error);
	vmadj_balloon_finish(balloon, err);
}

static void on_balloon(void *userdata, int err, const struct vmadj_libvirt_answer *answer)
{
	struct vmadj_balloon *balloon = userdata;

	if (err) {
		fail(balloon, err, answer);
		return;
	}
	balloon->state.job_active = answer->job_active;
	balloon->state.stats = answer->balloon;
	vmadj_balloon_finish(balloon, 0);
}

static void on_period(void *userdata, int err, const struct vmadj_libvirt_answer *answer)
{
	struct vmadj_balloon *balloon = userdata;
	struct through_libvirt *through = balloon->priv;

	if (err) {
		fail(balloon, err, answer);
		return;
	}
	balloon->state.period_s = (unsigned int)answer->period_s;
	through->period_known = true;
	ask_next(balloon, VMADJ_LIBVIRT_BALLOON, on_balloon);
}

static void on_state(void *userdata, int err, const struct vmadj_libvirt_answer *answer)
{
	struct vmadj_balloon *balloon = userdata;
	const struct through_libvirt *through = balloon->priv;

	if (err) {
		fail(balloon, err, answer);
		return;
	}
	balloon->state.running = answer->running;
	balloon->state.max_bytes = answer->max_bytes;
	if (!answer->running) {
		vmadj_balloon_finish(balloon, 0);
	} else if (!through->period_known) {
		ask_next(balloon, VMADJ_LIBVIRT_GET_PERIOD, on_period);
	} else {
		ask_next(balloon, VMADJ_LIBVIRT_BALLOON, on_balloon);
	}
}

static int libvirt_look(struct vmadj_balloon *balloon)
{
	return ask(balloon, VMADJ_LIBVIRT_STATE, 0, on_state);
}

static void on_set(void *userdata, int err, const struct vmadj_libvirt_answer *answer)
{
	fail(userdata, err, answer);
}

static int libvirt_set(struct vmadj_balloon *balloon, uint64_t bytes)
{
	return ask(balloon, VMADJ_LIBVIRT_SET_MEMORY, bytes, on_set);
}

static void on_set_period(void *userdata, int err, const struct vmadj_libvirt_answer *answer)
{
	struct vmadj_balloon *balloon = userdata;
	struct through_libvirt *through = balloon->priv;

	if (!err) {
		balloon->state.period_s = through->new_period_s;
		through->period_known = true;
	}
	fail(balloon, err, answer);
}

static int libvirt_set_period(struct vmadj_balloon *balloon, unsigned int seconds)
{
	struct through_libvirt *through = balloon->priv;

	through->new_period_s = seconds;
	return ask(balloon, VMADJ_LIBVIRT_SET_PERIOD, seconds, on_set_period);
}

static void libvirt_close(struct vmadj_balloon *balloon)
{
	struct through_libvirt *through = balloon->priv;

	vmadj_libvirt_forget(through->libvirt, balloon);
	free(through);
}

static const struct vmadj_balloon_ops libvirt_ops = {
	.kind = "libvirt",
	.look = libvirt_look,
	.set = libvirt_set,
	.set_period = libvirt_set_period,
	.close = libvirt_close,
};

int vmadj_balloon_use_libvirt(struct vmadj_balloon *balloon, struct vmadj_libvirt *libvirt,
			      const struct vmadj_target *target)
{
	struct through_libvirt *through = calloc(1, sizeof(*through));

	if (!through)
		return -ENOMEM;
	through->libvirt = libvirt;
	(void)snprintf(through->uuid, sizeof(through->uuid), "%s", target->uuid);
	balloon->ops = &libvirt_ops;
	balloon->priv = through;
	return 0;
}
