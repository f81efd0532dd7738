/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_guest_agent.c - vmadjust-guest in real guests: what it counts
 *
 * In the guest filework.c does with files what it is told, and says what became of them: pages
 * asked for follow from its calls, pages from storage are the kernel's own accounts.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lab/require.h"
#include "tests/lib/guest_port.h"

#define FILE_MIB 16
#define FILE	 "/mnt/file"
#define DISK	 "/dev/vda"

static char image[] = "/var/tmp/vmadj-agent-XXXXXX"; /* a disk with ext4, once it is made */
static bool image_made;
static struct vmadj_lab_vm *vm;
static struct vmadj_guest_port *agent, *work;

static void clean_up(void)
{
	vmadj_guest_port_close(agent);
	vmadj_guest_port_close(work);
	vmadj_lab_vm_stop(vm);
	if (image_made)
		(void)unlink(image);
}

TestSuite(guest_agent, .timeout = 500, .fini = clean_up);

/* ext4 with one file, not sparse, called "file". */
static void make_image(void)
{
	char command[256];
	int fd = mkstemp(image);

	cr_assert(ge(int, fd, 0));
	(void)close(fd);
	image_made = true;
	(void)snprintf(
		command, sizeof(command),
		"d=$(mktemp -d) && yes | head -c %dM >$d/file &&"
		" PATH=$PATH:/sbin:/usr/sbin mke2fs -q -t ext4 -d $d %s 64M; s=$?; rm -rf $d; exit $s",
		FILE_MIB, image);
	if (system(command)) /* NOLINT(cert-env33-c) */
		cr_fatal("no file system can be made in %s", image);
}

enum truth { NOTHING, ASKED, FAULTS };

struct use {
	const char *what, *how, *state, *order;
	unsigned long bytes, each;
	const char *path;
	enum truth accessed; /* misses are what came from storage, but for NOTHING */
};

#define MIB  (1UL << 20)
#define SIZE (FILE_MIB * MIB)

static const struct use uses[] = {
	{ "cold, in order, 4 KiB", "read", "cold", "seq", SIZE, 4096, FILE, ASKED },
	{ "warm, in order, 4 KiB", "read", "warm", "seq", SIZE, 4096, FILE, ASKED },
	{ "cold, in order, 1 MiB", "read", "cold", "seq", SIZE, MIB, FILE, ASKED },
	{ "warm, in order, 1 MiB", "read", "warm", "seq", SIZE, MIB, FILE, ASKED },
	{ "half warm, 64 KiB", "read", "half", "seq", SIZE, 65536, FILE, ASKED },
	{ "cold, at random, 4 KiB", "read", "cold", "random", SIZE, 4096, FILE, ASKED },
	{ "cold, at random, 1000 bytes", "read", "cold", "random", SIZE, 1000, FILE, ASKED },
	{ "warm, at random, 4 KiB", "read", "warm", "random", SIZE, 4096, FILE, ASKED },
	{ "half warm, at random, 4 KiB", "read", "half", "random", SIZE, 4096, FILE, ASKED },
	{ "cold, mapped, in order", "mmap", "cold", "seq", SIZE, 4096, FILE, FAULTS },
	{ "warm, mapped, in order", "mmap", "warm", "seq", SIZE, 4096, FILE, FAULTS },
	{ "cold, mapped, at random", "mmap", "cold", "random", SIZE, 4096, FILE, FAULTS },
	{ "cold, O_DIRECT", "direct", "cold", "seq", SIZE, 65536, FILE, NOTHING },
	{ "written, 64 KiB", "write", "cold", "seq", SIZE, 65536, FILE, NOTHING },
	{ "written, parts of pages", "write", "cold", "seq", SIZE, 5000, FILE, NOTHING },
	{ "tmpfs", "read", "warm", "seq", 4 * MIB, 4096, "/tmp/file", NOTHING },
	{ "ramfs", "read", "warm", "seq", 4 * MIB, 4096, "/ram/file", NOTHING },
	{ "a disk, cold, 4 KiB", "read", "cold", "seq", SIZE, 4096, DISK, ASKED },
	{ "a disk, cold, at random", "read", "cold", "random", SIZE, 4096, DISK, ASKED },
	{ "a disk, warm, 1 MiB", "read", "warm", "seq", SIZE, MIB, DISK, ASKED },
};

