/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz_config.c - any text is refused, or its normalised form reads back to itself
 *
 *	make fuzz && build/fuzz/config -close_fd_mask=2 CORPUS tests/data/config
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user/config/config_private.h"
#include "user/util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vmadj_config *parse(const char *data, size_t size)
{
	_cleanup_free_ char *text = malloc(size + 1);
	struct vmadj_config *config = NULL;

	if (!text)
		return NULL;
	memcpy(text, data, size);
	text[size] = '\0';
	if (vmadj_config_check_text("fuzz", text, size) ||
	    vmadj_config_parse("fuzz", text, &config))
		return NULL;
	return config;
}

static char *print(const struct vmadj_config *config, size_t *ret_len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_len);

	if (!out || vmadj_config_print(out, config) || fclose(out))
		abort();
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(vmadj_config_freep) struct vmadj_config *config = parse((const char *)data, size);
	_cleanup_(vmadj_config_freep) struct vmadj_config *again = NULL;
	_cleanup_free_ char *first = NULL, *second = NULL;
	struct vmadj_vm_limits limits;
	size_t len;

	if (!config)
		return 0;
	first = print(config, &len);
	again = parse(first, len);
	if (!again)
		abort();
	second = print(again, &len);
	limits = vmadj_config_limits(config, "db1", "4321-887766", "aaaa-bbbb");
	if (strcmp(first, second) != 0 || limits.nice_min > limits.nice_max ||
	    limits.memory_min_bytes > limits.memory_max_bytes)
		abort();
	return 0;
}
