// SPDX-License-Identifier: GPL-2.0-only
/* kmod.c - the kernel module that the observer is measured against */
#include "user/bench/kmod.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NAME	     "vmadj_kmod"
#define SIZE_MAX_    (64 << 20)
#define UNLOAD_TRIES 50
#define UNLOAD_NS    100000000 /* between two tries */

static const struct {
	int err;
	const char *why;
} reasons[] = {
	{ ENOEXEC, "it is for another kernel, or damaged; build it for this one: "
		   "make -C /lib/modules/$(uname -r)/build M=$PWD/tools/kmod modules" },
	{ EPERM, "the kernel does not allow it; be root, and see whether Secure Boot or "
		 "kernel.modules_disabled is in the way" },
	{ EKEYREJECTED, "this kernel takes signed modules only; sign it, or allow others" },
	{ ENOKEY, "this kernel takes signed modules only; sign it, or allow others" },
	{ ENOENT, "the kernel lacks something that it needs, which dmesg names; "
		  "load kvm first: modprobe kvm" },
	{ EEXIST, "a module " NAME " is loaded already; unload it: rmmod " NAME },
	{ ENOSYS, "this kernel takes no modules; it is built without them" },
};

static __attribute__((format(printf, 3, 4))) int fail(struct vmadj_bench_kmod *kmod, int err,
						      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(kmod->why, sizeof(kmod->why), format, args);
	va_end(args);
	return err;
}

/* Could it be unloaded by the name under which we know it? As .modinfo has it. */
static bool is_ours(const char *text, size_t len)
{
	static const char name[] = "\0name=" NAME;

	uint16_t type; /* at the same place in files of 32 and of 64 bits */

	if (len < EI_NIDENT + sizeof(type) || memcmp(text, ELFMAG, SELFMAG) != 0)
		return false;
	memcpy(&type, text + EI_NIDENT, sizeof(type));
	return type == ET_REL && memmem(text, len, name, sizeof(name));
}

static int check(struct vmadj_bench_kmod *kmod)
{
	struct stat st;
	bool ours;
	void *text;

	if (fstat(kmod->fd, &st))
		return fail(kmod, -errno, "it cannot be read: %s", strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > SIZE_MAX_)
		return fail(kmod, -ENOEXEC, "it is no kernel module; `make kmod` builds one");
	text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, kmod->fd, 0);
	if (text == MAP_FAILED)
		return fail(kmod, -errno, "it cannot be read: %s", strerror(errno));
	ours = is_ours(text, (size_t)st.st_size);
	(void)munmap(text, (size_t)st.st_size);
	if (ours)
		return 0;
	return fail(kmod, -ENOEXEC,
		    "it is not the kernel module " NAME ", uncompressed; `make kmod` builds it");
}

int vmadj_bench_kmod_open(const char *path, struct vmadj_bench_kmod *kmod)
{
	int err;

	*kmod = (struct vmadj_bench_kmod){ .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) };
	if (kmod->fd < 0) {
		err = -errno;
		return fail(kmod, err, "it cannot be opened: %s", strerror(-err));
	}
	err = check(kmod);
	if (err)
		vmadj_bench_kmod_close(kmod);
	return err;
}

void vmadj_bench_kmod_close(struct vmadj_bench_kmod *kmod)
{
	if (kmod->fd >= 0)
		(void)close(kmod->fd);
	kmod->fd = -1;
}

int vmadj_bench_kmod_load(struct vmadj_bench_kmod *kmod, const char *params)
{
	int err;

	kmod->why[0] = '\0';
	if (!syscall(SYS_finit_module, kmod->fd, params, 0))
		return 0;
	err = -errno;
	if (err == -EINTR)
		return err;
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].err == -err)
			return fail(kmod, err, "it does not load: %s", reasons[i].why);
	}
	return fail(kmod, err, "it does not load: %s; dmesg may say more", strerror(-err));
}

/* Somebody may be reading its file. */
int vmadj_bench_kmod_unload(struct vmadj_bench_kmod *kmod)
{
	int err = 0;

	for (int i = 0; i < UNLOAD_TRIES; i++) {
		if (!syscall(SYS_delete_module, NAME, O_NONBLOCK))
			return 0;
		err = -errno;
		if (err != -EAGAIN && err != -EBUSY && err != -EINTR)
			break;
		(void)nanosleep(&(struct timespec){ .tv_nsec = UNLOAD_NS }, NULL);
	}
	return fail(kmod, err, "it stays loaded: %s; try: rmmod " NAME, strerror(-err));
}
