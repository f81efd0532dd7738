/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_guest_stream.c - guests that misbehave on their agent's port, beside one that does not
 *
 * In each test there is a healthy guest on the same event loop: its figures must be fresh all the
 * while. What the hostile one costs is bounded: memory, this thread's CPU time, and its own word.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/fake_agent.h"
#include "tests/lib/grab_log.h"
#include "user/guest/agent.h"

#define MIB	   (1ULL << 20)
#define TURN_US	   10000ULL
#define PATIENCE_S 60
#define HEAP_MOST  (2 * MIB) /* for two guests, with their buffers */
#define CPU_MOST   0.25	     /* of the time that passed, the test's own part included */
#define CPU_ONCE_S 0.1

/* A VM as the daemon has it. */
struct vm {
	struct fake_agent *fake;
	struct vmadj_guest_agent *agent;
	struct vmadj_guest figures; /* that it reports */
	struct vmadj_guest_seen seen;
	unsigned int heard;
	double said_s,
		stale_s; /* when the last report was sent; the longest time without figures */
	double fresh_s;
};

/* What a second brings, on either side. */
static const struct story {
	const char *name;
	uint64_t misses, disk_bytes, host_bytes;
	const char *why; /* "": it is honest */
} stories[] = {
	{ "misses without reads", 1000, 0, 0,
	  "the agent claims misses that the host saw no reads for" },
	{ "reads that are none", 0, 4 * MIB, 0,
	  "the agent claims reads that the host did not see" },
	{ "a perfect hit rate", 0, 0, 4 * MIB, "the host saw reads that the agent does not admit" },
	{ "misses", 1000, 4096000, 4096000, "" },
	{ "past its cache", 0, 4 * MIB, 4 * MIB, "" },
	{ "read ahead by the host", 1000, 4096000, 8192000, "" },
	{ "a compressed image", 1000, 4096000, 1500000, "" },
	{ "metadata", 0, 0, 200000, "" },
	{ "a host that cannot tell", 1000, 4096000, VMADJ_GUEST_UNKNOWN, "" },
	{ "only writes", 0, 0, 0, "" },
};

#define N_STORIES (sizeof(stories) / sizeof(stories[0]))

static sd_event *event;
static struct vm healthy, hostile, liars[N_STORIES];
static double begin_s, begin_cpu_s;
static size_t begin_heap;

