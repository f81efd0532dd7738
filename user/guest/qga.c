// SPDX-License-Identifier: GPL-2.0-only
/*
 * qga.c - the figures of an unmodified guest, read through qemu-guest-agent
 *
 * A round opens what is not open in the guest, and reads each file from its start. Handles last
 * until the agent is restarted; when one fails, all are opened anew, once a round. A round that
 * fails is followed by a pause, longer each time.
 */
#include "user/guest/qga.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "user/guest/port_path.h"
#include "user/guest/qga_exchange.h"
#include "user/guest/qga_figures.h"
#include "user/guest/qga_socket.h"
#include "user/guest/qga_words.h"
#include "user/util/text.h"
#include "user/virt/libvirt.h"

#define PERIOD_S   0.9 /* the tick that is due in a second may come a little early */
#define FRESH_S	   3
#define SLOW_TIMES 4 /* as long as a round took is the time to the next one, at least */
#define PAUSE_S	   1 /* the first one */
#define PAUSE_MAX  60
#define RARELY_S   600
#define CLOSED	   (-1) /* no handle */

enum file { MEMINFO, VMSTAT, PSI, N_FILES };

static const char *const paths[N_FILES] = {
	[MEMINFO] = "/proc/meminfo",
	[VMSTAT] = "/proc/vmstat",
	[PSI] = "/proc/pressure/memory", /* not in every kernel, and may be switched off */
};

struct vmadj_guest_qga {
	sd_event *event;
	const struct vmadj_target *target;
	vmadj_guest_heard heard;
	void *userdata;

	/* The way to it: libvirt, or the socket at @path; not looked for yet where both are not. */
	struct vmadj_libvirt *libvirt;
	bool through_libvirt;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];

	struct vmadj_qga_socket *socket; /* of the open question */
	bool asking, opening;		 /* a question is open; it is that for handles */
	bool reopened;			 /* in this round */
	int64_t handle[N_FILES];
	char *commands; /* VMADJ_QGA_COMMANDS_MAX, from the first question on */
	uint64_t max_bytes;
	double now_s, next_s, pause_s, asked_s;
	uint64_t begun_us; /* the round, by the event loop's clock */

	struct vmadj_guest guest; /* what came last, at guest_s */
	double guest_s;
	char why[256];
};

static void forget_handles(struct vmadj_guest_qga *qga)
{
	for (size_t i = 0; i < N_FILES; i++)
		qga->handle[i] = CLOSED;
}

/* Ends a round that brought nothing. @err: as qga_socket.h and libvirt.h have it. */
static void give_up(struct vmadj_guest_qga *qga, int err, const char *words)
{
	const char *text = words;

	if (qga->through_libvirt && !*words) {
		text = "libvirt does not answer";
	} else if (err == -EBUSY) {
		text = "somebody else is connected to qemu-ga's socket";
	} else if (err == -ETIMEDOUT) {
		text = "no qemu-ga answers in the guest";
	} else if (err == -EPROTO || err == -EMSGSIZE) {
		text = "what qemu-ga answers is none of its answers";
	} else if (!*words) {
		text = strerror(-err);
	}
	(void)vmadj_escape(text, qga->why, sizeof(qga->why));
	qga->pause_s = fmin(fmax(qga->pause_s * 2, PAUSE_S), PAUSE_MAX);
	qga->next_s = qga->now_s + qga->pause_s;
}

/* It is there and must not, or cannot, tell: that hardly changes. */
static void refuse(struct vmadj_guest_qga *qga, int err, const struct vmadj_qga_words *words)
{
	(void)snprintf(qga->why, sizeof(qga->why),
		       err == -EACCES
			       ? "qemu-ga may not read files in the guest (its administrator "
				 "has blocked guest-file-* commands): %s"
			       : "qemu-ga cannot read the guest's /proc: %s",
		       words->text);
	forget_handles(qga);
	qga->next_s = qga->now_s + RARELY_S;
}

static void no_way(struct vmadj_guest_qga *qga)
{
	qga->why[0] = '\0';
	qga->next_s = qga->now_s + RARELY_S;
}

/* --- one question ------------------------------------------------------- */

static void take(struct vmadj_guest_qga *qga, int err, const char *words, const char *answers);

static void on_socket(void *userdata, int err, const char *answers)
{
	struct vmadj_guest_qga *qga = userdata;

	qga->socket = NULL;
	take(qga, err, "", answers);
}

static void on_libvirt(void *userdata, int err, const struct vmadj_libvirt_answer *answer)
{
	struct vmadj_guest_qga *qga = userdata;

	if (err == -EOPNOTSUPP) {
		qga->asking = false;
		no_way(qga);
		return;
	}
	/* Whose deadline it was is not the question here. */
	take(qga, err, answer->error, answer->agent);
}

