/* SPDX-License-Identifier: GPL-2.0-only */
/* test_table.c - the table for people */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/lib/sample_snapshot.h"
#include "user/cmd/cell.h"
#include "user/cmd/table.h"
#include "user/util/text.h"

#define MANY 40

static struct sample sample;
static struct vmadj_row rows[MANY];
static struct vmadj_table table;
static struct vmadj_table_style style;
static char *text;

static void set_up(void)
{
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	(void)setenv("TZ", "UTC", 1);
	tzset();
	sample_make(&sample);
	for (int i = 0; i < MANY; i++)
		rows[i] =
			(struct vmadj_row){ .vm = &sample.vms[i % SAMPLE_VMS], .emulator_pct = 2 };
	rows[1].n_culprits = 2;
	rows[1].culprits[0] = (struct vmadj_culprit){ "vm:db1", 98 };
	rows[1].culprits[1] = (struct vmadj_culprit){ "host:postgres", 2 };
	table = (struct vmadj_table){ &sample.snapshot, rows, SAMPLE_VMS, false };
	style = (struct vmadj_table_style){ .utf8 = true };
}

static void tear_down(void)
{
	free(text);
	text = NULL;
}

TestSuite(table, .timeout = 10, .init = set_up, .fini = tear_down);

static void render(void)
{
	size_t len;

	free(text);
	cr_assert(zero(int, vmadj_table_render(&table, &style, &text, &len)));
	cr_assert(eq(sz, len, strlen(text)));
}

static bool has(const char *part)
{
	return strstr(text, part) != NULL;
}

/* The line that begins with @start, without its newline. */
static char *line_of(const char *start)
{
	static char line[1024];
	const char *at = text;

	while (at && strncmp(at, start, strlen(start)) != 0) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	cr_assert(ne(ptr, (void *)at, NULL), "no line begins with \"%s\" in\n%s", start, text);
	(void)snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
	return line;
}

static size_t count_lines(void)
{
	size_t n = 0;

	for (const char *p = text; *p; p++)
		n += *p == '\n';
	return n;
}

Test(table, shows_host_and_vms_as_plain_text)
{
	render();
	cr_assert(has("2026-11-20 20:14:04 +0000   3 VMs, 3 vCPUs   2 CPUs 73.1 % busy   "
		      "pressure 3.5 %   load 0.50 0.25 0.12   kernel 6.18.44\n"),
		  "%s", text);
	cr_assert(has("memory 3.0 of 8.0 GiB available   pressure \xe2\x80\x93   "), "%s", text);
	cr_assert(eq(str, line_of("web1"),
		     "web1                  200  kvm        1  "
		     "\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88"
		     "\xe2\x96\x92\xe2\x96\x92\xe2\x96\x92\xe2\x96\x92\xe2\x96\x92"
		     "    50.0    49.0     2.0   12.3 ms  vm:db1 98 %                          "
		     "        0      \xe2\x80\x93"));
}

Test(table, what_polling_cannot_tell_is_a_dash)
{
	sample.snapshot.observer.mode = "poll";
	sample.vms[1].cpu.polled = true;
	sample.vms[1].cpu.wait_p99_us = NAN;
	rows[1].n_culprits = 0;
	render();
	cr_assert(has("polled over "), "%s", text);
	cr_assert(eq(
		str, line_of("web1"),
		"web1                  200  kvm        1  "
		"\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88"
		"\xe2\x96\x92\xe2\x96\x92\xe2\x96\x92\xe2\x96\x92\xe2\x96\x92"
		"    50.0    49.0     2.0         \xe2\x80\x93  \xe2\x80\x93                                    "
		"        0      \xe2\x80\x93"));
}

Test(table, who_tells_of_a_guest_is_shown_where_one_tells)
{
	render();
	cr_expect(not(has("GUEST")));
	sample.vms[1].guest = vmadj_guest_unknown("qemu-ga");
	sample.vms[1].guest.known = true;
	render();
	cr_expect(has("GUEST    PAGES/S"), "%s", text);
	cr_expect(has("qemu-ga        0"), "%s", text);
	cr_expect(has("\xe2\x80\x93              "), "%s", text);
	style.width = 80;
	render();
	cr_expect(not(has("GUEST")), "it leaves before what is more important: %s", text);
}

