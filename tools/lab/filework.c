// SPDX-License-Identifier: GPL-2.0-only
/*
 * filework.c - in a guest: does with files what it is told, and says what became of them
 *
 * It is told over the virtio port org.vmadjust.0, line by line, and answers each line with one:
 *
 *	use HOW STATE ORDER BYTES EACH PATH
 *		Answer: "ready", once the state is as wanted. Then the line "go" has a new process
 *do read, write, direct (O_DIRECT) or mmap (one load each) calls of EACH bytes over the file's
 *first BYTES; STATE is what of these is in the page cache before: none (cold), all (warm) or the
 *first half (half); ORDER is seq or random, repeats included. Answer: "used ASKED STORAGE ADDED
 *FAULTS": pages that the calls asked for; that the kernel accounts to this thread as read from
 *storage; that are in the cache now and were not before; and the faults. sh COMMAND Answer: "status
 *N".
 *
 * Else the answer is "error ...". Pages have 4096 bytes.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORT	 "org.vmadjust.0"
#define PAGE	 4096UL
#define LINE_LEN 512

struct use {
	char how[16], state[16], order[16], path[128];
	unsigned long bytes, each;
	int fd;
	char *buf;
	unsigned char *map, *before; /* before[i] & 1: page i was in the cache */
	unsigned long asked, storage, added, faults;
};

/* Return: the first line of a file, without its end. */
static bool read_line(const char *path, char *line, int size)
{
	FILE *f = fopen(path, "re");
	bool ok = f && fgets(line, size, f);

	if (f)
		(void)fclose(f);
	if (ok)
		line[strcspn(line, "\n")] = '\0';
	return ok;
}

static int port_open(void)
{
	char path[300], name[64];
	DIR *dir = opendir("/sys/class/virtio-ports");
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		(void)snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name",
			       entry->d_name);
		if (!read_line(path, name, sizeof(name)) || strcmp(name, PORT) != 0)
			continue;
		(void)snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		(void)closedir(dir);
		return open(path, O_RDWR | O_CLOEXEC);
	}
	if (dir)
		(void)closedir(dir);
	return -1;
}

static unsigned long storage_bytes(void)
{
	char text[512], *line;
	int fd = open("/proc/thread-self/io", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		(void)close(fd);
	text[len > 0 ? len : 0] = '\0';
	line = strstr(text, "\nread_bytes:");
	return line ? strtoul(line + 12, NULL, 10) : 0;
}

static unsigned long faults(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_THREAD, &usage);
	return (unsigned long)(usage.ru_minflt + usage.ru_majflt);
}

static int read_through(const struct use *use, unsigned long bytes)
{
	unsigned long at = 0;
	ssize_t got = 1;

	for (; got > 0 && at < bytes; at += (unsigned long)got)
		got = pread(use->fd, use->buf, use->each, (off_t)at);
	return got < 0 ? -errno : 0;
}

/* In or out of the page cache as wanted, and which pages are there then. */
static int set_up(struct use *use)
{
	unsigned long pages = use->bytes / PAGE, there = 0, want = 0;
	int err = 0;

	if (fdatasync(use->fd) || posix_fadvise(use->fd, 0, 0, POSIX_FADV_DONTNEED))
		return -EIO;
	if (!strcmp(use->state, "warm"))
		want = pages;
	if (!strcmp(use->state, "half")) {
		/* no more than that half */
		(void)posix_fadvise(use->fd, 0, 0, POSIX_FADV_RANDOM);
		want = pages / 2;
	}
	if (want)
		err = read_through(use, want * PAGE);
	(void)posix_fadvise(use->fd, 0, 0, POSIX_FADV_NORMAL);
	use->map = mmap(NULL, use->bytes, PROT_READ, MAP_SHARED, use->fd, 0);
	if (err || use->map == MAP_FAILED || mincore(use->map, use->bytes, use->before))
		return -EIO;
	for (unsigned long i = 0; i < pages; i++)
		there += use->before[i] & 1;
	return there == want ? 0 : -EBUSY;
}