/* In per cent of @whole; 2 % is what is promised. */
static double apart(uint64_t ours, uint64_t truth, uint64_t whole)
{
	double difference = ours > truth ? (double)(ours - truth) : (double)(truth - ours);

	return whole ? 100 * difference / (double)whole : difference ? 100 : 0;
}

static void check_use(const struct use *use)
{
	unsigned long asked, storage, added, faults, accessed = 0, missed = 0;
	struct vmadj_said before, after;
	uint64_t hits, misses, true_hits;
	double hits_apart, misses_apart;
	const char *answer;
	char line[256];

	(void)snprintf(line, sizeof(line), "use %s %s %s %lu %lu %s", use->how, use->state,
		       use->order, use->bytes, use->each, use->path);
	answer = vmadj_guest_port_ask(work, line);
	cr_assert(eq(str, (char *)answer, "ready"), "%s", use->what);
	before = vmadj_guest_port_report_now(agent);
	answer = vmadj_guest_port_ask(work, "go");
	if (sscanf(answer, "used %lu %lu %lu %lu", &asked, &storage, &added, &faults) != 4)
		cr_fatal("%s: %s", use->what, answer);
	after = vmadj_guest_port_report_now(agent);
	hits = after.hit_pages - before.hit_pages;
	misses = after.miss_pages - before.miss_pages;
	if (use->accessed != NOTHING) {
		accessed = use->accessed == FAULTS ? faults : asked;
		missed = storage;
	}
	true_hits = accessed > missed ? accessed - missed : 0;
	hits_apart = apart(hits, true_hits, accessed);
	misses_apart = apart(misses, missed, missed);
	(void)fprintf(stderr,
		      "%-28s asked %6lu storage %6lu added %6lu faults %5lu: hits %6" PRIu64
		      " (%.2f %%) misses %6" PRIu64 " (%.2f %%)\n",
		      use->what, asked, storage, added, faults, hits, hits_apart, misses,
		      misses_apart);
	cr_expect(le(dbl, hits_apart, 2.0), "%s: hits", use->what);
	cr_expect(le(dbl, misses_apart, 2.0), "%s: misses", use->what);
}

static void count_all_uses(const char *kernel)
{
	char drive[128];
	const struct vmadj_lab_linux want = {
		.kernel = kernel,
		.load = "filework",
		.mem_mib = 256,
		.disk_mib = 32,
		.agent = true,
		.virtio_serial = true,
		.extra_args = drive,
	};

	make_image();
	(void)snprintf(drive, sizeof(drive), "-drive file=%s,if=virtio,format=raw", image);
	vmadj_lab_require(vmadj_lab_linux_start(&want, &vm));
	agent = vmadj_guest_port_open(vmadj_lab_vm_path(vm, VMADJ_LAB_AGENT));
	work = vmadj_guest_port_open(vmadj_lab_vm_path(vm, VMADJ_LAB_SERIAL));
	cr_assert(eq(str,
		     (char *)vmadj_guest_port_ask(
			     work, "sh mkdir -p /mnt && mount -t ext4 /dev/vdb /mnt"),
		     "status 0"));
	/* What is read of these goes through the same functions, or has pages as well. */
	cr_assert(eq(str,
		     (char *)vmadj_guest_port_ask(work, "sh mkdir /ram && mount -t ramfs ram /ram"),
		     "status 0"));
	cr_assert(eq(str,
		     (char *)vmadj_guest_port_ask(
			     work, "sh head -c 4m /dev/zero | tee /tmp/file >/ram/file"),
		     "status 0"));
	vmadj_guest_port_write(agent, "{\"vmadjust\":1,\"interval_ms\":200}\n");
	cr_assert(eq(str, vmadj_guest_port_report_now(agent).mode, "trace"));
	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++)
		check_use(&uses[i]);
	/* From a disk it tests itself by reading its own file. */
	cr_expect(eq(str,
		     (char *)vmadj_guest_port_ask(
			     work, "sh cp /usr/bin/vmadjust-guest /mnt && "
				   "/mnt/vmadjust-guest --once | grep '\"mode\":\"trace\"'"),
		     "status 0"));
}

/* On Debian that is 6.1. */
Test(guest_agent, hits_and_misses_are_the_truth_on_the_usual_kernel)
{
	count_all_uses(NULL);
}

Test(guest_agent, hits_and_misses_are_the_truth_on_6_12)
{
	count_all_uses("6.12");
}
