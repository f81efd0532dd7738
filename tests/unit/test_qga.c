// SPDX-License-Identifier: GPL-2.0-only
/* test_qga.c - a guest's figures through a qemu-ga that follows a script */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/lib/fake_qmp.h"
#include "user/guest/qga.h"
#include "user/guest/qga_socket.h"
#include "user/util/process.h"

#define KIB	1024ULL
#define SOCKET	"/tmp/vmadj-test-qga.sock"
#define SHORT_S 0.1 /* where a test waits for it */

#define SYNC  "< guest-sync-delimited", "> \xff{\"return\": $id}"
#define ERROR "> {\"error\": {\"class\": \"GenericError\", \"desc\": \"a reason\"}}"
#define OPEN                                                                                       \
	SYNC, "< /proc/meminfo", "> {\"return\": 1000}", "< /proc/vmstat", "> {\"return\": 1001}", \
		"< /proc/pressure/memory"
#define OPENED OPEN, "> {\"return\": 1002}", "close"
#define FILE_(handle, b64)                                                                    \
	"< guest-file-seek\",\"arguments\":{\"handle\":" handle ",\"offset\":0,\"whence\":0", \
		"> {\"return\": {\"position\": 0, \"eof\": false}}",                          \
		"< guest-file-read\",\"arguments\":{\"handle\":" handle ",\"count\":12288",   \
		"> {\"return\": {\"count\": 1, \"buf-b64\": \"" b64 "\", \"eof\": true}}"
/* MemTotal: 900 kB, MemFree: 100 kB; the same of 200 kB; oom_kill 6; some avg10=1.50 */
#define MEMINFO_100 "TWVtVG90YWw6IDkwMCBrQgpNZW1GcmVlOiAxMDAga0IK"
#define MEMINFO_200 "TWVtVG90YWw6IDkwMCBrQgpNZW1GcmVlOiAyMDAga0IK"
#define VMSTAT	    "b29tX2tpbGwgNgo="
#define PSI	    "c29tZSBhdmcxMD0xLjUwIGF2ZzYwPTAK"
#define READ(meminfo) \
	SYNC, FILE_("1000", meminfo), FILE_("1001", VMSTAT), FILE_("1002", PSI), "close"

static sd_event *event;
static struct vmadj_guest_qga *qga;
static struct vmadj_target target;
static unsigned int heard;
static const struct vmadj_guest_seen seen = { .max_bytes = 1000 * KIB,
					      .io_read_bytes = VMADJ_GUEST_UNKNOWN };

static void hear(void *userdata)
{
	(void)userdata;
	heard++;
}

static void set_up(void)
{
	target = (struct vmadj_target){ .id = "1-2", .name = "x", .pid = getpid() };
	vmadj_qga_set_timeout(20);
	if (vmadj_process_start(target.pid, &target.start_ticks) || sd_event_new(&event) < 0 ||
	    vmadj_guest_qga_new(event, NULL, &target, hear, NULL, &qga))
		cr_fatal("cannot begin");
}

static void tear_down(void)
{
	vmadj_guest_qga_free(qga);
	sd_event_unref(event);
}

TestSuite(qga, .timeout = 60, .init = set_up, .fini = tear_down);

static struct fake_qmp *begin(const char *const *script)
{
	struct fake_qmp *fake = fake_qmp_start(script);

	vmadj_guest_qga_set_path(qga, fake_qmp_path(fake));
	return fake;
}

/* One tick, and all that comes of it. */
static void round_at(double now_s)
{
	unsigned int before = heard;

	vmadj_guest_qga_tick(qga, now_s, &seen);
	while (heard == before && !vmadj_guest_qga_why(qga)) {
		if (sd_event_run(event, UINT64_MAX) < 0)
			cr_fatal("the event loop failed");
	}
}

/* As long as a second one would be told. */
static void run_for(uint64_t us)
{
	while (sd_event_run(event, us) > 0)
		;
}

static void must_be_free(double now_s, uint64_t kib)
{
	struct vmadj_guest guest;

	cr_assert(vmadj_guest_qga_get(qga, now_s, &guest));
	cr_expect(eq(u64, guest.mem_free_bytes, kib * KIB));
}

