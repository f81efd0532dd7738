// SPDX-License-Identifier: GPL-2.0-only
/*
 * unixlike.c - in a guest: how fast it does the twelve kinds of work that UnixBench counts
 *
 *	unixlike SECONDS	each kind so long, in turn, for ever
 *
 * After each kind a line on stdout: "UNIXLIKE NAME UNITS-PER-SECOND SECONDS", by the guest's
 * monotonic clock. These are loops of our own in the manner of UnixBench's: figures are good to be
 * held against each other, not against a UnixBench's. Needs /proc, a tmpfs on /tmp and a shell
 * with sort, od, grep, tee, wc and rm.
 */
#include <err.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SCRIPT	    "/tmp/unixlike.sh"
#define TEXT	    "/tmp/unixlike.text"
#define TEXT_LINES  200
#define COPY_FROM   "/tmp/unixlike.from"
#define COPY_TO	    "/tmp/unixlike.to"
#define COPY_BLOCKS 500
#define COPY_MAX    4096
#define PIPE_BYTES  512
#define SHELLS	    8

static double now_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* --- computing ---------------------------------------------------------- */

struct record {
	struct record *next;
	int kind, number;
	char text[32];
};

static volatile double sink; /* what is computed is wanted by somebody */

static int __attribute__((noinline)) assign(const struct record *from, struct record *to)
{
	*to = *from;
	to->number += strcmp(from->text, to->next ? to->next->text : "") > 0 ? 3 : 5;
	return to->number % 7;
}

/* Records, strings, arrays, branches and calls, on integers. */
static void integers(void)
{
	static struct record a = { .kind = 1, .text = "A STRING OF THIRTY CHARACTERS" }, b, c;
	static int table[50];

	c = a;
	c.text[20] = 'X';
	a.next = &c;
	for (int i = 0; i < 1000; i++) {
		int at = assign(&a, &b) + i % 40;

		table[at] += b.number * i / (1 + (i & 3));
		table[at + 1] = table[at] > 100000 ? 0 : table[at] + at;
		a.number = table[at] & 0xff;
		b.kind = at > 20 && a.kind ? 2 : 1;
	}
	sink = table[7];
}

/* Elements of arrays, a polynomial and the functions of a circle, on real numbers. */
static void reals(void)
{
	static double e[4] = { 1, -1, -1, -1 };
	double x = 0.75;

	for (int i = 0; i < 100; i++) {
		e[0] = (e[0] + e[1] + e[2] - e[3]) * 0.499975;
		e[1] = (e[0] + e[1] - e[2] + e[3]) * 0.499975;
		e[2] = (e[0] - e[1] + e[2] + e[3]) * 0.499975;
		e[3] = (-e[0] + e[1] + e[2] + e[3]) * 0.499975;
		x = sqrt(exp(log(x) / 0.50025));
		x = 0.5 * atan(2 * sin(x) * cos(x) / (cos(x + x) + 2)) + 0.5;
	}
	sink = x + e[0];
}

/* --- files and pipes ---------------------------------------------------- */

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

static void copy(size_t size)
{
	static char buf[COPY_MAX];
	static int from = -1, to = -1;

	if (from < 0) {
		from = open_file(COPY_FROM, O_RDWR | O_CREAT | O_TRUNC);
		to = open_file(COPY_TO, O_RDWR | O_CREAT | O_TRUNC);
		for (int i = 0; i < COPY_BLOCKS; i++) {
			if (write(from, buf, sizeof(buf)) != (ssize_t)sizeof(buf))
				err(1, COPY_FROM);
		}
	}
	(void)lseek(from, 0, SEEK_SET);
	(void)lseek(to, 0, SEEK_SET);
	for (int i = 0; i < COPY_BLOCKS; i++) {
		if (read(from, buf, size) != (ssize_t)size || write(to, buf, size) != (ssize_t)size)
			err(1, COPY_TO);
	}
}

static void copy_256(void)
{
	copy(256);
}

static void copy_1024(void)
{
	copy(1024);
}

static void copy_4096(void)
{
	copy(4096);
}

static void make_pipe(int fds[2])
{
	if (pipe2(fds, O_CLOEXEC))
		err(1, "pipe");
}

static void pipe_alone(void)
{
	static char buf[PIPE_BYTES];
	static int fds[2] = { -1, -1 };

	if (fds[0] < 0)
		make_pipe(fds);
	for (int i = 0; i < 100; i++) {
		if (write(fds[1], buf, sizeof(buf)) != (ssize_t)sizeof(buf) ||
		    read(fds[0], buf, sizeof(buf)) != (ssize_t)sizeof(buf))
			err(1, "pipe");
	}
}

static pid_t start(void)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	return pid;
}

