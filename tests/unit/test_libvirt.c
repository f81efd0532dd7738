// SPDX-License-Identifier: GPL-2.0-only
/* test_libvirt.c - libvirt's client against a helper that the test plays */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/grab_log.h"
#include "user/virt/alone.h"
#include "user/virt/libvirt.h"
#include "user/virt/libvirt_process.h"
#include "user/virt/libvirt_wire.h"

#define MS	  1000ULL
#define LONG_US	  (60000 * MS)
#define ALONE_US  (40 * MS)
#define MISSED_US (20 * MS)
#define UNDONE	  1

static sd_event *event;
static struct vmadj_libvirt *libvirt;
static int peer = -1; /* the helper's end */
static unsigned int started;

static int start(const char *uri, struct vmadj_libvirt_process *ret_process)
{
	int fds[2];

	cr_assert(eq(str, (char *)uri, "test:///x"));
	if (peer >= 0)
		(void)close(peer);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	*ret_process = (struct vmadj_libvirt_process){ .fd = fds[0] };
	peer = fds[1];
	started++;
	return 0;
}

static void set_times(uint64_t cheap_us, uint64_t other_us)
{
	const struct vmadj_libvirt_times times = {
		.cheap_us = cheap_us,
		.balloon_us = other_us,
		.set_us = other_us,
		.agent_us = other_us,
		.alone = { .first_us = ALONE_US, .max_us = 2 * ALONE_US },
	};

	vmadj_libvirt_set_times(libvirt, &times);
}

static void set_up(void)
{
	grab_log_start();
	if (sd_event_new(&event) < 0 || vmadj_libvirt_new(event, "test:///x", &libvirt))
		cr_fatal("no client");
	vmadj_libvirt_set_start(libvirt, start);
	set_times(LONG_US, LONG_US);
}

static void tear_down(void)
{
	vmadj_libvirt_free(libvirt);
	sd_event_unref(event);
	(void)close(peer);
}

TestSuite(libvirt, .timeout = 60, .init = set_up, .fini = tear_down);

struct result {
	int err;
	struct vmadj_libvirt_answer answer;
	char error[256], agent[64];
};

static void done(void *userdata, int err, const struct vmadj_libvirt_answer *answer)
{
	struct result *result = userdata;

	cr_assert(eq(int, result->err, UNDONE), "called back twice");
	result->err = err;
	result->answer = *answer;
	(void)snprintf(result->error, sizeof(result->error), "%s", answer->error);
	(void)snprintf(result->agent, sizeof(result->agent), "%s", answer->agent);
}

/* The domain number @n. */
static const char *uuid(unsigned int n)
{
	static char text[64];

	(void)snprintf(text, sizeof(text), "00000000-0000-0000-0000-%012u", n);
	return text;
}

static int ask(unsigned int n, enum vmadj_libvirt_what what, struct result *result)
{
	*result = (struct result){ .err = UNDONE };
	return vmadj_libvirt_ask(libvirt, uuid(n), what, 4096, done, result);
}

static void must_ask(unsigned int n, enum vmadj_libvirt_what what, struct result *result)
{
	cr_assert(eq(int, ask(n, what, result), 0));
}

static int wait_for(struct result *result)
{
	while (result->err == UNDONE)
		(void)sd_event_run(event, UINT64_MAX);
	return result->err;
}

static bool has_request(void)
{
	struct pollfd poller = { .fd = peer, .events = POLLIN };

	return poll(&poller, 1, 0) == 1;
}

static struct vmadj_libvirt_request take(void)
{
	struct vmadj_libvirt_request request;
	ssize_t n;

	cr_assert(has_request());
	n = recv(peer, &request, sizeof(request), 0);
	cr_assert(eq(sz, (size_t)n,
		     VMADJ_LIBVIRT_RECORD(vmadj_libvirt_request, strlen(request.text))));
	return request;
}