static double clock_s(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double now_s(void)
{
	return clock_s(CLOCK_MONOTONIC);
}

static size_t heap_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static void on_heard(void *userdata)
{
	struct vm *vm = userdata;

	vm->heard++;
}

static void meet(struct vm *vm, const char *name)
{
	vm->fake = fake_agent_start(name);
	vm->figures = vmadj_guest_unknown("agent");
	vm->figures.mem_total_bytes = 512 * MIB;
	vm->figures.cached_bytes = 64 * MIB;
	vm->figures.disk_read_bytes = 0;
	vm->figures.cache.known = true;
	vm->seen = (struct vmadj_guest_seen){ 1024 * MIB, 0 };
	cr_assert(eq(int,
		     vmadj_guest_agent_new(event, NULL, fake_agent_target(vm->fake), on_heard, vm,
					   &vm->agent),
		     0));
}

static void leave(struct vm *vm)
{
	vmadj_guest_agent_free(vm->agent);
	fake_agent_end(vm->fake);
}

static void set_up(void)
{
	grab_log_start();
	if (sd_event_new(&event) < 0)
		cr_fatal("no event loop");
	meet(&healthy, "healthy");
	meet(&hostile, "evil\x1b[2J\nname");
	begin_s = now_s();
	begin_cpu_s = clock_s(CLOCK_THREAD_CPUTIME_ID);
	begin_heap = heap_bytes();
}

static void tear_down(void)
{
	leave(&healthy);
	leave(&hostile);
	sd_event_unref(event);
}

TestSuite(guest_stream, .timeout = 300, .init = set_up, .fini = tear_down);

static bool is_known(const struct vm *vm)
{
	struct vmadj_guest guest;

	return vmadj_guest_agent_get(vm->agent, now_s(), &guest);
}

static const char *why(const struct vm *vm)
{
	const char *text = vmadj_guest_agent_why(vm->agent);

	return text ? text : "";
}

/* Once a second a page is read from the disk, and nine are not. */
static void report(struct vm *vm)
{
	vm->figures.cache.accessed_pages += 10;
	vm->figures.cache.hit_pages += 9;
	vm->figures.cache.miss_pages += 1;
	vm->figures.disk_read_bytes += 4096;
	vm->seen.io_read_bytes += 4096;
	(void)fake_agent_report(vm->fake, &vm->figures);
	vm->said_s = now_s();
}

/* One turn of the loop, with a tick and the healthy guest's report when they are due. */
static void turn(void)
{
	static double tick_s;
	double now = now_s();

	if (fake_agent_is_connected(healthy.fake) && now - healthy.said_s >= 1)
		report(&healthy);
	if (now - tick_s >= 0.1) {
		tick_s = now;
		vmadj_guest_agent_tick(healthy.agent, now, &healthy.seen);
		vmadj_guest_agent_tick(hostile.agent, now, &hostile.seen);
	}
	for (size_t i = 0; i < N_STORIES && liars[i].agent; i++)
		vmadj_guest_agent_tick(liars[i].agent, now, &liars[i].seen);
	(void)sd_event_run(event, TURN_US);
	now = now_s();
	if (is_known(&healthy))
		healthy.fresh_s = now;
	else if (healthy.fresh_s > 0 && now - healthy.fresh_s > healthy.stale_s)
		healthy.stale_s = now - healthy.fresh_s;
}

static void run_for(double seconds)
{
	for (double end = now_s() + seconds; now_s() < end;)
		turn();
}

/* Both are connected, and the healthy one is heard. */
static void begin(void)
{
	while (!fake_agent_is_connected(hostile.fake) || !is_known(&healthy)) {
		if (now_s() - begin_s > PATIENCE_S)
			cr_fatal("no connection: %s", why(&healthy));
		turn();
	}
	begin_s = now_s();
	begin_cpu_s = clock_s(CLOCK_THREAD_CPUTIME_ID);
}

/* The hostile one is without its word, for @text; and nobody else is. */
static void wait_for_why(const char *text)
{
	double limit_s = now_s() + PATIENCE_S;

	while (strcmp(why(&hostile), text) != 0 && now_s() < limit_s)
		turn();
	cr_assert(eq(str, (char *)why(&hostile), (char *)text));
	cr_expect(not(is_known(&hostile)));
}

static void expect_harmless(void)
{
	double wall_s = now_s() - begin_s, cpu_s = clock_s(CLOCK_THREAD_CPUTIME_ID) - begin_cpu_s;

	cr_expect(is_known(&healthy), "the healthy guest: %s", why(&healthy));
	cr_expect(eq(dbl, healthy.stale_s, 0), "without figures for %.2f s", healthy.stale_s);
	cr_expect(lt(u64, heap_bytes(), begin_heap + HEAP_MOST));
	cr_expect(lt(dbl, cpu_s, CPU_ONCE_S + wall_s * CPU_MOST), "%.3f s of CPU in %.3f s", cpu_s,
		  wall_s);
	fprintf(stdout, "heap %+zd bytes, %.4f s of CPU in %.2f s\n",
		(ssize_t)(heap_bytes() - begin_heap), cpu_s, wall_s);
}

/* The log says it once, and nothing in it is as the guest's name would have it. */
static void expect_said(const char *text)
{
	const char *log = grab_log_text(), *first = strstr(log, text);

	cr_assert(ne(ptr, (void *)first, NULL), "%s", log);
	cr_expect(eq(ptr, (void *)strstr(first + 1, text), NULL), "said twice: %s", log);
	cr_expect(eq(ptr, (void *)strstr(log, "evil\x1b"), NULL));
	cr_expect(eq(ptr, (void *)strstr(log, "evil\\x1b[2J\nname"), NULL));
}

Test(guest_stream, a_healthy_guest_is_heard_with_rates_and_age)
{
	struct vmadj_guest guest;

	begin();
	run_for(1.5);
	cr_assert(vmadj_guest_agent_get(healthy.agent, now_s(), &guest));
	cr_expect(eq(str, (char *)guest.source, "agent"));
	cr_expect(lt(dbl, guest.age_s, 1.5));
	cr_expect(ge(dbl, guest.age_s, 0));
	cr_expect(eq(u64, guest.mem_total_bytes, 512 * MIB));
	cr_expect(eq(u64, guest.cache.hit_pages, healthy.figures.cache.hit_pages));
	cr_expect(epsilon_eq(dbl, guest.cache.hit_pct, 90, 1e-9));
	/* 9 hits in about a second, on 16384 pages */
	cr_expect(epsilon_eq(dbl, guest.cache.efficiency, 9.0 / 16384, 5.0 / 16384));
	cr_expect(ge(uint, healthy.heard, 2));
	cr_expect(eq(ptr, (void *)vmadj_guest_agent_why(healthy.agent), NULL));
	cr_expect(eq(str, (char *)fake_agent_heard(healthy.fake),
		     "{\"vmadjust\":1,\"interval_ms\":1000}\n"));
}

/* Sent again and again, as far as the socket takes it, until the guest has no word any more. */
static void send_until_quiet(const char *bytes, size_t len, const char *text)
{
	double limit_s = now_s() + PATIENCE_S;

	while (strcmp(why(&hostile), text) != 0 && now_s() < limit_s) {
		for (size_t sent = 0, n = 1; n && sent < len; sent += n)
			n = fake_agent_send(hostile.fake, bytes + sent, len - sent);
		turn();
	}
	wait_for_why(text);
}

/* 100 MB, as long as somebody takes them. */
static void flood(const char *line, size_t len, const char *text)
{
	size_t size = 65536 / len * len, taken = 0;
	char *block = malloc(size);

	for (size_t i = 0; block && i < size; i++)
		block[i] = line[i % len];
	begin();
	report(&hostile);
	while (!is_known(&hostile))
		turn();
	for (double end = now_s() + 5; now_s() < end && taken < 100 * MIB; turn())
		taken += fake_agent_send(hostile.fake, block, size);
	/* The socket's own room, and what was read before it was a flood. */
	cr_expect(lt(u64, taken, 2 * MIB), "%zu bytes were taken", taken);
	cr_expect(eq(u64, fake_agent_send(hostile.fake, block, size), 0), "still read");
	free(block);
	cr_expect(eq(str, (char *)why(&hostile), (char *)text));
	cr_expect(not(is_known(&hostile)));
	expect_harmless();
	expect_said(text);
}

Test(guest_stream, a_flood_of_bytes_without_end)
{
	flood("x", 1, "the agent's lines are too long");
}

Test(guest_stream, a_flood_of_empty_lines)
{
	flood("\n", 1, "the agent says what is no JSON object");
}

#define HEAD \
	"{\"vmadjust\":1,\"agent\":\"9f86d081884c7d65\",\"interval_ms\":1000,\"mode\":\"trace\","

/* All that is wrong with them is how many they are. */
Test(guest_stream, a_flood_of_reports)
{
	static char lines[65536];
	size_t len = 0, size;
	unsigned int seq = 0;

	begin();
	for (double end = now_s() + 5; now_s() < end; turn()) {
		while (len + 256 < sizeof(lines))
			len += (size_t)snprintf(lines + len, 256, HEAD "\"seq\":%u}\n", ++seq);
		size = fake_agent_send(hostile.fake, lines, len);
		len -= size;
		memmove(lines, lines + size, len);
	}
	cr_expect(eq(str, (char *)why(&hostile), "the agent floods"));
	cr_expect(le(uint, hostile.heard, 20));
	cr_expect(not(is_known(&hostile)));
	expect_harmless();
	expect_said("the agent floods");
}

struct rubbish {
	char line[512];
	char why[128];
};

ParameterizedTestParameters(guest_stream, rubbish)
{
	static struct rubbish cases[] = {
		{ "xx", "the agent says what is no JSON object" },
		{ "[]", "the agent says what is no JSON object" },
		{ "\xff\xfe\x80", "the agent says what is no JSON object" },
		{ HEAD "\"seq\":1,\"why\":\"\xed\xa0\x80\"}",
		  "the agent says what is no JSON object" },
		{ HEAD "\"seq\":99999999999999999999999}",
		  "the agent says what is no JSON object" },
		{ HEAD "\"seq\":1,\"seq\":2}", "the agent says what is no JSON object" },
		{ HEAD "\"seq\":1,\"mem\":{\"total_bytes\":-1}}",
		  "a figure of the agent's is no whole number below 2^63" },
		{ HEAD "\"seq\":1,\"mem\":{\"total_bytes\":1,\"free_bytes\":2}}",
		  "the agent's figures contradict each other" },
		{ HEAD "\"seq\":1,\"x\":[[[[1]]]]}", "the agent's words are nested too deeply" },
	};

	return cr_make_param_array(struct rubbish, cases, sizeof(cases) / sizeof(cases[0]));
}

/* In halves, and behind the first line, which may be half a one. */
ParameterizedTest(struct rubbish *c, guest_stream, rubbish)
{
	size_t len = strlen(c->line);

	begin();
	report(&hostile);
	while (!is_known(&hostile))
		turn();
	(void)fake_agent_send(hostile.fake, c->line, len / 2);
	run_for(0.3);
	cr_expect(is_known(&hostile), "half a line is no fault");
	(void)fake_agent_send(hostile.fake, c->line + len / 2, len - len / 2);
	(void)fake_agent_send(hostile.fake, "\n", 1);
	wait_for_why(c->why);
	expect_harmless();
	expect_said(c->why);
}

Test(guest_stream, a_line_with_nuls)
{
	static const char line[] = "{}\n{\"vmadjust\":1,\0\0\0}\n";

	begin();
	send_until_quiet(line, sizeof(line) - 1, "the agent says what is no JSON object");
	expect_harmless();
}

Test(guest_stream, a_thousand_deep)
{
	char line[2100] = "{}\n";

	memset(line + 3, '[', 1000);
	memset(line + 1003, ']', 1000);
	line[2003] = '\n';
	begin();
	send_until_quiet(line, 2004, "the agent's words are nested too deeply");
	expect_harmless();
}

Test(guest_stream, a_line_that_is_too_long)
{
	static char line[4097];

	memset(line, ' ', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	begin();
	send_until_quiet(line, sizeof(line), "the agent's lines are too long");
	expect_harmless();
}

Test(guest_stream, time_that_runs_backwards_and_a_guest_that_comes_back)
{
	begin();
	for (int i = 0; i < 3; i++)
		report(&hostile);
	while (!is_known(&hostile))
		turn();
	/* The same agent, so it seems, begins anew: as of a snapshot that was loaded. */
	fake_agent_rewind(hostile.fake);
	report(&hostile);
	wait_for_why("the agent's reports go back in time");
	expect_harmless();
	/* After ten seconds it may begin anew. */
	while (!is_known(&hostile) && now_s() - begin_s < PATIENCE_S) {
		if (fake_agent_is_connected(hostile.fake) && now_s() - hostile.said_s >= 1)
			report(&hostile);
		turn();
	}
	cr_expect(is_known(&hostile), "%s", why(&hostile));
	cr_expect(gt(dbl, now_s() - begin_s, 9));
	expect_harmless();
}

Test(guest_stream, counts_that_run_backwards)
{
	begin();
	report(&hostile);
	while (!is_known(&hostile))
		turn();
	hostile.figures.disk_read_bytes = 0;
	(void)fake_agent_report(hostile.fake, &hostile.figures);
	wait_for_why("the agent's counts go back");
	expect_harmless();
}

Test(guest_stream, two_agents_at_once)
{
	begin();
	for (int i = 0; i < 4 && !why(&hostile)[0]; i++) {
		report(&hostile);
		fake_agent_other(hostile.fake);
		run_for(0.2);
	}
	wait_for_why("two agents talk at once");
	expect_harmless();
	expect_said("two agents talk at once");
}

Test(guest_stream, agents_that_restart_all_the_time)
{
	begin();
	for (int i = 0; i < 10 && !why(&hostile)[0]; i++) {
		report(&hostile);
		fake_agent_restart(hostile.fake);
		run_for(0.15);
	}
	wait_for_why("the agent restarts all the time");
	expect_harmless();
}

/* As QEMU would if it accepted a hundred connections a second, and kept none. */
Test(guest_stream, a_port_that_hangs_up_at_once)
{
	begin();
	for (double end = now_s() + 10; now_s() < end; turn())
		(void)fake_agent_refuse(hostile.fake);
	/* After 1, 2, 4 seconds, ... */
	cr_expect(le(uint, fake_agent_refuse(hostile.fake), 5));
	cr_expect(ge(uint, fake_agent_refuse(hostile.fake), 3));
	expect_harmless();
}

Test(guest_stream, a_peer_that_neither_reads_nor_talks)
{
	begin();
	run_for(5);
	cr_expect(not(is_known(&hostile)));
	cr_expect(eq(uint, hostile.heard, 0));
	expect_harmless();
}

Test(guest_stream, an_agent_that_falls_silent)
{
	begin();
	report(&hostile);
	while (!is_known(&hostile))
		turn();
	wait_for_why("the agent has fallen silent");
	cr_expect(gt(dbl, now_s() - hostile.said_s, 2.9));
	expect_harmless();
}

Test(guest_stream, another_process_on_the_socket_is_not_believed)
{
	struct vmadj_target target = *fake_agent_target(hostile.fake);

	begin();
	vmadj_guest_agent_free(hostile.agent);
	/* The socket on this VM's command line is the other one's. */
	target.start_ticks++;
	cr_assert(
		eq(int,
		   vmadj_guest_agent_new(event, NULL, &target, on_heard, &hostile, &hostile.agent),
		   0));
	run_for(1);
	report(&hostile);
	run_for(1);
	cr_expect(eq(uint, hostile.heard, 0));
	cr_expect(not(is_known(&hostile)));
	vmadj_guest_agent_free(hostile.agent);
	hostile.agent = NULL;
}

static void go_on(struct vm *vm, const struct story *story)
{
	vm->figures.cache.accessed_pages += 10000;
	vm->figures.cache.miss_pages += story->misses;
	vm->figures.cache.hit_pages += 10000 - story->misses;
	vm->figures.disk_read_bytes += story->disk_bytes;
	if (story->host_bytes == VMADJ_GUEST_UNKNOWN)
		vm->seen.io_read_bytes = VMADJ_GUEST_UNKNOWN;
	else
		vm->seen.io_read_bytes += story->host_bytes;
	if (fake_agent_is_connected(vm->fake))
		(void)fake_agent_report(vm->fake, &vm->figures);
}

/* All of them at once, since it takes some seconds to find out. */
Test(guest_stream, liars_are_found_out_and_the_honest_are_not)
{
	double end_s;

	begin();
	for (size_t i = 0; i < N_STORIES; i++) {
		meet(&liars[i], stories[i].name);
		/* Boot: what the host saw before the agent began. */
		liars[i].seen.io_read_bytes = 300 * MIB;
	}
	begin_heap = heap_bytes();
	for (end_s = now_s() + 14; now_s() < end_s; run_for(1)) {
		for (size_t i = 0; i < N_STORIES; i++)
			go_on(&liars[i], &stories[i]);
	}
	for (size_t i = 0; i < N_STORIES; i++) {
		cr_expect(eq(str, (char *)why(&liars[i]), (char *)stories[i].why), "%s",
			  stories[i].name);
		cr_expect(eq(int, is_known(&liars[i]), !stories[i].why[0]), "%s", stories[i].name);
	}
	expect_harmless();
	for (size_t i = 0; i < N_STORIES; i++) {
		if (stories[i].why[0])
			expect_said(stories[i].why);
		leave(&liars[i]);
		liars[i].agent = NULL;
	}
}
