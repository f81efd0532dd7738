/* SPDX-License-Identifier: GPL-2.0-only */
/* test_ledger.c - what was changed is on disk before it is changed, and found again */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/grab_log.h"
#include "user/actuate/ledger.h"

static char dir[] = "/tmp/vmadj-ledger.XXXXXX";
static struct vmadj_ledger *ledger;

static const char *path_of(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/state/%s", dir, name);
	return path;
}

static const char *state(void)
{
	static char path[64];

	(void)snprintf(path, sizeof(path), "%s/state", dir);
	return path;
}

static void reopen(void)
{
	vmadj_ledger_close(ledger);
	ledger = NULL;
	cr_assert(zero(int, vmadj_ledger_open(state(), &ledger)));
}

static void make(void)
{
	cr_assert(mkdtemp(dir) != NULL);
	reopen();
}

static void clean(void)
{
	vmadj_ledger_close(ledger);
	(void)unlink(path_of("ledger"));
	(void)unlink(path_of("ledger.lock"));
	(void)rmdir(state());
	(void)rmdir(dir);
}

TestSuite(ledger, .init = make, .fini = clean, .timeout = 20);

static struct vmadj_ledger_entry sample(const char *id, const char *original, const char *ours)
{
	return (struct vmadj_ledger_entry){
		.vm = { .id = id, .name = "web\n1", .uuid = NULL, .pid = 12, .start_ticks = 34 },
		.knob = "cpu",
		.kind = "cgroup1-shares",
		.owner = "",
		.group = "/sys/fs/cgroup/cpu/a",
		.unit = "",
		.by = "loadavg_nice",
		.original = (char *)original,
		.ours = (char *)ours,
		.before = (char *)original,
	};
}

static void note(const char *id, const char *original, const char *ours)
{
	struct vmadj_ledger_entry entry = sample(id, original, ours);

	cr_assert(zero(int, vmadj_ledger_note(ledger, &entry)));
}

Test(ledger, what_was_committed_is_found_after_a_restart)
{
	const struct vmadj_ledger_entry *entry;

	note("12-34", "shares=1024", "shares=335");
	cr_assert(zero(int, vmadj_ledger_commit(ledger)));
	reopen();
	cr_assert(eq(sz, vmadj_ledger_count(ledger), 1));
	entry = vmadj_ledger_find(ledger, "12-34", "cpu");
	cr_assert(entry != NULL);
	cr_expect(eq(str, (char *)entry->vm.name, "web\n1"));
	cr_expect(entry->vm.uuid == NULL);
	cr_expect(eq(int, entry->vm.pid, 12));
	cr_expect(eq(u64, entry->vm.start_ticks, 34));
	cr_expect(eq(str, entry->group, "/sys/fs/cgroup/cpu/a"));
	cr_expect(eq(str, entry->original, "shares=1024"));
	cr_expect(eq(str, entry->ours, "shares=335"));
	cr_expect(eq(str, entry->before, "shares=1024"));
	cr_expect(not(entry->stale));
}

Test(ledger, what_was_not_committed_is_not)
{
	note("12-34", "shares=1024", "shares=335");
	reopen();
	cr_assert(zero(sz, vmadj_ledger_count(ledger)));
}

Test(ledger, the_original_stays_and_what_the_knob_had_is_the_value_before)
{
	const struct vmadj_ledger_entry *entry;

	note("12-34", "shares=1024", "shares=335");
	cr_assert(zero(int, vmadj_ledger_commit(ledger)));
	note("12-34", "shares=335", "shares=110");
	cr_assert(zero(int, vmadj_ledger_commit(ledger)));
	reopen();
	entry = vmadj_ledger_find(ledger, "12-34", "cpu");
	cr_expect(eq(str, entry->original, "shares=1024"));
	cr_expect(eq(str, entry->ours, "shares=110"));
	cr_expect(eq(str, entry->before, "shares=335"));
}

/* Found so: a change failed, the next one took what had been wanted for what had been there. */
Test(ledger, a_knob_whose_changes_failed_is_still_ours)
{
	note("12-34", "autogroup=0", "autogroup=6");
	cr_assert(zero(int, vmadj_ledger_commit(ledger)));
	note("12-34", "autogroup=6", "autogroup=5");
	cr_assert(zero(int, vmadj_ledger_commit(ledger)));
	note("12-34", "autogroup=6", "autogroup=5");
	cr_assert(zero(int, vmadj_ledger_commit(ledger)));
	cr_expect(not(
		vmadj_ledger_is_theirs(vmadj_ledger_find(ledger, "12-34", "cpu"), "autogroup=6")));
}