static void reply(uint64_t id, int err)
{
	struct vmadj_libvirt_reply record = {
		.id = id, .err = err, .running = 1, .max_bytes = 77, .error = "in words"
	};

	cr_assert(ge(sz,
		     (size_t)send(peer, &record, VMADJ_LIBVIRT_RECORD(vmadj_libvirt_reply, 0), 0),
		     1));
}

/* Asks until it is not left alone any more. */
static void ask_patiently(unsigned int n, enum vmadj_libvirt_what what, struct result *result)
{
	int err;

	while ((err = ask(n, what, result)) == -EAGAIN)
		(void)sd_event_run(event, MS);
	cr_assert(eq(int, err, 0));
}

Test(libvirt, nothing_is_started_before_the_first_question)
{
	struct result result;

	cr_expect(eq(str, (char *)vmadj_libvirt_status(libvirt), "not asked yet"));
	cr_expect(eq(uint, started, 0));
	must_ask(1, VMADJ_LIBVIRT_SET_SHARES, &result);
	cr_expect(eq(uint, started, 1));
}

Test(libvirt, an_answer_comes_by_its_id)
{
	struct result a, b, bad;
	struct vmadj_libvirt_request to_a, to_b;

	must_ask(1, VMADJ_LIBVIRT_STATE, &a);
	must_ask(2, VMADJ_LIBVIRT_SET_MEMORY, &b);
	cr_expect(eq(int, ask(2, VMADJ_LIBVIRT_STATE, &bad), -EBUSY));
	cr_expect(eq(int, vmadj_libvirt_ask(libvirt, "short", 0, 0, done, &bad), -EINVAL));
	to_a = take();
	to_b = take();
	cr_expect(eq(str, to_a.uuid, (char *)uuid(1)));
	cr_expect(eq(uint, to_b.what, VMADJ_LIBVIRT_SET_MEMORY));
	cr_expect(eq(u64, to_b.value, 4096));
	reply(to_b.id + 1000, -EIO); /* nobody's */
	reply(to_b.id, -EIO);
	cr_expect(eq(int, wait_for(&b), -EIO));
	cr_expect(eq(str, b.error, "in words"));
	cr_expect(eq(int, a.err, UNDONE));
	reply(to_a.id, 0);
	cr_expect(eq(int, wait_for(&a), 0));
	cr_expect(a.answer.running);
	cr_expect(eq(u64, a.answer.max_bytes, 77));
	cr_expect(eq(str, (char *)vmadj_libvirt_status(libvirt), "answers"));
}

/* So that no call waits in the helper with its clock running. */
Test(libvirt, no_more_is_asked_at_once_than_the_helper_has_threads)
{
	struct result results[VMADJ_LIBVIRT_THREADS + 2];
	struct vmadj_libvirt_request request;

	for (unsigned int i = 0; i < VMADJ_LIBVIRT_THREADS + 2; i++)
		must_ask(i, VMADJ_LIBVIRT_STATE, &results[i]);
	for (unsigned int i = 0; i < VMADJ_LIBVIRT_THREADS; i++)
		request = take();
	cr_assert(not(has_request()));
	reply(request.id, 0);
	cr_expect(eq(int, wait_for(&results[VMADJ_LIBVIRT_THREADS - 1]), 0));
	request = take();
	cr_expect(eq(str, request.uuid, (char *)uuid(VMADJ_LIBVIRT_THREADS)), "in order");
	cr_assert(not(has_request()));
}