static void expect_why(const char *part)
{
	const char *why = vmadj_guest_qga_why(qga);

	cr_assert(ne(ptr, (void *)why, NULL));
	cr_expect(ne(ptr, strstr(why, part), NULL), "%s", why);
}

Test(qga, handles_are_kept_from_round_to_round_and_closed_at_the_end)
{
	static const char *const script[] = {
		OPENED,
		READ(MEMINFO_100),
		READ(MEMINFO_200),
		"< guest-file-close\",\"arguments\":{\"handle\":1000}",
		"< \"handle\":1001}",
		"< \"handle\":1002}",
		NULL
	};
	struct fake_qmp *fake = begin(script);
	struct vmadj_guest guest;

	cr_expect(not(vmadj_guest_qga_get(qga, 100, &guest)));
	round_at(100);
	must_be_free(100, 100);
	round_at(101);
	must_be_free(101, 200);
	cr_assert(vmadj_guest_qga_get(qga, 103.5, &guest));
	cr_expect(epsilon_eq(dbl, guest.age_s, 2.5, 1e-6));
	cr_expect(eq(str, (char *)guest.source, "qemu-ga"));
	cr_expect(eq(u64, guest.oom_kills, 6));
	cr_expect(epsilon_eq(dbl, guest.mem_psi_some_pct, 1.5, 1e-6));
	cr_expect(not(vmadj_guest_qga_get(qga, 104, &guest)), "too old");
	cr_expect(eq(uint, heard, 2));
	vmadj_guest_qga_free(qga);
	qga = NULL;
	fake_qmp_end(fake);
}

/* Listens as a QEMU does that never accepts. */
static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	(void)unlink(path);
	cr_assert(eq(int, bind(fd, (const void *)&address, sizeof(address)), 0));
	cr_assert(eq(int, listen(fd, 1), 0));
	vmadj_guest_qga_set_path(qga, path);
	return fd;
}

static bool somebody_waits(int listener)
{
	struct pollfd poller = { .fd = listener, .events = POLLIN };

	return poll(&poller, 1, 0) == 1;
}

static void turn_away(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	cr_assert(ge(int, fd, 0));
	(void)close(fd);
}

Test(qga, is_asked_once_a_second)
{
	static const char *const script[] = { OPENED, READ(MEMINFO_100), NULL };
	struct fake_qmp *fake = begin(script);
	int listener;

	round_at(100);
	fake_qmp_end(fake);
	listener = listen_at(SOCKET);
	vmadj_guest_qga_tick(qga, 100.5, &seen);
	cr_expect(not(somebody_waits(listener)));
	vmadj_guest_qga_tick(qga, 101, &seen);
	cr_expect(somebody_waits(listener));
	(void)close(listener);
	(void)unlink(SOCKET);
}

Test(qga, is_not_asked_twice_at_once)
{
	int listener = listen_at(SOCKET), fd;

	vmadj_guest_qga_tick(qga, 100, &seen);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	vmadj_guest_qga_tick(qga, 105, &seen);
	cr_expect(not(somebody_waits(listener)));
	(void)close(fd);
	(void)close(listener);
	(void)unlink(SOCKET);
}

Test(qga, lost_handles_are_opened_anew)
{
	static const char *const script[] = {
		OPENED, READ(MEMINFO_100),   SYNC,  "< guest-file-seek",
		ERROR,	"< guest-file-read", ERROR, "< guest-file-seek",
		ERROR,	"< guest-file-read", ERROR, "< guest-file-seek",
		ERROR,	"< guest-file-read", ERROR, "close",
		OPENED, READ(MEMINFO_200),   NULL
	};
	struct fake_qmp *fake = begin(script);

	round_at(100);
	round_at(101);
	must_be_free(101, 200);
	fake_qmp_end(fake);
}

Test(qga, a_guest_without_pressure_figures_has_all_others)
{
	static const char *const script[] = {
		OPEN,	 ERROR, "close", SYNC, FILE_("1000", MEMINFO_100), FILE_("1001", VMSTAT),
		"close", NULL
	};
	struct fake_qmp *fake = begin(script);

	round_at(100);
	must_be_free(100, 100);
	fake_qmp_end(fake);
}

