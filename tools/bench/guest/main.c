// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - `make bench-guest`: what vmadjust-guest takes of a guest
 *
 *	bench-guest [GROUP ...]	all groups, or these
 *
 * The guest measures, from its own /proc, and tells it on its console (init.guest); the host only
 * listens, as the daemon does. The guest's clock counts instructions, a nanosecond each: its
 * figures are the same whatever this host is doing. A CPU of today does several in that time.
 *
 * Prints a table and writes bench/guest.json in the output folder.
 * Exit status: 0: all bars hold; 1: one does not; 2: something could not be measured.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/lab/lab.h"
#include "tools/bench/bench.h"
#include "user/util/cleanup.h"
#include "user/util/file.h"

#define SAMPLES	  8
#define PATIENCE  300 /* tenths of a second between two of the guest's lines */
#define RSS_MAX	  10  /* MiB */
#define USAGE_MAX 1   /* per cent of a vCPU */

/* What the guest says: since boot, on a CPU, resident now and at most. */
struct sample {
	uint64_t up_ms, run_ns, rss_kib, most_kib;
};

static int host_connect(const char *path, int *ret_fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&addr, sizeof(addr)))
		return -errno;
	*ret_fd = vmadj_steal_fd(&fd);
	return 0;
}

/* The last line of the console that has a sample. */
static bool console_last(const char *console, struct sample *ret_sample)
{
	static char text[1 << 20];
	const char *at = text;
	bool any = false;

	(void)vmadj_file_read(AT_FDCWD, console, text, sizeof(text));
	while ((at = strstr(at, "LAB-AGENT "))) {
		struct sample s;

		at += strlen("LAB-AGENT ");
		/* NOLINTNEXTLINE(cert-err34-c): our own init wrote it */
		if (strchr(at, '\n') && sscanf(at, "%" SCNu64 "%" SCNu64 "%" SCNu64 "%" SCNu64,
					       &s.up_ms, &s.run_ns, &s.rss_kib, &s.most_kib) == 4) {
			*ret_sample = s;
			any = true;
		}
	}
	return any;
}

/* The next sample after @last, while the agent is listened to; Return: 0; -EINTR; -ETIME. */
static int next_sample(int host, const char *console, struct sample *last)
{
	for (int i = 0; i < PATIENCE; i++) {
		struct sample s;
		char said[4096];

		while (recv(host, said, sizeof(said), MSG_DONTWAIT) > 0)
			;
		if (console_last(console, &s) && s.up_ms != last->up_ms) {
			*last = s;
			return 0;
		}
		if (vmadj_bench_sleep_ms(100))
			return -EINTR;
	}
	return -ETIME;
}

static int add(struct vmadj_bench *bench, const char *what, const char *unit, double bar,
	       const struct vmadj_bench_series *runs)
{
	const struct vmadj_bench_row row = {
		.what = what,
		.unit = unit,
		.sense = bar > 0 ? VMADJ_BENCH_AT_MOST : VMADJ_BENCH_SHOWN,
		.bar = bar,
		.worst = bar > 0,
	};

	return vmadj_bench_report_add(bench->report, &row, runs);
}

static int measure(struct vmadj_bench *bench, const char *kernel, int host, const char *console)
{
	struct vmadj_bench_series usage = { 0 }, rss = { 0 }, most = { 0 };
	struct sample a = { 0 }, b;
	char what[96];
	int err = next_sample(host, console, &a);

	/* What starting took is not what running takes: begin with the second one. */
	if (!err)
		err = next_sample(host, console, &a);
	for (int i = 0; i < SAMPLES && !err; i++) {
		b = a;
		/* four of two seconds: what a report takes is spread evenly */
		for (int part = 0; part < 4 && !err; part++)
			err = next_sample(host, console, &b);
		if (err)
			break;
		vmadj_bench_series_add(&usage, (double)(b.run_ns - a.run_ns) / 1e4 /
						       (double)(b.up_ms - a.up_ms));
		vmadj_bench_series_add(&rss, (double)b.rss_kib / 1024);
		vmadj_bench_series_add(&most, (double)b.most_kib / 1024);
		a = b;
	}
	if (err)
		return vmadj_bench_fail(bench, err, "the guest tells nothing on its console");
	(void)snprintf(what, sizeof(what), "%s: a report a second, at 10^9 instructions a second",
		       kernel);
	err = add(bench, what, "% of a vCPU", USAGE_MAX, &usage);
	(void)snprintf(what, sizeof(what), "%s: resident", kernel);
	if (!err)
		err = add(bench, what, "MiB", RSS_MAX, &rss);
	(void)snprintf(what, sizeof(what), "%s: resident at most, while it starts", kernel);
	return err ? err : add(bench, what, "MiB", 0, &most);
}

static int run_kernel(struct vmadj_bench *bench, const char *kernel)
{
	const struct vmadj_lab_linux want = {
		.kernel = kernel,
		.agent = true,
		.agent_mode = "measure",
		.extra_args = "-icount shift=0,sleep=off",
	};
	_cleanup_lab_vm_ struct vmadj_lab_vm *vm = NULL;
	_cleanup_close_ int host = -1;
	int err = vmadj_lab_linux_start(&want, &vm);

	if (err)
		return vmadj_bench_fail(bench, err, "%s", vmadj_lab_why());
	err = host_connect(vmadj_lab_vm_path(vm, VMADJ_LAB_AGENT), &host);
	if (err)
		return err;
	return measure(bench, kernel ? kernel : "usual kernel", host,
		       vmadj_lab_vm_path(vm, VMADJ_LAB_CONSOLE));
}

static int run_usual(struct vmadj_bench *bench)
{
	return run_kernel(bench, NULL);
}

static int run_6_12(struct vmadj_bench *bench)
{
	return run_kernel(bench, "6.12");
}

static int run_size(struct vmadj_bench *bench)
{
	struct vmadj_bench_series size = { 0 };
	char path[512];
	struct stat st;
	int err = vmadj_bench_output("vmadjust-guest", path, sizeof(path));

	if (!err && stat(path, &st))
		err = -errno;
	if (err)
		return err;
	vmadj_bench_series_add(&size, (double)st.st_size / (1 << 20));
	return add(bench, "the program's file", "MiB", 0, &size);
}

static const struct vmadj_bench_group groups[] = {
	{ "size", "size of the program", run_size },
	{ "usual", "CPU time and memory, the guests' usual kernel", run_usual },
	{ "6.12", "CPU time and memory, kernel 6.12", run_6_12 },
};

int main(int argc, char **argv)
{
	static const struct vmadj_bench_suite suite = {
		.name = "guest",
		.groups = groups,
		.n = sizeof(groups) / sizeof(groups[0]),
	};

	(void)argc;
	return vmadj_bench_main(&suite, argv + 1);
}
