// SPDX-License-Identifier: GPL-2.0-only
/* test_cpu_value.c - what the CPU knob writes, and that an older value comes back as it was */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/cpu_tree.h"

#define NOBODY 65534

static const struct vmadj_cpu_roots *roots;
static struct vmadj_target vm;

static void make(void)
{
	roots = cpu_tree_make();
	vm = cpu_tree_vm();
}

TestSuite(cpu_value, .timeout = 10, .init = make, .fini = cpu_tree_remove);

/* --- the kernel's table --- */

/* Of sched_prio_to_weight, and the documented step: about 1.25 a nice value. */
Test(cpu_value, weights_are_the_kernels)
{
	cr_expect(eq(uint, vmadj_nice_to_weight(-20), 88761));
	cr_expect(eq(uint, vmadj_nice_to_weight(-5), 3121));
	cr_expect(eq(uint, vmadj_nice_to_weight(0), 1024));
	cr_expect(eq(uint, vmadj_nice_to_weight(5), 335));
	cr_expect(eq(uint, vmadj_nice_to_weight(19), 15));
	for (int nice = -20; nice < 19; nice++) {
		double step = (double)vmadj_nice_to_weight(nice) / vmadj_nice_to_weight(nice + 1);

		cr_expect(gt(dbl, step, 1.15), "%d", nice);
		cr_expect(lt(dbl, step, 1.35), "%d", nice);
	}
}

Test(cpu_value, each_weight_is_its_own_nice_value)
{
	for (int nice = -20; nice <= 19; nice++)
		cr_expect(eq(int, vmadj_weight_to_nice(vmadj_nice_to_weight(nice)), nice));
}

Test(cpu_value, the_nearest_nice_value_is_by_ratio)
{
	cr_expect(eq(int, vmadj_weight_to_nice(1023), 0));
	cr_expect(eq(int, vmadj_weight_to_nice(917), 0));
	cr_expect(eq(int, vmadj_weight_to_nice(915), 1)); /* sqrt(1024 * 820) = 916.3 */
	cr_expect(eq(int, vmadj_weight_to_nice(2), 19));
	cr_expect(eq(int, vmadj_weight_to_nice(0), 19));
	cr_expect(eq(int, vmadj_weight_to_nice(262144), -20));
	cr_expect(eq(int, vmadj_weight_to_nice(UINT32_MAX), -20));
}

Test(cpu_value, kinds_have_names)
{
	for (int kind = VMADJ_CPU_NONE; kind <= VMADJ_CPU_THREADS; kind++) {
		const char *name = vmadj_cpu_kind_name((enum vmadj_cpu_kind)kind);

		cr_expect(eq(int, vmadj_cpu_kind_of(name), kind), "%s", name);
	}
	cr_expect(eq(int, vmadj_cpu_kind_of("cgroup3"), VMADJ_CPU_NONE));
}

struct value_case {
	enum vmadj_cpu_kind kind;
	int nice;
	char value[24];
};

