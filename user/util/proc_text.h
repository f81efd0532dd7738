/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * proc_text.h - figures out of the texts of /proc/meminfo, /proc/vmstat and /proc/pressure
 *
 * The text may come from a guest that is not trusted: what is not a number is not known. A text
 * that was cut must be cut behind the end of a line, for half a number is a number too.
 *
 * Units: those of the text (/proc/meminfo counts in KiB, /proc/vmstat in pages or times).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/**
 * vmadj_proc_value() - the number after "KEY:" or "KEY " at the start of a line, the first of them
 *
 * Return: whether there is one that fits 64 bits; if not, @ret_value is left alone.
 */
bool vmadj_proc_value(const char *text, const char *key, uint64_t *ret_value);

/**
 * vmadj_proc_sum() - the sum over all lines that begin with @prefix ("allocstall_")
 *
 * Return: the sum; UINT64_MAX: there is no such line, one of them has no number that fits, or
 * the sum does not.
 */
uint64_t vmadj_proc_sum(const char *text, const char *prefix);

/**
 * vmadj_proc_psi_some() - avg10 of the line "some", in per cent
 *
 * Return: 0 to 100; NAN: there is no such line, or it does not say that.
 */
double vmadj_proc_psi_some(const char *text);
