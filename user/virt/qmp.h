/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * qmp.h - one QEMU's monitor, without ever waiting for it
 *
 * A socket takes one client: where somebody else sits on it there is no greeting, and the
 * connection fails with -EBUSY. What QEMU sends is bounded (a line of 64 KiB, depth 16), unwanted
 * events are dropped, answers are matched by id, and after a timeout the connection is closed,
 * so that a late answer cannot be taken for the next one. Numbers in an answer are JSON reals
 * (json_number_value()): QEMU writes some that jansson's integers cannot hold.
 *
 * Units:     bytes, seconds.
 * Errors:    vmadj_qmp_ask(): 0: the callback will come, exactly once; -EBUSY: a
 *            question is open; -ENOTCONN: no connection (vmadj_qmp_why() says why); -ENOMEM.
 *            To the callback: 0; -ETIMEDOUT; -ECONNRESET: QEMU or the connection is gone;
 *            -EPROTO: not the answer it should be; -EIO: QEMU said error, in vmadj_qmp_why();
 *            -EOPNOTSUPP: no such command or no balloon there.
 * Threads:   one thread, that of @event.
 * Ownership: vmadj_qmp_close() takes NULL and calls back nobody; callbacks may call it.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

struct vmadj_qmp;

typedef void (*vmadj_qmp_done)(void *userdata, int err, const json_t *answer);

/**
 * vmadj_qmp_open() - connect to the UNIX socket @path
 *
 * @done: called once the greeting came and QEMU takes commands (0), or why not: -EBUSY: no greeting
 * came, somebody else is connected; -ECONNREFUSED, -ENOENT, -EACCES, -EPROTO, -ETIMEDOUT.
 *
 * Return: 0; -ENOMEM; -ENAMETOOLONG.
 */
int vmadj_qmp_open(sd_event *event, const char *path, vmadj_qmp_done done, void *userdata,
		   struct vmadj_qmp **ret_qmp);
void vmadj_qmp_close(struct vmadj_qmp *qmp);

/* @arguments may be NULL, and is taken over (json_decref) in every case. */
int vmadj_qmp_ask(struct vmadj_qmp *qmp, const char *command, json_t *arguments,
		  vmadj_qmp_done done, void *userdata);

/* What went wrong last, QEMU's words among it; "": nothing. */
const char *vmadj_qmp_why(const struct vmadj_qmp *qmp);

/* The process that listens on the socket, as the kernel knows it; 0: none, or not to be told. */
pid_t vmadj_qmp_peer(const struct vmadj_qmp *qmp);

/* For tests: how long the greeting and an answer may take, from now on. */
void vmadj_qmp_set_timeouts(double greeting_s, double answer_s);

/**
 * vmadj_qmp_path() - the QMP socket on QEMU's command line that it listens on
 *
 * -qmp unix:PATH,server..., -chardev socket,path=...,id=X with -mon chardev=X,mode=control.
 * Relative paths are taken from the process's working directory.
 *
 * Return: 0; -ENOENT: there is none; -ENAMETOOLONG; -ESRCH; -EACCES; -ENOMEM.
 */
int vmadj_qmp_path(pid_t pid, char *buf, size_t size);

/* The same from a command line; a path may be relative. Return: 0; -ENOENT; -ENAMETOOLONG. */
int vmadj_qmp_path_parse(const char *cmdline, size_t len, char *buf, size_t size);