Test(ledger, what_was_forgotten_is_gone_and_an_empty_ledger_is_an_empty_file)
{
	struct stat st;

	note("12-34", "shares=1024", "shares=335");
	cr_assert(zero(int, vmadj_ledger_commit(ledger)));
	cr_assert(zero(int, vmadj_ledger_forget(ledger, "12-34", "cpu")));
	cr_expect(vmadj_ledger_find(ledger, "12-34", "cpu") == NULL);
	cr_assert(zero(int, vmadj_ledger_commit(ledger)));
	cr_assert(zero(int, stat(path_of("ledger"), &st)));
	cr_expect(zero(long, (long)st.st_size));
	cr_expect(eq(int, vmadj_ledger_forget(ledger, "12-34", "cpu"), -ENOENT));
}

Test(ledger, a_second_one_is_refused)
{
	struct vmadj_ledger *second = NULL;

	cr_expect(eq(int, vmadj_ledger_open(state(), &second), -EBUSY));
	cr_expect(second == NULL);
}

Test(ledger, a_line_that_was_cut_off_is_as_if_never_written)
{
	int fd;

	note("12-34", "shares=1024", "shares=335");
	cr_assert(zero(int, vmadj_ledger_commit(ledger)));
	fd = open(path_of("ledger"), O_WRONLY | O_APPEND);
	cr_assert(eq(long, (long)write(fd, "{\"boot\":\"x", 10), 10));
	(void)close(fd);
	reopen();
	cr_expect(eq(sz, vmadj_ledger_count(ledger), 1));
	note("56-78", "shares=1024", "shares=2");
	cr_assert(zero(int, vmadj_ledger_commit(ledger)));
	reopen();
	cr_expect(eq(sz, vmadj_ledger_count(ledger), 2));
}

Test(ledger, a_line_of_garbage_is_said_and_the_others_hold)
{
	int fd = open(path_of("ledger"), O_WRONLY | O_APPEND);

	cr_assert(eq(long, (long)write(fd, "\x01garbage\n", 9), 9));
	(void)close(fd);
	note("12-34", "shares=1024", "shares=335");
	cr_assert(zero(int, vmadj_ledger_commit(ledger)));
	grab_log_start();
	reopen();
	cr_expect(strstr(grab_log_text(), "cannot be understood") != NULL);
	cr_expect(eq(sz, vmadj_ledger_count(ledger), 1));
}

Test(ledger, an_earlier_boot_is_told)
{
	FILE *out;

	vmadj_ledger_close(ledger);
	ledger = NULL;
	out = fopen(path_of("ledger"), "w");
	(void)fputs("{\"boot\":\"another\",\"pid\":12,\"start\":34,\"id\":\"12-34\","
		    "\"knob\":\"cpu\",\"original\":\"shares=1024\"}\n",
		    out);
	(void)fclose(out);
	reopen();
	cr_assert(eq(sz, vmadj_ledger_count(ledger), 1));
	cr_expect(vmadj_ledger_at(ledger, 0)->stale);
}

/* A limit of the file's size is a full disk to the one who writes. */
Test(ledger, a_full_disk_is_told_and_leaves_the_ledger_as_it_was)
{
	const struct vmadj_ledger_entry *entry;
	struct rlimit limit, was;
	struct stat st;

	(void)signal(SIGXFSZ, SIG_IGN);
	note("12-34", "shares=1024", "shares=335");
	cr_assert(zero(int, vmadj_ledger_commit(ledger)));
	cr_assert(zero(int, stat(path_of("ledger"), &st)));
	cr_assert(zero(int, getrlimit(RLIMIT_FSIZE, &was)));
	limit = was;
	limit.rlim_cur = (rlim_t)st.st_size + 20;
	cr_assert(zero(int, setrlimit(RLIMIT_FSIZE, &limit)));
	note("12-34", "shares=335", "shares=110");
	note("56-78", "shares=1024", "shares=2");
	cr_expect(eq(int, vmadj_ledger_commit(ledger), -EFBIG));
	cr_expect(eq(sz, vmadj_ledger_count(ledger), 1));
	entry = vmadj_ledger_find(ledger, "12-34", "cpu");
	cr_expect(eq(str, entry->ours, "shares=335"));
	cr_assert(zero(int, setrlimit(RLIMIT_FSIZE, &was)));
	reopen();
	cr_expect(eq(sz, vmadj_ledger_count(ledger), 1));
	note("56-78", "shares=1024", "shares=2");
	cr_assert(zero(int, vmadj_ledger_commit(ledger)));
	reopen();
	cr_expect(eq(sz, vmadj_ledger_count(ledger), 2));
}

