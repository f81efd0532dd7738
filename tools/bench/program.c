// SPDX-License-Identifier: GPL-2.0-only
/* program.c - what the benchmarks' programs share: groups, signals, the report */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/bench/bench.h"
#include "user/util/log.h"

int vmadj_bench_fail(struct vmadj_bench *bench, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(bench->why, sizeof(bench->why), format, args);
	va_end(args);
	return err;
}

/* This program is O/tools/bench/NAME. */
int vmadj_bench_output(const char *name, char *ret_path, size_t size)
{
	char self[512], *end;
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (len < 0)
		return -errno;
	self[len] = '\0';
	for (int i = 0; i < 3; i++) {
		end = strrchr(self, '/');
		if (!end)
			return -ENOENT;
		*end = '\0';
	}
	len = snprintf(ret_path, size, "%s/%s", self, name);
	return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

/* The last CPU of those we may use is loaded; the first one is ours. */
static int choose_cpus(const struct vmadj_bench_suite *suite, struct vmadj_bench *bench)
{
	struct vmadj_bench_cpus cpus;
	int err = vmadj_bench_cpus_get(&cpus);

	if (err)
		return err;
	bench->cpu = cpus.last;
	bench->cpus = cpus.n;
	return suite->stays_off ? vmadj_bench_pin(cpus.first) : 0;
}

static bool wanted(const struct vmadj_bench_group *group, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++) {
		if (!strcmp(*names, group->name))
			return true;
	}
	return false;
}

/* Return: whether all names are those of groups. */
static bool names_known(const struct vmadj_bench_suite *suite, char **names)
{
	for (; *names; names++) {
		size_t i = 0;

		while (i < suite->n && strcmp(suite->groups[i].name, *names) != 0)
			i++;
		if (i < suite->n)
			continue;
		(void)fprintf(stderr, "bench: there is no group \"%s\"; there are:", *names);
		for (i = 0; i < suite->n; i++)
			(void)fprintf(stderr, " %s", suite->groups[i].name);
		(void)fprintf(stderr, "\n");
		return false;
	}
	return true;
}

static int run_group(struct vmadj_bench *bench, const struct vmadj_bench_group *group)
{
	uint64_t start = vmadj_bench_now_ns();
	int err;

	(void)fprintf(stderr, "measuring: %s ...", group->what);
	bench->why[0] = '\0';
	err = group->run(bench);
	(void)fprintf(stderr, " %.0f s\n", (double)(vmadj_bench_now_ns() - start) / 1e9);
	if (err && !bench->why[0])
		(void)vmadj_bench_fail(bench, err, "%s", strerror(-err));
	if (vmadj_bench_stopped())
		(void)vmadj_bench_fail(bench, err, "interrupted");
	return err ? vmadj_bench_report_lack(bench->report, group->what, bench->why) : 0;
}

static void commit_read(char *commit, size_t size)
{
	FILE *git = popen("git rev-parse --short=7 HEAD 2>/dev/null", "re");

	if (!git || !fgets(commit, (int)size, git))
		(void)snprintf(commit, size, "unknown");
	commit[strcspn(commit, "\n")] = '\0';
	if (git)
		(void)pclose(git);
}

static int write_report(const struct vmadj_bench *bench)
{
	char path[512], commit[64];
	int err = vmadj_bench_output("bench", path, sizeof(path));

	if (err)
		return err;
	if (mkdir(path, 0755) && errno != EEXIST)
		return -errno;
	commit_read(commit, sizeof(commit));
	return vmadj_bench_report_write(bench->report, path, commit);
}

int vmadj_bench_main(const struct vmadj_bench_suite *suite, char **names)
{
	static const int signals[] = { SIGINT, SIGTERM };
	struct vmadj_bench bench = { 0 };
	int err, status = 2;

	if (!names_known(suite, names))
		return 2;
	err = choose_cpus(suite, &bench);
	vmadj_log_set_max_level(LOG_WARNING);
	vmadj_bench_stop_on(signals, sizeof(signals) / sizeof(signals[0]));
	if (!err)
		err = vmadj_bench_report_new(suite->name, &bench.report);
	for (size_t i = 0; i < suite->n && !err && !vmadj_bench_stopped(); i++) {
		if (wanted(&suite->groups[i], names))
			err = run_group(&bench, &suite->groups[i]);
	}
	if (!err) {
		vmadj_bench_report_print(bench.report, stdout);
		err = write_report(&bench);
		status = vmadj_bench_report_status(bench.report);
	}
	if (err) {
		(void)fprintf(stderr, "bench: %s\n", strerror(-err));
		status = 2;
	}
	vmadj_bench_report_free(bench.report);
	return vmadj_bench_stopped() ? 2 : status;
}
