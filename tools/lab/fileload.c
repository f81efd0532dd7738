// SPDX-License-Identifier: GPL-2.0-only
/*
 * fileload.c - in a guest: reads files at given rates, and counts what its page cache had
 *
 *	fileload DIR	what disk.sh has made is mounted on DIR
 *
 * Waits for one line on the virtio-serial port "org.vmadjust.0": a seed, and streams of requests,
 * separated by blanks, "BEGIN:END:RATE:KIND:FIRST:N": from second BEGIN to END, RATE requests a
 * second, each of which reads one PIECE:
 *
 *	files	one of the N files from FIRST on, any with the same chance, whole
 *	big	one of the N pieces from FIRST on of one huge file, likewise
 *	scan	the same pieces in order, and again from the first
 *	boot	one of N images, any, from its first piece to its last, then another
 *
 * Requests come at their times, whether the last one is done or not: a slow guest is late, not
 * spared. The same seed makes the same requests.
 *
 * Once a second, totals on stdout: "FILES SECOND REQUESTS PAGES HITS READ-US LATE-MS". HITS are
 * pages that mincore(2) found in the cache before they were read. Where a stream reads in order,
 * it looks two pieces ahead of what it reads: further than the kernel reads ahead.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PORT	     "org.vmadjust.0"
#define PAGE	     4096
#define PIECE	     (128 * 1024) /* a file has this size, too */
#define IMAGE_PIECES 192
#define AHEAD	     2
#define STREAMS_MAX  32
#define LINE_SIZE    4000

enum kind { FILES, BIG, SCAN, BOOT, KINDS };

static const char *const kind_name[KINDS] = { "files", "big", "scan", "boot" };

struct stream {
	double begin_s, end_s, rate;
	enum kind kind;
	unsigned long first, n;
	unsigned long done; /* requests */
	unsigned long image;
	unsigned long looked;		/* in order: up to this piece, and what was found of */
	unsigned long found[AHEAD + 1]; /* the last ones: [piece % (AHEAD + 1)], pages */
};

static struct {
	unsigned long requests, pages, hits;
	double read_s, late_s;
} total;

static uint64_t seed;
static char piece[PIECE];

static double now_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* xorshift64*, by Marsaglia and Vigna: the same on every system. */
static unsigned long any_of(unsigned long n)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (unsigned long)((seed * 0x2545F4914F6CDD1DULL >> 33) % n);
}

/* --- what the cache has ------------------------------------------------- */

static unsigned long pages_cached(int fd, unsigned long at_piece)
{
	unsigned char in_core[PIECE / PAGE];
	void *map = mmap(NULL, PIECE, PROT_READ, MAP_SHARED, fd, (off_t)at_piece * PIECE);
	unsigned long n = 0;

	if (map == MAP_FAILED || mincore(map, PIECE, in_core))
		err(1, "LAB-FAILED mincore");
	for (size_t i = 0; i < sizeof(in_core); i++)
		n += in_core[i] & 1;
	(void)munmap(map, PIECE);
	return n;
}

static void read_piece(int fd, unsigned long at_piece, unsigned long hits)
{
	double begin_s = now_s();

	if (pread(fd, piece, PIECE, (off_t)at_piece * PIECE) != PIECE)
		err(1, "LAB-FAILED read");
	total.read_s += now_s() - begin_s;
	total.requests++;
	total.pages += PIECE / PAGE;
	total.hits += hits;
}

/* --- requests ----------------------------------------------------------- */

static int open_big(void)
{
	int fd = open("big", O_RDONLY);

	if (fd < 0)
		err(1, "LAB-FAILED big");
	return fd;
}

static int open_numbered(const char *name, unsigned long i)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "%s%lu", name, i);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		err(1, "LAB-FAILED %s", path);
	return fd;
}

/*
 * Piece @at of a file that is read in order up to @last. The kernel reads ahead by windows of a
 * piece's size, of which two can lie behind the piece that was read last.
 */
static void read_in_order(struct stream *stream, int fd, unsigned long at, unsigned long last)
{
	for (; stream->looked <= last && stream->looked <= at + AHEAD; stream->looked++)
		stream->found[stream->looked % (AHEAD + 1)] = pages_cached(fd, stream->looked);
	read_piece(fd, at, stream->found[at % (AHEAD + 1)]);
}

static void request(struct stream *stream)
{
	unsigned long at = stream->first + any_of(stream->n), step;
	int fd;

	switch (stream->kind) {
	case FILES:
		fd = open_numbered("", at);
		read_piece(fd, 0, pages_cached(fd, 0));
		break;
	case BIG:
		fd = open_big();
		/* The kernel would take requests that happen to lie in order for a scan. */
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
		read_piece(fd, at, pages_cached(fd, at));
		break;
	case SCAN:
		fd = open_big();
		step = stream->done % stream->n;
		if (!step)
			stream->looked = stream->first;
		read_in_order(stream, fd, stream->first + step, stream->first + stream->n - 1);
		break;
	default:
		step = stream->done % IMAGE_PIECES;
		if (!step) {
			stream->image = at;
			stream->looked = 0;
		}
		fd = open_numbered("image", stream->image);
		read_in_order(stream, fd, step, IMAGE_PIECES - 1);
		break;
	}
	(void)close(fd);
	stream->done++;
}

