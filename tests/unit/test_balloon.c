// SPDX-License-Identifier: GPL-2.0-only
/* test_balloon.c - one VM's balloon: which way it is asked, and what is believed of the answers */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/fake_qmp.h"
#include "tests/lib/words.h"
#include "user/actuate/balloon.h"
#include "user/actuate/balloon_private.h"
#include "user/util/process.h"
#include "user/virt/libvirt.h"
#include "user/virt/libvirt_process.h"
#include "user/virt/libvirt_wire.h"

#define UNDONE 1
#define UNSET  VMADJ_BALLOON_UNSET
#define UUID   "00000000-0000-0000-0000-000000000001"

static sd_event *event;
static struct vmadj_balloon *balloon;
static struct vmadj_libvirt *libvirt;
static int peer = -1; /* the libvirt helper's end */

static void set_up(void)
{
	if (sd_event_new(&event) < 0)
		cr_fatal("no event loop");
}

static void tear_down(void)
{
	vmadj_balloon_close(balloon);
	vmadj_libvirt_free(libvirt);
	sd_event_unref(event);
	if (peer >= 0)
		(void)close(peer);
}

TestSuite(balloon, .timeout = 60, .init = set_up, .fini = tear_down);

struct result {
	int err;
	struct vmadj_balloon_state state;
};

static void seen(void *userdata, int err, const struct vmadj_balloon_state *state)
{
	struct result *result = userdata;

	cr_assert(eq(int, result->err, UNDONE), "called back twice");
	*result = (struct result){ err, *state };
}

static void done(void *userdata, int err)
{
	struct result *result = userdata;

	cr_assert(eq(int, result->err, UNDONE), "called back twice");
	result->err = err;
}

static int wait_for(struct result *result)
{
	while (result->err == UNDONE)
		(void)sd_event_run(event, UINT64_MAX);
	return result->err;
}

static int look(struct result *result)
{
	*result = (struct result){ .err = UNDONE };
	cr_assert(eq(int, vmadj_balloon_look(balloon, seen, result), 0));
	return wait_for(result);
}

static int set(uint64_t bytes)
{
	struct result result = { .err = UNDONE };

	cr_assert(eq(int, vmadj_balloon_set(balloon, bytes, done, &result), 0));
	return wait_for(&result);
}

static int set_period(unsigned int seconds)
{
	struct result result = { .err = UNDONE };

	cr_assert(eq(int, vmadj_balloon_set_period(balloon, seconds, done, &result), 0));
	return wait_for(&result);
}

static struct vmadj_target myself(void)
{
	struct vmadj_target target = { .pid = getpid(), .uuid = UUID };

	cr_assert(eq(int, vmadj_process_start(getpid(), &target.start_ticks), 0));
	return target;
}

static struct fake_qmp *open_qmp(const char *const *script, const struct vmadj_target *target)
{
	struct fake_qmp *fake = fake_qmp_start(script);

	balloon = calloc(1, sizeof(*balloon));
	balloon->event = event;
	cr_assert(eq(int, vmadj_balloon_use_qmp(balloon, fake_qmp_path(fake), target), 0));
	return fake;
}

#define ANSWER(question, answer) "< " question, "> {\"return\": " answer ", \"id\": $id}"
#define NO_DEVICES		 ANSWER("{\"path\":\"/machine/peripheral\"}", "[]")
#define DEVICES                                                \
	ANSWER("{\"path\":\"/machine/peripheral-anon\"}",      \
	       "[{\"name\": \"type\", \"type\": \"string\"}, " \
	       "{\"name\": \"device[0]\", \"type\": \"child<virtio-balloon-pci>\"}]")
#define PATH   "\"path\":\"/machine/peripheral-anon/device[0]\""
#define STATUS ANSWER("query-status", "{\"status\": \"running\", \"running\": true}")
#define MAX    ANSWER("query-memory-size-summary", "{\"base-memory\": 1000, \"plugged-memory\": 24}")

