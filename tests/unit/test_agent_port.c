/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_agent_port.c - a port whose host is absent, deaf or gone
 *
 * A pseudo terminal stands for the port: it hangs up and fills up as that does.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "user/agent/port.h"

static struct vmadj_port port = { .fd = -1 };
static char root[] = "/tmp/vmadj-port-XXXXXX";
static int host = -1;

static void clean_up(void)
{
	char command[128];

	vmadj_port_close(&port);
	(void)snprintf(command, sizeof(command), "rm -rf %s", root);
	if (!strstr(root, "XXXXXX"))
		(void)!system(command); /* NOLINT(cert-env33-c) */
}

TestSuite(agent_port, .timeout = 20, .fini = clean_up);

static void make(const char *path, const char *text)
{
	char command[512];

	if (strstr(root, "XXXXXX"))
		cr_assert(mkdtemp(root) != NULL);
	(void)snprintf(command, sizeof(command), "mkdir -p $(dirname %s%s) && echo %s >%s%s", root,
		       path, text, root, path);
	cr_assert(zero(int, system(command))); /* NOLINT(cert-env33-c) */
}

static void open_pair(void)
{
	struct termios raw;

	host = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	cr_assert(ge(int, host, 0));
	cr_assert(zero(int, grantpt(host)));
	cr_assert(zero(int, unlockpt(host)));
	cr_assert(zero(int, tcgetattr(host, &raw)));
	cfmakeraw(&raw);
	cr_assert(zero(int, tcsetattr(host, TCSANOW, &raw)));
	port.path = ptsname(host);
}

Test(agent_port, is_found_as_udev_names_it)
{
	char want[128], path[256];

	make("/sys/class/virtio-ports/vport1p1/name", VMADJ_PORT_NAME);
	make("/dev/virtio-ports/" VMADJ_PORT_NAME, "x");
	cr_assert(zero(int, vmadj_port_find(root, path, sizeof(path))));
	(void)snprintf(want, sizeof(want), "%s/dev/virtio-ports/" VMADJ_PORT_NAME, root);
	cr_expect(eq(str, path, want));
}

Test(agent_port, is_found_without_udev)
{
	char want[128], path[256];

	make("/sys/class/virtio-ports/vport1p1/name", "org.qemu.guest_agent.0");
	make("/sys/class/virtio-ports/vport2p3/name", VMADJ_PORT_NAME);
	make("/sys/class/virtio-ports/vport2p4/name", VMADJ_PORT_NAME ".1");
	cr_assert(zero(int, vmadj_port_find(root, path, sizeof(path))));
	(void)snprintf(want, sizeof(want), "%s/dev/vport2p3", root);
	cr_expect(eq(str, path, want));
}

Test(agent_port, is_not_found_where_there_is_none)
{
	char path[256] = "as before", small[8] = "before";

	cr_expect(eq(int, vmadj_port_find("/nowhere", path, sizeof(path)), -ENOENT));
	make("/sys/class/virtio-ports/vport1p1/name", "org.qemu.guest_agent.0");
	cr_expect(eq(int, vmadj_port_find(root, path, sizeof(path)), -ENOENT));
	cr_expect(eq(str, path, "as before"));
	make("/sys/class/virtio-ports/vport2p3/name", VMADJ_PORT_NAME);
	cr_expect(eq(int, vmadj_port_find(root, small, sizeof(small)), -ENAMETOOLONG));
}

Test(agent_port, lines_go_both_ways)
{
	char buf[64] = "";

	open_pair();
	cr_assert(vmadj_port_ready(&port));
	cr_expect(eq(int, (int)vmadj_port_read(&port, buf, sizeof(buf)), 0), "nothing has come");
	cr_expect(zero(int, vmadj_port_write(&port, "hello\n", 6)));
	cr_expect(eq(int, (int)read(host, buf, sizeof(buf)), 6));
	cr_expect(zero(int, memcmp(buf, "hello\n", 6)));
	cr_assert(eq(int, (int)write(host, "hi\n", 3), 3));
	cr_expect(eq(int, (int)vmadj_port_read(&port, buf, sizeof(buf)), 3));
	cr_expect(zero(int, memcmp(buf, "hi\n", 3)));
}

Test(agent_port, one_that_is_not_there_is_waited_for)
{
	port.path = "/tmp/vmadj-no-such-port";
	cr_expect(not(vmadj_port_ready(&port)));
	cr_expect(eq(int, port.err, -ENOENT));
	open_pair();
	cr_expect(vmadj_port_ready(&port));
	cr_expect(zero(int, port.err));
}

Test(agent_port, one_that_is_gone_is_closed_and_opened_again)
{
	char buf[8];

	open_pair();
	cr_assert(vmadj_port_ready(&port));
	(void)close(host);
	cr_expect(eq(int, vmadj_port_write(&port, "x\n", 2), -EIO));
	cr_expect(eq(int, port.fd, -1));
	cr_expect(not(vmadj_port_ready(&port)));
	open_pair();
	cr_assert(vmadj_port_ready(&port));
	(void)close(host);
	cr_expect(le(int, (int)vmadj_port_read(&port, buf, sizeof(buf)), 0));
	cr_expect(not(vmadj_port_ready(&port)));
	open_pair();
	cr_expect(vmadj_port_ready(&port));
}

/* What is left of a line that did not fit ends before the next one begins. */
Test(agent_port, a_host_that_does_not_read_costs_lines_not_time)
{
	static char line[1000], got[1 << 16];
	size_t len = 0;
	ssize_t n;
	int err = 0, dropped = 0;

	open_pair();
	cr_assert(vmadj_port_ready(&port));
	memset(line, 'a', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	for (int i = 0; i < 1000; i++) {
		err = vmadj_port_write(&port, line, sizeof(line));
		cr_assert(err == 0 || err == -EAGAIN);
		dropped += err != 0;
	}
	cr_expect(gt(int, dropped, 900));
	cr_assert(ge(int, port.fd, 0));
	for (int i = 0; i < 100; i++) {
		while ((n = read(host, got + len, sizeof(got) - len)) > 0)
			len += (size_t)n;
		if (!vmadj_port_write(&port, "{}\n", 3))
			break;
		(void)usleep(10000);
	}
	(void)usleep(100000);
	while ((n = read(host, got + len, sizeof(got) - 1 - len)) > 0)
		len += (size_t)n;
	got[len] = '\0';
	cr_expect(ge(sz, len, 4));
	cr_expect(eq(str, got + len - 4, "\n{}\n"));
}
