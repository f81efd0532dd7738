/* SPDX-License-Identifier: GPL-2.0-only */
/* sections.c - sections of a configuration: which there are, and what they contradict */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "user/config/parse_private.h"

#define DEADLINE_S    0.25
#define SECTIONS_TEXT "there are [daemon], [policy NAME] and [vm PATTERN]"

/* One zeroed policy more; NULL: no memory. */
static struct vmadj_config_policy *add_policy(struct vmadj_config *config)
{
	struct vmadj_config_policy *grown =
		reallocarray(config->policies, config->n_policies + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	config->policies = grown;
	grown += config->n_policies++;
	*grown = (struct vmadj_config_policy){ 0 };
	return grown;
}

static struct vmadj_config_vm *add_vm(struct vmadj_config *config)
{
	struct vmadj_config_vm *grown =
		reallocarray(config->vms, config->n_vms + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	config->vms = grown;
	grown += config->n_vms++;
	*grown = (struct vmadj_config_vm){ 0 };
	return grown;
}

static void open_policy(struct vmadj_config_loader *loader, const char *name)
{
	struct vmadj_config *config = loader->config;
	struct vmadj_config_policy *policy;
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789_-");

	if (name[len] || len > VMADJ_CONFIG_NAME_MAX) {
		vmadj_config_fault(loader, loader->line,
				   "[policy %s] has no name of a policy: letters, digits, '_' and "
				   "'-', at most %d",
				   name, VMADJ_CONFIG_NAME_MAX);
		return;
	}
	for (size_t i = 0; i < config->n_policies; i++) {
		if (strcmp(config->policies[i].name, name) != 0)
			continue;
		vmadj_config_fault(loader, loader->line,
				   "[policy %s] is there a second time, first in line %u", name,
				   config->policies[i].line);
		return;
	}
	if (config->n_policies == VMADJ_CONFIG_POLICIES_MAX) {
		if (!loader->too_many_policies) {
			vmadj_config_fault(loader, loader->line, "there are more than %d policies",
					   VMADJ_CONFIG_POLICIES_MAX);
		}
		loader->too_many_policies = true;
		return;
	}
	policy = add_policy(config);
	if (!policy || !(policy->name = strdup(name)) ||
	    vmadj_config_defaults(VMADJ_CONFIG_POLICY, policy)) {
		loader->err = -ENOMEM;
		return;
	}
	policy->line = loader->line;
	loader->section.kind = VMADJ_CONFIG_POLICY;
	loader->section.policy = policy;
	loader->section.base = policy;
}

static void open_vm(struct vmadj_config_loader *loader, const char *pattern)
{
	struct vmadj_config *config = loader->config;
	struct vmadj_config_vm *vm;

	if (config->n_vms == VMADJ_CONFIG_VMS_MAX) {
		if (!loader->too_many_vms) {
			vmadj_config_fault(loader, loader->line,
					   "there are more than %d sections [vm]",
					   VMADJ_CONFIG_VMS_MAX);
		}
		loader->too_many_vms = true;
		return;
	}
	vm = add_vm(config);
	if (!vm || !(vm->pattern = strdup(pattern)) ||
	    vmadj_config_defaults(VMADJ_CONFIG_VM, &vm->limits)) {
		loader->err = -ENOMEM;
		return;
	}
	vm->line = loader->line;
	loader->section.kind = VMADJ_CONFIG_VM;
	loader->section.vm = vm;
	loader->section.base = &vm->limits;
}

static void open_daemon(struct vmadj_config_loader *loader)
{
	if (loader->daemon_line) {
		vmadj_config_fault(loader, loader->line,
				   "[daemon] is there a second time, first in line %u",
				   loader->daemon_line);
		return;
	}
	loader->daemon_line = loader->line;
	loader->section.kind = VMADJ_CONFIG_DAEMON;
	loader->section.base = loader->config;
}

static void open_known(struct vmadj_config_loader *loader, const char *name, const char *arg)
{
	const struct vmadj_config_section *table = vmadj_config_section_table;
	enum vmadj_config_kind kind = 0;

	while (table[kind].name && strcmp(table[kind].name, name) != 0)
		kind++;
	if (!table[kind].name) {
		vmadj_config_fault(loader, loader->line, "unknown section [%s]; " SECTIONS_TEXT,
				   name);
	} else if (!table[kind].arg && *arg) {
		vmadj_config_fault(loader, loader->line, "[%s %s]: nothing belongs behind '%s'",
				   name, arg, name);
	} else if (table[kind].arg && *arg == '\0') {
		vmadj_config_fault(loader, loader->line, "[%s] lacks its name: [%s %s]", name, name,
				   table[kind].arg);
	} else if (kind == VMADJ_CONFIG_DAEMON) {
		open_daemon(loader);
	} else if (kind == VMADJ_CONFIG_POLICY) {
		open_policy(loader, arg);
	} else {
		open_vm(loader, arg);
	}
}

/* The line of the later one of two keys, if both are set, and to something good. */
static unsigned int both_lines(const struct vmadj_config_open_section *section, size_t offset_a,
			       size_t offset_b)
{
	const struct vmadj_config_key *keys = vmadj_config_keys_of(VMADJ_CONFIG_VM);
	unsigned int a = 0, b = 0;

	for (size_t i = 0; keys[i].kind == VMADJ_CONFIG_VM; i++) {
		if (!(section->vm->set & (1U << i)))
			continue;
		if (keys[i].offset == offset_a)
			a = section->key_line[i];
		if (keys[i].offset == offset_b)
			b = section->key_line[i];
	}
	return a && b ? (a > b ? a : b) : 0;
}

void vmadj_config_close_section(struct vmadj_config_loader *loader)
{
	const struct vmadj_config_open_section *section = &loader->section;
	const struct vmadj_vm_limits *limits;
	unsigned int line;

	if (!section->vm)
		return;
	limits = &section->vm->limits;
	line = both_lines(section, offsetof(struct vmadj_vm_limits, nice_min),
			  offsetof(struct vmadj_vm_limits, nice_max));
	if (line && limits->nice_min > limits->nice_max)
		vmadj_config_fault(loader, line, "nice_min is above nice_max");
	line = both_lines(section, offsetof(struct vmadj_vm_limits, memory_min_bytes),
			  offsetof(struct vmadj_vm_limits, memory_max_bytes));
	if (line && limits->memory_min_bytes > limits->memory_max_bytes)
		vmadj_config_fault(loader, line, "memory_min is above memory_max");
}

void vmadj_config_skip_section(struct vmadj_config_loader *loader)
{
	vmadj_config_close_section(loader);
	loader->section = (struct vmadj_config_open_section){ .kind = VMADJ_CONFIG_NO_SECTION,
							      .line = loader->line };
}

void vmadj_config_open_section(struct vmadj_config_loader *loader, char *text)
{
	char *end = text + strlen(text) - 1;
	char *arg;

	vmadj_config_skip_section(loader);
	if (*end != ']') {
		vmadj_config_fault(loader, loader->line, "the section has no ']' at its end");
		return;
	}
	text += 1 + strspn(text + 1, " \t");
	while (end > text && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = '\0';
	arg = text + strcspn(text, " \t");
	if (*arg) {
		*arg++ = '\0';
		arg += strspn(arg, " \t");
	}
	if (*text) {
		open_known(loader, text, arg);
	} else {
		vmadj_config_fault(loader, loader->line, "the section has no name; " SECTIONS_TEXT);
	}
}

static void file_of(const struct vmadj_config *config, const struct vmadj_config_policy *policy,
		    char *buf, size_t size)
{
	if (policy->file) {
		(void)snprintf(buf, size, "%s", policy->file);
	} else {
		(void)snprintf(buf, size, "%s/%s.so", config->policy_dir, policy->name);
	}
}

static void check_files(struct vmadj_config_loader *loader, size_t n)
{
	const struct vmadj_config *config = loader->config;
	char file[PATH_MAX], other[PATH_MAX];

	file_of(config, &config->policies[n], file, sizeof(file));
	for (size_t i = 0; i < n; i++) {
		file_of(config, &config->policies[i], other, sizeof(other));
		if (strcmp(file, other) != 0)
			continue;
		vmadj_config_fault(loader, config->policies[n].line,
				   "[policy %s] has the same file as [policy %s]: %s",
				   config->policies[n].name, config->policies[i].name, file);
		return;
	}
}

void vmadj_config_settle(struct vmadj_config_loader *loader)
{
	struct vmadj_config *config = loader->config;

	if (loader->err)
		return;
	for (size_t i = 0; i < config->n_policies; i++) {
		struct vmadj_config_policy *policy = &config->policies[i];

		if (policy->deadline_s == 0) {
			policy->deadline_s =
				config->interval_s < DEADLINE_S ? config->interval_s : DEADLINE_S;
		}
		if (policy->deadline_s > config->interval_s) {
			vmadj_config_fault(loader, policy->line,
					   "[policy %s] has a deadline of %gs, longer than the "
					   "interval of the daemon, %gs",
					   policy->name, policy->deadline_s, config->interval_s);
		}
		check_files(loader, i);
	}
}
