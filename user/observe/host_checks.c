// SPDX-License-Identifier: GPL-2.0-only
/* host_checks.c - what this host is and what this process may do */
#include "user/observe/host_checks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/capability.h>

#include "user/observe/checks.h"
#include "user/util/file.h"
#include "user/util/scan.h"

/* The inode number of the first pid namespace is fixed (PROC_PID_INIT_INO). */
#define FIRST_PID_NAMESPACE 0xEFFFFFFCU

static uint64_t effective_capabilities(void)
{
	char status[4096];
	uint64_t caps = 0;
	const char *at;

	if (vmadj_file_read(AT_FDCWD, "/proc/self/status", status, sizeof(status)) < 0)
		return 0;
	at = vmadj_scan_after(status, "\nCapEff:");
	return at && vmadj_scan_hex(&at, &caps) ? caps : 0;
}

static bool check_capabilities(struct vmadj_checks *checks)
{
	static const struct vmadj_lack lack = {
		"rights",
		"capabilities",
		VMADJ_CHECK_FATAL,
		"BPF programs can be neither loaded nor attached, so nothing is observed",
		"run as root, or give the program both: setcap cap_bpf,cap_perfmon+ep FILE",
	};
	uint64_t caps = effective_capabilities();
	bool admin = caps >> CAP_SYS_ADMIN & 1;
	bool bpf = admin || caps >> CAP_BPF & 1, perfmon = admin || caps >> CAP_PERFMON & 1;

	if (bpf && perfmon) {
		vmadj_checks_ok(checks, "rights", "capabilities", "%s",
				admin ? "CAP_SYS_ADMIN" : "CAP_BPF and CAP_PERFMON");
	} else {
		vmadj_checks_lack(checks, &lack, "user %u lacks %s%s%s", geteuid(),
				  bpf ? "" : "CAP_BPF", bpf || perfmon ? "" : " and ",
				  perfmon ? "" : "CAP_PERFMON");
	}
	return bpf && perfmon;
}

static bool check_pid_namespace(struct vmadj_checks *checks)
{
	static const struct vmadj_lack lack = {
		"rights",
		"process ids",
		VMADJ_CHECK_FATAL,
		"the kernel's process ids would be taken for other processes",
		"run in the host's process-id namespace (containers: --pid=host)",
	};
	struct stat st;

	if (stat("/proc/self/ns/pid", &st)) {
		vmadj_checks_lack(checks, &lack, "/proc is not readable: %s", strerror(errno));
		return false;
	}
	if (st.st_ino != FIRST_PID_NAMESPACE) {
		vmadj_checks_lack(checks, &lack,
				  "this process is in a process-id namespace of its own");
		return false;
	}
	vmadj_checks_ok(checks, "rights", "process ids", "the host's namespace");
	return true;
}

bool vmadj_host_check_rights(struct vmadj_checks *checks)
{
	bool capable = check_capabilities(checks);

	return check_pid_namespace(checks) && capable;
}

static void check_psi(struct vmadj_checks *checks)
{
	static const struct vmadj_lack lack = {
		"host",
		"pressure (PSI)",
		VMADJ_CHECK_MISSING,
		"cpu_psi_some_pct and mem_psi_some_pct are not known",
		"boot with psi=1 on a kernel built with CONFIG_PSI",
	};
	char text[256];
	ssize_t len = vmadj_file_read(AT_FDCWD, "/proc/pressure/cpu", text, sizeof(text));

	if (len > 0) {
		vmadj_checks_ok(checks, "host", "pressure (PSI)", "on");
	} else {
		vmadj_checks_lack(checks, &lack, "off: %s",
				  len < 0 ? strerror((int)-len) : "/proc/pressure/cpu is empty");
	}
}

void vmadj_host_check_kernel(struct vmadj_checks *checks)
{
	struct utsname uts;

	if (!uname(&uts))
		vmadj_checks_ok(checks, "kernel", "version", "%s %s", uts.release, uts.machine);
}

void vmadj_host_check_host(struct vmadj_checks *checks)
{
	check_psi(checks);
	vmadj_checks_ok(checks, "host", "cgroups", "%s",
			!access("/sys/fs/cgroup/cgroup.controllers", F_OK) ? "v2"
			: !access("/sys/fs/cgroup/cpu", F_OK)		   ? "v1"
									   : "none mounted");
}

static void check_kvm(struct vmadj_checks *checks, bool vcpus_known)
{
	static const struct vmadj_lack no_kvm = {
		"vms",
		"KVM",
		VMADJ_CHECK_MISSING,
		"only VMs under QEMU's TCG are to be seen",
		"load the module kvm_intel or kvm_amd, and allow virtualisation in the firmware",
	};
	static const struct vmadj_lack no_types = {
		"vms",
		"types of KVM",
		VMADJ_CHECK_MISSING,
		"vCPU threads are told from others by the names that QEMU gives them, not by KVM itself",
		"run a kernel built with CONFIG_DEBUG_INFO_BTF_MODULES=y",
	};

	if (access("/dev/kvm", F_OK)) {
		vmadj_checks_lack(checks, &no_kvm, "no /dev/kvm");
		return;
	}
	vmadj_checks_ok(checks, "vms", "KVM", "/dev/kvm");
	if (vcpus_known) {
		vmadj_checks_ok(checks, "vms", "types of KVM", "vCPUs are told from other threads");
	} else {
		vmadj_checks_lack(checks, &no_types, "neither the kernel nor its module tells");
	}
}

void vmadj_host_check_vms(struct vmadj_checks *checks, bool vcpus_known)
{
	check_kvm(checks, vcpus_known);
	vmadj_checks_ok(checks, "vms", "libvirt", "%s",
			!access("/run/libvirt/libvirt-sock-ro", F_OK) ||
					!access("/run/libvirt/virtqemud-sock-ro", F_OK)
				? "running"
				: "not running; names come from command lines");
}