Test(qga, blocked_commands_are_said_and_tried_again_rarely)
{
#define BLOCKED                                                               \
	"> {\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"Command " \
	"guest-file-open has been disabled\"}}"
	static const char *const script[] = {
		SYNC,	 "< /proc/meminfo", BLOCKED, "< /proc/vmstat",	BLOCKED, "< /proc/pressure",
		BLOCKED, "close",	    OPENED,  READ(MEMINFO_100), NULL
	};
	struct fake_qmp *fake = begin(script);

	round_at(100);
	expect_why("its administrator has blocked guest-file-* commands");
	for (double now_s = 101; now_s < 699; now_s++) {
		vmadj_guest_qga_tick(qga, now_s, &seen);
		run_for(0);
	}
	run_for(50000);
	cr_expect(eq(uint, heard, 0), "too soon");
	vmadj_guest_qga_tick(qga, 701, &seen);
	while (!heard)
		(void)sd_event_run(event, UINT64_MAX);
	cr_expect(eq(ptr, (void *)vmadj_guest_qga_why(qga), NULL));
	fake_qmp_end(fake);
}

Test(qga, what_is_no_answer_is_one_failure)
{
	static const char *const endings[] = { "> {\"return\": \"x\"}", "> garbage",
					       "> {\"return\": {\"a\": {\"a\": {\"a\": {}}}}}",
					       "> 1\n2", "flood" };

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		const char *const script[] = { SYNC, "< /proc/meminfo", endings[i], NULL };
		const char *const all[] = { SYNC,
					    "< /proc/meminfo",
					    endings[i],
					    "< /proc/vmstat",
					    "> {\"return\": 1}",
					    "< /proc/pressure",
					    "> {\"return\": 2}",
					    NULL };
		struct fake_qmp *fake = begin(i < 3 ? all : script);

		round_at(100);
		expect_why("none of its answers");
		fake_qmp_end(fake);
		tear_down();
		set_up();
	}
	cr_expect(eq(uint, heard, 0));
}

Test(qga, who_is_silent_is_asked_less_and_less)
{
	static const double pauses_s[] = { 1, 2, 4, 8, 16, 32, 60, 60 };
	int listener = listen_at(SOCKET);
	double now_s = 100;

	vmadj_qga_set_timeout(SHORT_S / 10);
	for (size_t i = 0; i < sizeof(pauses_s) / sizeof(pauses_s[0]); i++) {
		vmadj_guest_qga_tick(qga, now_s, &seen);
		run_for(50000);
		expect_why("somebody else is connected");
		turn_away(listener);
		vmadj_guest_qga_tick(qga, now_s + pauses_s[i] - 0.1, &seen);
		cr_expect(not(somebody_waits(listener)), "too soon");
		now_s += pauses_s[i];
	}
	(void)close(listener);
	(void)unlink(SOCKET);
}

Test(qga, who_listens_and_says_nothing_is_no_agent)
{
	static const char *const script[] = { "< guest-sync-delimited", "stay", NULL };
	struct fake_qmp *fake = begin(script);

	vmadj_qga_set_timeout(SHORT_S);
	round_at(100);
	expect_why("no qemu-ga answers");
	fake_qmp_end(fake);
}

Test(qga, another_processs_socket_is_not_asked)
{
	static const char *const script[] = { "stay", NULL };
	struct fake_qmp *fake = begin(script);

	target.start_ticks++;
	round_at(100);
	cr_expect(eq(uint, heard, 0));
	expect_why("No such process");
	fake_qmp_end(fake);
}

Test(qga, a_vm_without_a_port_has_no_complaint)
{
	vmadj_guest_qga_tick(qga, 100, &seen);
	run_for(1000);
	cr_expect(eq(ptr, (void *)vmadj_guest_qga_why(qga), NULL));
	cr_expect(eq(uint, heard, 0));
}

Test(qga, freed_while_it_waits)
{
	static const char *const script[] = { "< guest-sync-delimited", "stay", NULL };
	struct fake_qmp *fake = begin(script);

	vmadj_guest_qga_tick(qga, 100, &seen);
	vmadj_guest_qga_free(qga);
	qga = NULL;
	fake_qmp_end(fake);
	cr_expect(eq(uint, heard, 0));
}
