/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_chaos.c - VMs come, go, hang and change what they use while policies and agents come and go
 *
 * What must hold all the time: no guest's OOM killer runs, nobody is under its minimum, nobody
 * grows while all together have more than the host has for them, and the daemon neither ends nor
 * grows. The guests' loads fit the memory that they are due even when all use the most at once, so
 * whoever runs out of memory was brought to that.
 *
 * CHAOS=seconds: so many samples, one a second but while a guest boots; without it 40. `make chaos`
 * does 20 minutes.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/lab/require.h"
#include "tests/lib/daemon.h"
#include "user/util/cleanup.h"
#include "user/util/file.h"
#include "user/util/parse.h"

#define MIB	   (1ULL << 20)
#define GUESTS	   3
#define MAX_MIB	   192
#define MIN_MIB	   80
#define BUDGET_MIB 540
#define SECONDS	   40
#define SLACK	   (4 * MIB) /* a guest's balloon is not exactly where it was told */
#define WARM	   15	     /* samples, until the daemon has all that it keeps */
#define RSS_SLACK  (8 * MIB)
#define FDS_SLACK  4 /* what may be open for a moment */

static const char keys[] = "host_memory = 541M\nhost_reserve = 1M\n";
static const char limits[] = "[vm chaos-*]\nmanage = yes\nmemory_min = 80M\nmemory_reserve = 48M\n";

/* Not faster than a guest in need can be helped while who has its memory stands still. */
static const char *const loads[] = { "memory-wave:8:80:80", "memory-wave:40:90:60", "memory:60",
				     "idle", "busy" };

/* Those that are not there are left out; test policies first. */
static const char *const policies[] = { "tests/policies/restless.so", "policies/cache_share.so",
					"policies/margin.so", "tests/policies/squeeze.so" };

struct guest {
	struct vmadj_lab_vm *vm;
	char name[32];
	double goes_on_s;    /* 0: it does not hang */
	uint64_t size_bytes; /* in the last sample; 0: not known */
	bool agent, heard;   /* it has one, who was heard in the last sample */
};

struct chaos {
	struct guest guests[GUESTS];
	struct vmadj_run *run;
	unsigned int seed, n_booted, n_hung, n_swapped, n_heard, n_lost;
	int settled; /* samples since a guest came or went */
	uint64_t rss_bytes, sum_bytes;
	int fds;
};

static double now_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static unsigned int dice(struct chaos *chaos, unsigned int below)
{
	return (unsigned int)rand_r(&chaos->seed) % below;
}

static void check_console(const struct guest *guest)
{
	static const char *const bad[] = { "Out of memory", "oom", "panic", "LAB-FAILED" };
	static char text[65536];

	if (vmadj_file_read(AT_FDCWD, vmadj_lab_vm_path(guest->vm, VMADJ_LAB_CONSOLE), text,
			    sizeof(text)) < 0)
		cr_fatal("%s: its console cannot be read", guest->name);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *said = strstr(text, bad[i]);

		if (said)
			cr_fatal("%s: %s", guest->name, said);
	}
}

/* --- what happens ------------------------------------------------------- */

static void boot(struct chaos *chaos, struct guest *guest)
{
	const struct vmadj_lab_linux want = {
		.agent = chaos->n_booted % 3 != 2, /* the others have only a balloon */
		.agent_mode = "mortal",
		.name = guest->name,
		.load = loads[dice(chaos, sizeof(loads) / sizeof(loads[0]))],
		.mem_mib = MAX_MIB,
		.balloon = true,
		.thread_names = true,
	};
	int err, tries = 0;

	(void)snprintf(guest->name, sizeof(guest->name), "chaos-%u", chaos->n_booted++);
	guest->size_bytes = 0;
	guest->agent = want.agent;
	guest->heard = false;
	chaos->settled = 0;
	/* On a busy host a guest's kernel may find its clock broken, and end. */
	do {
		err = vmadj_lab_linux_start(&want, &guest->vm);
	} while (err == -EIO && tries++ < 3);
	vmadj_lab_require(err);
}

