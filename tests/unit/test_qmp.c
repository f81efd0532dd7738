// SPDX-License-Identifier: GPL-2.0-only
/* test_qmp.c - a QEMU's monitor: what is believed, and what ends the connection */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/lib/fake_qmp.h"
#include "tests/lib/words.h"
#include "user/virt/qmp.h"

#define UNDONE	 1
#define SHORT_S	 0.1 /* where a test waits for it */
#define PATIENCE 10

static sd_event *event;
static struct vmadj_qmp *qmp;

static void set_up(void)
{
	vmadj_qmp_set_timeouts(PATIENCE, PATIENCE);
	if (sd_event_new(&event) < 0)
		cr_fatal("no event loop");
}

static void tear_down(void)
{
	vmadj_qmp_close(qmp);
	sd_event_unref(event);
}

TestSuite(qmp, .timeout = 60, .init = set_up, .fini = tear_down);

struct result {
	int err;
	json_t *answer;
};

static void done(void *userdata, int err, const json_t *answer)
{
	struct result *result = userdata;

	cr_assert(eq(int, result->err, UNDONE), "called back twice");
	result->err = err;
	result->answer = json_deep_copy(answer);
}

static int wait_for(struct result *result)
{
	while (result->err == UNDONE) {
		if (sd_event_run(event, UINT64_MAX) < 0)
			cr_fatal("the event loop failed");
	}
	return result->err;
}

static int open_path(const char *path)
{
	struct result result = { .err = UNDONE };

	cr_assert(eq(int, vmadj_qmp_open(event, path, done, &result, &qmp), 0));
	(void)wait_for(&result);
	json_decref(result.answer);
	return result.err;
}

static int ask(const char *command, struct result *result)
{
	*result = (struct result){ .err = UNDONE };
	cr_assert(eq(int, vmadj_qmp_ask(qmp, command, NULL, done, result), 0));
	return wait_for(result);
}

Test(qmp, an_answer_comes)
{
	static const char *const script[] = { FAKE_QMP_GREET,
					      "< query-status",
					      "> {\"return\": {\"running\": true}, \"id\": $id}",
					      "< query-balloon",
					      "> {\"return\": {\"actual\": 5}, \"id\": $id}",
					      "stay",
					      NULL };
	struct fake_qmp *fake = fake_qmp_start(script);
	struct result result;

	cr_assert(eq(int, open_path(fake_qmp_path(fake)), 0));
	cr_assert(eq(int, vmadj_qmp_peer(qmp), getpid()));
	cr_assert(eq(int, ask("query-status", &result), 0));
	cr_assert(eq(ptr, json_object_get(result.answer, "running"), json_true()));
	json_decref(result.answer);
	cr_assert(eq(int, ask("query-balloon", &result), 0));
	cr_assert(eq(dbl, json_number_value(json_object_get(result.answer, "actual")), 5));
	json_decref(result.answer);
	vmadj_qmp_close(qmp);
	qmp = NULL;
	fake_qmp_end(fake);
}

Test(qmp, arguments_are_sent_and_one_question_is_open)
{
	static const char *const script[] = {
		FAKE_QMP_GREET,
		"< {\"execute\":\"balloon\",\"arguments\":{\"value\":4096},\"id\":2}",
		"> {\"return\": {}, \"id\": $id}", NULL
	};
	struct fake_qmp *fake = fake_qmp_start(script);
	struct result result = { .err = UNDONE };

	cr_assert(eq(int, vmadj_qmp_open(event, fake_qmp_path(fake), done, &result, &qmp), 0));
	cr_assert(eq(int, vmadj_qmp_ask(qmp, "x", json_object(), done, &result), -EBUSY));
	cr_assert(eq(int, wait_for(&result), 0));
	json_decref(result.answer);
	result.err = UNDONE;
	cr_assert(
		eq(int,
		   vmadj_qmp_ask(qmp, "balloon", json_pack("{s:i}", "value", 4096), done, &result),
		   0));
	cr_assert(eq(int, vmadj_qmp_ask(qmp, "x", json_object(), done, &result), -EBUSY));
	cr_assert(eq(int, wait_for(&result), 0));
	json_decref(result.answer);
	fake_qmp_end(fake);
}

