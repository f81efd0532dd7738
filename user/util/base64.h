/* SPDX-License-Identifier: GPL-2.0-only */
/* base64.h - bytes that came as text (RFC 4648, chapter 4: with padding, nothing between) */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/**
 * vmadj_base64_decode() - the bytes that @text stands for; a NUL follows them
 *
 * Return: how many; -EINVAL: it is no base64; -E2BIG: they and the NUL do not fit into @size.
 */
ssize_t vmadj_base64_decode(const char *text, char *buf, size_t size);
