/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz_balloon.c - a QEMU that answers anything when it is asked for its balloon
 *
 * The monitor, its answers and what is made of them are the daemon's own; the socket and the event
 * loop are not there. Each line of the input is an answer ("return", with the right id) to the
 * question that is open, or, when it begins with "!", what comes instead.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "user/guest/balloon.h"
#include "user/util/process.h"

#define MAX_BYTES (1ULL << 40)
#define NO_FD	  1000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What QEMU's socket has to be read from, and how often it was asked. */
static struct {
	char bytes[1 << 17];
	size_t at, len;
	unsigned int asked;
	sd_event_io_handler_t on_io;
	void *userdata;
} play;

static ssize_t play_recv(int fd, void *buf, size_t size, int flags)
{
	size_t n = play.len - play.at;

	(void)fd;
	(void)flags;
	n = n < size ? n : size;
	memcpy(buf, play.bytes + play.at, n);
	play.at += n;
	return (ssize_t)n;
}

static ssize_t play_send(int fd, const void *buf, size_t len, int flags)
{
	(void)fd;
	(void)buf;
	(void)flags;
	play.asked++;
	return (ssize_t)len;
}

static int play_socket(int family, int type, int protocol)
{
	(void)family;
	(void)type;
	(void)protocol;
	return NO_FD;
}

static int play_connect(int fd, const struct sockaddr *address, socklen_t len)
{
	(void)fd;
	(void)address;
	(void)len;
	return 0;
}

static int play_getsockopt(int fd, int level, int name, void *value, const socklen_t *len)
{
	(void)fd;
	(void)level;
	(void)name;
	(void)value;
	(void)len;
	return -1;
}

static int play_close(int fd)
{
	(void)fd;
	return 0;
}

static int play_add_io(sd_event_io_handler_t on_io, void *userdata)
{
	play.on_io = on_io;
	play.userdata = userdata;
	return 0;
}

/* The monitor, with its large buffer, is the same memory each time: most of the time went there. */
static char monitor[1 << 17] __attribute__((aligned(16)));

static void *play_calloc(size_t n, size_t size)
{
	if (size < sizeof(monitor) / 4)
		return calloc(n, size);
	if (size > sizeof(monitor))
		abort();
	memset(monitor, 0, 1024);
	return monitor;
}

static void play_free(void *memory)
{
	if (memory != monitor)
		free(memory);
}

/* What is asked is of no interest. */
static char *play_dumps(const json_t *unused, size_t flags)
{
	(void)unused;
	(void)flags;
	return strdup("{}");
}

/* No time passes. */
static int play_timer(const void *unused, uint64_t unused_too)
{
	(void)unused;
	(void)unused_too;
	return 0;
}

#define calloc						      play_calloc
#define free						      play_free
#define json_dumps					      play_dumps
#define recv						      play_recv
#define send						      play_send
#define socket						      play_socket
#define connect						      play_connect
#define getsockopt					      play_getsockopt
#define close						      play_close
#define sd_event_add_io(event, source, fd, on, handler, data) play_add_io(handler, data)
#define sd_event_add_time_relative(event, source, clock, after, accuracy, handler, data) \
	((void)(handler), play_timer(event, after))
#define sd_event_source_set_enabled(source, on)		 play_timer(source, on)
#define sd_event_source_set_priority(source, priority)	 play_timer(source, priority)
#define sd_event_source_set_time_relative(source, after) play_timer(source, after)
#define sd_event_source_disable_unref(source)		 NULL
#include "user/virt/qmp.c"
#undef DEPTH_MAX
#include "user/actuate/balloon_qmp.c"

static bool finished;

/* balloon.c's, and process.c's */
void vmadj_balloon_finish(struct vmadj_balloon *balloon, int err)
{
	(void)balloon;
	(void)err;
	finished = true;
}

void vmadj_balloon_set_why(struct vmadj_balloon *balloon, const char *why)
{
	if (strlen(why) >= sizeof(balloon->why))
		abort();
}

int vmadj_process_start(pid_t pid, uint64_t *ret_ticks)
{
	*ret_ticks = (uint64_t)pid;
	return 0;
}

static void deliver(const char *bytes, size_t len)
{
	if (len > sizeof(play.bytes) - play.len)
		len = sizeof(play.bytes) - play.len;
	memcpy(play.bytes + play.len, bytes, len);
	play.len += len;
	while (!finished && play.at < play.len)
		(void)play.on_io(NULL, 0, 0, play.userdata);
	if (play.at == play.len)
		play.at = play.len = 0;
}

static void answer(const char *line, size_t len)
{
	static char text[1 << 16];
	int n;

	if (len && line[0] == '!') {
		deliver(line + 1, len - 1);
		deliver("\n", 1);
		return;
	}
	n = snprintf(text, sizeof(text), "{\"return\": %.*s, \"id\": %u}\n", (int)len, line,
		     play.asked);
	if (n < (int)sizeof(text))
		deliver(text, (size_t)n);
}

static bool is_part(uint64_t part, uint64_t whole)
{
	return part == VMADJ_GUEST_UNKNOWN || whole == VMADJ_GUEST_UNKNOWN || part <= whole;
}

static void check(const struct vmadj_balloon_state *state)
{
	struct vmadj_guest guest;

	if (!vmadj_guest_from_balloon(&state->stats, MAX_BYTES, 1e9, &guest))
		return;
	if (!guest.known ||
	    (guest.mem_total_bytes != VMADJ_GUEST_UNKNOWN && guest.mem_total_bytes > MAX_BYTES) ||
	    !is_part(guest.mem_free_bytes, guest.mem_total_bytes) ||
	    !is_part(guest.mem_available_bytes, guest.mem_total_bytes) ||
	    !is_part(guest.cached_bytes, guest.mem_total_bytes) || guest.age_s < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char greeting[] = "{\"QMP\": {}}\n";
	static const struct vmadj_target target = { .pid = 7, .start_ticks = 7 };
	const char *at = (const char *)data, *end = at + size;
	struct vmadj_balloon balloon = { .state.stats = { 0 } };

	memset(&balloon.state.stats, 0xff, sizeof(balloon.state.stats));
	balloon.state.stats.last_update_s = 0;
	play.at = play.len = play.asked = 0;
	finished = false;
	if (vmadj_balloon_use_qmp(&balloon, "/qmp", &target) || qmp_look(&balloon))
		return 0;
	deliver(greeting, sizeof(greeting) - 1);
	answer("{}", 2);
	while (!finished && at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		answer(at, (size_t)((newline ? newline : end) - at));
		at = newline ? newline + 1 : end;
	}
	check(&balloon.state);
	qmp_close(&balloon);
	return 0;
}
