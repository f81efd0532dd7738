/* SPDX-License-Identifier: GPL-2.0-only */
/* load.c - a policy's file, loaded and held against policy.h */
#include "user/policy/load.h"

#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "user/util/parse.h"

#define STATE_MAX (16U << 20)
#define PARAMS_MAX \
	(sizeof(((struct vmadj_runner_info *)0)->param) / sizeof(struct vmadj_runner_param_info))
#define OPS_SIZE_MIN (offsetof(struct vmadj_policy_ops, decide) + sizeof(void *))
#define NAME_CHARS   "abcdefghijklmnopqrstuvwxyz0123456789_-"

int vmadj_load_object(int fd, struct vmadj_loaded *ret_loaded, char *why, size_t size)
{
	char path[32];
	void *object;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	/* All symbols now: later nothing can be opened any more. Never closed. */
	object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!object) {
		(void)snprintf(why, size, "it cannot be loaded: %s", dlerror());
		return -EINVAL;
	}
	ret_loaded->ops = dlsym(object, "vmadj_policy");
	if (!ret_loaded->ops) {
		(void)snprintf(why, size,
			       "it exports no vmadj_policy; see policy.h for what a policy has");
		return -EINVAL;
	}
	return 0;
}

static const char *wrong_table(const struct vmadj_policy_ops *ops)
{
	size_t len;

	if (ops->abi != VMADJ_POLICY_ABI)
		return "it was built with another version of policy.h; build it anew";
	if (ops->size < OPS_SIZE_MIN)
		return "its table is cut short; use VMADJ_POLICY_HEADER";
	if (!ops->name || !ops->summary || !ops->decide)
		return "name, summary and decide must be there";
	len = strlen(ops->name);
	if (len == 0 || len >= sizeof(((struct vmadj_runner_info *)0)->name) ||
	    strspn(ops->name, NAME_CHARS) != len)
		return "its name must be 1 to 31 of a-z 0-9 _ -";
	if (ops->knobs & ~(VMADJ_KNOB_CPU | VMADJ_KNOB_MEMORY))
		return "it wants knobs that do not exist";
	if (ops->state_size > STATE_MAX)
		return "its state is larger than 16 MiB";
	return NULL;
}

/* Everything of a row that could make the loader itself stumble. */
static bool is_param_right(const struct vmadj_policy_ops *ops,
			   const struct vmadj_policy_param *param)
{
	return param->type >= VMADJ_PARAM_INT && param->type <= VMADJ_PARAM_BOOL &&
	       ops->state_size >= sizeof(double) &&
	       param->offset <= ops->state_size - sizeof(double) &&
	       param->offset % sizeof(double) == 0 && param->min <= param->def &&
	       param->def <= param->max && strlen(param->name) < 32;
}