/* --- the line ----------------------------------------------------------- */

static FILE *open_port(void)
{
	char name[64] = "", path[64];
	glob_t ports;
	FILE *f;

	if (glob("/sys/class/virtio-ports/*/name", 0, NULL, &ports))
		errx(1, "LAB-FAILED no virtio-serial port");
	for (size_t i = 0; i < ports.gl_pathc; i++) {
		f = fopen(ports.gl_pathv[i], "re");
		if (!f || !fgets(name, sizeof(name), f) || strcmp(name, PORT "\n") != 0) {
			if (f)
				(void)fclose(f);
			continue;
		}
		(void)fclose(f);
		*strrchr(ports.gl_pathv[i], '/') = '\0';
		(void)snprintf(path, sizeof(path), "/dev/%s", strrchr(ports.gl_pathv[i], '/') + 1);
		f = fopen(path, "re");
		if (f)
			return f;
	}
	errx(1, "LAB-FAILED no port " PORT);
}

/* A port that nobody has opened on the host reads as one that ends. */
static void read_line(char line[LINE_SIZE])
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	FILE *port = open_port();
	size_t len = 0;
	int c;

	while (len + 1 < LINE_SIZE) {
		c = fgetc(port);
		if (c == '\n')
			break;
		if (c == EOF) {
			clearerr(port);
			(void)nanosleep(&pause, NULL);
		} else {
			line[len++] = (char)c;
		}
	}
	line[len] = '\0';
	(void)fclose(port);
}

static size_t parse(char *line, struct stream streams[STREAMS_MAX])
{
	size_t n = 0;
	char *save = NULL, *word = strtok_r(line, " ", &save), kind[16];

	seed = strtoul(word ? word : "1", NULL, 10) | 1;
	while ((word = strtok_r(NULL, " ", &save)) && n < STREAMS_MAX) {
		struct stream *s = &streams[n++];

		*s = (struct stream){ .kind = FILES };
		/* NOLINTNEXTLINE(cert-err34-c): the bench is ours, and writes what fits */
		if (sscanf(word, "%lf:%lf:%lf:%15[a-z]:%lu:%lu", &s->begin_s, &s->end_s, &s->rate,
			   kind, &s->first, &s->n) != 6 ||
		    !s->n)
			errx(1, "LAB-FAILED stream \"%s\"", word);
		while (s->kind < KINDS && strcmp(kind, kind_name[s->kind]) != 0)
			s->kind++;
		if (s->kind == KINDS)
			errx(1, "LAB-FAILED kind \"%s\"", kind);
	}
	return n;
}

/* --- the clock ---------------------------------------------------------- */

static double due_s(const struct stream *stream)
{
	return stream->begin_s + ((double)stream->done + 0.5) / stream->rate;
}

/* The stream whose request is due first; what could not be done before its end never is. */
static struct stream *next_of(struct stream *streams, size_t n, double at_s)
{
	struct stream *next = NULL;

	for (size_t i = 0; i < n; i++) {
		struct stream *s = &streams[i];

		if (due_s(s) < s->end_s && at_s < s->end_s && (!next || due_s(s) < due_s(next)))
			next = s;
	}
	return next;
}

static void say(unsigned int second)
{
	printf("FILES %u %lu %lu %lu %.0f %.0f\n", second, total.requests, total.pages, total.hits,
	       total.read_s * 1e6, total.late_s * 1e3);
	(void)fflush(stdout);
}

static void run(struct stream *streams, size_t n)
{
	double start_s = now_s();

	for (unsigned int second = 1;; second++) {
		double at_s = now_s() - start_s;
		struct stream *s;

		while ((s = next_of(streams, n, at_s)) && due_s(s) < second && at_s < second) {
			double wait_s = due_s(s) - at_s;

			if (wait_s > 0)
				(void)usleep((useconds_t)(wait_s * 1e6));
			else if (-wait_s > total.late_s)
				total.late_s = -wait_s;
			request(s);
			at_s = now_s() - start_s;
		}
		if (at_s < second)
			(void)usleep((useconds_t)((second - at_s) * 1e6));
		say(second);
	}
}

int main(int argc, char **argv)
{
	static struct stream streams[STREAMS_MAX];
	char line[LINE_SIZE];

	if (argc != 2)
		errx(2, "usage: fileload DIR");
	if (chdir(argv[1]))
		err(1, "LAB-FAILED %s", argv[1]);
	read_line(line);
	run(streams, parse(line, streams));
}