static void go_on(struct guest *guest)
{
	if (guest->goes_on_s > 0)
		(void)kill(vmadj_lab_vm_pid(guest->vm), SIGCONT);
	guest->goes_on_s = 0;
}

static void replace(struct chaos *chaos, struct guest *guest)
{
	for (int i = 0; i < GUESTS; i++) /* a boot takes its time */
		go_on(&chaos->guests[i]);
	check_console(guest);
	vmadj_lab_vm_stop(guest->vm);
	guest->vm = NULL;
	boot(chaos, guest);
}

static void hang(struct chaos *chaos, struct guest *guest)
{
	if (guest->goes_on_s > 0)
		return;
	guest->goes_on_s = now_s() + 1 + dice(chaos, 3);
	chaos->n_hung++;
	(void)kill(vmadj_lab_vm_pid(guest->vm), SIGSTOP);
}

/* One that is there. Return: its whole path. */
static char *any_policy(struct chaos *chaos)
{
	const char *dir = getenv("O");
	char *whole = NULL;

	while (!whole) {
		_cleanup_free_ char *path = NULL;
		size_t i = dice(chaos, sizeof(policies) / sizeof(policies[0]));

		if (asprintf(&path, "%s/%s", dir ? dir : "build", policies[i]) < 0)
			cr_fatal("no memory");
		whole = canonicalize_file_name(path);
	}
	return whole;
}

/* The section keeps its name, so that one policy takes over from the other. */
static void write_policy(struct chaos *chaos, char *config, size_t size)
{
	_cleanup_free_ char *path = any_policy(chaos);

	(void)snprintf(config, size, "[policy mover]\narmed = yes\nfile = %s\n%s%s", path,
		       strstr(path, "squeeze") ? "to = 100M\n" : "", limits);
}

static void swap_policy(struct chaos *chaos)
{
	char config[1024];

	chaos->n_swapped++;
	write_policy(chaos, config, sizeof(config));
	vmadj_run_reload(chaos->run, keys, config);
}

static void happen(struct chaos *chaos)
{
	struct guest *guest = &chaos->guests[dice(chaos, GUESTS)];
	unsigned int what = dice(chaos, 10);

	for (int i = 0; i < GUESTS; i++) {
		if (chaos->guests[i].goes_on_s < now_s())
			go_on(&chaos->guests[i]);
	}
	if (what < 2)
		hang(chaos, guest);
	else if (what == 2)
		swap_policy(chaos);
	else if (what == 3 && !dice(chaos, 2))
		replace(chaos, guest);
}

/* --- what must hold ----------------------------------------------------- */

static uint64_t balloon_bytes(const json_t *sample, const char *name, const char *key)
{
	const json_t *knobs = json_object_get(vmadj_run_vm(sample, name), "knobs");

	return (uint64_t)json_integer_value(
		json_object_get(json_object_get(knobs, "balloon"), key));
}

/* Who has just come has all its memory, whatever the others have; that is nobody's growth. */
static void check_sizes(struct chaos *chaos, const json_t *sample)
{
	uint64_t sum = 0;
	bool grown = false, known = true;

	for (int i = 0; i < GUESTS; i++) {
		struct guest *guest = &chaos->guests[i];
		uint64_t actual = balloon_bytes(sample, guest->name, "actual_bytes");
		uint64_t target = balloon_bytes(sample, guest->name, "target_bytes");
		uint64_t size = actual > target ? actual : target;

		if (actual && actual + SLACK < MIN_MIB * MIB)
			cr_fatal("%s has %llu MiB\n%s", guest->name,
				 (unsigned long long)(actual / MIB), vmadj_run_log(chaos->run));
		grown |= guest->size_bytes && size > guest->size_bytes + SLACK;
		known &= size > 0 && guest->size_bytes > 0;
		guest->size_bytes = size;
		sum += size;
	}
	chaos->settled = known ? chaos->settled + 1 : 0;
	chaos->sum_bytes = sum;
	if (chaos->settled > 2 && grown && sum > BUDGET_MIB * MIB)
		cr_fatal("one has grown, to %llu MiB together\n%s", (unsigned long long)(sum / MIB),
			 vmadj_run_log(chaos->run));
}