static int parse_bool(const char *text, double *ret_value)
{
	static const char *const words[] = { "no", "yes", "false", "true", "0", "1" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i]) == 0) {
			*ret_value = (double)(i % 2);
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_value(const struct vmadj_policy_param *param, const char *text, double *ret_value)
{
	uint64_t bytes;
	double value;
	int err;

	switch (param->type) {
	case VMADJ_PARAM_SECONDS:
		return vmadj_parse_duration(text, param->min, param->max, ret_value);
	case VMADJ_PARAM_BYTES:
		err = vmadj_parse_bytes(text, 0, UINT64_MAX, &bytes);
		value = (double)bytes;
		break;
	case VMADJ_PARAM_BOOL:
		return parse_bool(text, ret_value);
	default:
		err = vmadj_parse_double(text, -HUGE_VAL, HUGE_VAL, &value);
		if (!err && param->type == VMADJ_PARAM_INT && value != floor(value))
			err = -EINVAL;
		break;
	}
	if (err)
		return err;
	if (value < param->min || value > param->max)
		return -ERANGE;
	*ret_value = value;
	return 0;
}

static const char *kind_of(enum vmadj_policy_param_type type)
{
	static const char *const kinds[] = {
		[VMADJ_PARAM_INT] = "whole number",
		[VMADJ_PARAM_REAL] = "number",
		[VMADJ_PARAM_SECONDS] = "number of seconds (\"90\", \"500ms\", \"5min\")",
		[VMADJ_PARAM_BYTES] = "number of bytes (\"64M\", \"2G\")",
		[VMADJ_PARAM_BOOL] = "\"yes\" or \"no\"",
	};

	return kinds[type];
}

static int set_param(const struct vmadj_loaded *loaded, const char *name, const char *text,
		     FILE *why)
{
	const struct vmadj_policy_param *param = loaded->ops->params;
	double value;
	int err;

	while (param && param->name && strcmp(param->name, name) != 0)
		param++;
	if (!param || !param->name) {
		(void)fprintf(why, "%s: there is no such parameter\n", name);
		return -EINVAL;
	}
	err = parse_value(param, text, &value);
	if (err == -ERANGE) {
		(void)fprintf(why, "%s: %s is not within %.15g..%.15g\n", name, text, param->min,
			      param->max);
	} else if (err) {
		(void)fprintf(why, "%s: \"%s\" is no %s\n", name, text, kind_of(param->type));
	} else {
		memcpy((char *)loaded->state + param->offset, &value, sizeof(value));
	}
	return err ? -EINVAL : 0;
}

static int set_defaults(const struct vmadj_loaded *loaded, FILE *why)
{
	const struct vmadj_policy_param *param = loaded->ops->params;
	size_t n = 0;

	for (; param && param->name; param++, n++) {
		if (n == PARAMS_MAX) {
			(void)fprintf(why, "it has more than %zu parameters\n", PARAMS_MAX);
			return -EINVAL;
		}
		if (!is_param_right(loaded->ops, param)) {
			(void)fprintf(why, "its parameter %zu is declared wrongly\n", n + 1);
			return -EINVAL;
		}
		memcpy((char *)loaded->state + param->offset, &param->def, sizeof(param->def));
	}
	return 0;
}

static void fill_info(const struct vmadj_loaded *loaded, struct vmadj_runner_info *info)
{
	const struct vmadj_policy_ops *ops = loaded->ops;
	const struct vmadj_policy_param *param = ops->params;

	(void)snprintf(info->name, sizeof(info->name), "%s", ops->name);
	(void)snprintf(info->summary, sizeof(info->summary), "%s", ops->summary);
	info->knobs = ops->knobs;
	for (; param && param->name; param++) {
		struct vmadj_runner_param_info *to = &info->param[info->n_params++];

		(void)snprintf(to->name, sizeof(to->name), "%s", param->name);
		(void)snprintf(to->unit, sizeof(to->unit), "%s", param->unit ? param->unit : "");
		(void)snprintf(to->help, sizeof(to->help), "%s", param->help ? param->help : "");
		to->type = param->type;
		to->def = param->def;
		to->min = param->min;
		to->max = param->max;
		memcpy(&to->value, (const char *)loaded->state + param->offset, sizeof(to->value));
	}
}

int vmadj_load_params(struct vmadj_loaded *loaded, const char *params, size_t n,
		      struct vmadj_runner_info *ret_info, FILE *why)
{
	const char *wrong = wrong_table(loaded->ops);
	int err;

	if (wrong) {
		(void)fprintf(why, "%s\n", wrong);
		return -EINVAL;
	}
	loaded->state = calloc(1, loaded->ops->state_size + 1);
	if (!loaded->state) {
		(void)fprintf(why, "its state does not fit into its memory\n");
		return -EINVAL;
	}
	err = set_defaults(loaded, why);
	if (err)
		return err;
	for (size_t i = 0; i < n; i++) {
		const char *value = params + strlen(params) + 1;

		if (set_param(loaded, params, value, why))
			err = -EINVAL;
		params = value + strlen(value) + 1;
	}
	if (!err)
		fill_info(loaded, ret_info);
	return err;
}