Test(qmp, events_come_between_and_numbers_are_as_large_as_they_like)
{
	static const char *const script[] = {
		FAKE_QMP_GREETING,
		"< qmp_capabilities",
		"> {\"event\": \"RESUME\", \"timestamp\": {\"seconds\": 1}}",
		"> {\"return\": {}, \"id\": $id}",
		"> {\"event\": \"STOP\"}",
		"< qom-get",
		"> {\"event\": \"BALLOON_CHANGE\", \"data\": {\"actual\": 1}}",
		"> {\"return\": {\"stat\": 18446744073709551615, \"text\": \"[{[{\\\"\"}, \"id\": $id}",
		NULL
	};
	struct fake_qmp *fake = fake_qmp_start(script);
	struct result result;

	cr_assert(eq(int, open_path(fake_qmp_path(fake)), 0));
	cr_assert(eq(int, ask("qom-get", &result), 0));
	cr_assert(ge(dbl, json_number_value(json_object_get(result.answer, "stat")), 0x1p64));
	json_decref(result.answer);
	fake_qmp_end(fake);
}

Test(qmp, lines_may_come_in_pieces_and_together)
{
	static const char *const script[] = { "- {\"QM",
					      "- P\": {",
					      "- }}\r",
					      "- \n",
					      "< qmp_cap",
					      "- {\"event\": \"A\"}\r\n{\"ret",
					      "- urn\"",
					      "- :{}, \"id\":1}\n{\"event\": \"B\"}\n{\"",
					      "< two",
					      "- event\": \"C\"}\n",
					      "> {\"return\": {}, \"id\": $id}",
					      NULL };
	struct fake_qmp *fake = fake_qmp_start(script);
	struct result result;

	cr_assert(eq(int, open_path(fake_qmp_path(fake)), 0));
	cr_assert(eq(int, ask("two", &result), 0));
	json_decref(result.answer);
	fake_qmp_end(fake);
}

Test(qmp, an_error_does_not_end_the_connection)
{
	static const char *const script[] = {
		FAKE_QMP_GREET,
		"< one",
		"> {\"error\": {\"class\": \"GenericError\", \"desc\": \"in words\"}, \"id\": $id}",
		"< two",
		"> {\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"no\"}, \"id\": $id}",
		"< three",
		"> {\"error\": {\"class\": \"DeviceNotActive\", \"desc\": \"no\"}, \"id\": $id}",
		"< four",
		"> {\"error\": 7, \"id\": $id}",
		NULL
	};
	struct fake_qmp *fake = fake_qmp_start(script);
	struct result result;

	cr_assert(eq(int, open_path(fake_qmp_path(fake)), 0));
	cr_expect(eq(int, ask("one", &result), -EIO));
	cr_expect(eq(str, (char *)vmadj_qmp_why(qmp), "in words"));
	cr_expect(eq(int, ask("two", &result), -EOPNOTSUPP));
	cr_expect(eq(int, ask("three", &result), -EOPNOTSUPP));
	cr_expect(eq(int, ask("four", &result), -EIO));
	fake_qmp_end(fake);
}

/* What comes instead of an answer, and what is made of it. */
struct rubbish {
	char step[256];
	int err;
};