/* They die and hang often enough that each is lost and heard again. */
static void watch_agents(struct chaos *chaos, const json_t *sample)
{
	for (int i = 0; i < GUESTS; i++) {
		struct guest *guest = &chaos->guests[i];
		const json_t *told = json_object_get(vmadj_run_vm(sample, guest->name), "guest");
		const char *source = json_string_value(json_object_get(told, "source"));
		bool heard = source && !strcmp(source, "agent");

		if (heard && !guest->agent)
			cr_fatal("%s has no agent", guest->name);
		chaos->n_heard += heard && !guest->heard;
		chaos->n_lost += !heard && guest->heard;
		guest->heard = heard;
	}
}

static int count_fds(pid_t pid)
{
	char path[32];
	DIR *dir;
	int n = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && readdir(dir))
		n++;
	if (dir)
		(void)closedir(dir);
	return n;
}

static uint64_t daemon_rss(pid_t pid)
{
	char path[32], text[128];
	unsigned long pages = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	if (vmadj_file_read(AT_FDCWD, path, text, sizeof(text)) < 0 ||
	    sscanf(text, "%*u %lu", &pages) != 1)
		cr_fatal("the daemon has ended: %s", "no statm");
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void check_daemon(struct chaos *chaos)
{
	pid_t pid = vmadj_run_pid(chaos->run);
	uint64_t rss = daemon_rss(pid);
	int fds = count_fds(pid);

	if (!chaos->fds) {
		chaos->fds = fds;
		chaos->rss_bytes = rss;
	}
	cr_assert(le(u64, rss, chaos->rss_bytes + RSS_SLACK));
	/* between a guest's end and the next one's first sample there are fewer or more */
	if (chaos->settled > 2)
		cr_assert(le(int, fds, chaos->fds + FDS_SLACK));
}

static unsigned int seconds_wanted(void)
{
	const char *text = getenv("CHAOS");
	uint64_t seconds = SECONDS;

	if (text && vmadj_parse_u64(text, 1, 1000000, &seconds))
		cr_fatal("CHAOS=%s is no number of seconds", text);
	return (unsigned int)seconds;
}

/* run.sh ends it sooner */
TestSuite(chaos, .timeout = 1000000, .fini = vmadj_run_end_all);

Test(chaos, harms_nobody)
{
	struct chaos chaos = { .seed = 4 };
	unsigned int wanted = seconds_wanted();
	char config[1024];
	unsigned int n = 0;

	for (int i = 0; i < GUESTS; i++)
		boot(&chaos, &chaos.guests[i]);
	write_policy(&chaos, config, sizeof(config));
	chaos.run = vmadj_run_start_with(keys, config);
	vmadj_run_watch(chaos.run);
	while (n < wanted) {
		double waited_s;
		json_t *sample = vmadj_run_sample(chaos.run, &waited_s);

		check_sizes(&chaos, sample);
		watch_agents(&chaos, sample);
		json_decref(sample);
		if (n > WARM)
			check_daemon(&chaos);
		for (int i = 0; i < GUESTS; i++)
			check_console(&chaos.guests[i]);
		happen(&chaos);
		n++;
	}
	(void)fprintf(
		stderr,
		"%u samples: %u VMs, hung %u times, %u policies, agents heard %u times and lost %u\n",
		n, chaos.n_booted, chaos.n_hung, chaos.n_swapped + 1, chaos.n_heard, chaos.n_lost);
	cr_expect(ge(u32, chaos.n_heard, 2));
	cr_expect(ge(u32, chaos.n_lost, 1));
	for (int i = 0; i < GUESTS; i++) {
		go_on(&chaos.guests[i]);
		vmadj_lab_vm_stop(chaos.guests[i].vm);
	}
	cr_expect(zero(int, vmadj_run_end(chaos.run, SIGTERM)));
}
