// SPDX-License-Identifier: GPL-2.0-only
/*
 * libvirt.c - the Linux guest as a libvirt domain of type qemu (TCG)
 *
 * The domain is bound to the connection that made it: libvirtd destroys it when
 * that closes, by whatever end this process comes to.
 */
#include <errno.h>
#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/private.h"

#define LIBVIRT_MEM_MIB 128

struct libvirt_vm {
	struct vmadj_lab_guest guest;
	struct vmadj_lab_guard guard; /* removes the files if this process cannot */
	virConnectPtr conn;
	virDomainPtr dom;
	char log[128], pid_file[128];
};

static void libvirt_stop(struct vmadj_lab_vm *vm)
{
	struct libvirt_vm *lv = vm->priv;

	if (!lv)
		return;
	if (lv->dom) {
		(void)virDomainDestroy(lv->dom);
		virDomainFree(lv->dom);
	}
	if (lv->conn)
		virConnectClose(lv->conn);
	vmadj_lab_guard_stop(&lv->guard);
	vmadj_lab_guest_release(&lv->guest);
	free(lv);
}

static const char *libvirt_path(const struct vmadj_lab_vm *vm, enum vmadj_lab_path which)
{
	const struct libvirt_vm *lv = vm->priv;

	/* QEMU's only QMP socket is libvirt's, and so is the agent's */
	return which == VMADJ_LAB_QMP || which == VMADJ_LAB_QGA
		       ? NULL
		       : vmadj_lab_guest_path(&lv->guest, which);
}

static const struct vmadj_lab_vm_ops libvirt_ops = {
	.stop = libvirt_stop,
	.path = libvirt_path,
};

/* libvirt's errors come back as return values; it need not print them too */
static void ignore_error(void *data, virErrorPtr error)
{
	(void)data;
	(void)error;
}

static int libvirt_fail(int err, const char *what)
{
	const char *why = virGetLastErrorMessage();

	return vmadj_lab_fail(err, "libvirt: %s: %s", what, why ? why : "no reason given");
}

static void xml_devices(FILE *f, const struct vmadj_lab_linux *want,
			const struct vmadj_lab_guest *guest)
{
	fprintf(f, "<serial type='file'><source path='%s'/></serial>\n", guest->console);
	if (want->disk_mib) {
		fprintf(f,
			"<disk type='file' device='disk'>"
			"<driver name='qemu' type='raw' cache='%s'/><source file='%s'/>"
			"<target dev='vda' bus='virtio'/></disk>\n",
			want->cache ? want->cache : "writeback", guest->disk);
	}
	if (want->virtio_serial) {
		fprintf(f,
			"<channel type='unix'><source mode='bind' path='%s'/>"
			"<target type='virtio' name='" VMADJ_LAB_PORT "'/></channel>\n",
			guest->serial);
	}
	if (want->qga) {
		fprintf(f, "<channel type='unix'><target type='virtio' name='" VMADJ_LAB_QGA_PORT
			   "'/></channel>\n");
	}
	if (want->agent) {
		fprintf(f,
			"<channel type='unix'><source mode='bind' path='%s'/>"
			"<target type='virtio' name='" VMADJ_LAB_AGENT_PORT "'/></channel>\n",
			guest->agent);
	}
	fprintf(f, "<memballoon model='%s'/>\n", want->balloon ? "virtio" : "none");
}

static void xml_domain(FILE *f, const struct vmadj_lab_linux *want, const char *name,
		       const struct vmadj_lab_guest *guest)
{
	char cmdline[256];

	vmadj_lab_guest_cmdline(want, cmdline, sizeof(cmdline));
	fprintf(f, "<domain type='qemu'><name>%s</name><memory unit='MiB'>%u</memory>\n", name,
		want->mem_mib ? want->mem_mib : LIBVIRT_MEM_MIB);
	if (want->pinned) {
		fprintf(f, "<vcpu cpuset='%u'>", want->cpu);
	} else {
		fprintf(f, "<vcpu>");
	}
	fprintf(f, "%u</vcpu>\n", want->vcpus ? want->vcpus : 1);
	fprintf(f,
		"<os><type arch='x86_64' machine='pc'>hvm</type><kernel>%s</kernel>"
		"<initrd>%s</initrd><cmdline>%s</cmdline></os>\n",
		guest->kernel, guest->initrd, cmdline);
	/* as root, which can reach the files wherever they are, and so that none changes owner */
	fprintf(f,
		"<features><acpi/></features>"
		"<cpu mode='custom'><model>qemu64</model>"
		"<feature policy='disable' name='cx16'/></cpu>"
		"<seclabel type='static' model='dac' relabel='no'><label>+0:+0</label></seclabel>"
		"<on_reboot>destroy</on_reboot><on_crash>destroy</on_crash><devices>\n");
	xml_devices(f, want, guest);
	fprintf(f, "</devices></domain>\n");
}

