/* SPDX-License-Identifier: GPL-2.0-only */
/* print.c - the normalised form of a configuration, and what can be configured */
#include <errno.h>

#include "user/config/config_private.h"
#include "user/util/wrap.h"

#define RANGE_MAX   128
#define HELP_COLUMN 8
#define KEY_COLUMN  2

/* Those keys of a section whose bit is in @set. */
static void print_section(FILE *out, enum vmadj_config_kind kind, const char *arg, uint32_t set,
			  const void *base)
{
	const struct vmadj_config_key *keys = vmadj_config_keys_of(kind);

	(void)fprintf(out, "%s[%s%s%s]\n", kind == VMADJ_CONFIG_DAEMON ? "" : "\n",
		      vmadj_config_section_table[kind].name, *arg ? " " : "", arg);
	for (unsigned int i = 0; keys[i].kind == kind; i++) {
		if (!(set & (1U << i)))
			continue;
		(void)fprintf(out, "%s = ", keys[i].name);
		vmadj_config_key_print(out, &keys[i], base);
		(void)fputc('\n', out);
	}
}

int vmadj_config_print(FILE *out, const struct vmadj_config *config)
{
	print_section(out, VMADJ_CONFIG_DAEMON, "", UINT32_MAX, config);
	for (size_t i = 0; i < config->n_policies; i++) {
		const struct vmadj_config_policy *policy = &config->policies[i];

		print_section(out, VMADJ_CONFIG_POLICY, policy->name, UINT32_MAX, policy);
		for (size_t j = 0; j < policy->n_params; j++) {
			(void)fprintf(out, "%s = %s\n", policy->params[j].name,
				      policy->params[j].value);
		}
	}
	for (size_t i = 0; i < config->n_vms; i++) {
		const struct vmadj_config_vm *vm = &config->vms[i];

		print_section(out, VMADJ_CONFIG_VM, vm->pattern, vm->set, &vm->limits);
	}
	return fflush(out) || ferror(out) ? -EIO : 0;
}

void vmadj_config_print_keys(FILE *out)
{
	for (enum vmadj_config_kind kind = 0; kind < VMADJ_CONFIG_NO_SECTION; kind++) {
		const struct vmadj_config_section *section = &vmadj_config_section_table[kind];
		const struct vmadj_config_key *key = vmadj_config_keys_of(kind);

		(void)fprintf(out, "%s[%s%s%s]\n", kind ? "\n" : "", section->name,
			      section->arg ? " " : "", section->arg ? section->arg : "");
		vmadj_print_wrapped(out, section->help, KEY_COLUMN, 0);
		for (; key->kind == kind; key++) {
			char range[RANGE_MAX];
			int at = fprintf(out, "  %s = %s", key->name, key->def);

			(void)fprintf(out, "%*s(%s)\n", at < 30 ? 30 - at : 1, "",
				      vmadj_config_key_range(key, range, sizeof(range)));
			vmadj_print_wrapped(out, key->help, HELP_COLUMN, 0);
		}
	}
}