Test(table, what_is_not_known_is_a_dash_and_never_zero)
{
	render();
	cr_assert(
		eq(str, line_of("odd"),
		   "odd                   300  tcg        \xe2\x80\x93  \xe2\x80\x93         "
		   "       \xe2\x80\x93       \xe2\x80\x93     2.0         \xe2\x80\x93  "
		   "its vCPU threads cannot be told apart        \xe2\x80\x93      \xe2\x80\x93"));
}

Test(table, without_utf8_everything_is_ascii)
{
	style.utf8 = false;
	sample.vms[0].name = "stra\xc3\x9f\x65";
	render();
	for (const char *p = text; *p; p++)
		cr_assert(lt(int, (unsigned char)*p, 0x80), "%s", text);
	cr_assert(has("stra\\u00dfe"), "%s", text);
	cr_assert(has("#####xxxxx"), "%s", text);
}

Test(table, without_color_there_are_no_escape_sequences)
{
	render();
	cr_assert(eq(ptr, strchr(text, '\033'), NULL));
}

Test(table, only_a_vm_that_waits_is_red)
{
	style.color = true;
	sample.vms[1].ended = false;
	render();
	cr_assert(has("\033[1;31m49.0\033[0m"), "%s", text);
	cr_assert(not(has("\033[1;31m3.0\033[0m")), "%s", text);
	sample.vms[1].cpu.wait_pct = 10;
	render();
	cr_assert(has("\033[33m10.0\033[0m"), "a little waiting is yellow\n%s", text);
}

Test(table, an_ended_vm_is_marked_and_dim)
{
	style.color = true;
	sample.vms[1].ended = true;
	render();
	cr_assert(has("\033[2mended: web1\033[0m"), "%s", text);
	cr_assert(has("\033[2m49.0\033[0m"), "%s", text);
}

Test(table, hostile_names_are_escaped_and_cut)
{
	style.width = 120;
	sample.vms[0].name = "\033[2J\nevil-name-that-goes-on-and-on-and-on-and-on-and-on-and-on";
	rows[1].culprits[0].who = "vm:\033]0;title\007";
	render();
	cr_assert(eq(ptr, strchr(text, '\033'), NULL), "%s", text);
	cr_assert(eq(ptr, strchr(text, '\007'), NULL), "%s", text);
	cr_assert(has("\\x1b[2J\\nevil"), "%s", text);
	cr_assert(has("\xe2\x80\xa6"), "what is cut is marked\n%s", text);
}

struct width_case {
	unsigned int width;
	char has[16];	  /* a column that is there */
	char has_not[16]; /* one that had to go */
};