ParameterizedTestParameters(qmp, rubbish_ends_the_connection)
{
	static struct rubbish cases[] = {
		{ "> {\"return\": {}, \"id\": 1}", -EPROTO }, /* the answer of before */
		{ "> {\"return\": {}}", -EPROTO },
		{ "> {\"return\": {}, \"id\": \"2\"}", -EPROTO },
		{ "> {\"id\": 2}", -EPROTO },
		{ "> {}", -EPROTO },
		{ "> []", -EPROTO },
		{ "> 7", -EPROTO },
		{ "> ", -EPROTO },
		{ "> {\"return\": {}, \"id\": $id} x", -EPROTO },
		{ "> {\"return\": 1e999, \"id\": $id}", -EPROTO },
		{ "> {\"return\": \"\xff\", \"id\": $id}", -EPROTO },
		{ "- \x1b\x7f\xff\n", -EPROTO },
		{ "> {\"return\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]], \"id\": $id}", -EPROTO },
		{ "> {\"event\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}", -EPROTO },
		{ "flood", -EPROTO },
		{ "close", -ECONNRESET },
	};

	return cr_make_param_array(struct rubbish, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct rubbish *c, qmp, rubbish_ends_the_connection)
{
	const char *const script[] = { FAKE_QMP_GREET, "< query", c->step, NULL };
	struct fake_qmp *fake = fake_qmp_start(script);
	struct result result;

	cr_assert(eq(int, open_path(fake_qmp_path(fake)), 0));
	cr_expect(eq(int, ask("query", &result), c->err), "%s", c->step);
	cr_expect(eq(int, vmadj_qmp_ask(qmp, "more", NULL, done, &result), -ENOTCONN));
	cr_expect(ne(str, (char *)vmadj_qmp_why(qmp), ""));
	fake_qmp_end(fake);
}

Test(qmp, an_answer_that_nobody_waits_for_ends_the_connection)
{
	static const char *const script[] = { FAKE_QMP_GREET, "> {\"return\": {}, \"id\": 1}",
					      "stay", NULL };
	struct fake_qmp *fake = fake_qmp_start(script);
	struct result result;

	cr_assert(eq(int, open_path(fake_qmp_path(fake)), 0));
	while (!vmadj_qmp_why(qmp)[0])
		(void)sd_event_run(event, UINT64_MAX);
	cr_assert(eq(int, vmadj_qmp_ask(qmp, "more", NULL, done, &result), -ENOTCONN));
	fake_qmp_end(fake);
}

Test(qmp, an_answer_that_is_late_ends_the_connection)
{
	static const char *const script[] = { FAKE_QMP_GREET, "< query", "stay", NULL };
	struct fake_qmp *fake = fake_qmp_start(script);
	struct result result;

	cr_assert(eq(int, open_path(fake_qmp_path(fake)), 0));
	vmadj_qmp_set_timeouts(SHORT_S, SHORT_S);
	cr_expect(eq(int, ask("query", &result), -ETIMEDOUT));
	fake_qmp_end(fake);
}

Test(qmp, without_a_greeting_somebody_else_is_connected)
{
	static const char *const script[] = { "stay", NULL };
	struct fake_qmp *fake = fake_qmp_start(script);

	vmadj_qmp_set_timeouts(SHORT_S, SHORT_S);
	cr_expect(eq(int, open_path(fake_qmp_path(fake)), -EBUSY));
	vmadj_qmp_close(qmp);
	qmp = NULL;
	fake_qmp_end(fake);
}

Test(qmp, where_too_many_wait_it_is_busy_at_once)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), waiting = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/vmadj-qmp-full-%d",
		       getpid());
	cr_assert(eq(int, bind(listener, (struct sockaddr *)&address, sizeof(address)), 0));
	cr_assert(eq(int, listen(listener, 0), 0));
	cr_assert(eq(int, connect(waiting, (struct sockaddr *)&address, sizeof(address)), 0));
	cr_expect(eq(int, open_path(address.sun_path), -EBUSY));
	(void)close(waiting);
	(void)close(listener);
	(void)unlink(address.sun_path);
}

Test(qmp, a_socket_that_cannot_be_reached_says_why)
{
	char long_path[200];

	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	cr_expect(eq(int, open_path("/nonexistent/qmp"), -ENOENT));
	vmadj_qmp_close(qmp);
	qmp = NULL;
	cr_expect(eq(int, vmadj_qmp_open(event, long_path, done, NULL, &qmp), -ENAMETOOLONG));
	cr_expect(eq(ptr, qmp, NULL));
}

static void close_it(void *userdata, int err, const json_t *answer)
{
	done(userdata, err, answer);
	vmadj_qmp_close(qmp);
	qmp = NULL;
}

Test(qmp, it_may_be_closed_from_its_callback)
{
	static const char *const script[] = {
		FAKE_QMP_GREET, "< query", "- {\"return\":{}, \"id\":2}\n{\"event\":\"A\"}\n{\"ev",
		NULL
	};
	struct fake_qmp *fake = fake_qmp_start(script);
	struct result result = { .err = UNDONE };

	cr_assert(eq(int, open_path(fake_qmp_path(fake)), 0));
	cr_assert(eq(int, vmadj_qmp_ask(qmp, "query", NULL, close_it, &result), 0));
	cr_expect(eq(int, wait_for(&result), 0));
	json_decref(result.answer);
	fake_qmp_end(fake);
}

