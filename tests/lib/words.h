/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * words.h - a command line as /proc shows it: each word ended by NUL
 */
#pragma once

#include <stddef.h>

/*
 * Each space of @text becomes a NUL. Return: a copy to free(), @ret_len bytes and one NUL behind,
 * so that whoever reads further is caught by the sanitizer.
 */
char *vmadj_words(const char *text, size_t *ret_len);