static int ask(struct vmadj_guest_qga *qga)
{
	int err;

	if (qga->through_libvirt) {
		err = vmadj_libvirt_ask_agent(qga->libvirt, qga->target->uuid, qga->commands,
					      on_libvirt, qga);
	} else {
		err = vmadj_qga_socket_ask(qga->event, qga->path, qga->target, qga->commands,
					   on_socket, qga, &qga->socket);
	}
	qga->asking = !err;
	return err;
}

/* Asks for what comes next in a round: handles, or the files. */
static void ask_on(struct vmadj_guest_qga *qga)
{
	size_t used = 0;
	int err;

	if (!qga->commands)
		qga->commands = malloc(VMADJ_QGA_COMMANDS_MAX);
	if (!qga->commands) {
		give_up(qga, -ENOMEM, "");
		return;
	}
	qga->opening = qga->handle[MEMINFO] < 0 || qga->handle[VMSTAT] < 0;
	for (size_t i = 0; i < N_FILES; i++) {
		if (qga->opening) {
			used = vmadj_qga_say_open(qga->commands, VMADJ_QGA_COMMANDS_MAX, used,
						  paths[i]);
		} else if (qga->handle[i] >= 0) {
			used = vmadj_qga_say_read(qga->commands, VMADJ_QGA_COMMANDS_MAX, used,
						  qga->handle[i]);
		}
	}
	err = ask(qga);
	if (err == -EBUSY && qga->through_libvirt) {
		qga->next_s = qga->now_s; /* one of ours is still open */
	} else if (err) {
		give_up(qga, err, "");
	}
}

static uint64_t loop_us(const struct vmadj_guest_qga *qga)
{
	uint64_t us;

	return sd_event_now(qga->event, CLOCK_MONOTONIC, &us) < 0 ? 0 : us;
}

/* An agent that takes its time must not take that of others who ask libvirt. */
static void pace(struct vmadj_guest_qga *qga)
{
	double took_s = (double)(loop_us(qga) - qga->begun_us) / 1e6;

	qga->next_s = qga->now_s + fmax(PERIOD_S, SLOW_TIMES * took_s);
}

/* --- what came ---------------------------------------------------------- */

/* The next line of *@at; NULL: there is none. */
static const char *next_line(const char **at, size_t *ret_len)
{
	const char *line = *at, *end = strchr(line, '\n');

	if (!end)
		return NULL;
	*ret_len = (size_t)(end - line);
	*at = end + 1;
	return line;
}

static void take_handles(struct vmadj_guest_qga *qga, const char *answers)
{
	struct vmadj_qga_words words = { "" };
	int err = 0;

	forget_handles(qga);
	for (size_t i = 0; i < N_FILES; i++) {
		size_t len;
		const char *line = next_line(&answers, &len);
		int failed =
			line ? vmadj_qga_take_handle(line, len, &qga->handle[i], &words) : -EPROTO;

		if (failed && !err && !(failed == -EIO && i == PSI))
			err = failed;
	}
	if (err == -EACCES || err == -EIO) {
		refuse(qga, err, &words);
	} else if (err) {
		give_up(qga, err, "");
	} else {
		ask_on(qga);
	}
}

/* Return: 0; -EPROTO, -EACCES, -EIO: of the first answer that is none. */
static int take_texts(const struct vmadj_guest_qga *qga, const char *answers,
		      char (*texts)[VMADJ_QGA_FILE_MAX + 1], struct vmadj_qga_words *words)
{
	for (size_t i = 0; i < N_FILES; i++) {
		const char *line;
		size_t len;
		int err;

		texts[i][0] = '\0';
		if (qga->handle[i] < 0)
			continue;
		line = next_line(&answers, &len);
		err = line ? vmadj_qga_take_seek(line, len, words) : -EPROTO;
		if (!err)
			line = next_line(&answers, &len);
		if (!err)
			err = line ? vmadj_qga_take_file(line, len, texts[i], words) : -EPROTO;
		/* The last one, and only this kernel may know why it cannot be read. */
		if (err && !(err == -EIO && i == PSI))
			return err;
	}
	return 0;
}

