/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sources.h - all that one VM's guest says of itself, whichever way, and the best of it
 *
 * Three sources: our agent (docs/guest-protocol.md), qemu-guest-agent, the balloon. The best one
 * that is fresh counts: agent before qemu-ga before balloon. What one source cannot tell is not
 * filled in from another: all figures of a guest are of one moment.
 *
 * A guest is not trusted. Its stream is bounded in size, rate and memory; what is malformed, goes
 * back in time, floods or claims what the host can see to be wrong costs that source its word, for
 * this VM only; vmadj_guest_sources_why() says why. See docs/guest-protocol.md.
 *
 * Errors:    0 or a negative errno.
 * Threads:   one thread, that of the event loop. Nothing here waits for a guest.
 * Ownership: the target and libvirt must outlive it. vmadj_guest_sources_free() takes NULL and
 *            calls back nobody.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "user/guest/guest.h"
#include "user/virt/target.h"

struct vmadj_guest_sources;
struct vmadj_libvirt;

/* What the host itself sees of the VM, to hold the guest's words against. */
struct vmadj_guest_seen {
	uint64_t max_bytes;	/* of its memory; VMADJ_GUEST_UNKNOWN: not known */
	uint64_t io_read_bytes; /* its process's reads, a total; likewise */
};

/* The agent or qemu-ga has told something new: vmadj_guest_sources_best() may be asked. It must
 * not free the sources from within. */
typedef void (*vmadj_guest_heard)(void *userdata);

/* Whether its command line has a port by which an agent may talk; with libvirt there may be one. */
bool vmadj_guest_sources_has_port(const struct vmadj_target *target);

/** vmadj_guest_sources_new() - @libvirt may be NULL; Return: 0; -ENOMEM. */
int vmadj_guest_sources_new(sd_event *event, struct vmadj_libvirt *libvirt,
			    const struct vmadj_target *target, vmadj_guest_heard heard,
			    void *userdata, struct vmadj_guest_sources **ret_sources);
void vmadj_guest_sources_free(struct vmadj_guest_sources *sources);

/**
 * vmadj_guest_sources_tick() - once a tick, at most ten times a second: connects where a source
 * is missing, asks where one must be asked, and compares with what the host sees
 *
 * @now_s: monotonic.
 */
void vmadj_guest_sources_tick(struct vmadj_guest_sources *sources, double now_s,
			      const struct vmadj_guest_seen *seen);

/* What the balloon's look brought; NULL: nothing, any more. */
void vmadj_guest_sources_balloon(struct vmadj_guest_sources *sources, double now_s,
				 const struct vmadj_guest *guest);

/**
 * vmadj_guest_sources_best() - the best source's figures, with their age
 *
 * Return: whether there is a fresh one (younger than 3 s, or three of its periods); else
 * @ret_guest is one of which nothing is known.
 */
bool vmadj_guest_sources_best(const struct vmadj_guest_sources *sources, double now_s,
			      struct vmadj_guest *ret_guest);

/* Why a better source is not used ("two agents talk at once", ...), a text that stays; NULL: all
 * is well, or there is none. */
const char *vmadj_guest_sources_why(const struct vmadj_guest_sources *sources);