static int use_open(struct use *use)
{
	bool direct = !strcmp(use->how, "direct");
	bool write = !strcmp(use->how, "write");

	use->before = calloc(2, use->bytes / PAGE + 1);
	if (!use->before || posix_memalign((void **)&use->buf, PAGE, use->each + PAGE))
		return -ENOMEM;
	memset(use->buf, 'w', use->each);
	use->fd = open(use->path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (use->fd < 0)
		return -errno;
	/* What is in the cache is seen and arranged through the same descriptor. */
	if (direct && fcntl(use->fd, F_SETFL, O_DIRECT))
		return -errno;
	return set_up(use);
}

static ssize_t one_call(const struct use *use, unsigned long at)
{
	if (!strcmp(use->how, "write"))
		return pwrite(use->fd, use->buf, use->each, (off_t)at);
	if (strcmp(use->how, "mmap") != 0)
		return pread(use->fd, use->buf, use->each, (off_t)at);
	(void)*(const volatile unsigned char *)(use->map + at);
	return (ssize_t)use->each;
}

static int all_calls(struct use *use)
{
	unsigned long n = use->bytes / use->each, bytes = storage_bytes(), faulted = faults();
	bool random = !strcmp(use->order, "random");
	unsigned int seed = 1;

	for (unsigned long i = 0; i < n; i++) {
		unsigned long at = (random ? (unsigned long)rand_r(&seed) % n : i) * use->each;

		if (one_call(use, at) != (ssize_t)use->each)
			return -EIO;
		use->asked += (at + use->each - 1) / PAGE - at / PAGE + 1;
	}
	use->faults = faults() - faulted;
	use->storage = (storage_bytes() - bytes) / PAGE;
	return 0;
}

static void count_added(struct use *use)
{
	unsigned long pages = use->bytes / PAGE;
	unsigned char *after = use->before + pages;

	if (!use->map || mincore(use->map, use->bytes, after))
		return;
	for (unsigned long i = 0; i < pages; i++)
		use->added += (after[i] & 1) && !(use->before[i] & 1);
}

static void say(int port, const char *answer)
{
	if (write(port, answer, strlen(answer)) < 0)
		_exit(1);
}

/* In a process of its own: what a thread did before is no part of it. */
static void use_now(struct use *use, int port)
{
	char answer[LINE_LEN];
	int err = all_calls(use);

	if (err) {
		(void)snprintf(answer, sizeof(answer), "error %s\n", strerror(-err));
	} else {
		count_added(use);
		(void)snprintf(answer, sizeof(answer), "used %lu %lu %lu %lu\n", use->asked,
			       use->storage, use->added, use->faults);
	}
	say(port, answer);
	_exit(0);
}

static void use_file(const char *line, FILE *port)
{
	char text[LINE_LEN];
	struct use use = { .fd = -1 };
	int err = -EINVAL;
	pid_t child;

	if (sscanf(line, "use %15s %15s %15s %lu %lu %127s", use.how, use.state, use.order,
		   &use.bytes, &use.each, use.path) == 6 &&
	    use.each && use.bytes)
		err = use_open(&use);
	if (err) {
		(void)snprintf(text, sizeof(text), "error %s\n", strerror(-err));
		say(fileno(port), text);
	} else {
		say(fileno(port), "ready\n");
		(void)fgets(text, sizeof(text), port);
		child = fork();
		if (!child)
			use_now(&use, fileno(port));
		(void)waitpid(child, NULL, 0);
	}
	if (use.map && use.map != MAP_FAILED)
		(void)munmap(use.map, use.bytes);
	if (use.fd >= 0)
		(void)close(use.fd);
	free(use.before);
	free(use.buf);
}

static void do_line(const char *line, FILE *port)
{
	char answer[LINE_LEN];

	if (!strncmp(line, "sh ", 3)) {
		(void)snprintf(answer, sizeof(answer), "status %d\n", system(line + 3));
		say(fileno(port), answer);
	} else {
		use_file(line, port);
	}
}

int main(void)
{
	char line[LINE_LEN];
	int fd = port_open();
	FILE *port = fd < 0 ? NULL : fdopen(fd, "r");

	if (!port) {
		(void)fprintf(stderr, "filework: no port " PORT "\n");
		return 1;
	}
	for (;;) {
		if (!fgets(line, sizeof(line), port)) {
			/* nobody has connected yet */
			clearerr(port);
			(void)usleep(50000);
			continue;
		}
		line[strcspn(line, "\n")] = '\0';
		do_line(line, port);
	}
}
