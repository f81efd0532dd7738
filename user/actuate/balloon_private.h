/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * balloon_private.h - what a balloon's backends share
 *
 * A backend's function returns 0 and later calls vmadj_balloon_finish(), or returns an errno.
 * Nothing may be done with the balloon after finishing: the callback may have closed it.
 */
#pragma once

#include "user/actuate/balloon.h"

struct vmadj_balloon {
	const struct vmadj_balloon_ops *ops;
	sd_event *event;
	void *priv;

	struct vmadj_balloon_state state; /* of the look that is under way */
	char why[256];

	/* The open question: one of the two, or NULL. */
	vmadj_balloon_seen seen;
	vmadj_balloon_done done;
	void *userdata;
};

void vmadj_balloon_finish(struct vmadj_balloon *balloon, int err);
void vmadj_balloon_set_why(struct vmadj_balloon *balloon, const char *why);

/* balloon_libvirt.c, balloon_qmp.c: fill ops and priv. Return: 0; -ENOMEM. */
int vmadj_balloon_use_libvirt(struct vmadj_balloon *balloon, struct vmadj_libvirt *libvirt,
			      const struct vmadj_target *target);
int vmadj_balloon_use_qmp(struct vmadj_balloon *balloon, const char *path,
			  const struct vmadj_target *target);
