// SPDX-License-Identifier: GPL-2.0-only
/*
 * libvirt_helper.c - the process that waits for libvirt, so that nobody else has to
 *
 * Each of its threads takes a request from the socket, asks libvirt, and replies. A thread that is
 * stuck in libvirt takes no more; whoever sends the requests counts, and kills the process.
 *
 * Each thread has a connection of its own: threads that share one wait for the one that waits
 * longest, because libvirt's client loses wake-ups between them (seen with 9.0: a call on one VM
 * was never sent while another VM's QEMU stood still).
 */
#include <cap-ng.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "user/virt/libvirt.h"
#include "user/virt/libvirt_calls.h"
#include "user/virt/libvirt_wire.h"

#define PAUSE_FIRST_MS 250
#define PAUSE_MAX_MS   8000

/* The same for all threads. */
static struct {
	struct vmadj_libvirt_api api;
	const char *uri;
	const char *no_libvirt; /* NULL: it is loaded */
} helper;

/* One thread's. */
struct connection {
	virConnectPtr conn; /* NULL: none now */
	uint64_t next_ms, pause_ms;
	char why[sizeof(((struct vmadj_libvirt_reply *)0)->error)];
};

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Return: whether there is a connection. */
static bool connect_anew(struct connection *to)
{
	uint64_t now = now_ms();

	if (now < to->next_ms)
		return false;
	to->conn = helper.api.virConnectOpen(helper.uri);
	if (to->conn) {
		to->pause_ms = 0;
		return true;
	}
	(void)snprintf(to->why, sizeof(to->why), "%s", vmadj_libvirt_words(&helper.api));
	to->pause_ms = to->pause_ms ? to->pause_ms * 2 : PAUSE_FIRST_MS;
	if (to->pause_ms > PAUSE_MAX_MS)
		to->pause_ms = PAUSE_MAX_MS;
	to->next_ms = now + to->pause_ms;
	return false;
}

static void answer(struct connection *to, const struct vmadj_libvirt_request *request,
		   struct vmadj_libvirt_reply *reply)
{
	/* A libvirtd that was restarted is noticed with the first question, and asked again. */
	for (int i = 0; i < 2 && !helper.no_libvirt && (to->conn || connect_anew(to)); i++) {
		if (vmadj_libvirt_call(&helper.api, to->conn, request, reply))
			return;
		(void)helper.api.virConnectClose(to->conn);
		to->conn = NULL;
		(void)snprintf(to->why, sizeof(to->why), "libvirtd closed the connection");
	}
	reply->err = -ENOTCONN;
	(void)snprintf(reply->error, sizeof(reply->error), "%s",
		       helper.no_libvirt ? helper.no_libvirt : to->why);
}

static void *serve(void *unused)
{
	struct connection connection = { 0 };

	for (;;) {
		struct vmadj_libvirt_request request;
		struct vmadj_libvirt_reply reply = { 0 };
		ssize_t n = recv(VMADJ_LIBVIRT_FD, &request, sizeof(request), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= (ssize_t)offsetof(struct vmadj_libvirt_request, text))
			return unused;
		reply.id = request.id;
		answer(&connection, &request, &reply);
		(void)send(VMADJ_LIBVIRT_FD, &reply,
			   VMADJ_LIBVIRT_RECORD(vmadj_libvirt_reply, strlen(reply.text)),
			   MSG_NOSIGNAL);
	}
}

int vmadj_libvirt_helper_main(const char *uri)
{
	pthread_t thread;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)signal(SIGPIPE, SIG_IGN);
	/* libvirt's socket is root's: it takes the user id, and no capability. */
	capng_clear(CAPNG_SELECT_BOTH);
	(void)capng_apply(CAPNG_SELECT_BOTH);
	helper.uri = uri;
	helper.no_libvirt = vmadj_libvirt_load(&helper.api);
	for (int i = 1; i < VMADJ_LIBVIRT_THREADS; i++) {
		if (pthread_create(&thread, NULL, serve, NULL))
			return 1;
	}
	(void)serve(NULL);
	/* Others may be stuck, and never end. */
	_exit(0);
}
