// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_guest_qga.c - real guests with an unmodified qemu-ga: their figures are those that they
 * print themselves, over the socket and through libvirt; and what becomes of them when the guest
 * stands still, its agent dies, or somebody else talks to it
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tests/lab/require.h"
#include "tests/lib/libvirt_client.h"
#include "user/guest/qga.h"
#include "user/guest/qga_socket.h"
#include "user/util/file.h"
#include "user/util/process.h"
#include "user/virt/libvirt.h"
#include "user/vm/qemu_args.h"

#define MIB	   (1ULL << 20)
#define TICK_US	   100000
#define PATIENCE_S 90
#define REPORT	   "report:4"

static sd_event *event;
static struct vmadj_libvirt *libvirt;
static struct vmadj_guest_qga *qga;
static struct vmadj_target target;
static struct vmadj_lab_vm *vm;
static char uuid[40];
static unsigned int heard;
static double longest_s; /* that the loop was kept from going on */

static void clean_up(void)
{
	if (vm)
		(void)kill(vmadj_lab_vm_pid(vm), SIGCONT);
	vmadj_guest_qga_free(qga);
	vmadj_libvirt_free(libvirt);
	sd_event_unref(event);
	vmadj_lab_vm_stop(vm);
}

TestSuite(guest_qga, .timeout = 300, .fini = clean_up);

static double now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void hear(void *userdata)
{
	(void)userdata;
	heard++;
}

static void begin(void)
{
	target.id = "x";
	target.name = vmadj_lab_vm_name(vm);
	target.pid = vmadj_lab_vm_pid(vm);
	cr_assert(eq(int, vmadj_process_start(target.pid, &target.start_ticks), 0));
	if ((!event && sd_event_new(&event) < 0) ||
	    vmadj_guest_qga_new(event, libvirt, &target, hear, NULL, &qga))
		cr_fatal("cannot begin");
}

