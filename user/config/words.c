/* SPDX-License-Identifier: GPL-2.0-only */
/* words.c - a policy as it is given on a command line, on top of what its section says */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/config/config_private.h"
#include "user/util/cleanup.h"

static bool is_given(const char *const *settings, size_t n, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < n; i++) {
		if (!strncmp(settings[i], key, len) && settings[i][len] == '=')
			return true;
	}
	return false;
}

static void put_section(FILE *out, const struct vmadj_config_policy *section,
			const char *const *settings, size_t n)
{
	for (const struct vmadj_config_key *key = vmadj_config_keys_of(VMADJ_CONFIG_POLICY);
	     key->name && key->kind == VMADJ_CONFIG_POLICY; key++) {
		if (is_given(settings, n, key->name))
			continue;
		(void)fprintf(out, "%s = ", key->name);
		vmadj_config_key_print(out, key, section);
		(void)fputc('\n', out);
	}
	for (size_t i = 0; i < section->n_params; i++) {
		const struct vmadj_config_param *param = &section->params[i];

		if (!is_given(settings, n, param->name))
			(void)fprintf(out, "%s = %s\n", param->name, param->value);
	}
}

/* "/some/where/name.so" is the policy "name". */
static void put_head(FILE *out, const char *policy)
{
	const char *slash = strrchr(policy, '/');
	size_t len;

	if (!slash) {
		(void)fprintf(out, "[policy %s]\n", policy);
		return;
	}
	len = strlen(slash + 1);
	if (len > 3 && !strcmp(slash + 1 + len - 3, ".so"))
		len -= 3;
	(void)fprintf(out, "[policy %.*s]\nfile = %s\n", (int)len, slash + 1, policy);
}

int vmadj_config_from_words(const struct vmadj_config *config, const char *policy,
			    const char *const *settings, size_t n, struct vmadj_config **ret_config)
{
	const struct vmadj_config_policy *section = vmadj_config_find_policy(config, policy);
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	FILE *out;
	int err;

	for (size_t i = 0; i < n; i++) {
		if (strpbrk(settings[i], "\r\n"))
			return -EINVAL;
	}
	if (!*policy || strpbrk(policy, "]\r\n"))
		return -EINVAL;
	out = open_memstream(&text, &len);
	if (!out)
		return -ENOMEM;
	put_head(out, policy);
	if (section)
		put_section(out, section, settings, n);
	for (size_t i = 0; i < n; i++)
		(void)fprintf(out, "%s\n", settings[i]);
	if (fclose(out))
		return -ENOMEM;
	err = vmadj_config_check_text("the words given", text, len);
	return err ? err : vmadj_config_parse("the words given", text, ret_config);
}