Test(libvirt, who_misses_its_deadline_is_left_alone_and_others_are_not)
{
	struct result stuck, other;
	struct vmadj_libvirt_request late;

	set_times(LONG_US, MISSED_US);
	must_ask(1, VMADJ_LIBVIRT_BALLOON, &stuck);
	late = take();
	cr_assert(eq(int, wait_for(&stuck), -ETIMEDOUT));
	cr_expect(eq(int, ask(1, VMADJ_LIBVIRT_BALLOON, &stuck), -EAGAIN));
	cr_expect(ne(ptr, strstr((char *)grab_log_text(), uuid(1)), NULL));
	set_times(LONG_US, LONG_US);
	must_ask(2, VMADJ_LIBVIRT_BALLOON, &other);
	reply(take().id, 0);
	cr_expect(eq(int, wait_for(&other), 0));
	must_ask(1, VMADJ_LIBVIRT_STATE, &stuck); /* is cheap */
	reply(late.id, 0);
	reply(take().id, -ENOENT);
	cr_expect(eq(int, wait_for(&stuck), -ENOENT), "the late answer was not this one's");
	must_ask(1, VMADJ_LIBVIRT_BALLOON, &stuck); /* the late answer was a sign of life */
	cr_expect(eq(uint, started, 1));
}

Test(libvirt, a_qemu_that_does_not_answer_libvirt_is_left_alone)
{
	struct result result;

	must_ask(1, VMADJ_LIBVIRT_SET_MEMORY, &result);
	reply(take().id, -EAGAIN);
	cr_expect(eq(int, wait_for(&result), -EAGAIN));
	cr_expect(eq(int, ask(1, VMADJ_LIBVIRT_SET_MEMORY, &result), -EAGAIN));
	ask_patiently(1, VMADJ_LIBVIRT_SET_MEMORY, &result);
	reply(take().id, 0);
	cr_expect(eq(int, wait_for(&result), 0));
}

Test(libvirt, two_stuck_calls_end_the_helper)
{
	struct result a, b, innocent, cheap;

	set_times(LONG_US, MISSED_US);
	must_ask(3, VMADJ_LIBVIRT_STATE, &innocent);
	must_ask(1, VMADJ_LIBVIRT_BALLOON, &a);
	must_ask(2, VMADJ_LIBVIRT_SET_SHARES, &b);
	cr_assert(eq(int, wait_for(&innocent), -ENOTCONN));
	cr_expect(eq(int, a.err, -ETIMEDOUT));
	cr_expect(eq(int, b.err, -ETIMEDOUT));
	cr_expect(eq(int, ask(3, VMADJ_LIBVIRT_BALLOON, &innocent), -EAGAIN));
	cr_expect(eq(str, (char *)vmadj_libvirt_status(libvirt),
		     "does not answer: its calls are stuck"));
	cr_expect(eq(uint, started, 1));
	must_ask(1, VMADJ_LIBVIRT_STATE, &cheap); /* of a new one */
	cr_expect(eq(uint, started, 2));
	reply(take().id, 0);
	cr_expect(eq(int, wait_for(&cheap), 0));
	ask_patiently(3, VMADJ_LIBVIRT_BALLOON, &innocent);
	reply(take().id, 0);
	cr_expect(eq(int, wait_for(&innocent), 0));
}

Test(libvirt, when_cheap_calls_are_stuck_nothing_is_asked)
{
	struct result a, b, c;

	set_times(MISSED_US, LONG_US);
	must_ask(1, VMADJ_LIBVIRT_STATE, &a);
	must_ask(2, VMADJ_LIBVIRT_GET_SHARES, &b);
	(void)wait_for(&a);
	(void)wait_for(&b);
	cr_expect(eq(int, ask(3, VMADJ_LIBVIRT_STATE, &c), -EAGAIN));
	ask_patiently(3, VMADJ_LIBVIRT_STATE, &c);
	cr_expect(eq(uint, started, 2));
}

static struct result again;

static void ask_again(void *userdata, int err, const struct vmadj_libvirt_answer *answer)
{
	done(userdata, err, answer);
	again.err = UNDONE;
	cr_expect(eq(int,
		     vmadj_libvirt_ask(libvirt, uuid(1), VMADJ_LIBVIRT_BALLOON, 0, done, &again),
		     err ? -EAGAIN : 0));
}

