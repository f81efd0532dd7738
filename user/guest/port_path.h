/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * port_path.h - the host's socket of a virtio-serial port, as QEMU's command line names it
 *
 * -device virtserialport,name=NAME,chardev=ID with -chardev socket,id=ID,path=PATH,server...
 */
#pragma once

#include <stddef.h>

#include "user/virt/target.h"

/**
 * vmadj_guest_port_path() - where the host's end of the port @port_name is
 *
 * Return: 0; -ENOENT: there is no such port, or its host's end is no socket that QEMU listens on
 * (libvirt opens them itself); -ENAMETOOLONG; -ESRCH; -EACCES; -ENOMEM.
 */
int vmadj_guest_port_path(const struct vmadj_target *target, const char *port_name, char *path,
			  size_t size);

/* The same from a command line; the path may be relative. */
int vmadj_guest_port_find(const char *cmdline, size_t len, const char *port_name, char *path,
			  size_t size);
