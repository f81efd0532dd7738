/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * parse.c - from a text to a configuration, or to all that is wrong with it
 *
 * inih splits "key = value". It knows neither the lines nor sections without keys, cuts long
 * lines and names, takes indented lines for more of the value above and "]" for the end of
 * "[vm db[12]]"; some of it depends on how it was built. So it gets its lines from read_line(),
 * which does the rest: inih sees nothing but short lines with a key, and blank ones.
 */
#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "user/config/parse_private.h"
#include "user/util/cleanup.h"
#include "user/util/log.h"
#include "user/util/suggest.h"

#define INIH_SPARE	 3 /* CR, LF, NUL */
#define FAULTS_SHOWN_MAX 20
#define FAULT_MAX	 1024
#define RANGE_MAX	 128

void vmadj_config_fault(struct vmadj_config_loader *loader, unsigned int line, const char *fmt, ...)
{
	char text[FAULT_MAX];
	va_list args;

	if (++loader->n_faults > FAULTS_SHOWN_MAX)
		return;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_err("%s:%u: %s", loader->path, line, text);
}

static void fault_long_line(struct vmadj_config_loader *loader, size_t len)
{
	vmadj_config_fault(loader, loader->line,
			   "the line is %zu bytes long; at most %d can be read", len,
			   VMADJ_CONFIG_LINE_MAX);
}

static void fault_unknown_key(struct vmadj_config_loader *loader, const char *name)
{
	const struct vmadj_config_key *keys = vmadj_config_keys_of(loader->section.kind);
	const char *section = vmadj_config_section_table[loader->section.kind].name;
	const char *words[VMADJ_CONFIG_KEYS_MAX + 1] = { 0 };
	const char *meant;

	for (size_t i = 0; i < VMADJ_CONFIG_KEYS_MAX && keys[i].kind == loader->section.kind; i++)
		words[i] = keys[i].name;
	meant = vmadj_suggest(name, words);
	if (meant) {
		vmadj_config_fault(loader, loader->line,
				   "unknown key '%s' in [%s]; did you mean '%s'?", name, section,
				   meant);
	} else {
		vmadj_config_fault(loader, loader->line,
				   "unknown key '%s' in [%s]; vmadjust-bpf.conf(5) lists the keys",
				   name, section);
	}
}

static bool is_param_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return name[len] == '\0' && len > 0 && len <= VMADJ_CONFIG_NAME_MAX;
}

static void add_param(struct vmadj_config_loader *loader, const char *name, const char *value)
{
	struct vmadj_config_policy *policy = loader->section.policy;
	struct vmadj_config_param *param;

	if (!is_param_name(name)) {
		vmadj_config_fault(loader, loader->line,
				   "'%s' is no parameter; its name is lower case letters, digits "
				   "and '_', at most %d",
				   name, VMADJ_CONFIG_NAME_MAX);
		return;
	}
	for (size_t i = 0; i < policy->n_params; i++) {
		if (strcmp(policy->params[i].name, name) != 0)
			continue;
		vmadj_config_fault(loader, loader->line,
				   "'%s' is set a second time, first in line %u", name,
				   policy->params[i].line);
		return;
	}
	if (policy->n_params == VMADJ_CONFIG_PARAMS_MAX) {
		vmadj_config_fault(loader, loader->line, "a policy has at most %d parameters",
				   VMADJ_CONFIG_PARAMS_MAX);
		return;
	}
	param = reallocarray(policy->params, policy->n_params + 1, sizeof(*param));
	if (!param) {
		loader->err = -ENOMEM;
		return;
	}
	policy->params = param;
	param += policy->n_params++;
	param->name = strdup(name);
	param->value = strdup(value);
	param->line = loader->line;
	if (!param->name || !param->value)
		loader->err = -ENOMEM;
}

static void set_key(struct vmadj_config_loader *loader, const char *name, const char *value)
{
	struct vmadj_config_open_section *section = &loader->section;
	const struct vmadj_config_key *keys = vmadj_config_keys_of(section->kind);
	char range[RANGE_MAX];
	unsigned int i = 0;
	int err;

	while (keys[i].kind == section->kind && strcmp(keys[i].name, name) != 0)
		i++;
	if (keys[i].kind != section->kind) {
		if (section->kind == VMADJ_CONFIG_POLICY) {
			add_param(loader, name, value);
		} else {
			fault_unknown_key(loader, name);
		}
		return;
	}
	if (section->key_line[i]) {
		vmadj_config_fault(loader, loader->line,
				   "'%s' is set a second time, first in line %u", name,
				   section->key_line[i]);
		return;
	}
	section->key_line[i] = loader->line;
	err = vmadj_config_key_parse(&keys[i], value, section->base);
	if (err == -ENOMEM) {
		loader->err = err;
	} else if (err) {
		vmadj_config_fault(loader, loader->line, "%s = %s is %s; give %s", name, value,
				   err == -ERANGE ? "out of range" : "wrong",
				   vmadj_config_key_range(&keys[i], range, sizeof(range)));
	} else if (section->vm) {
		section->vm->set |= 1U << i;
	}
}

