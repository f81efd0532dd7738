// SPDX-License-Identifier: GPL-2.0-only
/* qemu_args.c - what QEMU's command line tells */
#include "user/vm/qemu_args.h"

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/util/json_depth.h"
#include "user/util/parse.h"
#include "user/vm/identity.h"

#define CPUS_MAX       4096
#define JSON_BYTES_MAX 4096
#define JSON_DEPTH_MAX 8

const char *vmadj_qemu_next_option(const char **at, const char *end, const char *option)
{
	while (*at < end) {
		const char *word = *at, *value = word + strlen(word) + 1;

		*at = value;
		if (word[0] == '-' && word[1] == '-')
			word++;
		if (strcmp(word, option) != 0 || value >= end)
			continue;
		*at = value + strlen(value) + 1;
		return value;
	}
	return NULL;
}

const char *vmadj_qemu_option(const char *cmdline, size_t len, const char *option)
{
	const char *at = cmdline, *value, *last = NULL;

	while ((value = vmadj_qemu_next_option(&at, cmdline + len, option)))
		last = value;
	return last;
}

/* Copies the part that begins at @value, unescaped; Return: where the next begins, or NULL. */
static const char *part_copy(const char *value, char *buf, size_t size)
{
	size_t used = 0;

	for (; *value; value++) {
		if (*value == ',') {
			if (value[1] != ',')
				break;
			value++;
		}
		if (used + 1 < size)
			buf[used++] = *value;
	}
	if (size)
		buf[used] = '\0';
	return *value ? value + 1 : NULL;
}

/* QEMU takes many options as JSON, too, and libvirt gives them so. */
static bool json_part(const char *value, const char *key, char *buf, size_t size)
{
	size_t len = value[0] == '{' ? strnlen(value, JSON_BYTES_MAX + 1) : 0;
	const json_t *part;
	const char *text;
	json_t *json;

	if (!len || len > JSON_BYTES_MAX || vmadj_json_is_deeper(value, len, JSON_DEPTH_MAX))
		return false;
	json = json_loadb(value, len, JSON_REJECT_DUPLICATES, NULL);
	part = json_object_get(json, key);
	text = json_string_value(part);
	if (json_is_boolean(part))
		text = json_is_true(part) ? "on" : "off";
	if (text)
		(void)snprintf(buf, size, "%s", text);
	json_decref(json);
	return text;
}

bool vmadj_qemu_part(const char *value, const char *key, const char *first, char *buf, size_t size)
{
	size_t key_len = strlen(key);
	char part[512] = "";

	if (json_part(value, key, buf, size))
		return true;
	for (const char *at = value; at;) {
		bool is_first = at == value;

		at = part_copy(at, part, sizeof(part));
		if (!strncmp(part, key, key_len) && part[key_len] == '=') {
			(void)snprintf(buf, size, "%s", part + key_len + 1);
			return true;
		}
		if (is_first && first && !strcmp(first, key) && !strchr(part, '=')) {
			(void)snprintf(buf, size, "%s", part);
			return true;
		}
	}
	return false;
}

bool vmadj_qemu_has_value(const char *cmdline, size_t len, const char *option, const char *wanted)
{
	const char *at = cmdline, *value;
	char part[512];

	while ((value = vmadj_qemu_next_option(&at, cmdline + len, option))) {
		while (value) {
			value = part_copy(value, part, sizeof(part));
			if (!strcmp(part, wanted))
				return true;
		}
	}
	return false;
}

bool vmadj_qemu_name(const char *cmdline, size_t len, char *buf, size_t size)
{
	const char *value = vmadj_qemu_option(cmdline, len, "-name");

	return value && vmadj_qemu_part(value, "guest", "guest", buf, size) && buf[0];
}

static unsigned int number(const char *value, const char *key, const char *first)
{
	char text[32];
	uint64_t n;

	if (!vmadj_qemu_part(value, key, first, text, sizeof(text)) ||
	    vmadj_parse_u64(text, 1, CPUS_MAX, &n))
		return 0;
	return (unsigned int)n;
}

static unsigned int cpus_of(const char *cmdline, size_t len)
{
	static const char *const levels[] = { "sockets", "dies", "clusters", "cores", "threads" };
	const char *value = vmadj_qemu_option(cmdline, len, "-smp");
	unsigned int cpus = 1, n;

	if (!value)
		return 1;
	n = number(value, "cpus", "cpus");
	if (n)
		return n;
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		n = number(value, levels[i], NULL);
		cpus *= n ? n : 1;
	}
	/* All that may come is what is there when nothing else is said. */
	n = number(value, "maxcpus", NULL);
	return cpus == 1 && n ? n : cpus;
}

static unsigned int count(const char *cmdline, size_t len, const char *option, const char *kind)
{
	const char *at = cmdline, *value;
	unsigned int n = 0;
	char text[64];

	while ((value = vmadj_qemu_next_option(&at, cmdline + len, option))) {
		(void)part_copy(value, text, sizeof(text));
		n += !kind || !strcmp(text, kind) ||
		     (!strncmp(text, "qom-type=", 9) && !strcmp(text + 9, kind));
	}
	return n;
}

static bool flag(const char *cmdline, size_t len, const char *option)
{
	for (const char *at = cmdline; at < cmdline + len; at += strlen(at) + 1) {
		if (!strcmp(at, option) || (at[0] == '-' && !strcmp(at + 1, option)))
			return true;
	}
	return false;
}

static bool is_machine(const char *cmdline, size_t len, const char *type)
{
	const char *value = vmadj_qemu_option(cmdline, len, "-machine");
	char text[64];

	if (!value)
		value = vmadj_qemu_option(cmdline, len, "-M");
	return value && vmadj_qemu_part(value, "type", "type", text, sizeof(text)) &&
	       !strcmp(text, type);
}

static bool wants_kvm_only(const char *cmdline, size_t len)
{
	const char *accel = vmadj_qemu_option(cmdline, len, "-accel");
	const char *machine = vmadj_qemu_option(cmdline, len, "-machine");
	char text[64];

	/* Several -accel are tried in turn; "accel=kvm:tcg" says the same. */
	if (accel && count(cmdline, len, "-accel", NULL) == 1) {
		return vmadj_qemu_part(accel, "accel", "accel", text, sizeof(text)) &&
		       !strcmp(text, "kvm");
	}
	if (accel)
		return false;
	if (machine && vmadj_qemu_part(machine, "accel", NULL, text, sizeof(text)))
		return !strcmp(text, "kvm");
	return flag(cmdline, len, "-enable-kvm");
}

static bool has_qmp(const char *cmdline, size_t len)
{
	return vmadj_qemu_option(cmdline, len, "-qmp") ||
	       vmadj_qemu_option(cmdline, len, "-qmp-pretty") ||
	       vmadj_qemu_has_value(cmdline, len, "-mon", "mode=control");
}

void vmadj_qemu_args_read(const char *cmdline, size_t len, struct vmadj_identity *identity)
{
	bool one_thread = vmadj_qemu_option(cmdline, len, "-icount") ||
			  vmadj_qemu_has_value(cmdline, len, "-accel", "thread=single");

	identity->no_machine = is_machine(cmdline, len, "none");
	identity->kvm_only = wants_kvm_only(cmdline, len);
	identity->cpus = one_thread ? 1 : cpus_of(cmdline, len);
	/* One for RCU, which every QEMU has; one for all monitors that speak QMP. */
	identity->helpers = 1 + count(cmdline, len, "-object", "iothread") + has_qmp(cmdline, len);
	identity->late_helpers = vmadj_qemu_option(cmdline, len, "-vnc") != NULL;
}
