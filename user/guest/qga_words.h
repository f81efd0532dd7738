/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * qga_words.h - single commands to qemu-ga as it wants them, and what its answers say
 *
 * An answer is a line of at most VMADJ_QGA_ANSWERS_MAX bytes and four levels of JSON.
 *
 * Errors of an answer: -EPROTO: it is none to that question; -EACCES: the guest's administrator
 * has switched the command off; -EIO: the agent could not do it. Its words are for people only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VMADJ_QGA_FILE_MAX 12288 /* bytes of a file that are read at once */

/* Each adds a line at buf[used], within @size; Return: the length now. */
size_t vmadj_qga_say_open(char *buf, size_t size, size_t used, const char *path);
size_t vmadj_qga_say_read(char *buf, size_t size, size_t used, int64_t handle); /* from its start */
size_t vmadj_qga_say_close(char *buf, size_t size, size_t used, int64_t handle);

/* Whether it answers guest-sync-delimited with @id. */
bool vmadj_qga_is_sync(const char *line, size_t len, uint64_t id);

/* What somebody says who failed, @words_size bytes of it at most. Each is filled in with -EIO. */
struct vmadj_qga_words {
	char text[128];
};

/* Return: 0; -EPROTO; -EACCES; -EIO. */
int vmadj_qga_take_handle(const char *line, size_t len, int64_t *ret_handle,
			  struct vmadj_qga_words *words);
int vmadj_qga_take_seek(const char *line, size_t len, struct vmadj_qga_words *words);

/* The text of a whole file into @text, VMADJ_QGA_FILE_MAX + 1 bytes; cut at a NUL in it. */
int vmadj_qga_take_file(const char *line, size_t len, char *text, struct vmadj_qga_words *words);