/* For inih. What it does not call this for is left in unsplit_line. */
static int take_pair(void *userdata, const char *unused_section, const char *name,
		     const char *value)
{
	struct vmadj_config_loader *loader = userdata;
	size_t len;

	(void)unused_section;
	if (!value || loader->err)
		return 1;
	loader->unsplit_line = 0;
	if (loader->section.kind == VMADJ_CONFIG_NO_SECTION) {
		if (!loader->section.line) {
			vmadj_config_fault(loader, loader->line,
					   "'%s' stands before any section; put it under [daemon], "
					   "[policy NAME] or [vm PATTERN]",
					   name);
		}
		return 1;
	}
	if (*value == '\0' || *value == ';') {
		vmadj_config_fault(loader, loader->line,
				   "'%s' has no value; leave the line out for the default", name);
		return 1;
	}
	/* As it is printed, which must be read again. */
	len = strlen(name) + strlen(" = ") + strlen(value);
	if (len > VMADJ_CONFIG_LINE_MAX) {
		fault_long_line(loader, len);
	} else {
		set_key(loader, name, value);
	}
	return 1;
}

/* Blanks at the ends, and from " ;" on. */
static char *strip(char *text)
{
	char *end;

	text += strspn(text, " \t\r");
	for (end = text; *end; end++) {
		if (*end == ';' && (end == text || isblank((unsigned char)end[-1])))
			break;
	}
	while (end > text && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	return text;
}

static void check_unsplit(struct vmadj_config_loader *loader)
{
	if (loader->unsplit_line) {
		vmadj_config_fault(loader, loader->unsplit_line,
				   "this is neither '[section]' nor 'key = value'");
	}
	loader->unsplit_line = 0;
}

/* For inih: the next line, like fgets(); blank where it is not for inih. */
static char *read_line(char *buf, int size, void *stream)
{
	struct vmadj_config_loader *loader = stream;
	char *text = loader->at;
	size_t len = strcspn(text, "\n");

	check_unsplit(loader);
	if (*text == '\0' || loader->err)
		return NULL;
	loader->line++;
	loader->at += len + (text[len] == '\n');
	text[len] = '\0';
	text = strip(text);
	len = strlen(text);
	(void)snprintf(buf, (size_t)size, "\n");
	if (*text == '\0' || *text == '#')
		return buf;
	if (len > VMADJ_CONFIG_LINE_MAX || len + INIH_SPARE > (size_t)size) {
		fault_long_line(loader, len);
		if (*text == '[')
			vmadj_config_skip_section(loader);
	} else if (*text == '[') {
		vmadj_config_open_section(loader, text);
	} else {
		loader->unsplit_line = loader->line;
		(void)snprintf(buf, (size_t)size, "%s\n", text);
	}
	return buf;
}

int vmadj_config_parse(const char *path, char *text, struct vmadj_config **ret_config)
{
	_cleanup_(vmadj_config_freep) struct vmadj_config *config = calloc(1, sizeof(*config));
	struct vmadj_config_loader loader = {
		.path = path,
		.at = text,
		.config = config,
		.section.kind = VMADJ_CONFIG_NO_SECTION,
	};

	if (!config)
		return -ENOMEM;
	loader.err = vmadj_config_defaults(VMADJ_CONFIG_DAEMON, config);
	/* It says only whether a line was wrong, which check_unsplit() has seen. */
	(void)ini_parse_stream(read_line, &loader, take_pair, &loader);
	check_unsplit(&loader);
	vmadj_config_close_section(&loader);
	vmadj_config_settle(&loader);
	if (loader.err)
		return loader.err;
	if (loader.n_faults > FAULTS_SHOWN_MAX)
		log_err("%s: and %u more", path, loader.n_faults - FAULTS_SHOWN_MAX);
	if (loader.n_faults)
		return -EINVAL;
	*ret_config = vmadj_steal(config);
	return 0;
}
