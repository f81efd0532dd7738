/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libvirt_channel.h - the socket of a domain's channel, out of its XML
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/**
 * vmadj_libvirt_channel() - where the channel @name's UNIX socket is
 *
 * @xml: as virDomainGetXMLDesc() writes it.
 *
 * Return: whether QEMU listens on one, and it fits @size.
 */
bool vmadj_libvirt_channel(const char *xml, const char *name, char *buf, size_t size);
