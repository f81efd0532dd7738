// SPDX-License-Identifier: GPL-2.0-only
/*
 * daemon.c - libvirt's daemons, on a host where no service manager runs them
 *
 * Whoever needs them holds a shared lock on the libvirtd binary, a file that is
 * there anyway. The guards of the daemons that the lab started end them when
 * they get that lock for themselves: when the last test that uses them is over.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libvirt/libvirt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/lab/private.h"

#define LIBVIRTD       "/usr/sbin/libvirtd"
#define VIRTLOGD       "/usr/sbin/virtlogd"
#define KVM	       "/dev/kvm"
#define DAEMON_WAIT_MS 20000
#define DAEMON_POLL_MS 50

static bool daemon_answers(void)
{
	virConnectPtr conn = virConnectOpen(VMADJ_LAB_LIBVIRT_URI);

	if (!conn)
		return false;
	virConnectClose(conn);
	return true;
}

static bool daemon_wait(void)
{
	const struct timespec pause = { .tv_nsec = DAEMON_POLL_MS * 1000000L };

	for (int ms = 0; ms < DAEMON_WAIT_MS; ms += DAEMON_POLL_MS) {
		if (daemon_answers())
			return true;
		(void)nanosleep(&pause, NULL);
	}
	return false;
}

/* libvirtd leaves the groups it makes above its domains'. Those in use stay, they are not empty. */
static void daemon_remove_cgroups(void)
{
	static const char *const above[] = { "blkio",	"cpu",	   "cpu,cpuacct", "cpuacct",
					     "cpuset",	"devices", "freezer",	  "memory",
					     "unified", "." };
	char path[64];

	for (size_t i = 0; i < sizeof(above) / sizeof(above[0]); i++) {
		(void)snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/machine", above[i]);
		(void)rmdir(path);
	}
}

/*
 * udev gives /dev/kvm to the group "kvm", which libvirt's QEMUs are in. Where nobody
 * did, libvirt 9.0 probes as root, finds KVM, then finds that its QEMUs cannot have
 * it, and probes again: 40 s for each domain.
 */
static struct stat kvm_before; /* st_mode 0: left alone */

static void kvm_give(void)
{
	const struct group *group = getgrnam("kvm");
	struct stat st;

	if (!group || stat(KVM, &st) || (st.st_mode & 0066))
		return;
	if (!chown(KVM, (uid_t)-1, group->gr_gid) && !chmod(KVM, 0660))
		kvm_before = st;
}

static void kvm_take_back(void)
{
	if (!kvm_before.st_mode)
		return;
	(void)chmod(KVM, kvm_before.st_mode & 07777);
	(void)chown(KVM, kvm_before.st_uid, kvm_before.st_gid);
}

static void daemon_undo(void)
{
	daemon_remove_cgroups();
	kvm_take_back();
}

static int daemon_start(const char *program, void (*at_end)(void))
{
	char *argv[] = { (char *)program, NULL };
	const struct vmadj_lab_job job = {
		.argv = argv,
		.log = "/dev/null",
		.place = { .own_session = true },
		.wait_users = LIBVIRTD,
		.end_signal = SIGTERM,
		.at_end = at_end,
	};
	/* the guard lasts as long as this process, so nobody need remember it */
	struct vmadj_lab_guard guard;

	return vmadj_lab_guard_start(&job, &guard);
}

static int daemon_start_all(void)
{
	int err = daemon_start(VIRTLOGD, NULL);

	if (err)
		return vmadj_lab_fail(-ENODEV, "virtlogd cannot be started");
	kvm_give();
	err = daemon_start(LIBVIRTD, daemon_undo);
	if (err) {
		kvm_take_back();
		return vmadj_lab_fail(-ENODEV, "libvirtd cannot be started");
	}
	return daemon_wait() ? 0 : vmadj_lab_fail(-ENODEV, "libvirtd does not answer");
}

/* Return: a descriptor with the lock, or a negative errno. */
static int lock_file(const char *path, int how)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	while (flock(fd, how)) {
		err = -errno;
		if (err == -EINTR)
			continue;
		close(fd);
		return err;
	}
	return fd;
}

/**
 * vmadj_lab_daemon_use - have libvirtd run until this process ends
 *
 * Return: 0; -ENODEV: it is not installed, or cannot run here.
 */
int vmadj_lab_daemon_use(void)
{
	static int users = -1;
	int starting, err = 0;

	if (users >= 0)
		return 0;
	if (access(LIBVIRTD, X_OK))
		return daemon_answers() ? 0 : vmadj_lab_fail(-ENODEV, "no libvirtd here");
	/* one at a time: two that find none running would both start it */
	starting = lock_file(VIRTLOGD, LOCK_EX);
	users = lock_file(LIBVIRTD, LOCK_SH);
	if (users < 0)
		err = vmadj_lab_fail(-ENODEV, LIBVIRTD ": no lock");
	if (!err && !daemon_answers())
		err = daemon_start_all();
	if (err && users >= 0) {
		close(users);
		users = -1;
	}
	if (starting >= 0)
		close(starting);
	return err;
}
