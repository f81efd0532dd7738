/* SPDX-License-Identifier: GPL-2.0-only */
/* test_view.c - which VMs are shown, in which order, and what they did lately */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/sample_snapshot.h"
#include "user/cmd/view.h"

static struct sample sample;
static struct vmadj_options options;
static struct vmadj_view *view;
static const struct vmadj_row *rows;
static size_t n_rows;

static void set_up(void)
{
	sample_make(&sample);
	cr_assert(zero(int, vmadj_view_new(&options, &view)));
}

static void tear_down(void)
{
	vmadj_view_free(view);
}

TestSuite(view, .timeout = 10, .init = set_up, .fini = tear_down);

static void update(void)
{
	cr_assert(zero(int, vmadj_view_update(view, &sample.snapshot, &rows, &n_rows)));
}

static char *order(void)
{
	static char names[128];

	names[0] = '\0';
	for (size_t i = 0; i < n_rows; i++) {
		(void)strcat(names, i ? " " : "");
		(void)strcat(names, rows[i].vm->name);
	}
	return names;
}

struct sort_case {
	int sort;
	char order[32];
};

ParameterizedTestParameters(view, sorts)
{
	static struct sort_case cases[] = {
		{ VMADJ_SORT_DEFAULT, "db1 web1 odd" }, /* by CPU; not known comes last */
		{ VMADJ_SORT_CPU, "db1 web1 odd" },
		{ VMADJ_SORT_WAIT, "web1 db1 odd" },
		{ VMADJ_SORT_EMULATOR, "db1 web1 odd" },
		{ VMADJ_SORT_HIT, "web1 db1 odd" }, /* the worst first */
		{ VMADJ_SORT_NAME, "db1 odd web1" },
		{ VMADJ_SORT_PID, "db1 web1 odd" },
	};

	return cr_make_param_array(struct sort_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct sort_case *c, view, sorts)
{
	options.sort = c->sort;
	sample.vms[1].host_cache.hit_pct = 10;
	update();
	cr_assert(eq(str, order(), c->order), "key %d", c->sort);
}

struct match_case {
	char pattern[48];
	char order[32];
};

ParameterizedTestParameters(view, filters)
{
	static struct match_case cases[] = {
		{ "web1", "web1" },	 { "web", "" }, /* all of the name, not a part */
		{ "*1", "db1 web1" },	 { "[wo]*", "web1 odd" }, { "200-6000", "web1" },
		{ "5f0c2c1e-*", "db1" }, { "nobody", "" },
	};

	return cr_make_param_array(struct match_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct match_case *c, view, filters)
{
	options.vm[options.n_vm++] = c->pattern;
	update();
	cr_assert(eq(str, order(), c->order), "%s", c->pattern);
}

Test(view, several_patterns_add_up)
{
	options.vm[options.n_vm++] = "web1";
	options.vm[options.n_vm++] = "odd";
	update();
	cr_assert(eq(str, order(), "web1 odd"));
}

Test(view, emulator_use_is_that_of_the_interval)
{
	update();
	cr_assert(epsilon_eq(dbl, rows[0].emulator_pct, 2, 1e-6));
	sample.vms[0].cpu.emulator_run_ns += 500000000;
	update();
	cr_assert(epsilon_eq(dbl, rows[0].emulator_pct, 50, 1e-6));
	sample.snapshot.interval_s = 2;
	sample.vms[0].cpu.emulator_run_ns += 500000000;
	update();
	cr_assert(epsilon_eq(dbl, rows[0].emulator_pct, 25, 1e-6));
}

Test(view, culprits_are_those_of_the_interval)
{
	struct vmadj_snap_cpu *cpu = &sample.vms[1].cpu;

	options.sort = VMADJ_SORT_PID;
	update();
	cr_assert(eq(str, (char *)rows[1].culprits[0].who, "vm:db1"));
	cpu->waited_for[0].wait_ns += 250;
	cpu->waited_for[1].wait_ns += 750;
	update();
	cr_assert(eq(sz, rows[1].n_culprits, 2));
	cr_assert(eq(str, (char *)rows[1].culprits[0].who, "host:postgres"));
	cr_assert(epsilon_eq(dbl, rows[1].culprits[0].share_pct, 75, 1e-6));
	cr_assert(epsilon_eq(dbl, rows[1].culprits[1].share_pct, 25, 1e-6));
	update();
	cr_assert(eq(sz, rows[1].n_culprits, 0), "nobody was waited for since");
}

Test(view, only_the_greatest_culprits_are_kept_but_all_count)
{
	struct vmadj_snap_cpu *cpu = &sample.vms[1].cpu;

	options.sort = VMADJ_SORT_PID;
	cpu->n_waited = 5;
	for (size_t i = 0; i < cpu->n_waited; i++) {
		(void)snprintf(cpu->waited_for[i].who, sizeof(cpu->waited_for[i].who), "vm:%zu", i);
		cpu->waited_for[i].wait_ns = (i + 1) * 100;
	}
	update();
	cr_assert(eq(sz, rows[1].n_culprits, VMADJ_CULPRITS_MAX));
	cr_assert(eq(str, (char *)rows[1].culprits[0].who, "vm:4"));
	cr_assert(eq(str, (char *)rows[1].culprits[2].who, "vm:2"));
	cr_assert(epsilon_eq(dbl, rows[1].culprits[0].share_pct, 100 * 500 / 1500.0, 1e-6));
}

Test(view, a_reused_pid_starts_from_nothing)
{
	update();
	sample.vms[0].id = "100-9999";
	sample.vms[0].cpu.emulator_run_ns = 10000000;
	update();
	cr_assert(epsilon_eq(dbl, rows[0].emulator_pct, 1, 1e-6));
}

Test(view, a_vm_that_was_filtered_away_or_is_gone_is_no_trouble)
{
	update();
	sample.snapshot.n_vms = 0;
	update();
	cr_assert(eq(sz, n_rows, 0));
	sample.snapshot.n_vms = SAMPLE_VMS;
	update();
	cr_assert(eq(sz, n_rows, SAMPLE_VMS));
}

Test(view, free_takes_null)
{
	vmadj_view_free(NULL);
}
