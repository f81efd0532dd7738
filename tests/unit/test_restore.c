// SPDX-License-Identifier: GPL-2.0-only
/* test_restore.c - what was turned is put back, and nothing else */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/cpu_tree.h"
#include "user/actuate/ledger.h"
#include "user/actuate/restore.h"
#include "user/util/process.h"

#define SHARES "v1/cpu/a/cpu.shares"

static char dir[] = "/tmp/vmadj-restore.XXXXXX";
static const struct vmadj_cpu_roots *roots;
static struct vmadj_ledger *ledger;
static struct vmadj_target vm;
static char group[128];
static struct vmadj_restore_sum sum;
static bool done;

static void make(void)
{
	char name[64], text[256];
	uint64_t ticks;

	cr_assert(mkdtemp(dir) != NULL);
	cr_assert(zero(int, vmadj_ledger_open(dir, &ledger)));
	roots = cpu_tree_make();
	cpu_tree_vm_in("3:cpu:/a\n");
	cpu_tree_group_of_vm(1, "/a", "");
	cpu_tree_write(SHARES, "335\n");
	/* Whether the VM is still there is asked of the real /proc, too. */
	cr_assert(zero(int, vmadj_process_start(getpid(), &ticks)));
	(void)snprintf(name, sizeof(name), "proc/%d/stat", getpid());
	(void)snprintf(text, sizeof(text),
		       "%d (vmm) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %llu 0 0 0 0 0 0 0 0 0 "
		       "0 0 0 0 0 0 0 17 0 0 0 0 0 0\n",
		       getpid(), (unsigned long long)ticks);
	cpu_tree_write(name, text);
	vm = cpu_tree_vm();
	vm.start_ticks = ticks;
	(void)snprintf(group, sizeof(group), "%s/a", roots->cgroup1);
}

static void clean(void)
{
	char path[128];

	vmadj_ledger_close(ledger);
	cpu_tree_remove();
	(void)snprintf(path, sizeof(path), "%s/ledger", dir);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/ledger.lock", dir);
	(void)unlink(path);
	(void)rmdir(dir);
}

TestSuite(restore, .init = make, .fini = clean, .timeout = 20);

static void note(const char *knob, const char *by, const char *ours, const char *before)
{
	const struct vmadj_ledger_entry entry = {
		.vm = vm,
		.knob = (char *)knob,
		.kind = "cgroup1-shares",
		.owner = "",
		.group = group,
		.unit = "",
		.by = (char *)by,
		.original = "shares=1024",
		.ours = (char *)ours,
		.before = (char *)before,
	};

	cr_assert(zero(int, vmadj_ledger_note(ledger, &entry)));
	cr_assert(zero(int, vmadj_ledger_commit(ledger)));
}

static void on_done(void *userdata, const struct vmadj_restore_sum *result)
{
	(void)userdata;
	sum = *result;
	done = true;
}

static void restore(const struct vmadj_restore_which *which)
{
	struct vmadj_cpu *cpu = cpu_tree_knob(roots, NULL);
	const struct vmadj_restore_tools tools = { cpu_tree_event(), ledger, cpu, NULL };
	struct vmadj_restore *job;

	cr_assert(zero(int, vmadj_restore_start(&tools, which, on_done, NULL, &job)));
	while (!done)
		cr_assert(ge(int, sd_event_run(cpu_tree_event(), UINT64_MAX), 0));
	vmadj_restore_free(job);
}

static const struct vmadj_restore_which all;

Test(restore, what_we_set_is_put_back_and_forgotten)
{
	note("cpu", "p", "shares=335", "shares=1024");
	restore(&all);
	cr_expect(eq(str, (char *)cpu_tree_read(SHARES), "1024"));
	cr_expect(eq(int, (int)sum.restored, 1));
	cr_expect(zero(sz, vmadj_ledger_count(ledger)));
}

Test(restore, a_change_that_failed_leaves_the_value_of_before_which_is_ours)
{
	note("cpu", "p", "shares=110", "shares=335");
	restore(&all);
	cr_expect(eq(str, (char *)cpu_tree_read(SHARES), "1024"));
	cr_expect(eq(int, (int)sum.restored, 1));
}

Test(restore, what_somebody_else_has_set_is_left_and_forgotten)
{
	note("cpu", "p", "shares=110", "shares=1024");
	restore(&all);
	cr_expect(eq(str, (char *)cpu_tree_read(SHARES), "335\n"));
	cr_expect(eq(int, (int)sum.theirs, 1));
	cr_expect(zero(sz, vmadj_ledger_count(ledger)));
}

Test(restore, another_process_with_that_id_is_not_touched)
{
	vm.start_ticks++;
	note("cpu", "p", "shares=335", "shares=1024");
	restore(&all);
	cr_expect(eq(str, (char *)cpu_tree_read(SHARES), "335\n"));
	cr_expect(eq(int, (int)sum.gone, 1));
	cr_expect(zero(sz, vmadj_ledger_count(ledger)));
}

Test(restore, what_cannot_be_put_back_stays_in_the_ledger)
{
	note("cpu", "p", "shares=335", "shares=1024");
	note("sound", "p", "loud", "quiet");
	restore(&all);
	cr_expect(eq(int, (int)sum.restored, 1));
	cr_expect(eq(int, (int)sum.failed, 1));
	cr_assert(eq(sz, vmadj_ledger_count(ledger), 1));
	cr_expect(eq(str, vmadj_ledger_at(ledger, 0)->knob, "sound"));
}

Test(restore, only_what_one_policy_turned)
{
	const struct vmadj_restore_which of_q = { .by = "q" };

	note("cpu", "p", "shares=335", "shares=1024");
	restore(&of_q);
	cr_expect(eq(str, (char *)cpu_tree_read(SHARES), "335\n"));
	cr_expect(eq(sz, vmadj_ledger_count(ledger), 1));
}