Test(balloon, a_look_over_qmp)
{
	static const char *const script[] = {
		FAKE_QMP_GREET, NO_DEVICES, DEVICES,
		ANSWER(PATH ",\"property\":\"guest-stats-polling-interval\"", "7"), STATUS, MAX,
		ANSWER("query-migrate", "{}"), ANSWER("query-jobs", "[]"),
		ANSWER("query-balloon", "{\"actual\": 512}"),
		ANSWER(PATH ",\"property\":\"guest-stats\"",
		       "{\"last-update\": 99, \"stats\": {\"stat-free-memory\": 10, "
		       "\"stat-total-memory\": 500, \"stat-swap-in\": 18446744073709551615, "
		       "\"stat-swap-out\": -1, \"stat-disk-caches\": \"much\", "
		       "\"stat-alloc-stalls\": 6}}"),
		"close",
		/* then it knows where the balloon is, and the period */
		FAKE_QMP_GREET, ANSWER("query-status", "{\"running\": false}"), MAX,
		ANSWER("query-migrate", "{\"status\": \"active\"}"), "< query-jobs",
		"> {\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"\"}, \"id\": $id}",
		ANSWER("query-balloon", "{\"actual\": -5}"),
		ANSWER(PATH, "{\"last-update\": 99, \"stats\": {\"stat-free-memory\": 10}}"), NULL
	};
	const struct vmadj_target target = myself();
	struct fake_qmp *fake = open_qmp(script, &target);
	struct result result;

	cr_assert(eq(int, look(&result), 0));
	cr_expect(result.state.running);
	cr_expect(not(result.state.job_active));
	cr_expect(eq(u64, result.state.max_bytes, 1024));
	cr_expect(eq(uint, result.state.period_s, 7));
	cr_expect(eq(u64, result.state.stats.actual_bytes, 512));
	cr_expect(eq(u64, result.state.stats.last_update_s, 99));
	cr_expect(eq(u64, result.state.stats.free_bytes, 10));
	cr_expect(eq(u64, result.state.stats.total_bytes, 500));
	cr_expect(eq(u64, result.state.stats.swap_in_bytes, UNSET));
	cr_expect(eq(u64, result.state.stats.swap_out_bytes, UNSET));
	cr_expect(eq(u64, result.state.stats.cached_bytes, UNSET));
	cr_expect(eq(u64, result.state.stats.oom_kills, UNSET));
	cr_expect(eq(u64, result.state.stats.alloc_stalls, 6));
	cr_assert(eq(int, look(&result), 0));
	cr_expect(not(result.state.running));
	cr_expect(result.state.job_active);
	cr_expect(eq(uint, result.state.period_s, 7));
	cr_expect(eq(u64, result.state.stats.actual_bytes, UNSET));
	cr_expect(eq(u64, result.state.stats.free_bytes, UNSET), "it stands still");
	cr_expect(eq(u64, result.state.stats.alloc_stalls, UNSET));
	cr_expect(eq(u64, result.state.stats.last_update_s, 0));
	fake_qmp_end(fake);
}

Test(balloon, set_over_qmp)
{
	static const char *const script[] = {
		FAKE_QMP_GREET,
		ANSWER("{\"execute\":\"balloon\",\"arguments\":{\"value\":1048576}", "{}"),
		"close",
		FAKE_QMP_GREET,
		NO_DEVICES,
		DEVICES,
		ANSWER("qom-set\",\"arguments\":{" PATH
		       ",\"property\":\"guest-stats-polling-interval\",\"value\":3}",
		       "{}"),
		"close",
		FAKE_QMP_GREET,
		"< balloon",
		"> {\"error\": {\"class\": \"GenericError\", \"desc\": \"not now\"}, \"id\": $id}",
		"close",
		NULL
	};
	const struct vmadj_target target = myself();
	struct fake_qmp *fake = open_qmp(script, &target);

	cr_expect(eq(int, set(1 << 20), 0));
	cr_expect(eq(int, set_period(3), 0));
	cr_expect(eq(uint, balloon->state.period_s, 3));
	cr_expect(eq(int, set(1), -EIO));
	cr_expect(eq(str, (char *)vmadj_balloon_why(balloon), "not now"));
	fake_qmp_end(fake);
}

Test(balloon, a_qemu_without_one)
{
	static const char *const script[] = { FAKE_QMP_GREET, NO_DEVICES,
					      ANSWER("peripheral-anon", "[]"), "stay", NULL };
	const struct vmadj_target target = myself();
	struct fake_qmp *fake = open_qmp(script, &target);
	struct result result;

	cr_expect(eq(int, look(&result), -EOPNOTSUPP));
	fake_qmp_end(fake);
}

Test(balloon, a_socket_of_another_process_is_not_used)
{
	static const char *const script[] = { FAKE_QMP_GREET, "stay", NULL };
	struct vmadj_target target = myself();
	struct fake_qmp *fake;

	target.start_ticks++;
	fake = open_qmp(script, &target);
	cr_expect(eq(int, set(1 << 20), -ENOENT));
	fake_qmp_end(fake);
}

static struct result inner;

static void set_again(void *userdata, int err)
{
	done(userdata, err);
	inner.err = UNDONE;
	cr_expect(eq(int, vmadj_balloon_set(balloon, 2, done, &inner), 0));
}

