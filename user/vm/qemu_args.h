/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * qemu_args.h - what QEMU's command line tells
 *
 * A command line is @len bytes, each word ended by NUL. Options begin with one dash or
 * two; a comma within a value is written twice.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct vmadj_identity;

/** vmadj_qemu_option() - the value of the last @option ("-uuid"); NULL: it is not there. */
const char *vmadj_qemu_option(const char *cmdline, size_t len, const char *option);

/* The next @option from *@at on, NULL: no more; *@at then is behind it. */
const char *vmadj_qemu_next_option(const char **at, const char *end, const char *option);

/**
 * vmadj_qemu_part() - the part KEY=VALUE of an option's value, unescaped and cut to @size
 *
 * Or the string @key of an option that is written as JSON; true is "on", false "off".
 *
 * @first: the key that a first part without "=" stands for; NULL: none.
 *
 * Return: whether there is one.
 */
bool vmadj_qemu_part(const char *value, const char *key, const char *first, char *buf, size_t size);

/** vmadj_qemu_has_value() - whether some @option has @part among its comma-separated parts. */
bool vmadj_qemu_has_value(const char *cmdline, size_t len, const char *option, const char *part);

/** vmadj_qemu_name() - the guest's name, its commas unescaped. Return: whether there is one. */
bool vmadj_qemu_name(const char *cmdline, size_t len, char *buf, size_t size);

/* Fills no_machine, kvm_only, cpus and helpers. */
void vmadj_qemu_args_read(const char *cmdline, size_t len, struct vmadj_identity *identity);
