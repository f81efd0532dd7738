/* SPDX-License-Identifier: GPL-2.0-only */
/* limits.c - which limits hold for a VM */
#include <fnmatch.h>

#include "user/config/config_private.h"

static bool matches(const char *pattern, const char *text, int flags)
{
	return text && fnmatch(pattern, text, flags) == 0;
}

/* A section may set one end so that it passes the other end of an earlier section. It never
 * contradicts itself, so the end that it left alone is the one that moves. */
static void settle(struct vmadj_vm_limits *now, const struct vmadj_vm_limits *before)
{
	if (now->nice_min > now->nice_max) {
		if (now->nice_min != before->nice_min) {
			now->nice_max = now->nice_min;
		} else {
			now->nice_min = now->nice_max;
		}
	}
	if (now->memory_min_bytes > now->memory_max_bytes) {
		if (now->memory_min_bytes != before->memory_min_bytes) {
			now->memory_max_bytes = now->memory_min_bytes;
		} else {
			now->memory_min_bytes = now->memory_max_bytes;
		}
	}
}

struct vmadj_vm_limits vmadj_config_limits(const struct vmadj_config *config, const char *name,
					   const char *id, const char *uuid)
{
	const struct vmadj_config_key *keys = vmadj_config_keys_of(VMADJ_CONFIG_VM);
	struct vmadj_vm_limits limits = { 0 };

	/* It allocates nothing: the only text is not set. */
	(void)vmadj_config_defaults(VMADJ_CONFIG_VM, &limits);
	for (size_t n = 0; n < config->n_vms; n++) {
		const struct vmadj_config_vm *vm = &config->vms[n];
		const struct vmadj_vm_limits before = limits;

		if (!matches(vm->pattern, name, 0) && !matches(vm->pattern, id, 0) &&
		    !matches(vm->pattern, uuid, FNM_CASEFOLD))
			continue;
		for (unsigned int i = 0; keys[i].kind == VMADJ_CONFIG_VM; i++) {
			if (vm->set & (1U << i))
				vmadj_config_key_copy(&keys[i], &vm->limits, &limits);
		}
		settle(&limits, &before);
	}
	return limits;
}
