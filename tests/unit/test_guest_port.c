/* SPDX-License-Identifier: GPL-2.0-only */
/* test_guest_port.c - where the host's end of a guest's port is */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/words.h"
#include "user/guest/port_path.h"
#include "user/virt/libvirt_channel.h"

#define PORT   "org.vmadjust.guest.0"
#define DEVICE "virtserialport,chardev=a,name=" PORT
#define JSON   "{\"driver\":\"virtserialport\",\"chardev\":\"a\",\"name\":\"" PORT "\"}"

TestSuite(guest_port, .timeout = 20);

struct line {
	char cmdline[300], path[32];
	int err;
};

ParameterizedTestParameters(guest_port, the_command_line_names_it)
{
	static struct line cases[] = {
		{ "qemu -chardev socket,id=a,path=/run/a,server=on,wait=off -device " DEVICE,
		  "/run/a", 0 },
		{ "qemu -device " DEVICE " -chardev socket,path=/run/a,server,nowait,id=a",
		  "/run/a", 0 },
		{ "qemu -chardev socket,id=a,path=/run/a,server=on -device " JSON, "/run/a", 0 },
		{ "qemu -chardev "
		  "{\"backend\":\"socket\",\"id\":\"a\",\"path\":\"/run/a,b\",\"server\":true} "
		  "-device " JSON,
		  "/run/a,b", 0 },
		{ "qemu -chardev "
		  "{\"backend\":\"socket\",\"id\":\"a\",\"path\":\"/run/a\",\"server\":false} "
		  "-device " JSON,
		  "", -ENOENT },
		{ "qemu -chardev socket,id=a,path=/run/a -device " DEVICE, "", -ENOENT },
		{ "qemu -chardev socket,id=b,path=/run/b,server=on -device " DEVICE, "", -ENOENT },
		/* as libvirt has it */
		{ "qemu -chardev socket,id=a,fd=25,server=on,wait=off -device " JSON, "", -ENOENT },
		{ "qemu -chardev socket,id=a,path=/run/a,server=on -device "
		  "virtserialport,chardev=a,name=org.qemu.guest_agent.0",
		  "", -ENOENT },
		{ "qemu -chardev socket,id=a,path=/run/a,server=on -device {\"driver\":7}", "",
		  -ENOENT },
		{ "qemu -chardev socket,id=a,path=/run/a,server=on -device {", "", -ENOENT },
		{ "qemu -chardev socket,id=a,path=/run/a,server=on -device "
		  "{\"x\":[[[[[[[[[1]]]]]]]]],\"driver\":\"virtserialport\"}",
		  "", -ENOENT },
		{ "qemu -device virtserialport,chardev=b,name=org.x.1 -device "
		  "virtserialport,bus=s.0,chardev=a,name=" PORT ",nr=1 "
		  "-chardev socket,path=rel/b,id=b,server,nowait "
		  "-chardev backend=socket,path=rel/a,,b,id=a,server,nowait",
		  "rel/a,b", 0 },
		{ "qemu -chardev socket,id=a,path=/run/a,server=on", "", -ENOENT },
		{ "qemu -device virtserialport,name=" PORT, "", -ENOENT },
		{ "qemu -chardev pty,id=a,server=on -device " DEVICE, "", -ENOENT },
		{ "qemu -chardev socket,id=a,path=/run/a,server=on -device "
		  "virtio-net,chardev=a,name=" PORT,
		  "", -ENOENT },
		{ "qemu -chardev socket,id=a,path=/much/too/long/to/fit/anywhere/in/this,server=on "
		  "-device " DEVICE,
		  "", -ENAMETOOLONG },
		{ "qemu", "", -ENOENT },
	};

	return cr_make_param_array(struct line, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct line *c, guest_port, the_command_line_names_it)
{
	char path[32] = "";
	size_t len;
	char *words = vmadj_words(c->cmdline, &len);

	cr_expect(eq(int, vmadj_guest_port_find(words, len, PORT, path, sizeof(path)), c->err),
		  "%s", c->cmdline);
	cr_expect(eq(str, path, c->path), "%s", c->cmdline);
	free(words);
}

#define CHANNEL(name, path)                                                        \
	"    <channel type='unix'>\n      <source mode='bind' path='" path "'/>\n" \
	"      <target type='virtio' name='" name "' state='disconnected'/>\n"     \
	"    </channel>\n"
#define OTHER \
	"    <channel type='pty'>\n      <target type='virtio' name='" PORT "'/>\n    </channel>\n"

struct domain {
	char xml[1500], path[32];
};

ParameterizedTestParameters(guest_port, libvirt_names_it)
{
	static struct domain cases[] = {
		{ "<domain>\n  <devices>\n" CHANNEL("org.qemu.guest_agent.0", "/run/ga")
			  CHANNEL(PORT, "/run/a") "  </devices>\n</domain>\n",
		  "/run/a" },
		/* metadata may hold anything, as a comment, too */
		{ "<domain>\n  <metadata>\n    <!--\n  <devices>\n" CHANNEL(
			  PORT,
			  "/evil") "-->\n  </metadata>\n  <devices>\n" CHANNEL(PORT,
									       "/run/a") "  </devices>\n</domain>\n",
		  "/run/a" },
		{ "<domain>\n  <metadata>\n  <devices>\n" CHANNEL(
			  PORT, "/evil") "  </metadata>\n  <devices>\n  </devices>\n</domain>\n",
		  "" },
		{ "<domain>\n  <devices>\n" OTHER CHANNEL("x", "/run/x") "  </devices>\n", "" },
		{ "<domain>\n  <devices>\n" CHANNEL(PORT, "/run/&quot;a") "  </devices>\n", "" },
		{ "<domain>\n  <devices>\n" CHANNEL(PORT,
						    "/run/01234567890123456789") "  </devices>\n",
		  "" },
		{ "<domain>\n  <devices>\n    <channel type='unix'>\n      <target type='virtio' name='" PORT
		  "'/>\n    </channel>\n    <x>      <source mode='bind' path='/evil'/></x>\n  </devices>\n",
		  "" },
		{ "<domain>\n  <devices>\n    <channel type='unix'>", "" },
		{ "", "" },
	};

	return cr_make_param_array(struct domain, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct domain *c, guest_port, libvirt_names_it)
{
	char path[16] = "";

	cr_expect(eq(int, vmadj_libvirt_channel(c->xml, PORT, path, sizeof(path)), !!c->path[0]),
		  "%s", c->xml);
	cr_expect(eq(str, path, c->path), "%s", c->xml);
}
