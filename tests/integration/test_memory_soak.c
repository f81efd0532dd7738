/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_memory_soak.c - random wishes, hostile ones among them, on real guests whose use of
 * memory goes up and down
 *
 * A sequence is five wishes for one guest, with one to three looks after each. Guests are
 * looked at once a second, as often as they tell their statistics, GUESTS of them at the same time;
 * the machine's own clock runs FASTER, so that it does not wait most of the time.
 *
 * SOAK=N: so many sequences. Without it SEQUENCES, since 300 take eight minutes; `make soak` does
 * 10000, some five hours.
 */
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/lab/require.h"
#include "tests/lib/qmp.h"
#include "user/actuate/balloon.h"
#include "user/actuate/memory.h"
#include "user/guest/balloon.h"
#include "user/util/file.h"
#include "user/util/parse.h"
#include "user/util/process.h"

#define MIB	  (1ULL << 20)
#define GUESTS	  6
#define SEQUENCES 12
#define WISHES	  5
#define FASTER	  10 /* even so the balloon has three looks to arrive in */
#define MAX_MIB	  256
#define MIN	  (96 * MIB)
#define RESERVE	  (48 * MIB)
#define STEP	  (24 * MIB)
#define RETURN_S  60
#define ANSWER_S  30

/* Of what it may have, the guest's kernel and this are at most three quarters. */
#define WAVE "memory-wave:16:110:40"

struct subject {
	struct vmadj_lab_vm *vm;
	struct vmadj_monitor *monitor; /* to pause it */
	struct vmadj_balloon *balloon;
	struct vmadj_memory memory;
	struct vmadj_balloon_state state;
	unsigned int wishes, looks;	 /* still to come, of this sequence and of this wish */
	unsigned int downs, ups, raised; /* made so far; raised: of the ups, without a wish */
	uint64_t least_available;
	const char *why;      /* as the machine said last */
	uint64_t asked_bytes; /* of the balloon, not answered yet */
	unsigned int failed;  /* looks and sets that did not come through */
	bool paused;
};

static sd_event *event;
static unsigned int pending; /* answers that are still to come */
static unsigned int seed = 1;
static double soak_s;