static void begin_libvirt(void)
{
	static char cmdline[65536];
	const char *value;
	char path[64];
	ssize_t len;

	libvirt_client_open(NULL, &event, &libvirt);
	(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", vmadj_lab_vm_pid(vm));
	len = vmadj_file_read(AT_FDCWD, path, cmdline, sizeof(cmdline));
	value = len > 0 ? vmadj_qemu_option(cmdline, (size_t)len, "-uuid") : NULL;
	cr_assert(ne(ptr, (void *)value, NULL));
	(void)snprintf(uuid, sizeof(uuid), "%s", value);
	target.uuid = uuid;
	target.manager = "libvirt";
	begin();
}

/* One turn as the daemon has it, for at most TICK_US. */
static void turn(void)
{
	const struct vmadj_guest_seen seen = { .max_bytes = 256 * MIB,
					       .io_read_bytes = VMADJ_GUEST_UNKNOWN };
	double begin_s = now(), took_s;

	vmadj_guest_qga_tick(qga, begin_s, &seen);
	cr_assert(ge(int, sd_event_run(event, TICK_US), 0));
	took_s = now() - begin_s - TICK_US / 1e6;
	longest_s = took_s > longest_s ? took_s : longest_s;
}

/* Return: whether it was heard of once more in that time. */
static bool hear_again(double patience_s)
{
	unsigned int before = heard;

	for (double end_s = now() + patience_s; heard == before && now() < end_s;)
		turn();
	return heard != before;
}

struct printed {
	unsigned int lines;
	unsigned long long total_kib, free_kib, cached_kib, committed_kib, major_faults;
};

/* The last line that the guest has printed of itself. */
static struct printed console(void)
{
	static char text[65536];
	struct printed printed = { 0 };

	(void)vmadj_file_read(AT_FDCWD, vmadj_lab_vm_path(vm, VMADJ_LAB_CONSOLE), text,
			      sizeof(text));
	for (const char *at = text; (at = strstr(at, "LAB-MEM ")); at++) {
		if (!strchr(at, '\n'))
			break;
		printed.lines++;
		cr_assert(eq(int,
			     sscanf(at, "LAB-MEM %llu %llu %llu %llu %llu", &printed.total_kib,
				    &printed.free_kib, &printed.cached_kib, &printed.committed_kib,
				    &printed.major_faults),
			     5));
	}
	return printed;
}

static bool is_near(uint64_t bytes, unsigned long long kib, unsigned long long slack_kib)
{
	unsigned long long told_kib = bytes / 1024;

	return (told_kib > kib ? told_kib - kib : kib - told_kib) <= slack_kib;
}

/* Each step of the guest's is 4 MiB, so that figures of a step before would be noticed. */
static void compare(const struct vmadj_guest *guest, const struct printed *printed)
{
	cr_log_info("cached: told %llu KiB, printed %llu",
		    (unsigned long long)guest->cached_bytes / 1024, printed->cached_kib);
	cr_expect(eq(str, (char *)guest->source, "qemu-ga"));
	cr_expect(eq(u64, guest->mem_total_bytes, printed->total_kib * 1024));
	cr_expect(is_near(guest->cached_bytes, printed->cached_kib, 512));
	cr_expect(is_near(guest->mem_free_bytes, printed->free_kib, 3072), "%llu, %llu KiB",
		  (unsigned long long)guest->mem_free_bytes / 1024, printed->free_kib);
	cr_expect(is_near(guest->committed_bytes, printed->committed_kib, 3072), "%llu, %llu KiB",
		  (unsigned long long)guest->committed_bytes / 1024, printed->committed_kib);
	cr_expect(ge(u64, guest->major_faults, printed->major_faults));
	cr_expect(le(u64, guest->major_faults, printed->major_faults + 50));
	cr_expect(eq(u64, guest->oom_kills, 0));
	cr_expect(eq(u64, guest->swap_out_bytes, 0));
	cr_expect(ne(u64, guest->refaults, VMADJ_GUEST_UNKNOWN));
	cr_expect(ne(u64, guest->alloc_stalls, VMADJ_GUEST_UNKNOWN));
	cr_expect(ne(u64, guest->disk_read_bytes, VMADJ_GUEST_UNKNOWN));
	cr_expect(ne(u64, guest->active_file_bytes, VMADJ_GUEST_UNKNOWN));
}

/* Holds what we are told against what the guest prints, four steps of it. */
static void follow(void)
{
	unsigned int matched = 0;

	for (double end_s = now() + PATIENCE_S; matched < 4 && now() < end_s;) {
		unsigned int before = console().lines;
		struct vmadj_guest guest;
		struct printed printed;

		while (console().lines == before && now() < end_s)
			turn();
		printed = console();
		/* The first may have been asked for before that line. */
		if (!hear_again(PATIENCE_S) || !hear_again(PATIENCE_S))
			break;
		if (console().lines != printed.lines || !vmadj_guest_qga_get(qga, now(), &guest))
			continue;
		compare(&guest, &printed);
		matched++;
	}
	cr_assert(eq(uint, matched, 4), "%s", vmadj_guest_qga_why(qga));
	cr_log_info("longest turn: %.3f s", longest_s);
	cr_expect(lt(dbl, longest_s, 0.5), "something has blocked");
}

/* Until nothing is told any more; Return: after how long. */
static double forget(void)
{
	struct vmadj_guest guest;
	double begin_s = now();

	while (vmadj_guest_qga_get(qga, now(), &guest) && now() < begin_s + PATIENCE_S)
		turn();
	return now() - begin_s;
}

static void stand_still(void)
{
	double after_s;

	cr_assert(hear_again(PATIENCE_S), "%s", vmadj_guest_qga_why(qga));
	longest_s = 0;
	(void)kill(vmadj_lab_vm_pid(vm), SIGSTOP);
	after_s = forget();
	cr_log_info("unknown after %.2f s, longest turn: %.3f s", after_s, longest_s);
	cr_expect(le(dbl, after_s, 3 + 2 * TICK_US / 1e6));
	for (double end_s = now() + 5; now() < end_s;)
		turn();
	cr_expect(lt(dbl, longest_s, 0.5), "something has blocked");
	(void)kill(vmadj_lab_vm_pid(vm), SIGCONT);
	cr_expect(hear_again(PATIENCE_S), "%s", vmadj_guest_qga_why(qga));
}

static void start(const char *load, bool by_libvirt, bool blocked)
{
	const struct vmadj_lab_linux want = {
		.load = load, .qga = true, .qga_blocked = blocked, .virtio_serial = true
	};

	vmadj_lab_require(by_libvirt ? vmadj_lab_libvirt_start(&want, &vm)
				     : vmadj_lab_linux_start(&want, &vm));
	if (by_libvirt) {
		begin_libvirt();
	} else {
		begin();
	}
}

Test(guest_qga, figures_over_the_socket_are_the_guests_own)
{
	start(REPORT, false, false);
	follow();
}

Test(guest_qga, figures_through_libvirt_are_the_guests_own)
{
	start(REPORT, true, false);
	follow();
}

Test(guest_qga, a_guest_that_stands_still_is_unknown_in_three_seconds)
{
	start(NULL, false, false);
	stand_still();
}

Test(guest_qga, so_is_one_of_libvirts)
{
	start(NULL, true, false);
	stand_still();
}

static void keep(void *userdata, int err, const char *answers)
{
	cr_assert(eq(int, err, 0));
	(void)snprintf(userdata, 1024, "%s", answers);
}

static void ignore(void *userdata, int err, const char *answers)
{
	(void)err;
	(void)answers;
	*(bool *)userdata = true;
}

Test(guest_qga, an_agent_that_was_killed_and_started_again)
{
	static const char command[] =
		"{\"execute\":\"guest-exec\",\"arguments\":{\"path\":\"/bin/killall\","
		"\"arg\":[\"-9\",\"qemu-ga\"]}}\n";
	struct vmadj_qga_socket *other;
	bool done = false;

	start(NULL, false, false);
	cr_assert(hear_again(PATIENCE_S), "%s", vmadj_guest_qga_why(qga));
	cr_assert(eq(int,
		     vmadj_qga_socket_ask(event, vmadj_lab_vm_path(vm, VMADJ_LAB_QGA), &target,
					  command, ignore, &done, &other),
		     0));
	while (!done)
		(void)sd_event_run(event, UINT64_MAX);
	cr_expect(hear_again(PATIENCE_S), "%s", vmadj_guest_qga_why(qga));
	cr_expect(hear_again(PATIENCE_S), "%s", vmadj_guest_qga_why(qga));
}

/* The first ones of an agent are 1000 and so on. */
Test(guest_qga, handles_are_closed_when_we_leave)
{
	static const char commands[] =
		"{\"execute\":\"guest-file-seek\",\"arguments\":{\"handle\":1000,\"offset\":0,"
		"\"whence\":0}}\n"
		"{\"execute\":\"guest-file-seek\",\"arguments\":{\"handle\":1001,\"offset\":0,"
		"\"whence\":0}}\n";
	struct vmadj_qga_socket *other;
	char answers[1024] = "";

	start(NULL, false, false);
	cr_assert(hear_again(PATIENCE_S), "%s", vmadj_guest_qga_why(qga));
	cr_assert(eq(int,
		     vmadj_qga_socket_ask(event, vmadj_lab_vm_path(vm, VMADJ_LAB_QGA), &target,
					  commands, keep, answers, &other),
		     0));
	while (!*answers)
		(void)sd_event_run(event, UINT64_MAX);
	cr_expect(eq(ptr, strstr(answers, "error"), NULL), "%s", answers);
	vmadj_guest_qga_free(qga);
	qga = NULL;
	for (double end_s = now() + 2; now() < end_s;)
		(void)sd_event_run(event, TICK_US);
	answers[0] = '\0';
	cr_assert(eq(int,
		     vmadj_qga_socket_ask(event, vmadj_lab_vm_path(vm, VMADJ_LAB_QGA), &target,
					  commands, keep, answers, &other),
		     0));
	while (!*answers)
		(void)sd_event_run(event, UINT64_MAX);
	cr_expect(ne(ptr, strstr(answers, "'1000' has not been found"), NULL), "%s", answers);
	cr_expect(ne(ptr, strstr(answers, "'1001' has not been found"), NULL), "%s", answers);
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	cr_assert(eq(int, connect(fd, (struct sockaddr *)&address, sizeof(address)), 0));
	return fd;
}

Test(guest_qga, somebody_else_on_the_socket_is_said_and_waited_for)
{
	struct vmadj_guest guest;
	const char *why;
	int fd;

	start(NULL, false, false);
	cr_assert(hear_again(PATIENCE_S), "%s", vmadj_guest_qga_why(qga));
	fd = connect_to(vmadj_lab_vm_path(vm, VMADJ_LAB_QGA));
	for (double end_s = now() + PATIENCE_S; !vmadj_guest_qga_why(qga) && now() < end_s;)
		turn();
	why = vmadj_guest_qga_why(qga);
	cr_assert(ne(ptr, (void *)why, NULL));
	cr_expect(ne(ptr, strstr(why, "somebody else is connected"), NULL), "%s", why);
	(void)close(fd);
	cr_expect(hear_again(PATIENCE_S), "%s", vmadj_guest_qga_why(qga));
	cr_expect(vmadj_guest_qga_get(qga, now(), &guest));
	cr_expect(eq(ptr, (void *)vmadj_guest_qga_why(qga), NULL));
}

static void be_refused(void)
{
	const char *why;

	for (double end_s = now() + PATIENCE_S; now() < end_s;) {
		why = vmadj_guest_qga_why(qga);
		if (why && strstr(why, "administrator has blocked"))
			break;
		turn();
	}
	why = vmadj_guest_qga_why(qga);
	cr_assert(ne(ptr, (void *)why, NULL));
	cr_log_info("%s", why);
	cr_expect(ne(ptr, strstr(why, "administrator has blocked"), NULL), "%s", why);
	cr_expect(eq(uint, heard, 0));
}

Test(guest_qga, blocked_commands_are_said)
{
	start(NULL, false, true);
	be_refused();
}

Test(guest_qga, blocked_commands_are_said_through_libvirt)
{
	start(NULL, true, true);
	be_refused();
}

/* --- an agent that hangs while its QEMU is well --------------------------- */

static double asked_s, agent_s, state_s; /* when, and how long until the answer */

static void agent_answered(void *userdata, int err, const struct vmadj_libvirt_answer *answer)
{
	(void)userdata;
	agent_s = now() - asked_s;
	cr_log_info("agent: %s after %.1f s: %s", strerror(-err), agent_s, answer->error);
	cr_expect(eq(int, err, -EIO));
}

static void state_answered(void *userdata, int err, const struct vmadj_libvirt_answer *answer)
{
	(void)userdata;
	(void)answer;
	cr_expect(eq(int, err, 0));
	state_s = now() - asked_s;
}

Test(guest_qga, an_agent_that_hangs_keeps_nobody_waiting)
{
	static const char stop[] =
		"{\"execute\":\"guest-exec\",\"arguments\":{\"path\":\"/bin/killall\","
		"\"arg\":[\"-STOP\",\"qemu-ga\"]}}\n";

	start(NULL, true, false);
	cr_assert(hear_again(PATIENCE_S), "%s", vmadj_guest_qga_why(qga));
	vmadj_guest_qga_free(qga);
	qga = NULL;
	for (double end_s = now() + 2; now() < end_s;)
		(void)sd_event_run(event, TICK_US);
	cr_assert(eq(int, vmadj_libvirt_ask_agent(libvirt, uuid, stop, NULL, NULL), 0));
	for (double end_s = now() + 10; now() < end_s;)
		(void)sd_event_run(event, TICK_US);
	asked_s = now();
	cr_assert(eq(int,
		     vmadj_libvirt_ask_agent(libvirt, uuid, "{\"execute\":\"guest-ping\"}\n",
					     agent_answered, NULL),
		     0));
	cr_assert(eq(int,
		     vmadj_libvirt_ask(libvirt, uuid, VMADJ_LIBVIRT_STATE, 0, state_answered, NULL),
		     0));
	while (!agent_s && now() < asked_s + PATIENCE_S)
		(void)sd_event_run(event, TICK_US);
	cr_expect(gt(dbl, agent_s, 1), "it did not hang");
	cr_expect(lt(dbl, state_s, 1), "%f", state_s);
	cr_expect(lt(dbl, agent_s, 20), "the helper was ended");
}