Test(qmp, who_closes_is_not_called_back)
{
	static const char *const script[] = { FAKE_QMP_GREET, "< query", "stay", NULL };
	struct fake_qmp *fake = fake_qmp_start(script);
	struct result result = { .err = UNDONE };

	cr_assert(eq(int, open_path(fake_qmp_path(fake)), 0));
	cr_assert(eq(int, vmadj_qmp_ask(qmp, "query", NULL, done, &result), 0));
	vmadj_qmp_close(qmp);
	qmp = NULL;
	fake_qmp_end(fake);
	cr_expect(eq(int, result.err, UNDONE));
}

struct line {
	char cmdline[256], path[64];
	int err;
};

ParameterizedTestParameters(qmp, the_socket_is_on_the_command_line)
{
	static struct line cases[] = {
		{ "qemu -qmp unix:/run/a.sock,server=on,wait=off", "/run/a.sock", 0 },
		{ "qemu -qmp unix:/run/a.sock,server,nowait", "/run/a.sock", 0 },
		{ "qemu --qmp unix:/run/a.sock,wait=off,server", "/run/a.sock", 0 },
		{ "qemu -qmp unix:path=/run/a.sock,server=on", "/run/a.sock", 0 },
		{ "qemu -qmp unix:a,,b,server=on", "a,b", 0 },
		{ "qemu -qmp unix:/client.sock -qmp unix:/run/b,server=on", "/run/b", 0 },
		{ "qemu -qmp unix:/run/a.sock,server=off", "", -ENOENT },
		{ "qemu -qmp unix:/run/a.sock", "", -ENOENT },
		{ "qemu -qmp tcp:localhost:4444,server=on", "", -ENOENT },
		{ "qemu -qmp stdio", "", -ENOENT },
		{ "qemu -qmp", "", -ENOENT },
		{ "qemu -qmp-pretty unix:/run/a.sock,server=on", "", -ENOENT },
		{ "qemu -chardev socket,id=m,path=/run/m,server=on,wait=off -mon "
		  "chardev=m,mode=control",
		  "/run/m", 0 },
		{ "qemu -mon m,mode=control -chardev socket,path=/run/m,server,nowait,id=m",
		  "/run/m", 0 },
		/* as Proxmox has it: the second is a client of somebody else */
		{ "kvm -chardev socket,id=qmp,path=/run/100.qmp,server=on,wait=off -mon "
		  "chardev=qmp,mode=control -chardev "
		  "socket,id=e,path=/run/ev,reconnect=5 -mon chardev=e,mode=control",
		  "/run/100.qmp", 0 },
		{ "qemu -chardev socket,id=e,path=/run/ev,reconnect=5 -mon chardev=e,mode=control",
		  "", -ENOENT },
		{ "qemu -chardev socket,id=m,path=/run/m,server=on -mon chardev=m", "", -ENOENT },
		{ "qemu -chardev socket,id=m,path=/run/m,server=on -mon chardev=m,mode=readline",
		  "", -ENOENT },
		{ "qemu -chardev socket,id=m,path=/run/m,server=on -mon "
		  "chardev=m,mode=control,pretty=on",
		  "", -ENOENT },
		{ "qemu -chardev socket,id=x,path=/run/m,server=on -mon chardev=m,mode=control", "",
		  -ENOENT },
		{ "qemu -chardev pty,id=m -mon chardev=m,mode=control", "", -ENOENT },
		{ "qemu -chardev socket,id=m,fd=7,server=on -mon chardev=m,mode=control", "",
		  -ENOENT },
		{ "qemu", "", -ENOENT },
		{ "", "", -ENOENT },
	};

	return cr_make_param_array(struct line, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct line *c, qmp, the_socket_is_on_the_command_line)
{
	char path[64] = "";
	size_t len;
	char *words = vmadj_words(c->cmdline, &len);

	cr_expect(eq(int, vmadj_qmp_path_parse(words, len, path, sizeof(path)), c->err), "%s",
		  c->cmdline);
	cr_expect(eq(str, path, c->path));
	cr_expect(eq(int, vmadj_qmp_path_parse(words, len, path, 3),
		     c->err		   ? c->err
		     : strlen(c->path) < 3 ? 0
					   : -ENAMETOOLONG));
	free(words);
}

Test(qmp, a_process_without_one_or_without_existence)
{
	char path[64];

	cr_expect(eq(int, vmadj_qmp_path(getpid(), path, sizeof(path)), -ENOENT));
	cr_expect(eq(int, vmadj_qmp_path(0x3fffffff, path, sizeof(path)), -ESRCH));
}