static double now_s(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint64_t dice(uint64_t below)
{
	return (((uint64_t)(unsigned int)rand_r(&seed) << 31) ^ (uint64_t)rand_r(&seed)) % below;
}

static uint64_t wished_bytes(void)
{
	static const uint64_t hostile[] = { 0,
					    1,
					    4096,
					    UINT64_MAX,
					    1ULL << 63,
					    MAX_MIB * MIB - 1,
					    MAX_MIB * MIB,
					    MAX_MIB * MIB + 1 };

	return dice(3) ? dice(MAX_MIB * MIB) : hostile[dice(sizeof(hostile) / sizeof(hostile[0]))];
}

static uint64_t rss_bytes(pid_t pid)
{
	unsigned long pages;
	char path[32], text[128];

	(void)snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	if (vmadj_file_read(AT_FDCWD, path, text, sizeof(text)) <= 0 ||
	    sscanf(text, "%*u %lu", &pages) != 1)
		return VMADJ_BALLOON_UNSET;
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* What a guest prints when its memory did not suffice; the console shows nothing less grave. */
static const char *console_says(const struct subject *subject)
{
	static const char *const bad[] = { "Out of memory", "oom", "panic", "LAB-FAILED", "hung" };
	static char text[65536];
	const char *path = vmadj_lab_vm_path(subject->vm, VMADJ_LAB_CONSOLE);

	if (vmadj_file_read(AT_FDCWD, path, text, sizeof(text)) < 0)
		return "console cannot be read";
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (strstr(text, bad[i]))
			return strstr(text, bad[i]);
	}
	return NULL;
}

static void wait_for_answers(void)
{
	double until = now_s() + ANSWER_S;

	while (pending) {
		cr_assert(ge(int, sd_event_run(event, 1000000), 0));
		if (now_s() > until)
			cr_fatal("%u balloons do not answer", pending);
	}
}

static void is_done(void *userdata, int err)
{
	int *ret_err = userdata;

	pending--;
	*ret_err = err;
}

/* A guest that has just started may keep its QEMU too busy to greet. */
static void set_period(struct subject *subject)
{
	int err = -EBUSY;

	for (int i = 0; i < 10 && err; i++) {
		cr_assert(eq(int, vmadj_balloon_set_period(subject->balloon, 1, is_done, &err), 0));
		pending++;
		wait_for_answers();
	}
	cr_assert(eq(int, err, 0), "%s", vmadj_balloon_why(subject->balloon));
}

static void start(struct subject *subject)
{
	const struct vmadj_lab_linux want = {
		.load = WAVE,
		.mem_mib = MAX_MIB,
		.balloon = true,
	};
	const struct vmadj_memory_limits limits = {
		.min_bytes = MIN,
		.max_bytes = UINT64_MAX,
		.reserve_bytes = RESERVE,
		.step_bytes = STEP,
		.period_s = FASTER,
	};

	struct vmadj_target target = { .id = "soak", .name = "soak" };
	const char *why = "";

	*subject = (struct subject){ .least_available = UINT64_MAX };
	vmadj_lab_require(vmadj_lab_linux_start(&want, &subject->vm));
	target.pid = vmadj_lab_vm_pid(subject->vm);
	cr_assert(eq(int, vmadj_process_start(target.pid, &target.start_ticks), 0));
	if (vmadj_balloon_open(event, NULL, &target, &subject->balloon, &why))
		cr_fatal("%s", why);
	set_period(subject);
	subject->monitor = vmadj_monitor_open(vmadj_lab_vm_path(subject->vm, VMADJ_LAB_QMP));
	vmadj_memory_init(&subject->memory, &limits);
}

static void stop(struct subject *subject)
{
	vmadj_balloon_close(subject->balloon);
	vmadj_monitor_close(subject->monitor);
	vmadj_lab_vm_stop(subject->vm);
}

static void check_target(const struct subject *subject, uint64_t target)
{
	const struct vmadj_memory *memory = &subject->memory;

	cr_assert(le(u64, target, MAX_MIB * MIB));
	if (target >= memory->actual_bytes)
		return;
	cr_assert(ge(u64, target, MIN));
	cr_assert(le(u64, memory->actual_bytes - target, STEP));
	cr_assert(ne(u64, memory->floor_bytes, VMADJ_BALLOON_UNSET));
	cr_assert(ge(u64, target, memory->floor_bytes));
}

static void check_figures(struct subject *subject)
{
	const struct vmadj_balloon_stats *stats = &subject->state.stats;
	struct vmadj_guest guest;

	if (!subject->state.running || !stats->last_update_s)
		return;
	cr_assert(vmadj_guest_from_balloon(stats, subject->state.max_bytes, (double)time(NULL),
					   &guest));
	cr_assert(not(isnan(guest.age_s)));
	cr_assert(le(u64, stats->actual_bytes, MAX_MIB * MIB));
	cr_assert(le(u64, guest.mem_available_bytes, guest.mem_total_bytes));
	if (guest.mem_available_bytes < subject->least_available)
		subject->least_available = guest.mem_available_bytes;
}

static void was_set(void *userdata, int err)
{
	struct subject *subject = userdata;

	pending--;
	subject->failed += err != 0;
	if (!err)
		vmadj_memory_was_set(&subject->memory, soak_s, subject->asked_bytes);
}

static void was_seen(void *userdata, int err, const struct vmadj_balloon_state *state)
{
	struct subject *subject = userdata;
	struct vmadj_memory_next next;

	pending--;
	subject->failed += err != 0;
	if (!err) {
		subject->state = *state;
		check_figures(subject);
	}
	next = vmadj_memory_see(&subject->memory, soak_s, err ? NULL : state,
				rss_bytes(vmadj_lab_vm_pid(subject->vm)), true);
	subject->why = next.why;
	if (next.act != VMADJ_MEMORY_SET)
		return;
	check_target(subject, next.target_bytes);
	subject->downs += next.target_bytes < subject->memory.actual_bytes;
	if (next.target_bytes > subject->memory.actual_bytes) {
		subject->ups++;
		subject->raised += next.target_bytes > subject->memory.goal_bytes;
	}
	subject->asked_bytes = next.target_bytes;
	cr_assert(eq(int, vmadj_balloon_set(subject->balloon, next.target_bytes, was_set, subject),
		     0));
	pending++;
}

static void look(struct subject *subject)
{
	cr_assert(eq(int, vmadj_balloon_look(subject->balloon, was_seen, subject), 0));
	pending++;
}

static void pause_or_go_on(struct subject *subject)
{
	bool pause = !subject->paused && !dice(20);

	if (pause)
		vmadj_monitor_stop(subject->monitor);
	else if (subject->paused)
		vmadj_monitor_continue(subject->monitor);
	subject->paused = pause;
}

/* Return: whether a sequence has ended. */
static bool go_on(struct subject *subject)
{
	uint64_t goal;

	if (subject->looks) {
		subject->looks--;
		return false;
	}
	pause_or_go_on(subject);
	subject->looks = (unsigned int)dice(3);
	if (dice(10))
		(void)vmadj_memory_wish(&subject->memory, wished_bytes(), &goal);
	else
		vmadj_memory_unwish(&subject->memory);
	if (subject->wishes--)
		return false;
	subject->wishes = WISHES - 1;
	cr_assert(eq(int, kill(vmadj_lab_vm_pid(subject->vm), 0), 0));
	cr_assert(eq(ptr, (void *)console_says(subject), NULL), "%s", console_says(subject));
	return true;
}

static void look_at_all(struct subject *subjects)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec++;
	soak_s += FASTER;
	for (int i = 0; i < GUESTS; i++)
		look(&subjects[i]);
	wait_for_answers();
	(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

/* A guest that is alive takes back all that it may have, but for a small change. */
static void give_all_back(struct subject *subjects)
{
	uint64_t goal;

	for (int i = 0; i < GUESTS; i++) {
		if (subjects[i].paused)
			vmadj_monitor_continue(subjects[i].monitor);
		(void)vmadj_memory_wish(&subjects[i].memory, UINT64_MAX, &goal);
	}
	for (int s = 0; s < RETURN_S; s++) {
		bool all = true;

		look_at_all(subjects);
		for (int i = 0; i < GUESTS; i++)
			all &= subjects[i].state.stats.actual_bytes + STEP / 2 >= MAX_MIB * MIB;
		if (all)
			return;
	}
	for (int i = 0; i < GUESTS; i++)
		(void)fprintf(stderr, "guest %d has %lu MiB, target %lu MiB: %s\n", i,
			      (unsigned long)(subjects[i].state.stats.actual_bytes / MIB),
			      (unsigned long)(subjects[i].memory.target_bytes / MIB),
			      subjects[i].why);
	cr_fatal("a guest does not take back what it had");
}

static unsigned int sequences_wanted(void)
{
	const char *soak = getenv("SOAK");
	uint64_t n = SEQUENCES;

	if (soak && vmadj_parse_u64(soak, 1, 10000000, &n))
		cr_fatal("SOAK=%s is no number of sequences", soak);
	return (unsigned int)n;
}

static void open_event(void)
{
	cr_assert(ge(int, sd_event_new(&event), 0));
}

/* run.sh ends it sooner */
TestSuite(memory_soak, .timeout = 86400, .init = open_event);

Test(memory_soak, no_guest_is_harmed_by_any_wish)
{
	struct subject subjects[GUESTS];
	unsigned int done = 0, wanted = sequences_wanted(), downs = 0, ups = 0;

	for (int i = 0; i < GUESTS; i++)
		start(&subjects[i]);
	for (int i = 0; i < 3; i++)
		look_at_all(subjects);
	while (done < wanted) {
		for (int i = 0; i < GUESTS; i++)
			done += go_on(&subjects[i]);
		look_at_all(subjects);
	}
	give_all_back(subjects);
	for (int i = 0; i < GUESTS; i++) {
		const struct subject *one = &subjects[i];

		(void)fprintf(
			stderr,
			"guest %d: %u down, %u up (%u above what was wished), %u not answered, "
			"available at least %lu MiB\n",
			i, one->downs, one->ups, one->raised, one->failed,
			(unsigned long)(one->least_available / MIB));
		downs += one->downs;
		ups += one->ups;
		cr_expect(eq(ptr, (void *)console_says(one), NULL), "%s", console_says(one));
		stop(&subjects[i]);
	}
	cr_expect(ge(uint, downs, wanted / 4), "something was done");
	cr_expect(gt(uint, ups, 0));
}

/* What the machine is there to prevent: without it, one target does it, and the test sees it. */
Test(memory_soak, a_target_below_what_is_used_would_kill)
{
	struct subject subject;
	const char *says = NULL;
	int err;

	start(&subject);
	cr_assert(eq(int, vmadj_balloon_set(subject.balloon, 24 * MIB, is_done, &err), 0));
	pending++;
	wait_for_answers();
	for (int s = 0; s < 60 && !says; s++) {
		says = console_says(&subject);
		(void)sleep(1);
	}
	stop(&subject);
	cr_assert(ne(ptr, (void *)says, NULL));
}