Test(libvirt, callbacks_may_ask)
{
	struct result first = { .err = UNDONE };

	(void)vmadj_libvirt_ask(libvirt, uuid(1), VMADJ_LIBVIRT_STATE, 0, ask_again, &first);
	reply(take().id, 0);
	cr_expect(eq(int, wait_for(&first), 0));
	reply(take().id, 0);
	cr_expect(eq(int, wait_for(&again), 0));
	first.err = UNDONE;
	(void)vmadj_libvirt_ask(libvirt, uuid(1), VMADJ_LIBVIRT_STATE, 0, ask_again, &first);
	(void)shutdown(peer, SHUT_RDWR);
	cr_expect(eq(int, wait_for(&first), -ENOTCONN));
}

Test(libvirt, a_helper_that_dies_takes_its_calls_with_it)
{
	struct result results[VMADJ_LIBVIRT_THREADS + 2], later;

	for (unsigned int round = 1; round <= 3; round++) {
		ask_patiently(0, VMADJ_LIBVIRT_STATE, &results[0]);
		for (unsigned int i = 1; i < VMADJ_LIBVIRT_THREADS + 2; i++)
			must_ask(i, VMADJ_LIBVIRT_STATE, &results[i]);
		cr_expect(eq(uint, started, round));
		(void)shutdown(peer, SHUT_RDWR);
		for (unsigned int i = 0; i < VMADJ_LIBVIRT_THREADS + 2; i++)
			cr_expect(eq(int, wait_for(&results[i]), -ENOTCONN));
		cr_expect(eq(int, ask(9, VMADJ_LIBVIRT_STATE, &later), -EAGAIN));
	}
}

Test(libvirt, a_helper_that_cannot_be_started_is_tried_again_later)
{
	struct result result;

	vmadj_libvirt_set_program("/nonexistent");
	vmadj_libvirt_set_start(libvirt, vmadj_libvirt_process_start);
	must_ask(1, VMADJ_LIBVIRT_STATE, &result);
	cr_expect(eq(int, wait_for(&result), -ENOTCONN));
	cr_expect(eq(int, ask(1, VMADJ_LIBVIRT_STATE, &result), -EAGAIN));
	ask_patiently(1, VMADJ_LIBVIRT_STATE, &result);
	cr_expect(eq(int, wait_for(&result), -ENOTCONN));
}

Test(libvirt, a_missing_libvirtd_is_said_once)
{
	struct result result;
	const char *text;

	for (int i = 0; i < 3; i++) {
		must_ask(1, VMADJ_LIBVIRT_STATE, &result);
		reply(take().id, -ENOTCONN);
		cr_expect(eq(int, wait_for(&result), -ENOTCONN));
	}
	cr_expect(eq(str, (char *)vmadj_libvirt_status(libvirt), "does not answer: in words"));
	must_ask(1, VMADJ_LIBVIRT_STATE, &result);
	reply(take().id, 0);
	cr_expect(eq(int, wait_for(&result), 0));
	text = strstr(grab_log_text(), "no connection");
	cr_assert(ne(ptr, (char *)text, NULL));
	cr_expect(eq(ptr, strstr((char *)text + 1, "no connection"), NULL));
	cr_expect(ne(ptr, strstr((char *)text, "answers again"), NULL));
}

Test(libvirt, who_is_forgotten_is_not_called_back)
{
	struct result gone, other;

	must_ask(1, VMADJ_LIBVIRT_STATE, &gone);
	must_ask(2, VMADJ_LIBVIRT_STATE, &other);
	vmadj_libvirt_forget(libvirt, &gone);
	reply(take().id, 0);
	reply(take().id, 0);
	cr_expect(eq(int, wait_for(&other), 0));
	cr_expect(eq(int, gone.err, UNDONE));
	must_ask(1, VMADJ_LIBVIRT_STATE, &gone);
}

TestSuite(alone, .timeout = 10);