Test(balloon, one_question_is_open_and_callbacks_may_ask)
{
	struct vmadj_balloon_fake fake = { .stubborn = false };
	struct result result = { .err = UNDONE };

	cr_assert(eq(int, vmadj_balloon_fake_open(event, &fake, &balloon), 0));
	cr_expect(eq(int, vmadj_balloon_set(balloon, 1, set_again, &result), 0));
	cr_expect(eq(int, vmadj_balloon_set(balloon, 1, done, &result), -EBUSY));
	cr_expect(eq(int, vmadj_balloon_set_period(balloon, 1, done, &result), -EBUSY));
	cr_expect(eq(int, vmadj_balloon_look(balloon, seen, &result), -EBUSY));
	cr_expect(eq(int, wait_for(&result), 0));
	cr_expect(eq(int, wait_for(&inner), 0));
	cr_expect(eq(u64, fake.set_bytes, 2));
}

static int start(const char *uri, struct vmadj_libvirt_process *ret_process)
{
	int fds[2];

	(void)uri;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	*ret_process = (struct vmadj_libvirt_process){ .fd = fds[0] };
	peer = fds[1];
	return 0;
}

/* Plays the helper: @what must be asked, and is answered with @reply. */
static void answer(enum vmadj_libvirt_what what, struct vmadj_libvirt_reply reply)
{
	struct vmadj_libvirt_request request;

	cr_assert(gt(long, recv(peer, &request, sizeof(request), MSG_DONTWAIT), 0));
	cr_assert(eq(uint, request.what, what));
	reply.id = request.id;
	cr_assert(gt(long, send(peer, &reply, VMADJ_LIBVIRT_RECORD(vmadj_libvirt_reply, 0), 0), 0));
	(void)sd_event_run(event, UINT64_MAX);
}

Test(balloon, a_look_through_libvirt)
{
	const struct vmadj_libvirt_reply paused = { .max_bytes = 9 };
	const struct vmadj_libvirt_reply running = { .max_bytes = 9, .running = 1 };
	const struct vmadj_libvirt_reply balloon_reply = { .job_active = 1,
							   .balloon.actual_bytes = 8 };
	struct result result = { .err = UNDONE };
	const struct vmadj_target target = { .manager = "libvirt", .uuid = UUID };
	const char *why = NULL;

	cr_assert(eq(int, vmadj_libvirt_new(event, NULL, &libvirt), 0));
	vmadj_libvirt_set_start(libvirt, start);
	cr_assert(eq(int, vmadj_balloon_open(event, libvirt, &target, &balloon, &why), 0));
	cr_expect(eq(str, (char *)vmadj_balloon_kind(balloon), "libvirt"));
	cr_assert(eq(int, vmadj_balloon_look(balloon, seen, &result), 0));
	answer(VMADJ_LIBVIRT_STATE, paused);
	cr_expect(eq(int, result.err, 0));
	cr_expect(not(result.state.running));
	cr_expect(eq(u64, result.state.stats.actual_bytes, UNSET));
	for (int i = 0; i < 2; i++) {
		result.err = UNDONE;
		cr_assert(eq(int, vmadj_balloon_look(balloon, seen, &result), 0));
		answer(VMADJ_LIBVIRT_STATE, running);
		if (i == 0)
			answer(VMADJ_LIBVIRT_GET_PERIOD,
			       (struct vmadj_libvirt_reply){ .period_s = 5 });
		answer(VMADJ_LIBVIRT_BALLOON, balloon_reply);
		cr_expect(eq(int, result.err, 0));
		cr_expect(result.state.running);
		cr_expect(result.state.job_active);
		cr_expect(eq(uint, result.state.period_s, 5));
		cr_expect(eq(u64, result.state.max_bytes, 9));
		cr_expect(eq(u64, result.state.stats.actual_bytes, 8));
	}
	result.err = UNDONE;
	cr_assert(eq(int, vmadj_balloon_set(balloon, 1, done, &result), 0));
	answer(VMADJ_LIBVIRT_SET_MEMORY,
	       (struct vmadj_libvirt_reply){ .err = -EIO, .error = "not now" });
	cr_expect(eq(int, result.err, -EIO));
	cr_expect(eq(str, (char *)vmadj_balloon_why(balloon), "not now"));
	result.err = UNDONE;
	cr_assert(eq(int, vmadj_balloon_look(balloon, seen, &result), 0));
	vmadj_balloon_close(balloon);
	balloon = NULL;
	answer(VMADJ_LIBVIRT_STATE, running);
	cr_expect(eq(int, result.err, UNDONE), "closed: not called back");
}

Test(balloon, what_cannot_be_reached_says_why)
{
	const struct vmadj_target libvirts = { .manager = "libvirt", .uuid = UUID };
	const struct vmadj_target gone = { .pid = 0x3fffffff };
	const struct vmadj_target me = myself();
	const char *why = NULL;

	cr_expect(eq(int, vmadj_balloon_open(event, NULL, &libvirts, &balloon, &why), -EOPNOTSUPP));
	cr_expect(ne(ptr, strstr(why, "libvirt is not used"), NULL));
	cr_expect(eq(int, vmadj_balloon_open(event, NULL, &gone, &balloon, &why), -EOPNOTSUPP));
	cr_expect(ne(ptr, strstr(why, "gone"), NULL));
	cr_expect(eq(int, vmadj_balloon_open(event, NULL, &me, &balloon, &why), -EOPNOTSUPP));
	cr_expect(ne(ptr, strstr(why, "no QMP socket"), NULL));
	cr_expect(eq(ptr, balloon, NULL));
}