ParameterizedTestParameters(table, fits_the_width)
{
	static struct width_case cases[] = {
		{ 200, "ACCEL", "nothing" },   { 132, "ACCEL", "nothing" },
		{ 110, "EMUL%", "ACCEL" },     { 100, "PID", "EMUL%" },
		{ 80, "WAITED FOR", "PID" },   { 60, "P99 WAIT", "HIT%" },
		{ 40, "WAIT%", "WAITED FOR" },
	};

	return cr_make_param_array(struct width_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct width_case *c, table, fits_the_width)
{
	char *rest, *line;

	style.width = c->width;
	sample.vms[0].name =
		"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e-a-name-that-is-quite-long-indeed";
	render();
	cr_assert(has(c->has), "%u\n%s", c->width, text);
	cr_assert(not(has(c->has_not)), "%u\n%s", c->width, text);
	rest = text;
	while ((line = strsep(&rest, "\n")) != NULL)
		cr_assert(le(sz, vmadj_text_width(line), c->width), "%s", line);
}

/* The column in which @part ends in the line that begins with @start. */
static size_t end_of(const char *start, const char *part)
{
	char *line = line_of(start);
	char *at = strstr(line, part);

	cr_assert(ne(ptr, at, NULL), "no \"%s\" in %s", part, line);
	at[strlen(part)] = '\0';
	return vmadj_text_width(line);
}

Test(table, columns_stand_below_their_titles_whatever_the_names)
{
	sample.vms[1].name = "\xe6\x97\xa5\xe6\x9c\xac"; /* four columns, six bytes */
	render();
	cr_assert(eq(sz, end_of("db1", " 3.0"), end_of("NAME", "WAIT%")), "%s", text);
	cr_assert(eq(sz, end_of("\xe6\x97\xa5", " 49.0"), end_of("NAME", "WAIT%")), "%s", text);
	cr_assert(eq(sz, end_of("db1", " 99.0"), end_of("NAME", "HIT%")), "%s", text);
}

Test(table, vms_beyond_the_height_are_counted)
{
	style.height = 12;
	style.width = 80;
	table.n_rows = MANY;
	render();
	cr_assert(eq(sz, count_lines(), 11), "%s", text);
	cr_assert(has("and 34 more\n"), "%s", text);
}

Test(table, vms_that_just_fit_are_all_shown)
{
	style.height = 12;
	table.n_rows = 7;
	render();
	cr_assert(eq(sz, count_lines(), 11), "%s", text);
	cr_assert(not(has("more")), "%s", text);
}

Test(table, a_tiny_window_is_survived)
{
	style.width = 1;
	style.height = 1;
	table.n_rows = MANY;
	render();
	cr_assert(has("a"), "%s", text);
}

Test(table, no_vm_at_all_is_said_calmly)
{
	table.n_rows = 0;
	render();
	cr_assert(has("No VM runs on this host"), "%s", text);
	table.filtered = true;
	render();
	cr_assert(has("No VM matches --vm."), "%s", text);
}

Test(table, lost_events_are_admitted)
{
	sample.snapshot.observer.lost_events = 12;
	render();
	cr_assert(has("\n12 events were lost: some figures are too low\n"), "%s", text);
}

Test(table, a_frame_is_drawn_over_the_one_before)
{
	style.screen = true;
	render();
	cr_assert(zero(int, strncmp(text, "\033[H", 3)));
	cr_assert(eq(str, text + strlen(text) - 3, "\033[J"));
	cr_assert(has("\033[K\n"));
}

struct bar_case {
	double usage_pct, wait_pct;
	unsigned int run, wait;
};

ParameterizedTestParameters(table, bar)
{
	static struct bar_case cases[] = {
		{ 0, 0, 0, 0 },	    { 100, 0, 5, 0 },	{ 200, 0, 10, 0 },
		{ 100, 100, 5, 5 }, { 150, 200, 8, 2 }, { 230, 20, 10, 0 },
		{ 0, 200, 0, 10 },  { NAN, NAN, 0, 0 }, { 33.3, 33.3, 2, 1 },
	};

	return cr_make_param_array(struct bar_case, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct bar_case *c, table, bar)
{
	unsigned int run = 42, wait = 42;

	sample.vms[0].cpu.usage_pct = c->usage_pct; /* two vCPUs */
	sample.vms[0].cpu.wait_pct = c->wait_pct;
	vmadj_cell_bar(&sample.vms[0], &run, &wait);
	cr_assert(eq(uint, run, c->run), "%g %g", c->usage_pct, c->wait_pct);
	cr_assert(eq(uint, wait, c->wait), "%g %g", c->usage_pct, c->wait_pct);
}

Test(table, starving_is_the_part_of_the_wanted_time_that_was_waited)
{
	cr_assert(epsilon_eq(dbl, vmadj_cell_starved_pct(&sample.vms[1]), 49 * 100 / 99.0, 1e-9));
	sample.vms[1].cpu.usage_pct = 0.1;
	sample.vms[1].cpu.wait_pct = 0.1;
	cr_assert(eq(int, isnan(vmadj_cell_starved_pct(&sample.vms[1])), 1));
	cr_assert(eq(int, isnan(vmadj_cell_starved_pct(&sample.vms[2])), 1));
}
