/* SPDX-License-Identifier: GPL-2.0-only */
/* test_uevent.c - KVM's news of VMs, and what only looks like it */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/words.h"
#include "user/vm/uevent.h"

TestSuite(uevent, .timeout = 10);

#define KVM	"change@/devices/virtual/misc/kvm ACTION=change DEVPATH=/devices/virtual/misc/kvm "
#define DETAILS "SUBSYSTEM=misc CREATED=3 COUNT=1 "
#define END	" MAJOR=10 MINOR=232 DEVNAME=kvm SEQNUM=3721"

struct news {
	char message[320];
	bool is, created;
	int tid;
};

ParameterizedTestParameters(uevent, is_news_of_a_vm_or_is_not)
{
	static struct news cases[] = {
		{ KVM DETAILS "EVENT=create PID=4711" END, true, true, 4711 },
		{ KVM DETAILS "EVENT=destroy PID=1 STATS_PATH=/sys/kernel/debug/kvm/1-9" END, true,
		  false, 1 },
		{ KVM "PID=4711 EVENT=create" END, true, true, 4711 }, /* in any order */
		{ KVM DETAILS "EVENT=create" END, false, false, 0 },
		{ KVM DETAILS "PID=4711" END, false, false, 0 },
		{ KVM DETAILS "EVENT=suspend PID=4711" END, false, false, 0 },
		{ KVM DETAILS "EVENT=create PID=0" END, false, false, 0 },
		{ KVM DETAILS "EVENT=create PID=-1" END, false, false, 0 },
		{ KVM DETAILS "EVENT=create PID=4711x" END, false, false, 0 },
		{ KVM DETAILS "EVENT=create PID=4294967296" END, false, false, 0 },
		{ KVM DETAILS "EVENT=create PID=" END, false, false, 0 },
		{ "add@/devices/virtual/net/tap0 ACTION=add DEVPATH=/devices/virtual/net/tap0 "
		  "EVENT=create PID=4711",
		  false, false, 0 },
		{ "change@/x ACTION=change DEVPATH=/devices/virtual/misc/kvm2 EVENT=create PID=4711",
		  false, false, 0 },
		{ "DEVPATH=/devices/virtual/misc/kvm", false, false, 0 },
		{ "XDEVPATH=/devices/virtual/misc/kvm EVENT=create PID=4711", false, false, 0 },
		{ "libudev", false, false, 0 },
		{ "", false, false, 0 },
	};

	return cr_make_param_array(struct news, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct news *c, uevent, is_news_of_a_vm_or_is_not)
{
	bool created = !c->created;
	pid_t tid = -7;
	size_t len;
	char *message = vmadj_words(c->message, &len);

	cr_assert(eq(int, vmadj_uevent_parse(message, len, &created, &tid), c->is), "%s",
		  c->message);
	if (c->is) {
		cr_assert(eq(int, created, c->created));
		cr_assert(eq(int, tid, c->tid));
	} else {
		cr_assert(eq(int, tid, -7), "a message that is none leaves the results alone");
		cr_assert(eq(int, created, !c->created));
	}
	free(message);
}

/* A peer without news: the descriptor does not block. */
Test(uevent, a_socket_without_news_says_so)
{
	bool created;
	pid_t tid;
	int fd = vmadj_uevent_open();

	if (fd < 0)
		cr_skip_test("no netlink here: %s", strerror(-fd));
	while (vmadj_uevent_read(fd, &created, &tid) == 1)
		;
	cr_assert(eq(int, vmadj_uevent_read(fd, &created, &tid), 0));
	(void)close(fd);
}