struct line {
	char cmdline[256], why[32];
};

#define MOUNTS                                                    \
	"proc /proc proc rw 0 0\n"                                \
	"hugetlbfs /dev/hugepages hugetlbfs rw,pagesize=2M 0 0\n" \
	"tmpfs /dev/shm tmpfs rw 0 0\n"

ParameterizedTestParameters(balloon, the_command_line_forbids_it)
{
	static struct line cases[] = {
		{ "qemu -device virtio-balloon-pci -m 128", "" },
		{ "qemu -device vfio-pci,host=01:00.0", "passed through" },
		{ "qemu -device {\"driver\":\"vfio-pci\",\"host\":\"0000:01:00.0\"}",
		  "passed through" },
		{ "qemu -device vhost-vdpa-device-pci,vhostdev=/dev/vhost-vdpa-0",
		  "passed through" },
		{ "qemu -netdev vhost-vdpa,id=n,vhostdev=/dev/vhost-vdpa-0", "passed through" },
		{ "qemu -netdev type=vhost-vdpa,id=n", "passed through" },
		{ "qemu -netdev user,id=vfio-pci -device e1000,id=vfio-1", "" },
		{ "qemu -mem-path /dev/hugepages/a", "huge" },
		{ "qemu -mem-path /dev/hugepages", "huge" },
		{ "qemu -mem-path /dev/hugepages2/a", "" },
		{ "qemu -mem-path /dev/shm/a", "" },
		{ "qemu -object memory-backend-file,id=m,size=1G,mem-path=/dev/hugepages/m",
		  "huge" },
		{ "qemu -object {\"qom-type\":\"memory-backend-file\",\"id\":\"m\",\"mem-path\":"
		  "\"/dev/hugepages/libvirt/qemu/1\",\"size\":1}",
		  "huge" },
		{ "qemu -object qom-type=memory-backend-file,mem-path=/dev/shm/m", "" },
		{ "qemu -object memory-backend-memfd,id=m,hugetlb=on,size=1G", "huge" },
		{ "qemu -object {\"qom-type\":\"memory-backend-memfd\",\"hugetlb\":true}", "huge" },
		{ "qemu -object {\"qom-type\":\"memory-backend-memfd\",\"hugetlb\":false}", "" },
		{ "qemu -object memory-backend-memfd,id=m,hugetlb=off,size=1G", "" },
		{ "qemu -object memory-backend-ram,id=m,size=1G,prealloc=on", "" },
		{ "qemu -overcommit mem-lock=on", "locked" },
		{ "qemu -overcommit cpu-pm=on,mem-lock=on-fault", "locked" },
		{ "qemu -overcommit mem-lock=off", "" },
		{ "qemu -realtime mlock=on", "locked" },
		{ "qemu -machine q35,confidential-guest-support=sev0", "confidential" },
		{ "qemu -M q35,memory-encryption=sev0", "confidential" },
		{ "qemu -object sev-guest,id=sev0,cbitpos=47", "confidential" },
		{ "qemu --object {\"qom-type\":\"tdx-guest\",\"id\":\"t\"}", "confidential" },
		{ "qemu -object sev-snp-guest,id=s", "confidential" },
		{ "qemu -object pef-guest,id=p", "confidential" },
		{ "qemu -object {broken", "" },
		{ "qemu -machine q35,accel=kvm -object rng-random,id=r", "" },
		{ "qemu -device", "" },
		{ "", "" },
	};

	return cr_make_param_array(struct line, cases, sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct line *c, balloon, the_command_line_forbids_it)
{
	size_t len;
	char *words = vmadj_words(c->cmdline, &len);
	const char *why = vmadj_balloon_forbidden_args(words, len, MOUNTS);

	if (c->why[0]) {
		cr_assert(ne(ptr, (char *)why, NULL), "%s", c->cmdline);
		cr_expect(ne(ptr, strstr((char *)why, c->why), NULL), "%s: %s", c->cmdline, why);
	} else {
		cr_expect(eq(ptr, (char *)why, NULL), "%s: %s", c->cmdline, why);
	}
	free(words);
}

Test(balloon, a_process_is_judged_and_what_is_gone_is_not_allowed)
{
	cr_expect(eq(ptr, (char *)vmadj_balloon_forbidden(getpid()), NULL));
	cr_expect(ne(ptr, (char *)vmadj_balloon_forbidden(0x3fffffff), NULL));
}
