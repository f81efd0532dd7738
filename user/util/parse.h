/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * parse.h - numbers from text, all of it or nothing
 *
 * The whole text is the number: no white space, no sign where none belongs, no
 * rest, no hexadecimal, no "nan", no "inf". Results are written on success only.
 *
 * Errors: 0; -EINVAL: not such a number; -ERANGE: one, but outside min..max.
 */
#pragma once

#include <stdint.h>

/**
 * vmadj_parse_u64() - a whole number in decimal
 *
 * Return: 0; -EINVAL; -ERANGE (also when it does not fit 64 bits).
 */
int vmadj_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value);

/**
 * vmadj_parse_double() - a decimal number, a point and an exponent allowed
 *
 * Return: 0; -EINVAL; -ERANGE.
 */
int vmadj_parse_double(const char *text, double min, double max, double *ret_value);

/**
 * vmadj_parse_duration() - seconds, or a number with "ms", "s", "min" or "h" behind it
 *
 * Return: 0; -EINVAL; -ERANGE.
 */
int vmadj_parse_duration(const char *text, double min_s, double max_s, double *ret_s);

/** vmadj_parse_percent() - a number, with "%" behind it or not; Return: 0; -EINVAL; -ERANGE. */
int vmadj_parse_percent(const char *text, double min, double max, double *ret_pct);

/**
 * vmadj_parse_bytes() - bytes, or a number with K, M, G or T (powers of 1024; "KiB" is the same)
 *
 * Fractions are rounded down. At most 2^63.
 *
 * Return: 0; -EINVAL; -ERANGE.
 */
int vmadj_parse_bytes(const char *text, uint64_t min, uint64_t max, uint64_t *ret_bytes);