static void take_files(struct vmadj_guest_qga *qga, const char *answers)
{
	char texts[N_FILES][VMADJ_QGA_FILE_MAX + 1];
	struct vmadj_qga_words words = { "" };
	int err = take_texts(qga, answers, texts, &words);

	if (err == -EIO && !qga->reopened) {
		/* The agent was restarted, and knows no handle of before. */
		qga->reopened = true;
		forget_handles(qga);
		ask_on(qga);
	} else if (err == -EACCES) {
		refuse(qga, err, &words);
	} else if (err) {
		forget_handles(qga);
		give_up(qga, err, words.text);
	} else if (!vmadj_guest_from_proc(texts[MEMINFO], texts[VMSTAT], texts[PSI], qga->max_bytes,
					  &qga->guest)) {
		qga->guest.known = false;
		give_up(qga, 0, "the guest's figures contradict each other");
	} else {
		qga->guest_s = qga->asked_s;
		qga->pause_s = 0;
		pace(qga);
		qga->why[0] = '\0';
		qga->heard(qga->userdata);
	}
}

static void take(struct vmadj_guest_qga *qga, int err, const char *words, const char *answers)
{
	qga->asking = false;
	if (err) {
		give_up(qga, err, words);
	} else if (qga->opening) {
		take_handles(qga, answers);
	} else {
		take_files(qga, answers);
	}
}

/* --- from outside ------------------------------------------------------- */

/* Who manages the VM holds the socket, or wants it: libvirt is asked, all others let us share. */
static bool find_way(struct vmadj_guest_qga *qga)
{
	const struct vmadj_target *target = qga->target;

	if (qga->through_libvirt || qga->path[0])
		return true;
	if (target->manager && !strcmp(target->manager, "libvirt")) {
		qga->through_libvirt = qga->libvirt && target->uuid;
	} else if (vmadj_guest_port_path(target, VMADJ_GUEST_QGA_PORT, qga->path,
					 sizeof(qga->path))) {
		qga->path[0] = '\0';
	}
	if (qga->through_libvirt || qga->path[0])
		return true;
	no_way(qga);
	return false;
}

void vmadj_guest_qga_tick(struct vmadj_guest_qga *qga, double now_s,
			  const struct vmadj_guest_seen *seen)
{
	qga->now_s = now_s;
	qga->max_bytes = seen->max_bytes;
	if (qga->asking || now_s < qga->next_s || !find_way(qga))
		return;
	qga->asked_s = now_s;
	qga->begun_us = loop_us(qga);
	qga->reopened = false;
	ask_on(qga);
}

bool vmadj_guest_qga_get(const struct vmadj_guest_qga *qga, double now_s,
			 struct vmadj_guest *ret_guest)
{
	double age_s = fmax(now_s - qga->guest_s, 0);

	if (!qga->guest.known || age_s >= FRESH_S)
		return false;
	*ret_guest = qga->guest;
	ret_guest->age_s = age_s;
	return true;
}

const char *vmadj_guest_qga_why(const struct vmadj_guest_qga *qga)
{
	return qga->why[0] ? qga->why : NULL;
}

void vmadj_guest_qga_set_path(struct vmadj_guest_qga *qga, const char *path)
{
	(void)snprintf(qga->path, sizeof(qga->path), "%s", path);
}

/* NOLINTNEXTLINE(readability-function-size): what it needs, and who is told */
int vmadj_guest_qga_new(sd_event *event, struct vmadj_libvirt *libvirt,
			const struct vmadj_target *target, vmadj_guest_heard heard, void *userdata,
			struct vmadj_guest_qga **ret_qga)
{
	struct vmadj_guest_qga *qga = calloc(1, sizeof(*qga));

	if (!qga)
		return -ENOMEM;
	qga->event = event;
	qga->libvirt = libvirt;
	qga->target = target;
	qga->heard = heard;
	qga->userdata = userdata;
	qga->guest = vmadj_guest_unknown("qemu-ga");
	forget_handles(qga);
	*ret_qga = qga;
	return 0;
}

/* The guest may keep what is open for as long as its agent lives. */
static void close_handles(struct vmadj_guest_qga *qga)
{
	size_t used = 0;

	for (size_t i = 0; i < N_FILES; i++) {
		if (qga->handle[i] < 0)
			continue;
		used = vmadj_qga_say_close(qga->commands, VMADJ_QGA_COMMANDS_MAX, used,
					   qga->handle[i]);
	}
	if (!used)
		return;
	if (qga->through_libvirt) {
		(void)vmadj_libvirt_ask_agent(qga->libvirt, qga->target->uuid, qga->commands, NULL,
					      NULL);
	} else {
		vmadj_qga_socket_leave(qga->event, qga->path, qga->target, qga->commands);
	}
}

void vmadj_guest_qga_free(struct vmadj_guest_qga *qga)
{
	if (!qga)
		return;
	vmadj_qga_socket_end(qga->socket);
	if (qga->through_libvirt)
		vmadj_libvirt_forget(qga->libvirt, qga);
	close_handles(qga);
	free(qga->commands);
	free(qga);
}
