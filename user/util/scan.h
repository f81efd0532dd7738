/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * scan.h - walk through a text of the kernel's, number by number
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/**
 * vmadj_scan_u64() - the number at *@at, after blanks; *@at then is behind it
 *
 * Return: whether there is one that fits; if not, *@at and *@ret_value are left alone.
 */
bool vmadj_scan_u64(const char **at, uint64_t *ret_value);
bool vmadj_scan_hex(const char **at, uint64_t *ret_value);
bool vmadj_scan_double(const char **at, double *ret_value);

/** vmadj_scan_after() - what follows the first @key in @text; NULL: it is not there. */
const char *vmadj_scan_after(const char *text, const char *key);