Test(alone, longer_each_time_and_at_first_again_after_a_while)
{
	const struct vmadj_alone_times times = { .first_us = 5, .max_us = 15 };
	struct vmadj_alone alone = { 0 };

	cr_expect(not(vmadj_alone_is(&alone, 0, false)));
	vmadj_alone_leave(&alone, &times, 100, false);
	cr_expect(vmadj_alone_is(&alone, 104, false));
	cr_expect(not(vmadj_alone_is(&alone, 104, true)));
	cr_expect(not(vmadj_alone_is(&alone, 105, false)));
	vmadj_alone_leave(&alone, &times, 106, true);
	cr_expect(vmadj_alone_is(&alone, 115, true));
	vmadj_alone_leave(&alone, &times, 120, false);
	cr_expect(eq(u64, alone.until_us, 135));
	cr_expect(not(vmadj_alone_is_past(&alone, 165)));
	cr_expect(vmadj_alone_is_past(&alone, 166));
	vmadj_alone_leave(&alone, &times, 200, false);
	cr_expect(eq(u64, alone.until_us, 205));
}

static void must_ask_agent(unsigned int n, const char *commands, struct result *result)
{
	*result = (struct result){ .err = UNDONE };
	cr_assert(eq(int, vmadj_libvirt_ask_agent(libvirt, uuid(n), commands, done, result), 0));
}

static void reply_agent(uint64_t id, const char *text)
{
	struct vmadj_libvirt_reply record = { .id = id };

	(void)snprintf(record.text, sizeof(record.text), "%s", text);
	cr_assert(ge(sz,
		     (size_t)send(peer, &record,
				  VMADJ_LIBVIRT_RECORD(vmadj_libvirt_reply, strlen(text)), 0),
		     1));
}

Test(libvirt, an_agent_is_asked_beside_its_vm)
{
	struct vmadj_libvirt_request to_agent, to_vm;
	struct result agent, vm;

	must_ask_agent(1, "one\ntwo\n", &agent);
	must_ask(1, VMADJ_LIBVIRT_STATE, &vm);
	to_agent = take();
	to_vm = take();
	cr_expect(eq(u32, to_agent.what, VMADJ_LIBVIRT_AGENT));
	cr_expect(eq(str, to_agent.text, "one\ntwo\n"));
	cr_expect(eq(str, to_vm.text, ""));
	reply(to_vm.id, 0);
	cr_expect(eq(int, wait_for(&vm), 0));
	cr_expect(eq(int, agent.err, UNDONE));
	cr_expect(eq(int, vmadj_libvirt_ask_agent(libvirt, uuid(1), "x\n", done, &vm), -EBUSY));
	reply_agent(to_agent.id, "1\n2\n");
	cr_expect(eq(int, wait_for(&agent), 0));
	cr_expect(eq(str, agent.agent, "1\n2\n"));
}

/* Guests that do not answer must not take all threads. */
Test(libvirt, agents_leave_room_for_others)
{
	struct result agents[VMADJ_LIBVIRT_AGENTS + 1], vm;
	struct vmadj_libvirt_request first;

	for (unsigned int i = 0; i <= VMADJ_LIBVIRT_AGENTS; i++)
		must_ask_agent(i, "x\n", &agents[i]);
	first = take();
	for (unsigned int i = 1; i < VMADJ_LIBVIRT_AGENTS; i++)
		(void)take();
	cr_expect(not(has_request()));
	must_ask(9, VMADJ_LIBVIRT_SET_MEMORY, &vm);
	cr_expect(eq(u32, take().what, VMADJ_LIBVIRT_SET_MEMORY));
	reply_agent(first.id, "");
	cr_expect(eq(int, wait_for(&agents[0]), 0));
	cr_expect(eq(u32, take().what, VMADJ_LIBVIRT_AGENT));
}

Test(libvirt, an_agents_commands_are_bounded)
{
	char commands[VMADJ_LIBVIRT_ASK_MAX + 1];
	struct result result = { .err = UNDONE };

	memset(commands, 'x', sizeof(commands));
	commands[VMADJ_LIBVIRT_ASK_MAX] = '\0';
	cr_expect(eq(int, vmadj_libvirt_ask_agent(libvirt, uuid(1), commands, done, &result),
		     -EINVAL));
}
