/* SPDX-License-Identifier: GPL-2.0-only */
/* read.c - a configuration file, whole, and nothing that is none */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/config/config_private.h"
#include "user/util/cleanup.h"
#include "user/util/log.h"
#include "user/util/text.h"

int vmadj_config_check_text(const char *path, const char *text, size_t len)
{
	unsigned int line = 1;

	for (const char *at = text; at < text + len;) {
		uint32_t c = 0;
		size_t n = vmadj_utf8_decode(at, &c);

		if (n == 0) {
			log_err("%s:%u: the byte 0x%02x is not UTF-8; is this a text?", path, line,
				(unsigned char)*at);
			return -EINVAL;
		}
		at += n;
		if (c == '\n') {
			line++;
		} else if (vmadj_char_is_treacherous(c) && c != '\t' &&
			   !(c == '\r' && (*at == '\n' || *at == '\0'))) {
			log_err("%s:%u: there is a character that cannot be seen, U+%04X; take it "
				"out",
				path, line, c);
			return -EINVAL;
		}
	}
	return 0;
}

/* Up to one byte more than allowed, so that a file that is too long is seen to be. */
static int read_all(int fd, char *text, size_t *ret_len)
{
	size_t len = 0;

	while (len <= VMADJ_CONFIG_BYTES_MAX) {
		ssize_t n = read(fd, text + len, VMADJ_CONFIG_BYTES_MAX + 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*ret_len = len;
	return 0;
}

/* A FIFO must not block, nor a terminal become ours. */
static int open_regular(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		int err = -errno;

		if (err != -ENOENT)
			log_err("%s: cannot be read: %s", path, strerror(-err));
		return err;
	}
	if (!S_ISREG(st.st_mode)) {
		log_err("%s: is %s; give a configuration file", path,
			S_ISDIR(st.st_mode) ? "a directory" : "no regular file");
		return -EINVAL;
	}
	return vmadj_steal_fd(&fd);
}

int vmadj_config_read(const char *path, char **ret_text)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = open_regular(path);
	size_t len = 0;
	int err;

	if (fd < 0)
		return fd;
	text = malloc(VMADJ_CONFIG_BYTES_MAX + 2);
	if (!text)
		return -ENOMEM;
	err = read_all(fd, text, &len);
	if (err) {
		log_err("%s: cannot be read: %s", path, strerror(-err));
		return err;
	}
	if (len > VMADJ_CONFIG_BYTES_MAX) {
		log_err("%s: is longer than %d bytes, which no configuration is", path,
			VMADJ_CONFIG_BYTES_MAX);
		return -EINVAL;
	}
	text[len] = '\0';
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		len -= 3;
		memmove(text, text + 3, len + 1);
	}
	err = vmadj_config_check_text(path, text, len);
	if (err)
		return err;
	*ret_text = vmadj_steal(text);
	return 0;
}
