/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * qga_socket.h - ask a guest's qemu-ga over the socket of its port, without ever waiting
 *
 * A socket takes one client, and others want it too (Proxmox, backup tools): it is held for as
 * long as some questions take, and connected to anew for the next ones.
 *
 * Errors, to the callback: 0; -ETIMEDOUT: a question had no answer within 2 s; -EBUSY: likewise,
 * for somebody else is connected; -ECONNRESET: QEMU ended it; -EPROTO, -EMSGSIZE:
 * qga_exchange.h.
 * Threads:   one thread, that of the event loop.
 */
#pragma once

#include <systemd/sd-event.h>

#include "user/virt/target.h"

struct vmadj_qga_socket;

/* @answers: a line for each command, if @err is 0; valid within the callback. */
typedef void (*vmadj_qga_answered)(void *userdata, int err, const char *answers);

/**
 * vmadj_qga_socket_ask() - connect to @path, which must be @target's, and ask @commands
 *
 * @commands: each ended by "\n"; they must last until the callback, which comes once if this
 * returns 0. The socket is gone after it.
 *
 * Return: 0; -EBUSY: others wait to be connected already; -ESRCH: it is another process's;
 * -ENAMETOOLONG; -ENOMEM; what connect(2) gives.
 */
int vmadj_qga_socket_ask(sd_event *event, const char *path, const struct vmadj_target *target,
			 const char *commands, vmadj_qga_answered done, void *userdata,
			 struct vmadj_qga_socket **ret_socket);

/* Before the callback came: it will not. Takes NULL. */
void vmadj_qga_socket_end(struct vmadj_qga_socket *socket);

/* Say @commands to who does not care for answers; as far as that is possible without waiting. */
void vmadj_qga_socket_leave(sd_event *event, const char *path, const struct vmadj_target *target,
			    const char *commands);

/* For tests: how long an answer may take, from now on. */
void vmadj_qga_set_timeout(double answer_s);
