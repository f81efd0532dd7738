/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fake_agent.h - a guest's agent that says whatever the test wants
 *
 * To the daemon it is a QEMU: a process of its own, which listens on the socket of the port
 * org.vmadjust.guest.0 that its command line names. The test has the other end:
 *
 *	struct fake_agent *fake = fake_agent_start("web1");
 *	vmadj_guest_sources_new(event, NULL, fake_agent_target(fake), ...);
 *	... run the event loop, with ticks, until fake_agent_is_connected(fake) ...
 *	fake_agent_report(fake, &guest);	(a report with these figures, a new seq)
 *	fake_agent_send(fake, "{\"vm", 4);	(or anything)
 *
 * Nothing here waits. One client at a time, as with QEMU; when it has gone the next is taken.
 *
 * Ownership: fake_agent_end() takes NULL; the process ends with the test's in any case.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "user/guest/guest.h"
#include "user/virt/target.h"

struct fake_agent;

struct fake_agent *fake_agent_start(const char *name);
void fake_agent_end(struct fake_agent *fake);

const struct vmadj_target *fake_agent_target(const struct fake_agent *fake);

/* Takes a client that waits. Return: whether there is one now, or still. */
bool fake_agent_is_connected(struct fake_agent *fake);

/* Takes clients that wait, and hangs up at once. Return: how many there have been. */
unsigned int fake_agent_refuse(struct fake_agent *fake);

/* Return: how many bytes the client's socket takes now; 0: none, or there is no client. */
size_t fake_agent_send(struct fake_agent *fake, const char *bytes, size_t len);

/* What the client has said so far; valid until the next call. */
const char *fake_agent_heard(struct fake_agent *fake);

/* A report of @guest: what is unknown is left out. Return: whether the socket took it. */
bool fake_agent_report(struct fake_agent *fake, const struct vmadj_guest *guest);

/* Another agent from now on: a new id, and seq begins with 1. */
void fake_agent_restart(struct fake_agent *fake);

/* A second agent, or the first one again; seq goes on. */
void fake_agent_other(struct fake_agent *fake);

/* The same agent, and seq begins with 1. */
void fake_agent_rewind(struct fake_agent *fake);
