/* SPDX-License-Identifier: GPL-2.0-only */
/* test_identity.c - a VM's name, uuid, VMM and manager, from what its process tells */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/words.h"
#include "user/vm/identity.h"

TestSuite(identity, .timeout = 10);

struct identity_case {
	char line[192], comm[24], cgroup[96];
	char name[32], vmm[24], uuid[40], manager[16]; /* empty: not known */
};

#define UUID	"5f0c2c1e-8a38-4f0a-9d9c-0242ac120002"
#define LIBVIRT "0::/machine.slice/machine-qemu\\x2d1\\x2dweb1.scope/libvirt/emulator"

ParameterizedTestParameters(identity, a_process_tells_who_its_vm_is)
{
	static struct identity_case cases[] = {
		{ "/usr/bin/qemu-system-x86_64 -name guest=web1,debug-threads=on -uuid " UUID,
		  "qemu-system-x86", LIBVIRT, "web1", "qemu", UUID, "libvirt" },
		/* Without a control group of its own, as in a container. */
		{ "qemu-system-aarch64 -name guest=a -chardev socket,id=charmonitor,fd=22", "qemu",
		  "", "a", "qemu", "", "libvirt" },
		{ "/usr/bin/kvm -id 100 -name vm-a,debug-threads=on -chardev socket,id=qmp", "kvm",
		  "0::/qemu.slice/100.scope", "kvm", "kvm", "", "proxmox" },
		{ "/usr/libexec/qemu-kvm -name rh", "qemu-kvm", "0::/", "rh", "qemu", "", "" },
		{ "qemu-system-x86_64 -m 5", "qemu-system-x86", "0::/user.slice", "qemu-system-x86",
		  "qemu", "", "" },
		{ "/opt/wrapped -name in-disguise", "qemu-system-x86", "", "in-disguise", "qemu",
		  "", "" },
		{ "./firecracker --id fc-1 --api-sock /tmp/s", "firecracker", "", "fc-1",
		  "firecracker", "", "" },
		{ "firecracker-v1.4 --id=fc-2", "firecracker-v1.", "", "fc-2", "firecracker", "",
		  "" },
		{ "cloud-hypervisor --cpus boot=1", "cloud-hyperviso", "", "cloud-hyperviso",
		  "cloud-hypervisor", "", "" },
		{ "crosvm run --name cr", "crosvm", "", "cr", "crosvm", "", "" },
		{ "lkvm run --name kt", "lkvm", "", "kt", "kvmtool", "", "" },
		{ "kvmvm --name t0 --load busy", "kvmvm", "", "t0", "kvmvm", "", "" },
		{ "anything", "anything", "", "anything", "anything", "", "" },
		{ "vmm --name", "vmm", "", "vmm", "vmm", "", "" },
		{ "vmm --name ", "vmm", "", "vmm", "vmm", "", "" },
		{ "vmm --names x --id y", "vmm", "", "y", "vmm", "", "" },
		/* A kernel thread or a zombie has no command line. */
		{ "", "ghost", "", "ghost", "ghost", "", "" },
		/* A uuid is QEMU's; elsewhere -uuid may mean anything. */
		{ "other -uuid " UUID, "other", "", "other", "other", "", "" },
		{ "qemu-system-x86_64 -name a -name b -uuid x -uuid " UUID, "q", "", "b", "qemu",
		  UUID, "" },
	};

	return cr_make_param_array(struct identity_case, cases, sizeof(cases) / sizeof(cases[0]));
}

static const char *known(const char *text)
{
	return text ? text : "";
}

ParameterizedTest(struct identity_case *c, identity, a_process_tells_who_its_vm_is)
{
	struct vmadj_identity is;
	size_t len;
	char *line = vmadj_words(c->line, &len);

	cr_assert(zero(int, vmadj_identity_parse(line, len, c->comm, c->cgroup, &is)));
	cr_expect(eq(str, is.name, c->name), "%s", c->line);
	cr_expect(eq(str, is.vmm, c->vmm), "%s", c->line);
	cr_expect(zero(int, strcmp(known(is.uuid), c->uuid)), "%s", c->line);
	cr_expect(zero(int, strcmp(known(is.manager), c->manager)), "%s: %s", c->line,
		  known(is.manager));
	vmadj_identity_clear(&is);
	free(line);
}

Test(identity, of_this_process_can_be_read)
{
	struct vmadj_identity is;

	cr_assert(zero(int, vmadj_identity_read(getpid(), NULL, &is)));
	cr_assert(not(is.is_qemu));
	cr_assert(ne(str, is.name, ""));
	vmadj_identity_clear(&is);
}

Test(identity, the_programs_name_is_believed_more_than_the_threads)
{
	struct vmadj_identity is;

	cr_assert(zero(int, vmadj_identity_read(getpid(), "qemu-system-x86_64", &is)));
	cr_assert(is.is_qemu);
	vmadj_identity_clear(&is);
}

Test(identity, of_nobody_leaves_the_result_alone)
{
	struct vmadj_identity is = { .cpus = 77 };

	/* No process has so great an id. */
	cr_assert(eq(int, vmadj_identity_read(0x7ffffff0, NULL, &is), -ESRCH));
	cr_assert(eq(u32, is.cpus, 77));
	cr_assert(is.name == NULL);
}

Test(identity, can_be_cleared_twice)
{
	struct vmadj_identity is = { 0 };

	vmadj_identity_clear(&is);
	cr_assert(zero(int, vmadj_identity_parse("a", 2, "a", "", &is)));
	vmadj_identity_clear(&is);
	vmadj_identity_clear(&is);
	cr_assert(is.name == NULL);
}
