// SPDX-License-Identifier: GPL-2.0-only
/* libvirt.c - ask libvirt without ever waiting for it */
#include "user/virt/libvirt.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "user/util/cleanup.h"
#include "user/util/log.h"
#include "user/virt/alone.h"
#include "user/virt/libvirt_process.h"
#include "user/virt/libvirt_wire.h"

/* A domain with an open question, or one that is left alone. */
struct vm {
	struct vm *next;
	char uuid[VMADJ_UUID_SIZE];
	bool agent; /* it is the guest's agent that is asked, or left alone */
	struct vmadj_alone alone;
	uint64_t stuck_id; /* a call of before that the helper still waits for; 0: none */

	/* The open question. Ids rise: the lowest that is not sent is the next to be. */
	bool open, sent;
	uint64_t id, value, deadline_us;
	enum vmadj_libvirt_what what;
	char *text; /* NULL: none */
	vmadj_libvirt_done done;
	void *userdata;
};

struct vmadj_libvirt {
	sd_event *event;
	sd_event_source *io, *timer;
	char *uri;
	struct vmadj_libvirt_times times;
	int (*start)(const char *uri, struct vmadj_libvirt_process *process);
	struct vmadj_libvirt_process helper;
	struct vmadj_alone alone;
	struct vm *vms;
	uint64_t last_id;
	unsigned int n_stuck;
	bool lost; /* the last answer was that there is no libvirtd */
	char status[320];
};

static bool is_cheap(enum vmadj_libvirt_what what)
{
	return what == VMADJ_LIBVIRT_STATE || what == VMADJ_LIBVIRT_GET_SHARES ||
	       what == VMADJ_LIBVIRT_GET_PERIOD || what == VMADJ_LIBVIRT_CHANNEL;
}

static uint64_t now_us(const struct vmadj_libvirt *libvirt)
{
	uint64_t now;

	return sd_event_now(libvirt->event, CLOCK_MONOTONIC, &now) < 0 ? 0 : now;
}

static void free_vm(struct vm *vm)
{
	free(vm->text);
	free(vm);
}

/* What is nothing but a memory of troubles goes when those are long ago. */
static void remove_unused(struct vmadj_libvirt *libvirt)
{
	uint64_t now = now_us(libvirt);

	for (struct vm **at = &libvirt->vms; *at;) {
		struct vm *vm = *at;

		if (vm->open || vm->stuck_id || !vmadj_alone_is_past(&vm->alone, now)) {
			at = &vm->next;
			continue;
		}
		*at = vm->next;
		free_vm(vm);
	}
}

static struct vm *find_vm(const struct vmadj_libvirt *libvirt, const char *uuid, bool agent)
{
	for (struct vm *vm = libvirt->vms; vm; vm = vm->next) {
		if (!strcmp(vm->uuid, uuid) && vm->agent == agent)
			return vm;
	}
	return NULL;
}

/* Ends the open question of @vm. The callback may ask anew. */
static void finish(struct vm *vm, int err, const struct vmadj_libvirt_answer *answer)
{
	static const struct vmadj_libvirt_answer nothing = { .error = "",
							     .agent = "",
							     .channel = "" };

	vm->open = vm->sent = false;
	if (vm->done)
		vm->done(vm->userdata, err, answer ? answer : &nothing);
}

static __attribute__((format(printf, 2, 3))) void set_status(struct vmadj_libvirt *libvirt,
							     const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(libvirt->status, sizeof(libvirt->status), format, args);
	va_end(args);
}

/* Ends the helper, and all questions with it. */
static void end_helper(struct vmadj_libvirt *libvirt, bool wholly, const char *why)
{
	const uint64_t last_id = libvirt->last_id; /* later ones are a new helper's */
	struct vm *vm;

	libvirt->io = sd_event_source_disable_unref(libvirt->io);
	vmadj_libvirt_process_end(libvirt->event, &libvirt->helper);
	libvirt->n_stuck = 0;
	vmadj_alone_leave(&libvirt->alone, &libvirt->times.alone, now_us(libvirt), wholly);
	log_warning("libvirt: %s; %s for %.3g s", why,
		    wholly ? "not asked" : "asked only what does not need QEMU",
		    (double)libvirt->alone.for_us / 1e6);
	set_status(libvirt, "does not answer: %s", why);
	for (vm = libvirt->vms; vm; vm = vm->next)
		vm->stuck_id = 0;
	/* Callbacks add to the list; nothing is removed from it meanwhile. */
	for (vm = libvirt->vms; vm; vm = vm->next) {
		if (vm->open && vm->id <= last_id)
			finish(vm, -ENOTCONN, NULL);
	}
}

