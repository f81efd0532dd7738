// SPDX-License-Identifier: GPL-2.0-only
/* identity.c - who a VM is, by what its process tells everybody */
#include "user/vm/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/util/cleanup.h"
#include "user/util/file.h"
#include "user/util/parse.h"
#include "user/vm/qemu_args.h"

#define CMDLINE_MAX 65536UL

/* Programs that are known by another name than their file has, or that take a name. */
static const struct vmm {
	const char *program; /* a file's name that begins so */
	const char *vmm;
} vmms[] = {
	{ "qemu-system-", "qemu" },
	{ "qemu-kvm", "qemu" },
	{ "cloud-hypervisor", "cloud-hypervisor" },
	{ "firecracker", "firecracker" },
	{ "crosvm", "crosvm" },
	{ "lkvm", "kvmtool" },
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static const char *vmm_of(const char *program)
{
	for (size_t i = 0; i < sizeof(vmms) / sizeof(vmms[0]); i++) {
		if (!strncmp(program, vmms[i].program, strlen(vmms[i].program)))
			return vmms[i].vmm;
	}
	return NULL;
}

/* The value of --KEY VALUE or --KEY=VALUE; NULL: there is none. */
static const char *long_option(const char *cmdline, size_t len, const char *key)
{
	size_t key_len = strlen(key);
	const char *end = cmdline + len;

	for (const char *at = cmdline; at < end; at += strlen(at) + 1) {
		if (strncmp(at, "--", 2) != 0 || strncmp(at + 2, key, key_len) != 0)
			continue;
		if (at[2 + key_len] == '=')
			return at + 3 + key_len;
		if (!at[2 + key_len] && at + strlen(at) + 1 < end)
			return at + strlen(at) + 1;
	}
	return NULL;
}

static const char *manager_of(const char *cgroup, const struct vmadj_identity *identity,
			      const char *cmdline, size_t len)
{
	if (strstr(cgroup, ".libvirt-qemu") || strstr(cgroup, "/machine-qemu"))
		return "libvirt";
	if (strstr(cgroup, "/qemu.slice/"))
		return "proxmox";
	/* Without control groups libvirt shows by the monitor that it gives every QEMU. */
	if (identity->is_qemu && vmadj_qemu_has_value(cmdline, len, "-chardev", "id=charmonitor"))
		return "libvirt";
	return NULL;
}

static int keep(char **ret_copy, const char *text)
{
	*ret_copy = strdup(text);
	return *ret_copy ? 0 : -ENOMEM;
}

static int name_it(struct vmadj_identity *identity, const char *cmdline, size_t len,
		   const char *comm)
{
	char name[256];
	const char *option;

	if (identity->is_qemu) {
		vmadj_qemu_args_read(cmdline, len, identity);
		if (vmadj_qemu_name(cmdline, len, name, sizeof(name)))
			return keep(&identity->name, name);
	}
	option = long_option(cmdline, len, "name");
	if (!option)
		option = long_option(cmdline, len, "id");
	return keep(&identity->name, option && *option && !identity->is_qemu ? option : comm);
}

int vmadj_identity_parse(const char *cmdline, size_t len, const char *comm, const char *cgroup,
			 struct vmadj_identity *ret_identity)
{
	const char *program = len ? base_name(cmdline) : comm, *vmm = vmm_of(program), *uuid;
	struct vmadj_identity identity = { 0 };
	int err;

	/* A program started by a path of another name still has its own. */
	if (!vmm)
		vmm = vmm_of(comm);
	identity.is_qemu = vmm && !strcmp(vmm, "qemu");
	err = keep(&identity.vmm, vmm ? vmm : comm);
	if (!err)
		err = name_it(&identity, cmdline, len, comm);
	uuid = identity.is_qemu ? vmadj_qemu_option(cmdline, len, "-uuid") : NULL;
	if (!err && uuid)
		err = keep(&identity.uuid, uuid);
	if (err) {
		vmadj_identity_clear(&identity);
		return err;
	}
	identity.manager = manager_of(cgroup, &identity, cmdline, len);
	*ret_identity = identity;
	return 0;
}

int vmadj_identity_read(pid_t pid, const char *program, struct vmadj_identity *ret_identity)
{
	_cleanup_free_ char *cmdline = malloc(CMDLINE_MAX);
	char path[64], comm[64], cgroup[4096];
	ssize_t len;

	if (!cmdline)
		return -ENOMEM;
	(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	len = vmadj_file_read(AT_FDCWD, path, cmdline, CMDLINE_MAX);
	if (len < 0)
		return -ESRCH;
	(void)snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	(void)vmadj_file_read(AT_FDCWD, path, cgroup, sizeof(cgroup));
	(void)snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	if (vmadj_file_read(AT_FDCWD, path, comm, sizeof(comm)) < 0)
		return -ESRCH;
	comm[strcspn(comm, "\n")] = '\0';
	if (program && vmm_of(program))
		(void)snprintf(comm, sizeof(comm), "%s", program);
	return vmadj_identity_parse(cmdline, (size_t)len, comm, cgroup, ret_identity);
}

void vmadj_identity_clear(struct vmadj_identity *identity)
{
	free(identity->name);
	free(identity->uuid);
	free(identity->vmm);
	*identity = (struct vmadj_identity){ 0 };
}
