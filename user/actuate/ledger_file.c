/* SPDX-License-Identifier: GPL-2.0-only */
/* ledger_file.c - the ledger's file: lines of JSON, appended */
#include "user/actuate/ledger_file.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/actuate/ledger.h"
#include "user/util/cleanup.h"
#include "user/util/file.h"
#include "user/util/jsonw.h"
#include "user/util/log.h"

#define FILE_NAME     "ledger"
#define LOCK_NAME     "ledger.lock" /* another file: the ledger itself is replaced */
#define LINE_BYTES    1024	    /* about what one entry takes */
#define SHORT_BYTES   (1 << 20)
#define BOOT_ID_BYTES 40

struct vmadj_ledger_file {
	int dir_fd, lock_fd, fd;
	off_t len; /* of whole lines */
	char boot_id[BOOT_ID_BYTES];
	struct vmadj_jsonw pending;
};

/* --- one line ----------------------------------------------------------- */

/* The names under which the texts of an entry stand in a line. */
struct text {
	const char *key;
	size_t offset;
};

#define TEXT(name)                                               \
	{                                                        \
#name, offsetof(struct vmadj_ledger_entry, name) \
	}

static const struct text texts[] = {
	{ "id", offsetof(struct vmadj_ledger_entry, vm.id) },
	{ "name", offsetof(struct vmadj_ledger_entry, vm.name) },
	{ "uuid", offsetof(struct vmadj_ledger_entry, vm.uuid) },
	{ "manager", offsetof(struct vmadj_ledger_entry, vm.manager) },
	TEXT(knob),
	TEXT(kind),
	TEXT(owner),
	TEXT(group),
	TEXT(unit),
	TEXT(by),
	TEXT(original),
	TEXT(ours),
	TEXT(before),
};

static const char **text_of(const struct vmadj_ledger_entry *entry, size_t i)
{
	return (const char **)((char *)entry + texts[i].offset);
}

static void end_line(struct vmadj_jsonw *w)
{
	vmadj_jsonw_close(w, '}');
	vmadj_jsonw_newline(w);
}

static void put_entry(struct vmadj_jsonw *w, const char *boot_id,
		      const struct vmadj_ledger_entry *entry)
{
	vmadj_jsonw_open(w, NULL, '{');
	vmadj_jsonw_string(w, "boot", boot_id);
	vmadj_jsonw_i64(w, "pid", entry->vm.pid);
	vmadj_jsonw_u64(w, "start", entry->vm.start_ticks);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		vmadj_jsonw_string(w, texts[i].key, *text_of(entry, i));
	end_line(w);
}

/* Texts may be missing, but for those by which an entry is found. */
static bool get_entry(const json_t *line, const char *boot_id, struct vmadj_ledger_entry *entry)
{
	const char *boot = json_string_value(json_object_get(line, "boot"));

	entry->vm.pid = (pid_t)json_integer_value(json_object_get(line, "pid"));
	entry->vm.start_ticks = (uint64_t)json_integer_value(json_object_get(line, "start"));
	entry->stale = !boot || strcmp(boot, boot_id) != 0;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*text_of(entry, i) = json_string_value(json_object_get(line, texts[i].key));
	return entry->vm.id && entry->knob && (entry->original || json_object_get(line, "forget"));
}

static int read_line(struct vmadj_ledger_file *file, const char *text, size_t len,
		     vmadj_ledger_line line, void *userdata)
{
	struct vmadj_ledger_entry entry = { 0 };
	json_t *document = json_loadb(text, len, 0, NULL);
	int err = 0;

	if (document && get_entry(document, file->boot_id, &entry)) {
		err = line(userdata, &entry, json_object_get(document, "forget") != NULL);
	} else {
		log_err("a line of the ledger cannot be understood, ignoring it: %.*s", (int)len,
			text);
	}
	json_decref(document);
	return err;
}

/* --- the file ----------------------------------------------------------- */

/* What stands behind the last end of a line was never finished, and is cut off. */
static int read_lines(struct vmadj_ledger_file *file, vmadj_ledger_line line, void *userdata)
{
	_cleanup_fclose_ FILE *in = fdopen(dup(file->fd), "r");
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	ssize_t len;
	int err = 0;

	if (!in)
		return -errno;
	while (!err && (len = getline(&text, &size, in)) > 0 && text[len - 1] == '\n') {
		err = read_line(file, text, (size_t)len - 1, line, userdata);
		file->len += len;
	}
	if (!err && ferror(in))
		err = -EIO;
	if (!err && ftruncate(file->fd, file->len))
		err = -errno;
	return err;
}

