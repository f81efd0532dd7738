/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libvirt_client.h - the helper that talks with libvirt, as a test starts it
 */
#pragma once

#include <systemd/sd-event.h>

#include "user/virt/libvirt.h"

/* @uri: as vmadj_libvirt_new(). Skips the test where it cannot be; both are the caller's. */
void libvirt_client_open(const char *uri, sd_event **ret_event, struct vmadj_libvirt **ret_libvirt);
