/* SPDX-License-Identifier: GPL-2.0-only */
/* test_guest_channel.c - libvirt, its test driver, tells where a guest's port is */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/libvirt_client.h"
#include "user/virt/libvirt.h"
#include "user/virt/libvirt_process.h"

#define UNDONE	1
#define S	1000000ULL
#define WITH	"11111111-1111-4111-8111-111111111111"
#define WITHOUT "22222222-2222-4222-8222-222222222222"
#define NO_SUCH "33333333-3333-4333-8333-333333333333"
#define CHANNEL(name, path)                                          \
	"<channel type='unix'><source mode='bind' path='" path "'/>" \
	"<target type='virtio' name='" name "'/></channel>"
#define DOMAIN(name, uuid, metadata, devices)                                               \
	"<domain type='test'><name>" name "</name><uuid>" uuid "</uuid><metadata>" metadata \
	"</metadata><memory>8192</memory><os><type>hvm</type></os><devices>" devices        \
	"</devices></domain>"
#define EVIL                                                                               \
	"<x:y xmlns:x='http://x.invalid/'><!--\n  <devices>\n" CHANNEL(VMADJ_LIBVIRT_PORT, \
								       "/evil") "\n--></x:y>"

static sd_event *event;
static struct vmadj_libvirt *libvirt;
static char path[] = "/tmp/vmadj-node-XXXXXX";

static void clean_up(void)
{
	vmadj_libvirt_free(libvirt);
	sd_event_unref(event);
	(void)unlink(path);
}

TestSuite(guest_channel, .timeout = 300, .fini = clean_up);

struct result {
	int err;
	char channel[128];
};

static void done(void *userdata, int err, const struct vmadj_libvirt_answer *answer)
{
	struct result *result = userdata;

	result->err = err;
	(void)snprintf(result->channel, sizeof(result->channel), "%s", answer->channel);
}

static struct result ask(const char *uuid)
{
	struct result result = { .err = UNDONE };
	int err = vmadj_libvirt_ask(libvirt, uuid, VMADJ_LIBVIRT_CHANNEL, 0, done, &result);

	if (err)
		cr_fatal("not asked: %s", strerror(-err));
	while (result.err == UNDONE)
		(void)sd_event_run(event, UINT64_MAX);
	return result;
}

static void start(void)
{
	static const char node[] =
		"<node>" DOMAIN("with", WITH, EVIL,
				CHANNEL("org.qemu.guest_agent.0", "/run/ga")
					CHANNEL(VMADJ_LIBVIRT_PORT, "/run/agent"))
			DOMAIN("without", WITHOUT, EVIL, CHANNEL("x", "/run/x")) "</node>";
	const struct vmadj_libvirt_times times = { .cheap_us = 200 * S, .alone = { S, S } };
	char uri[64];
	int fd = mkstemp(path);

	if (fd < 0 || write(fd, node, sizeof(node) - 1) != (ssize_t)sizeof(node) - 1 || close(fd))
		cr_fatal("%s cannot be written", path);
	(void)snprintf(uri, sizeof(uri), "test://%s", path);
	libvirt_client_open(uri, &event, &libvirt);
	vmadj_libvirt_set_times(libvirt, &times);
}

Test(guest_channel, libvirt_tells_where_it_is)
{
	struct result result;

	start();
	result = ask(WITH);
	if (result.err == -ENOTCONN)
		cr_skip_test("no libvirt here: %s", vmadj_libvirt_status(libvirt));
	cr_expect(zero(int, result.err));
	cr_expect(eq(str, result.channel, "/run/agent"));
	result = ask(WITHOUT);
	cr_expect(eq(int, result.err, -EOPNOTSUPP));
	cr_expect(eq(str, result.channel, ""));
	cr_expect(eq(int, ask(NO_SUCH).err, -ENOENT));
}