static char *libvirt_xml(const struct vmadj_lab_linux *want, const char *name,
			 const struct vmadj_lab_guest *guest)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	xml_domain(f, want, name, guest);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

/* Return: whether the domain is gone. */
static bool libvirt_ended(void *arg)
{
	return virDomainIsActive(arg) != 1;
}

static int libvirt_learn(struct vmadj_lab_vm *vm, const struct libvirt_vm *lv)
{
	char *reply = NULL;
	int err;
	FILE *f;

	f = fopen(lv->pid_file, "re");
	/* NOLINTNEXTLINE(cert-err34-c): libvirt wrote it */
	if (!f || fscanf(f, "%d", &vm->pid) != 1)
		vm->pid = 0;
	if (f)
		(void)fclose(f);
	if (!vm->pid)
		return vmadj_lab_fail(-EIO, "%s: no pid", lv->pid_file);
	if (virDomainQemuMonitorCommand(lv->dom, "{\"execute\":\"query-cpus-fast\"}", &reply, 0))
		return libvirt_fail(-EIO, "query-cpus-fast");
	err = vmadj_lab_qmp_parse_vcpus(vm, reply);
	free(reply);
	return err ? vmadj_lab_fail(err, "%s: no list of vCPUs", vm->name) : 0;
}

static int libvirt_guard(struct libvirt_vm *lv, const char *name)
{
	/* libvirtd writes to the log until the end */
	const struct vmadj_lab_job job = {
		.wait_gone = lv->pid_file,
		.remove_dir = lv->guest.dir,
		.remove_file = lv->log,
	};

	(void)snprintf(lv->pid_file, sizeof(lv->pid_file), "/run/libvirt/qemu/%s.pid", name);
	(void)snprintf(lv->log, sizeof(lv->log), "/var/log/libvirt/qemu/%s.log", name);
	return vmadj_lab_guard_start(&job, &lv->guard);
}

static int libvirt_create(const struct vmadj_lab_linux *want, struct vmadj_lab_vm *vm,
			  struct libvirt_vm *lv)
{
	char *xml;

	lv->conn = virConnectOpen(VMADJ_LAB_LIBVIRT_URI);
	if (!lv->conn)
		return libvirt_fail(-ENODEV, "connect");
	xml = libvirt_xml(want, vm->name, &lv->guest);
	if (!xml)
		return vmadj_lab_fail(-ENOMEM, "no memory");
	lv->dom = virDomainCreateXML(lv->conn, xml, VIR_DOMAIN_START_AUTODESTROY);
	free(xml);
	return lv->dom ? 0 : libvirt_fail(-EIO, vm->name);
}

static int libvirt_boot(const struct vmadj_lab_linux *want, struct vmadj_lab_vm *vm)
{
	struct libvirt_vm *lv = calloc(1, sizeof(*lv));
	int err;

	if (!lv)
		return vmadj_lab_fail(-ENOMEM, "no memory");
	err = vmadj_lab_guest_prepare(want, &lv->guest);
	if (err) {
		free(lv);
		return err;
	}
	vm->priv = lv;
	err = libvirt_guard(lv, vm->name);
	if (!err)
		err = libvirt_create(want, vm, lv);
	if (!err)
		err = vmadj_lab_guest_wait(&lv->guest, libvirt_ended, lv->dom);
	return err ? err : libvirt_learn(vm, lv);
}

/**
 * vmadj_lab_libvirt_start - boot a Linux guest as a libvirt domain
 *
 * Starts libvirtd and virtlogd where none runs; they end with the last user.
 *
 * Return: 0; -ENODEV: no guest image or no libvirtd here; -EIO: libvirt refuses or the
 * guest ended; -ETIME: it does not boot; -ENOMEM.
 */
int vmadj_lab_libvirt_start(const struct vmadj_lab_linux *want, struct vmadj_lab_vm **ret_vm)
{
	struct vmadj_lab_vm *vm;
	int err;

	virSetErrorFunc(NULL, ignore_error);
	err = vmadj_lab_daemon_use();
	if (err)
		return err;
	vm = vmadj_lab_vm_new(&libvirt_ops, want->name);
	if (!vm)
		return vmadj_lab_fail(-ENOMEM, "no memory");
	err = libvirt_boot(want, vm);
	if (err) {
		vmadj_lab_vm_stop(vm);
	} else {
		*ret_vm = vm;
	}
	return err;
}
