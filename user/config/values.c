/* SPDX-License-Identifier: GPL-2.0-only */
/* values.c - values of keys: from text, to text, and what may be given */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "user/config/config_private.h"
#include "user/util/parse.h"
#include "user/util/scan.h"

#define CPUS_MAX     8192
#define EXACT_DIGITS 17 /* no double needs more */
#define UNIT_STEP    1024

static bool is_text(const struct vmadj_config_key *key)
{
	return key->type >= VMADJ_CONFIG_TEXT;
}

static int parse_bool(const char *text, bool *ret_value)
{
	static const char *const words[] = { "no", "yes", "off", "on", "false", "true" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i]) == 0) {
			*ret_value = i % 2;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_integer(const char *text, double min, double max, int64_t *ret_value)
{
	bool negative = *text == '-';
	uint64_t size;
	int64_t value;
	int err = vmadj_parse_u64(text + (negative || *text == '+'), 0, INT64_MAX, &size);

	if (err)
		return err;
	value = negative ? -(int64_t)size : (int64_t)size;
	if ((double)value < min || (double)value > max)
		return -ERANGE;
	*ret_value = value;
	return 0;
}

static int check_cpus(const char *text)
{
	for (;;) {
		uint64_t from, to;

		if (*text < '0' || *text > '9' || !vmadj_scan_u64(&text, &from))
			return -EINVAL;
		to = from;
		if (*text == '-' && (*++text < '0' || *text > '9' || !vmadj_scan_u64(&text, &to)))
			return -EINVAL;
		if (to >= CPUS_MAX)
			return -ERANGE;
		if (from > to)
			return -EINVAL;
		if (*text == '\0')
			return 0;
		if (*text++ != ',')
			return -EINVAL;
	}
}

static int parse_choice(const char *text, const char *const *choices, int *ret_value)
{
	for (int i = 0; choices[i]; i++) {
		if (strcmp(text, choices[i]) == 0) {
			*ret_value = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_text(const struct vmadj_config_key *key, const char *text, char **to)
{
	char *copy = NULL;
	int err = 0;

	if (key->word && strcmp(text, key->word) == 0) {
		text = NULL;
	} else if (key->type == VMADJ_CONFIG_PATH) {
		err = *text == '/' ? 0 : -EINVAL;
	} else if (key->type == VMADJ_CONFIG_CPUS) {
		err = check_cpus(text);
	}
	if (err)
		return err;
	if (text) {
		copy = strdup(text);
		if (!copy)
			return -ENOMEM;
	}
	free(*to);
	*to = copy;
	return 0;
}

int vmadj_config_key_parse(const struct vmadj_config_key *key, const char *text, void *base)
{
	void *to = (char *)base + key->offset;
	bool is_word = key->word && strcmp(text, key->word) == 0;

	switch (key->type) {
	case VMADJ_CONFIG_BOOL:
		return parse_bool(text, to);
	case VMADJ_CONFIG_INTEGER:
		return parse_integer(text, key->min, key->max, to);
	case VMADJ_CONFIG_DURATION:
		if (!is_word)
			return vmadj_parse_duration(text, key->min, key->max, to);
		*(double *)to = (double)key->word_value;
		return 0;
	case VMADJ_CONFIG_BYTES:
		if (!is_word)
			return vmadj_parse_bytes(text, (uint64_t)key->min, (uint64_t)key->max, to);
		*(uint64_t *)to = key->word_value;
		return 0;
	case VMADJ_CONFIG_PERCENT:
		if (!is_word)
			return vmadj_parse_percent(text, key->min, key->max, to);
		*(double *)to = (double)key->word_value;
		return 0;
	case VMADJ_CONFIG_CHOICE:
		return parse_choice(text, key->choices, to);
	default:
		return parse_text(key, text, to);
	}
}

void vmadj_config_key_copy(const struct vmadj_config_key *key, const void *from, void *to)
{
	static const size_t sizes[] = {
		[VMADJ_CONFIG_BOOL] = sizeof(bool),	  [VMADJ_CONFIG_INTEGER] = sizeof(int64_t),
		[VMADJ_CONFIG_DURATION] = sizeof(double), [VMADJ_CONFIG_BYTES] = sizeof(uint64_t),
		[VMADJ_CONFIG_TEXT] = sizeof(char *),	  [VMADJ_CONFIG_PATH] = sizeof(char *),
		[VMADJ_CONFIG_CPUS] = sizeof(char *),	  [VMADJ_CONFIG_CHOICE] = sizeof(int),
		[VMADJ_CONFIG_PERCENT] = sizeof(double),
	};

	memcpy((char *)to + key->offset, (const char *)from + key->offset, sizes[key->type]);
}

void vmadj_config_forget(enum vmadj_config_kind kind, void *base)
{
	for (const struct vmadj_config_key *k = vmadj_config_keys_of(kind); k->kind == kind; k++) {
		if (is_text(k))
			free(*(char **)((char *)base + k->offset));
	}
}

/* The shortest decimal number that is read as the same one. */
static void print_double(FILE *out, double value, const char *unit)
{
	char text[32];

	for (int digits = 6; digits <= EXACT_DIGITS; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	(void)fprintf(out, "%s%s", text, unit);
}

static void print_bytes(FILE *out, uint64_t bytes)
{
	static const char *const units[] = { "", "K", "M", "G", "T" };
	size_t i = 0;

	while (bytes && bytes % UNIT_STEP == 0 && i < sizeof(units) / sizeof(units[0]) - 1) {
		bytes /= UNIT_STEP;
		i++;
	}
	(void)fprintf(out, "%" PRIu64 "%s", bytes, units[i]);
}

void vmadj_config_key_print(FILE *out, const struct vmadj_config_key *key, const void *base)
{
	const void *from = (const char *)base + key->offset;
	const char *text;

	switch (key->type) {
	case VMADJ_CONFIG_BOOL:
		(void)fputs(*(const bool *)from ? "yes" : "no", out);
		return;
	case VMADJ_CONFIG_INTEGER:
		(void)fprintf(out, "%" PRId64, *(const int64_t *)from);
		return;
	case VMADJ_CONFIG_DURATION:
	case VMADJ_CONFIG_PERCENT:
		if (key->word && *(const double *)from == (double)key->word_value) {
			(void)fputs(key->word, out);
			return;
		}
		print_double(out, *(const double *)from,
			     key->type == VMADJ_CONFIG_PERCENT ? "%" : "s");
		return;
	case VMADJ_CONFIG_BYTES:
		if (key->word && *(const uint64_t *)from == key->word_value) {
			(void)fputs(key->word, out);
			return;
		}
		print_bytes(out, *(const uint64_t *)from);
		return;
	case VMADJ_CONFIG_CHOICE:
		(void)fputs(key->choices[*(const int *)from], out);
		return;
	default:
		text = *(char *const *)from;
		(void)fputs(text ? text : key->word, out);
	}
}

char *vmadj_config_key_range(const struct vmadj_config_key *key, char *buf, size_t size)
{
	FILE *out = fmemopen(buf, size, "w");

	buf[0] = '\0';
	if (!out)
		return buf;
	switch (key->type) {
	case VMADJ_CONFIG_BOOL:
		(void)fputs("yes or no", out);
		break;
	case VMADJ_CONFIG_INTEGER:
		(void)fprintf(out, "a whole number from %.0f to %.0f", key->min, key->max);
		break;
	case VMADJ_CONFIG_DURATION:
		(void)fprintf(out, "a time from %gs to %gs", key->min, key->max);
		break;
	case VMADJ_CONFIG_PERCENT:
		(void)fprintf(out, "per cent, from %g%% to %g%%", key->min, key->max);
		break;
	case VMADJ_CONFIG_BYTES:
		(void)fputs("a size from ", out);
		print_bytes(out, (uint64_t)key->min);
		(void)fputs(" to ", out);
		print_bytes(out, (uint64_t)key->max);
		break;
	case VMADJ_CONFIG_CHOICE:
		for (int i = 0; key->choices[i]; i++) {
			(void)fprintf(out, "%s%s",
				      !i		    ? ""
				      : key->choices[i + 1] ? ", "
							    : " or ",
				      key->choices[i]);
		}
		break;
	case VMADJ_CONFIG_TEXT:
		(void)fputs("a text", out);
		break;
	case VMADJ_CONFIG_PATH:
		(void)fputs("a path from / on", out);
		break;
	case VMADJ_CONFIG_CPUS:
		(void)fputs("a list of CPUs as in 0-3,8", out);
		break;
	}
	if (key->word)
		(void)fprintf(out, ", or %s", key->word);
	(void)fclose(out);
	return buf;
}