static int lock(struct vmadj_ledger_file *file)
{
	file->lock_fd =
		openat(file->dir_fd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file->lock_fd < 0)
		return -errno;
	if (flock(file->lock_fd, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	return 0;
}

static int open_all(struct vmadj_ledger_file *file, const char *dir)
{
	int err;

	if (mkdir(dir, 0700) && errno != EEXIST)
		return -errno;
	file->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file->dir_fd < 0)
		return -errno;
	err = lock(file);
	if (err)
		return err;
	file->fd = openat(file->dir_fd, FILE_NAME,
			  O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	return file->fd < 0 ? -errno : 0;
}

int vmadj_ledger_file_open(const char *dir, vmadj_ledger_line line, void *userdata,
			   struct vmadj_ledger_file **ret_file)
{
	struct vmadj_ledger_file *file = calloc(1, sizeof(*file));
	int err;

	if (!file)
		return -ENOMEM;
	file->dir_fd = file->lock_fd = file->fd = -1;
	(void)vmadj_file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", file->boot_id,
			      sizeof(file->boot_id));
	file->boot_id[strcspn(file->boot_id, "\n")] = '\0';
	err = open_all(file, dir);
	if (!err)
		err = read_lines(file, line, userdata);
	if (err) {
		vmadj_ledger_file_close(file);
		return err;
	}
	*ret_file = file;
	return 0;
}

void vmadj_ledger_file_close(struct vmadj_ledger_file *file)
{
	int fds[] = { file ? file->fd : -1, file ? file->lock_fd : -1, file ? file->dir_fd : -1 };

	if (!file)
		return;
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0)
			(void)close(fds[i]);
	}
	free(file->pending.buf);
	free(file);
}

int vmadj_ledger_file_add(struct vmadj_ledger_file *file, const struct vmadj_ledger_entry *entry)
{
	put_entry(&file->pending, file->boot_id, entry);
	return file->pending.failed ? -ENOMEM : 0;
}

int vmadj_ledger_file_forget(struct vmadj_ledger_file *file, const struct vmadj_ledger_entry *entry)
{
	struct vmadj_jsonw *w = &file->pending;

	vmadj_jsonw_open(w, NULL, '{');
	vmadj_jsonw_bool(w, "forget", true);
	vmadj_jsonw_string(w, "id", entry->vm.id);
	vmadj_jsonw_string(w, "knob", entry->knob);
	end_line(w);
	return w->failed ? -ENOMEM : 0;
}

static int write_whole(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

int vmadj_ledger_file_flush(struct vmadj_ledger_file *file, bool sync)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int err;

	if (!file->pending.len && !file->pending.failed)
		return 0;
	err = vmadj_jsonw_finish(&file->pending, &text, &len);
	if (!err)
		err = write_whole(file->fd, text, len);
	if (!err && sync && fdatasync(file->fd))
		err = -errno;
	if (err) {
		/* A part of a line must not stand before the next one. */
		(void)ftruncate(file->fd, file->len);
		return err;
	}
	file->len += (off_t)len;
	return 0;
}

bool vmadj_ledger_file_is_long(const struct vmadj_ledger_file *file, size_t n)
{
	return n ? file->len > SHORT_BYTES + (off_t)n * LINE_BYTES * 4 : file->len > 0;
}

/* An empty ledger is an empty file: that needs no room on a full disk. */
static int make_empty(struct vmadj_ledger_file *file)
{
	if (ftruncate(file->fd, 0))
		return -errno;
	file->len = 0;
	return 0;
}

int vmadj_ledger_file_rewrite(struct vmadj_ledger_file *file,
			      const struct vmadj_ledger_entry *entries, size_t n)
{
	struct vmadj_jsonw w = { 0 };
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	size_t len;
	int err;

	if (!n)
		return make_empty(file);
	for (size_t i = 0; i < n; i++)
		put_entry(&w, file->boot_id, &entries[i]);
	err = vmadj_jsonw_finish(&w, &text, &len);
	if (err)
		return err;
	fd = openat(file->dir_fd, FILE_NAME ".new",
		    O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	err = write_whole(fd, text, len);
	if (!err &&
	    (fdatasync(fd) || renameat(file->dir_fd, FILE_NAME ".new", file->dir_fd, FILE_NAME)))
		err = -errno;
	if (err) {
		(void)unlinkat(file->dir_fd, FILE_NAME ".new", 0);
		return err;
	}
	(void)fsync(file->dir_fd);
	(void)close(file->fd);
	file->fd = vmadj_steal_fd(&fd);
	file->len = (off_t)len;
	return 0;
}
