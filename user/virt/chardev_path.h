/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * chardev_path.h - UNIX sockets that QEMU's command line says it listens on
 *
 * Errors: 0; -ENOENT: there is none; -ENAMETOOLONG. Of vmadj_chardev_path() also -ESRCH, -EACCES,
 * -ENOMEM.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Whether @key is on: "server", "server=on", and as old versions of QEMU had it, "server,nowait".
 */
bool vmadj_chardev_is_on(const char *value, const char *key);

/* -chardev socket,id=@id,path=PATH,server=on; the path may be relative. */
int vmadj_chardev_socket(const char *cmdline, size_t len, const char *id, char *buf, size_t size);

/* What finds a path on a command line. */
typedef int (*vmadj_chardev_find)(const char *cmdline, size_t len, const char *what, char *buf,
				  size_t size);

/* @find's path on the command line of @pid, from its working directory where it is relative. */
int vmadj_chardev_path(pid_t pid, vmadj_chardev_find find, const char *what, char *buf,
		       size_t size);
