// SPDX-License-Identifier: GPL-2.0-only
/* qga_words.c - single commands to qemu-ga, and what its answers say */
#include "user/guest/qga_words.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "user/util/base64.h"
#include "user/util/json_depth.h"
#include "user/util/text.h"

#define DEPTH_MAX 4

static __attribute__((format(printf, 4, 5))) size_t say(char *buf, size_t size, size_t used,
							const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(buf + used, size - used, format, args);
	va_end(args);
	return len < 0 || (size_t)len >= size - used ? used : used + (size_t)len;
}

size_t vmadj_qga_say_open(char *buf, size_t size, size_t used, const char *path)
{
	return say(
		buf, size, used,
		"{\"execute\":\"guest-file-open\",\"arguments\":{\"path\":\"%s\",\"mode\":\"r\"}}\n",
		path);
}

size_t vmadj_qga_say_read(char *buf, size_t size, size_t used, int64_t handle)
{
	return say(buf, size, used,
		   "{\"execute\":\"guest-file-seek\",\"arguments\":{\"handle\":%" PRId64
		   ",\"offset\":0,\"whence\":0}}\n"
		   "{\"execute\":\"guest-file-read\",\"arguments\":{\"handle\":%" PRId64
		   ",\"count\":%d}}\n",
		   handle, handle, VMADJ_QGA_FILE_MAX);
}

size_t vmadj_qga_say_close(char *buf, size_t size, size_t used, int64_t handle)
{
	return say(buf, size, used,
		   "{\"execute\":\"guest-file-close\",\"arguments\":{\"handle\":%" PRId64 "}}\n",
		   handle);
}

static json_t *parse(const char *line, size_t len)
{
	json_t *json = vmadj_json_is_deeper(line, len, DEPTH_MAX)
			       ? NULL
			       : json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);

	if (json_is_object(json))
		return json;
	json_decref(json);
	return NULL;
}

bool vmadj_qga_is_sync(const char *line, size_t len, uint64_t id)
{
	json_t *json = parse(line, len);
	const json_t *answer = json_object_get(json, "return");
	bool is = json_is_integer(answer) && json_integer_value(answer) == (json_int_t)id;

	json_decref(json);
	return is;
}

/* QEMU has said it in three ways so far; libvirt passes on the words only. */
static int take_error(const json_t *error, struct vmadj_qga_words *words)
{
	const char *class = json_string_value(json_object_get(error, "class"));
	const char *desc = json_string_value(json_object_get(error, "desc"));
	bool blocked =
		class && (!strcmp(class, "CommandNotFound") || !strcmp(class, "CommandDisabled"));

	/* "The command X has ...", "Command X has ...": a handle may not have been found either. */
	blocked |= desc && strcasestr(desc, "command ") &&
		   (strstr(desc, "has been disabled") || strstr(desc, "has not been found"));
	(void)vmadj_escape(desc ? desc : "no reason given", words->text, sizeof(words->text));
	return blocked ? -EACCES : -EIO;
}

/* Return: 0, and *@ret_json is the caller's, *@ret_answer within it; -EPROTO; -EACCES; -EIO. */
static int take(const char *line, size_t len, json_t **ret_json, const json_t **ret_answer,
		struct vmadj_qga_words *words)
{
	json_t *json = parse(line, len);
	const json_t *answer = json_object_get(json, "return");
	const json_t *error = json_object_get(json, "error");
	int err = !answer == !error ? -EPROTO : error ? take_error(error, words) : 0;

	if (err) {
		json_decref(json);
		return err;
	}
	*ret_json = json;
	*ret_answer = answer;
	return 0;
}

int vmadj_qga_take_handle(const char *line, size_t len, int64_t *ret_handle,
			  struct vmadj_qga_words *words)
{
	const json_t *answer;
	json_t *json;
	int err = take(line, len, &json, &answer, words);

	if (err)
		return err;
	if (!json_is_integer(answer) || json_integer_value(answer) < 0) {
		err = -EPROTO;
	} else {
		*ret_handle = json_integer_value(answer);
	}
	json_decref(json);
	return err;
}

int vmadj_qga_take_seek(const char *line, size_t len, struct vmadj_qga_words *words)
{
	const json_t *answer;
	json_t *json;
	int err = take(line, len, &json, &answer, words);

	if (err)
		return err;
	if (!json_is_integer(json_object_get(answer, "position")))
		err = -EPROTO;
	json_decref(json);
	return err;
}

int vmadj_qga_take_file(const char *line, size_t len, char *text, struct vmadj_qga_words *words)
{
	const json_t *answer;
	const char *base64;
	json_t *json;
	int err = take(line, len, &json, &answer, words);

	if (err)
		return err;
	base64 = json_string_value(json_object_get(answer, "buf-b64"));
	/* Half a file might end with half a number. */
	if (!base64 || !json_is_true(json_object_get(answer, "eof")) ||
	    vmadj_base64_decode(base64, text, VMADJ_QGA_FILE_MAX + 1) < 0)
		err = -EPROTO;
	json_decref(json);
	return err;
}