/* A number goes to another process and comes back; that process waits for the next time. */
static void pipe_switch(void)
{
	static int there[2] = { -1, -1 }, back[2];
	int number = 0;

	if (there[0] < 0) {
		make_pipe(there);
		make_pipe(back);
		if (!start()) {
			while (read(there[0], &number, sizeof(number)) == sizeof(number) &&
			       write(back[1], &number, sizeof(number)) == sizeof(number))
				;
			_exit(0);
		}
	}
	for (int i = 0; i < 50; i++) {
		if (write(there[1], &i, sizeof(i)) != sizeof(i) ||
		    read(back[0], &number, sizeof(number)) != sizeof(number) || number != i)
			err(1, "pipe");
	}
}

/* --- processes ---------------------------------------------------------- */

static void wait_for(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status)
		errx(1, "a process has failed");
}

static void create(void)
{
	pid_t pid = start();

	if (!pid)
		_exit(0);
	wait_for(pid);
}

/* The image that replaces itself: "unixlike execl N", until N is 0. */
static void replace(long n)
{
	char number[24];

	if (n == 0)
		_exit(0);
	(void)snprintf(number, sizeof(number), "%ld", n - 1);
	(void)execl("/proc/self/exe", "unixlike", "execl", number, (char *)NULL);
	_exit(1);
}

static void execute(void)
{
	pid_t pid = start();

	if (!pid)
		replace(10);
	wait_for(pid);
}

static void write_script(void)
{
	static const char script[] = "sort <" TEXT " >/tmp/sorted.$$\n"
				     "od /tmp/sorted.$$ | sort -n >/tmp/od.$$\n"
				     "grep the /tmp/sorted.$$ | tee /tmp/grep.$$ | wc >/tmp/wc.$$\n"
				     "rm /tmp/sorted.$$ /tmp/od.$$ /tmp/grep.$$ /tmp/wc.$$\n";
	FILE *file = fopen(SCRIPT, "we"), *text = fopen(TEXT, "we");

	if (!file || !text || fputs(script, file) < 0)
		err(1, SCRIPT);
	for (int i = 0; i < TEXT_LINES; i++)
		(void)fprintf(text, "%d %s line of text\n", i * 7919 % 1000, i % 3 ? "a" : "the");
	if (fclose(file) || fclose(text))
		err(1, TEXT);
}

static void shells(int n)
{
	pid_t pids[SHELLS];

	for (int i = 0; i < n; i++) {
		pids[i] = start();
		if (!pids[i]) {
			(void)execl("/bin/sh", "sh", SCRIPT, (char *)NULL);
			_exit(1);
		}
	}
	for (int i = 0; i < n; i++)
		wait_for(pids[i]);
}

static void shell_1(void)
{
	shells(1);
}

static void shell_8(void)
{
	shells(SHELLS);
}

static void calls(void)
{
	for (int i = 0; i < 100; i++) {
		(void)close(dup(0));
		(void)syscall(SYS_getpid);
		(void)syscall(SYS_getuid);
		(void)umask(022);
	}
}

/* --- the table ---------------------------------------------------------- */

static const struct {
	const char *name;
	void (*once)(void);
	unsigned int units; /* that this does */
} tests[] = {
	{ "dhrystone", integers, 1000 },
	{ "whetstone", reals, 100 },
	{ "execl", execute, 10 },
	{ "file-copy-256", copy_256, COPY_BLOCKS },
	{ "file-copy-1024", copy_1024, COPY_BLOCKS },
	{ "file-copy-4096", copy_4096, COPY_BLOCKS },
	{ "pipe-throughput", pipe_alone, 100 },
	{ "pipe-context", pipe_switch, 50 },
	{ "process", create, 1 },
	{ "shell-1", shell_1, 1 },
	{ "shell-8", shell_8, 1 },
	{ "syscall", calls, 100 },
};

#define TESTS (sizeof(tests) / sizeof(tests[0]))

/* The last unit is waited for: so few of them as of shells would count by halves otherwise. */
static void run(size_t i, double seconds)
{
	double begin_s = now_s(), took_s, units = 0;

	do {
		tests[i].once();
		units += tests[i].units;
		took_s = now_s() - begin_s;
	} while (took_s < seconds);
	(void)printf("UNIXLIKE %s %.3f %.3f\n", tests[i].name, units / took_s, took_s);
	(void)fflush(stdout);
}

int main(int argc, char **argv)
{
	double seconds;

	if (argc == 3 && !strcmp(argv[1], "execl"))
		replace(strtol(argv[2], NULL, 10));
	seconds = argc == 2 ? strtod(argv[1], NULL) : 0;
	if (!(seconds > 0))
		errx(2, "usage: unixlike SECONDS");
	write_script();
	for (size_t i = 0;; i = (i + 1) % TESTS)
		run(i, seconds);
}