ParameterizedTestParameters(cpu_value, a_nice_value_has_a_text)
{
	static struct value_case cases[] = {
		{ VMADJ_CPU_CGROUP2, 0, "weight=100" },
		{ VMADJ_CPU_CGROUP2, 5, "weight=33" },
		{ VMADJ_CPU_CGROUP2, 19, "weight=1" },
		{ VMADJ_CPU_CGROUP2, -20, "weight=8668" },
		{ VMADJ_CPU_CGROUP1, 0, "shares=1024" },
		{ VMADJ_CPU_CGROUP1, 19, "shares=15" },
		{ VMADJ_CPU_CGROUP1, -20, "shares=88761" },
		{ VMADJ_CPU_AUTOGROUP, -7, "autogroup=-7" },
		{ VMADJ_CPU_THREADS, 19, "threads=19" },
		{ VMADJ_CPU_NONE, 5, "" },
	};

	return cr_make_param_array(struct value_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct value_case *c, cpu_value, a_nice_value_has_a_text)
{
	const struct vmadj_cpu_place place = { .kind = c->kind };
	char value[VMADJ_CPU_VALUE_MAX];

	vmadj_cpu_value_of(&place, c->nice, value);
	cr_expect(eq(str, value, c->value));
}

/* --- what is written --- */

static struct vmadj_cpu_place place_in_group(int version)
{
	struct vmadj_cpu_place place;
	char pids[16];

	(void)snprintf(pids, sizeof(pids), "%d", getpid());
	cpu_tree_process(&(struct cpu_tree_process){
		.pid = getpid(), .ppid = 1, .cgroup = version == 1 ? "4:cpu:/a\n" : "0::/a\n" });
	cpu_tree_group(version, "", "1");
	cpu_tree_group(version, "/a", pids);
	cr_assert(zero(int, vmadj_cpu_find(cpu_tree_knob(roots, NULL), &vm, &place)));
	return place;
}

static struct vmadj_cpu_place place_in_session(int nice)
{
	struct vmadj_cpu_place place;
	char path[64], text[64];

	cpu_tree_process(&(struct cpu_tree_process){ .pid = getpid(), .ppid = 1 });
	(void)snprintf(path, sizeof(path), "proc/%d/autogroup", getpid());
	(void)snprintf(text, sizeof(text), "/autogroup-3 nice %d\n", nice);
	cpu_tree_write(path, text);
	cpu_tree_write("proc/sys/kernel/sched_autogroup_enabled", "1\n");
	cr_assert(zero(int, vmadj_cpu_find(cpu_tree_knob(roots, NULL), &vm, &place)));
	return place;
}

static int set(struct vmadj_cpu *knob, const struct vmadj_cpu_place *place, int nice)
{
	return vmadj_cpu_set(knob, &vm, place, nice, NULL, NULL);
}

static int put(struct vmadj_cpu *knob, const struct vmadj_cpu_place *place, const char *value)
{
	return vmadj_cpu_put(knob, &vm, place, value, NULL, NULL);
}

Test(cpu_value, version_1_is_set_by_the_kernels_weight_and_comes_back)
{
	struct vmadj_cpu_place place = place_in_group(1), now;
	struct vmadj_cpu *knob = cpu_tree_knob(roots, NULL);

	cpu_tree_write("v1/cpu/a/cpu.shares", "777\n"); /* nobody's nice value */
	cr_assert(zero(int, vmadj_cpu_read(knob, &vm, &place)));
	cr_expect(eq(str, place.value, "shares=777"));
	cr_assert(zero(int, set(knob, &place, -5)), "%s", vmadj_cpu_why(knob));
	cr_expect(eq(str, (char *)cpu_tree_read("v1/cpu/a/cpu.shares"), "3121"));
	now = place;
	cr_assert(zero(int, vmadj_cpu_read(knob, &vm, &now)));
	cr_expect(eq(int, now.nice, -5));
	cr_assert(zero(int, put(knob, &place, place.value)));
	cr_expect(eq(str, (char *)cpu_tree_read("v1/cpu/a/cpu.shares"), "777"));
}

Test(cpu_value, version_2_is_set_by_the_exact_weight)
{
	struct vmadj_cpu_place place = place_in_group(2);
	struct vmadj_cpu *knob = cpu_tree_knob(roots, NULL);

	cr_assert(zero(int, set(knob, &place, 19)), "%s", vmadj_cpu_why(knob));
	cr_expect(eq(str, (char *)cpu_tree_read("v2/a/cpu.weight.nice"), "19"));
	cr_expect(eq(str, (char *)cpu_tree_read("v2/a/cpu.weight"), "100\n"), "one is enough");
}

Test(cpu_value, version_2_comes_back_by_weight_or_nice)
{
	struct vmadj_cpu_place place = place_in_group(2);
	struct vmadj_cpu *knob = cpu_tree_knob(roots, NULL);

	cr_assert(zero(int, put(knob, &place, "weight=250")));
	cr_expect(eq(str, (char *)cpu_tree_read("v2/a/cpu.weight"), "250"));
	cr_expect(eq(str, (char *)cpu_tree_read("v2/a/cpu.weight.nice"), "0\n"));
	cr_assert(zero(int, put(knob, &place, "nice=-7")));
	cr_expect(eq(str, (char *)cpu_tree_read("v2/a/cpu.weight.nice"), "-7"));
}

Test(cpu_value, what_is_no_value_of_that_kind_is_refused)
{
	static const char *const bad[] = { "",	       "weight",    "weight=",	 "weight=x",
					   "weight=0", "weight=-1", "shares=5",	 "nice=20",
					   "nice=-21", "nice=--1",  "threads=0", "weight=1 ",
					   "xweight=1" };
	struct vmadj_cpu_place place = place_in_group(2);
	struct vmadj_cpu *knob = cpu_tree_knob(roots, NULL);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect(eq(int, put(knob, &place, bad[i]), -EINVAL), "\"%s\"", bad[i]);
	cr_expect(eq(int, set(knob, &place, 20), -EINVAL));
	cr_expect(eq(int, set(knob, &place, -21), -EINVAL));
	cr_expect(eq(str, (char *)cpu_tree_read("v2/a/cpu.weight"), "100\n"));
	cr_expect(eq(str, (char *)cpu_tree_read("v2/a/cpu.weight.nice"), "0\n"));
}

/* A plain file reads as it was written, not as the kernel's: that counts as somebody else's. */
Test(cpu_value, what_does_not_read_back_is_an_error)
{
	struct vmadj_cpu_place place = place_in_session(0);
	struct vmadj_cpu *knob = cpu_tree_knob(roots, NULL);
	char path[64];

	cr_assert(eq(int, place.kind, VMADJ_CPU_AUTOGROUP));
	cr_expect(eq(int, set(knob, &place, 7), -EIO));
	cr_expect(strstr(vmadj_cpu_why(knob), "read back") != NULL, "%s", vmadj_cpu_why(knob));
	(void)snprintf(path, sizeof(path), "proc/%d/autogroup", getpid());
	cr_expect(eq(str, (char *)cpu_tree_read(path), "7"), "it was written");
}

Test(cpu_value, a_group_that_vanished_is_gone)
{
	struct vmadj_cpu_place place = place_in_group(1);
	struct vmadj_cpu *knob = cpu_tree_knob(roots, NULL);
	char path[PATH_MAX + 16];

	(void)snprintf(path, sizeof(path), "%s/cpu.shares", place.group);
	cr_assert(zero(int, unlink(path)));
	cr_expect(eq(int, set(knob, &place, 5), -ESRCH));
	cr_expect(eq(int, put(knob, &place, "shares=5"), -ESRCH));
	cr_expect(eq(int, vmadj_cpu_read(knob, &vm, &place), -ESRCH));
}

Test(cpu_value, a_vm_that_left_its_group_is_not_changed_there)
{
	struct vmadj_cpu_place place = place_in_group(1);
	struct vmadj_cpu *knob = cpu_tree_knob(roots, NULL);

	/* "/ab" begins like "/a", and is another. */
	cpu_tree_process(
		&(struct cpu_tree_process){ .pid = getpid(), .ppid = 1, .cgroup = "4:cpu:/ab\n" });
	cr_expect(eq(int, set(knob, &place, 5), -ESRCH));
	cr_expect(eq(int, put(knob, &place, "shares=5"), -ESRCH));
	cr_expect(eq(str, (char *)cpu_tree_read("v1/cpu/a/cpu.shares"), "1024\n"));
}

Test(cpu_value, a_reused_process_id_changes_nothing)
{
	struct vmadj_cpu_place place = place_in_group(1);
	struct vmadj_cpu *knob = cpu_tree_knob(roots, NULL);

	vm.start_ticks++;
	cr_expect(eq(int, set(knob, &place, 5), -ESRCH));
	cr_expect(eq(int, put(knob, &place, "shares=5"), -ESRCH));
	cr_expect(eq(str, (char *)cpu_tree_read("v1/cpu/a/cpu.shares"), "1024\n"));
}

Test(cpu_value, without_rights_it_says_which)
{
	struct vmadj_cpu_place place = place_in_group(1);
	struct vmadj_cpu *knob = cpu_tree_knob(roots, NULL);
	bool root = !geteuid();
	char path[PATH_MAX + 16];

	(void)snprintf(path, sizeof(path), "%s/cpu.shares", place.group);
	cr_assert(zero(int, chmod(path, 0444)));
	if (root)
		cr_assert(zero(int, seteuid(NOBODY)));
	cr_expect(eq(int, set(knob, &place, 5), -EACCES));
	cr_expect(strstr(vmadj_cpu_why(knob), "not allowed") != NULL, "%s", vmadj_cpu_why(knob));
	if (root)
		cr_assert(zero(int, seteuid(0)));
	cr_expect(eq(str, (char *)cpu_tree_read("v1/cpu/a/cpu.shares"), "1024\n"));
}