Test(ledger, the_last_entry_is_forgotten_on_a_full_disk_too)
{
	struct rlimit was, limit;

	note("12-34", "shares=1024", "shares=335");
	cr_assert(zero(int, vmadj_ledger_commit(ledger)));
	(void)signal(SIGXFSZ, SIG_IGN);
	cr_assert(zero(int, getrlimit(RLIMIT_FSIZE, &was)));
	limit = was;
	limit.rlim_cur = 1;
	cr_assert(zero(int, setrlimit(RLIMIT_FSIZE, &limit)));
	cr_assert(zero(int, vmadj_ledger_forget(ledger, "12-34", "cpu")));
	cr_expect(zero(int, vmadj_ledger_commit(ledger)));
	cr_assert(zero(int, setrlimit(RLIMIT_FSIZE, &was)));
	reopen();
	cr_expect(zero(sz, vmadj_ledger_count(ledger)));
}

Test(ledger, it_does_not_grow_without_end)
{
	struct stat st;
	char value[32];

	for (int i = 0; i < 20000; i++) {
		(void)snprintf(value, sizeof(value), "shares=%d", i);
		note("12-34", "shares=1024", value);
		cr_assert(zero(int, vmadj_ledger_commit(ledger)));
	}
	cr_assert(zero(int, stat(path_of("ledger"), &st)));
	cr_expect(lt(long, (long)st.st_size, 2L << 20));
	reopen();
	cr_assert(eq(sz, vmadj_ledger_count(ledger), 1));
	cr_expect(eq(str, vmadj_ledger_at(ledger, 0)->ours, "shares=19999"));
	cr_expect(eq(str, vmadj_ledger_at(ledger, 0)->original, "shares=1024"));
}

/* Whatever moment it dies at, what it had said to be written is there. */
Test(ledger, kill_9_at_any_moment_loses_nothing)
{
	for (int round = 0; round < 20; round++) {
		int last, told[2];
		pid_t child;
		long shares = 0;

		vmadj_ledger_close(ledger);
		ledger = NULL;
		cr_assert(zero(int, pipe(told)));
		child = fork();
		if (!child) {
			reopen();
			for (int i = 0;; i++) {
				char value[32];

				(void)snprintf(value, sizeof(value), "shares=%d", i);
				note("12-34", "shares=1024", value);
				if (!vmadj_ledger_commit(ledger))
					(void)write(told[1], &i, sizeof(i));
			}
		}
		(void)close(told[1]);
		(void)usleep(1000U + (unsigned int)round * 700);
		(void)kill(child, SIGKILL);
		(void)waitpid(child, NULL, 0);
		for (last = -1; read(told[0], &shares, sizeof(int)) == sizeof(int);)
			last = (int)shares;
		(void)close(told[0]);
		reopen();
		if (last < 0)
			continue;
		cr_assert(eq(sz, vmadj_ledger_count(ledger), 1));
		(void)sscanf(vmadj_ledger_at(ledger, 0)->ours, "shares=%ld", &shares);
		cr_expect(ge(long, shares, last));
		cr_expect(eq(str, vmadj_ledger_at(ledger, 0)->original, "shares=1024"));
	}
}

Test(ledger, what_is_forgotten_is_no_entry_before_it_is_committed_and_can_be_noted_anew)
{
	note("12-34", "shares=1024", "shares=335");
	note("56-78", "shares=1024", "shares=335");
	cr_assert(zero(int, vmadj_ledger_commit(ledger)));
	cr_assert(zero(int, vmadj_ledger_forget(ledger, "12-34", "cpu")));
	cr_assert(eq(sz, vmadj_ledger_count(ledger), 1));
	cr_expect(eq(str, (char *)vmadj_ledger_at(ledger, 0)->vm.id, "56-78"));
	note("12-34", "shares=2", "shares=3");
	cr_assert(zero(int, vmadj_ledger_commit(ledger)));
	reopen();
	cr_assert(eq(sz, vmadj_ledger_count(ledger), 2));
	cr_expect(eq(str, vmadj_ledger_find(ledger, "12-34", "cpu")->original, "shares=2"));
}
