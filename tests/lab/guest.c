// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest.c - what a Linux guest needs on the host, by hand or by libvirt
 *
 * Its folder is below /var/tmp: sockets need short paths, and a disk that is
 * to have a page cache needs a file system with one.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/lab/private.h"

#define GUEST_BOOT_MS 60000 /* 3 s on an idle host */
#define GUEST_POLL_MS 20
#define GUEST_READY   "LAB-READY"
#define GUEST_FAILED  "LAB-FAILED"

static int guest_find_images(const struct vmadj_lab_linux *want, struct vmadj_lab_guest *guest)
{
	const char *dash = want->kernel ? "-" : "", *version = want->kernel ? want->kernel : "";
	char kernel[64], initrd[64];

	(void)snprintf(kernel, sizeof(kernel), "lab/guest%s%s.vmlinuz", dash, version);
	(void)snprintf(initrd, sizeof(initrd), "lab/guest%s%s%s.cpio", dash, version,
		       want->qga ? "-qga" : "");
	if (vmadj_lab_find(kernel, &guest->kernel) || vmadj_lab_find(initrd, &guest->initrd)) {
		return vmadj_lab_fail(-ENODEV, "no %s: run tools/lab/guest.sh build/lab %s", initrd,
				      version);
	}
	return 0;
}

static int guest_make_disk(const struct vmadj_lab_guest *guest, unsigned int mib)
{
	int fd = open(guest->disk, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)mib << 20))
		err = -errno;
	close(fd);
	return err;
}

/* What init.guest reads there. */
void vmadj_lab_guest_cmdline(const struct vmadj_lab_linux *want, char *ret_text, size_t size)
{
	const char *agent = want->agent_mode ? want->agent_mode : "1";

	(void)snprintf(ret_text, size,
		       "console=ttyS0 quiet panic=-1 mitigations=off lab.load=%s%s%s%s",
		       want->load ? want->load : "idle", want->agent ? " lab.agent=" : "",
		       want->agent ? agent : "",
		       want->qga_blocked ? " lab.qga=blocked"
		       : want->qga	 ? " lab.qga=1"
					 : "");
}

/**
 * vmadj_lab_guest_prepare - make a guest's folder, and its disk if it is to have one
 *
 * Return: 0; -ENODEV: there is no guest image; -EIO: nothing can be written;
 * -ENOMEM. On failure nothing is left to release.
 */
int vmadj_lab_guest_prepare(const struct vmadj_lab_linux *want, struct vmadj_lab_guest *guest)
{
	struct {
		char *path;
		const char *file;
	} paths[] = {
		{ guest->disk, "disk" },	{ guest->console, "console" },
		{ guest->log, "log" },		{ guest->serial, "serial.sock" },
		{ guest->agent, "agent.sock" }, { guest->qga, "qga.sock" },
		{ guest->qmp, "qmp.sock" },	{ guest->lab_qmp, "lab-qmp.sock" },
	};
	int err = guest_find_images(want, guest);

	(void)snprintf(guest->dir, sizeof(guest->dir), "/var/tmp/vmadj-lab-XXXXXX");
	if (!err && !mkdtemp(guest->dir)) {
		err = vmadj_lab_fail(-EIO, "/var/tmp: %s", strerror(errno));
		guest->dir[0] = '\0';
	}
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		(void)snprintf(paths[i].path, sizeof(guest->disk), "%s/%s", guest->dir,
			       paths[i].file);
	}
	if (!err && want->disk_mib && guest_make_disk(guest, want->disk_mib))
		err = vmadj_lab_fail(-EIO, "%s cannot be made", guest->disk);
	if (!want->disk_mib)
		guest->disk[0] = '\0';
	if (!want->virtio_serial)
		guest->serial[0] = '\0';
	if (!want->qga)
		guest->qga[0] = '\0';
	if (!want->agent)
		guest->agent[0] = '\0';
	if (err)
		vmadj_lab_guest_release(guest);
	return err;
}

/* the last of what a file says, in one line, for a reason */
static void read_tail(const char *path, char *ret_text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = 0;
	off_t end;

	if (fd >= 0) {
		end = lseek(fd, 0, SEEK_END);
		len = pread(fd, ret_text, size - 1, end > (off_t)size ? end - (off_t)size + 1 : 0);
		close(fd);
	}
	ret_text[len > 0 ? len : 0] = '\0';
	for (char *p = ret_text; *p; p++)
		*p = *p == '\n' || *p == '\r' ? ' ' : *p;
}

static int guest_fail(const struct vmadj_lab_guest *guest, int err, const char *what)
{
	char log[200], console[200];

	read_tail(guest->log, log, sizeof(log));
	read_tail(guest->console, console, sizeof(console));
	return vmadj_lab_fail(err, "guest %s: %s %s", what, log, console);
}

/**
 * vmadj_lab_guest_wait - wait until the guest says that its load runs
 * @ended: says whether the VM has ended before
 *
 * Return: 0; -EIO: it ended, or knows no such load; -ETIME: it does not get there.
 */
int vmadj_lab_guest_wait(const struct vmadj_lab_guest *guest, bool (*ended)(void *), void *arg)
{
	const struct timespec pause = { .tv_nsec = GUEST_POLL_MS * 1000000L };
	char console[1024];

	for (int ms = 0; ms < GUEST_BOOT_MS; ms += GUEST_POLL_MS) {
		read_tail(guest->console, console, sizeof(console));
		if (strstr(console, GUEST_FAILED))
			return guest_fail(guest, -EIO, "refuses");
		if (strstr(console, GUEST_READY))
			return 0;
		if (ended(arg))
			return guest_fail(guest, -EIO, "ended");
		(void)nanosleep(&pause, NULL);
	}
	return guest_fail(guest, -ETIME, "does not boot");
}

const char *vmadj_lab_guest_path(const struct vmadj_lab_guest *guest, enum vmadj_lab_path which)
{
	const char *path = which == VMADJ_LAB_DISK	? guest->disk
			   : which == VMADJ_LAB_SERIAL	? guest->serial
			   : which == VMADJ_LAB_QGA	? guest->qga
			   : which == VMADJ_LAB_AGENT	? guest->agent
			   : which == VMADJ_LAB_CONSOLE ? guest->console
							: guest->qmp;

	return *path ? path : NULL;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	(void)remove(path);
	return 0;
}

/* A folder of the lab's and all in it; nothing else, whatever the argument. */
void vmadj_lab_remove(const char *dir)
{
	if (!strncmp(dir, "/var/tmp/vmadj-lab-", 19))
		(void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

void vmadj_lab_guest_release(struct vmadj_lab_guest *guest)
{
	vmadj_lab_remove(guest->dir);
	free(guest->kernel);
	free(guest->initrd);
}