static uint64_t limit_of(const struct vmadj_libvirt *libvirt, enum vmadj_libvirt_what what)
{
	if (is_cheap(what))
		return libvirt->times.cheap_us;
	if (what == VMADJ_LIBVIRT_AGENT)
		return libvirt->times.agent_us;
	return what == VMADJ_LIBVIRT_BALLOON ? libvirt->times.balloon_us : libvirt->times.set_us;
}

/* A failure to send is the helper's end, of which the socket tells, too. */
static void send_request(struct vmadj_libvirt *libvirt, struct vm *vm)
{
	struct vmadj_libvirt_request request = { .id = vm->id,
						 .what = vm->what,
						 .value = vm->value };

	memcpy(request.uuid, vm->uuid, sizeof(request.uuid));
	(void)snprintf(request.text, sizeof(request.text), "%s", vm->text ? vm->text : "");
	(void)send(libvirt->helper.fd, &request,
		   VMADJ_LIBVIRT_RECORD(vmadj_libvirt_request, strlen(request.text)),
		   MSG_DONTWAIT | MSG_NOSIGNAL);
	vm->sent = true;
	vm->deadline_us = now_us(libvirt) + limit_of(libvirt, vm->what);
}

/* The clock of a call runs when a thread of the helper is free for it. */
static void send_requests(struct vmadj_libvirt *libvirt)
{
	unsigned int busy = libvirt->n_stuck, agents = 0;
	uint64_t first_us = UINT64_MAX;
	struct vm *vm, *next;

	for (vm = libvirt->vms; vm; vm = vm->next) {
		busy += vm->sent;
		agents += vm->agent && (vm->sent || vm->stuck_id);
	}
	for (; busy < VMADJ_LIBVIRT_THREADS; busy++) {
		next = NULL;
		for (vm = libvirt->vms; vm; vm = vm->next) {
			if (vm->open && !vm->sent && (!next || vm->id < next->id) &&
			    (!vm->agent || agents < VMADJ_LIBVIRT_AGENTS))
				next = vm;
		}
		if (!next)
			break;
		send_request(libvirt, next);
		agents += next->agent;
	}
	for (vm = libvirt->vms; vm; vm = vm->next) {
		if (vm->sent && vm->deadline_us < first_us)
			first_us = vm->deadline_us;
	}
	(void)sd_event_source_set_time(libvirt->timer, first_us);
	(void)sd_event_source_set_enabled(libvirt->timer,
					  first_us == UINT64_MAX ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

static void miss_deadline(struct vmadj_libvirt *libvirt, struct vm *vm)
{
	bool cheap = is_cheap(vm->what);

	vm->stuck_id = vm->id;
	libvirt->n_stuck++;
	vmadj_alone_leave(&vm->alone, &libvirt->times.alone, now_us(libvirt), cheap);
	log_warning("libvirt: no answer within %.3g s for VM %s, left alone for %.3g s",
		    (double)limit_of(libvirt, vm->what) / 1e6, vm->uuid,
		    (double)vm->alone.for_us / 1e6);
	finish(vm, -ETIMEDOUT, NULL);
	if (libvirt->n_stuck >= VMADJ_LIBVIRT_STUCK_MAX)
		end_helper(libvirt, cheap, "its calls are stuck");
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct vmadj_libvirt *libvirt = userdata;

	(void)source;
	for (struct vm *vm = libvirt->vms; vm; vm = vm->next) {
		if (vm->sent && vm->deadline_us <= usec)
			miss_deadline(libvirt, vm);
	}
	remove_unused(libvirt);
	send_requests(libvirt);
	return 0;
}

static void note_answer(struct vmadj_libvirt *libvirt, int err, const char *words)
{
	bool lost = err == -ENOTCONN;

	set_status(libvirt, "%s%s", lost ? "does not answer: " : "answers", lost ? words : "");
	if (lost && !libvirt->lost) {
		log_warning("libvirt: no connection: %s; trying again", words);
	} else if (!lost && libvirt->lost) {
		log_notice("libvirt: answers again");
	}
	libvirt->lost = lost;
}

static void take_answer(struct vmadj_libvirt *libvirt, struct vm *vm,
			const struct vmadj_libvirt_reply *reply)
{
	const struct vmadj_libvirt_answer answer = {
		.running = reply->running,
		.job_active = reply->job_active,
		.max_bytes = reply->max_bytes,
		.shares = reply->shares,
		.channel = reply->channel,
		.period_s = reply->period_s,
		.balloon = reply->balloon,
		.error = reply->error,
		.agent = reply->text,
	};

	note_answer(libvirt, reply->err, reply->error);
	if (reply->err == -EAGAIN || reply->err == -ETIMEDOUT) {
		vmadj_alone_leave(&vm->alone, &libvirt->times.alone, now_us(libvirt), false);
	} else if (!is_cheap(vm->what) && reply->err != -ENOTCONN) {
		vm->alone = (struct vmadj_alone){ 0 };
	}
	finish(vm, reply->err, &answer);
}

static void take_reply(struct vmadj_libvirt *libvirt, const struct vmadj_libvirt_reply *reply)
{
	for (struct vm *vm = libvirt->vms; vm; vm = vm->next) {
		if (vm->sent && vm->id == reply->id) {
			take_answer(libvirt, vm, reply);
			return;
		}
		if (vm->stuck_id && vm->stuck_id == reply->id) {
			/* Too late to be believed, and a sign of life. */
			vm->stuck_id = 0;
			libvirt->n_stuck--;
			vm->alone.until_us = now_us(libvirt);
			return;
		}
	}
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct vmadj_libvirt *libvirt = userdata;
	struct vmadj_libvirt_reply reply;
	ssize_t n = recv(fd, &reply, sizeof(reply), MSG_DONTWAIT);

	(void)source;
	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n > (ssize_t)offsetof(struct vmadj_libvirt_reply, text)) {
		((char *)&reply)[n - 1] = '\0';
		reply.error[sizeof(reply.error) - 1] = '\0';
		reply.channel[sizeof(reply.channel) - 1] = '\0';
		take_reply(libvirt, &reply);
	} else {
		end_helper(libvirt, true, "the helper ended");
	}
	remove_unused(libvirt);
	send_requests(libvirt);
	return 0;
}

static int start_helper(struct vmadj_libvirt *libvirt)
{
	int err;

	if (libvirt->helper.fd >= 0)
		return 0;
	err = libvirt->start(libvirt->uri, &libvirt->helper);
	if (!err && sd_event_add_io(libvirt->event, &libvirt->io, libvirt->helper.fd, EPOLLIN,
				    on_io, libvirt) < 0)
		err = -ENOMEM;
	if (err)
		end_helper(libvirt, true, "the helper cannot be started");
	return err;
}

/* What is asked: of @question, what, value, done and userdata; @text is copied. */
static int ask(struct vmadj_libvirt *libvirt, const char *uuid, const struct vm *question,
	       const char *text)
{
	bool agent = question->what == VMADJ_LIBVIRT_AGENT, cheap = is_cheap(question->what);
	struct vm *vm = find_vm(libvirt, uuid, agent);
	uint64_t now = now_us(libvirt);
	char *copy;

	if (strlen(uuid) != VMADJ_UUID_SIZE - 1)
		return -EINVAL;
	if (vm && vm->open)
		return -EBUSY;
	if (vmadj_alone_is(&libvirt->alone, now, cheap) ||
	    (vm && vmadj_alone_is(&vm->alone, now, cheap)) || start_helper(libvirt))
		return -EAGAIN;
	copy = text ? strdup(text) : NULL;
	if (text && !copy)
		return -ENOMEM;
	if (!vm) {
		vm = calloc(1, sizeof(*vm));
		if (!vm) {
			free(copy);
			return -ENOMEM;
		}
		vm->agent = agent;
		memcpy(vm->uuid, uuid, sizeof(vm->uuid));
		vm->next = libvirt->vms;
		libvirt->vms = vm;
	}
	vm->open = true;
	vm->id = ++libvirt->last_id;
	vm->what = question->what;
	vm->value = question->value;
	vm->done = question->done;
	vm->userdata = question->userdata;
	free(vm->text);
	vm->text = copy;
	send_requests(libvirt);
	return 0;
}

/* NOLINTNEXTLINE(readability-function-size): a question, and who asks it */
int vmadj_libvirt_ask(struct vmadj_libvirt *libvirt, const char *uuid, enum vmadj_libvirt_what what,
		      uint64_t value, vmadj_libvirt_done done, void *userdata)
{
	const struct vm question = {
		.what = what, .value = value, .done = done, .userdata = userdata
	};

	return ask(libvirt, uuid, &question, NULL);
}

int vmadj_libvirt_ask_agent(struct vmadj_libvirt *libvirt, const char *uuid, const char *commands,
			    vmadj_libvirt_done done, void *userdata)
{
	const struct vm question = { .what = VMADJ_LIBVIRT_AGENT,
				     .done = done,
				     .userdata = userdata };

	if (strlen(commands) >= VMADJ_LIBVIRT_ASK_MAX)
		return -EINVAL;
	return ask(libvirt, uuid, &question, commands);
}

void vmadj_libvirt_forget(struct vmadj_libvirt *libvirt, const void *userdata)
{
	for (struct vm *vm = libvirt->vms; vm; vm = vm->next) {
		if (vm->userdata == userdata)
			vm->done = NULL;
	}
}

const char *vmadj_libvirt_status(const struct vmadj_libvirt *libvirt)
{
	return libvirt->status;
}

pid_t vmadj_libvirt_helper_pid(const struct vmadj_libvirt *libvirt)
{
	return libvirt->helper.pid;
}

void vmadj_libvirt_set_times(struct vmadj_libvirt *libvirt, const struct vmadj_libvirt_times *times)
{
	libvirt->times = *times;
}

void vmadj_libvirt_set_start(struct vmadj_libvirt *libvirt,
			     int (*start)(const char *uri, struct vmadj_libvirt_process *))
{
	libvirt->start = start;
}

int vmadj_libvirt_new(sd_event *event, const char *uri, struct vmadj_libvirt **ret_libvirt)
{
	struct vmadj_libvirt *libvirt = calloc(1, sizeof(*libvirt));

	if (!libvirt)
		return -ENOMEM;
	libvirt->event = event;
	libvirt->start = vmadj_libvirt_process_start;
	libvirt->helper.fd = -1;
	libvirt->times = (struct vmadj_libvirt_times){
		.cheap_us = 2000000,
		.balloon_us = 3000000,
		.set_us = 5000000,
		/* More than libvirt itself waits for an agent: only libvirtd can miss it. */
		.agent_us = 20000000,
		.alone = { .first_us = 5000000, .max_us = 300000000 },
	};
	set_status(libvirt, "not asked yet");
	libvirt->uri = strdup(uri ? uri : "qemu:///system");
	if (!libvirt->uri ||
	    sd_event_add_time(event, &libvirt->timer, CLOCK_MONOTONIC, UINT64_MAX, 0, on_timer,
			      libvirt) < 0 ||
	    /* An answer that came in time is one, however late this program looks. */
	    sd_event_source_set_priority(libvirt->timer, SD_EVENT_PRIORITY_NORMAL + 1) < 0) {
		vmadj_libvirt_free(libvirt);
		return -ENOMEM;
	}
	*ret_libvirt = libvirt;
	return 0;
}

void vmadj_libvirt_free(struct vmadj_libvirt *libvirt)
{
	if (!libvirt)
		return;
	sd_event_source_disable_unref(libvirt->io);
	sd_event_source_disable_unref(libvirt->timer);
	vmadj_libvirt_process_end(NULL, &libvirt->helper);
	while (libvirt->vms) {
		struct vm *next = libvirt->vms->next;

		free_vm(libvirt->vms);
		libvirt->vms = next;
	}
	free(libvirt->uri);
	free(libvirt);
}
