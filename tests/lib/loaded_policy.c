/* SPDX-License-Identifier: GPL-2.0-only */
/* loaded_policy.c - a policy as it was compiled, driven by a test */
#include "tests/lib/loaded_policy.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <stdlib.h>

/* Policies have no end: what their states point to stays reachable here. */
static struct kept {
	struct kept *next;
	_Alignas(max_align_t) char state[];
} * all_kept;

struct loaded_policy loaded_policy_open(const char *name)
{
	const char *out = getenv("O");
	struct loaded_policy policy;
	struct kept *kept;
	char path[512];
	void *object;

	(void)snprintf(path, sizeof(path), "%s%s/policies/%s.so", out && *out == '/' ? "" : "./",
		       out ? out : "build", name);
	object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	cr_assert(object, "%s", dlerror());
	policy.ops = dlsym(object, "vmadj_policy");
	cr_assert(policy.ops, "%s", dlerror());
	cr_assert(!strcmp(policy.ops->name, name), "%s is named %s", path, policy.ops->name);
	kept = calloc(1, sizeof(*kept) + policy.ops->state_size);
	cr_assert(kept, "out of memory");
	kept->next = all_kept;
	all_kept = kept;
	policy.state = kept->state;
	for (const struct vmadj_policy_param *p = policy.ops->params; p && p->name; p++)
		loaded_policy_set(&policy, p->name, p->def);
	return policy;
}

void loaded_policy_set(const struct loaded_policy *policy, const char *param, double value)
{
	const struct vmadj_policy_param *p = policy->ops->params;

	cr_assert(p, "%s has no parameters", policy->ops->name);
	while (p->name && strcmp(p->name, param) != 0)
		p++;
	cr_assert(p->name, "%s has no parameter %s", policy->ops->name, param);
	cr_assert(value >= p->min && value <= p->max, "%s: %s = %g", policy->ops->name, param,
		  value);
	memcpy((char *)policy->state + p->offset, &value, sizeof(value));
}

const struct vmadj_policy_wishes *loaded_policy_decide(const struct loaded_policy *policy,
						       const struct vmadj_policy_snapshot *now)
{
	static union {
		struct vmadj_policy_wishes wishes;
		char bytes[sizeof(struct vmadj_policy_wishes) +
			   LOADED_WISHES_MAX * sizeof(struct vmadj_policy_wish)];
	} out;

	out.wishes = (struct vmadj_policy_wishes){ .seq = now->seq, .max = LOADED_WISHES_MAX };
	policy->ops->decide(policy->state, now, &out.wishes);
	cr_assert(out.wishes.n <= out.wishes.max, "%s wishes for too much", policy->ops->name);
	return &out.wishes;
}

const struct vmadj_policy_wish *loaded_policy_wish_for(const struct vmadj_policy_wishes *wishes,
						       const char *id)
{
	for (uint32_t i = 0; i < wishes->n; i++) {
		if (!strcmp(wishes->wish[i].vm, id))
			return &wishes->wish[i];
	}
	return NULL;
}
