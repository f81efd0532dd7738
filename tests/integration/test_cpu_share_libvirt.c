// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_cpu_share_libvirt.c - two busy domains of libvirt on one CPU get the shares that nice values
 * mean, set by libvirt
 *
 * TCG guests of Linux: each has a group made by libvirt, with groups for its vCPUs in it.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/lab/require.h"
#include "tests/lib/share.h"
#include "tests/lib/world.h"
#include "user/actuate/cpu.h"
#include "user/util/process.h"
#include "user/virt/libvirt.h"
#include "user/vm/identity.h"

#define TRIES	 3
#define ANSWER_S 20
#define ALONE_S	 12 /* longer than a VM is left alone after its second time */

TestSuite(cpu_share_libvirt, .timeout = 300);

struct pair {
	struct vmadj_lab_vm *vm[2];
	struct vmadj_identity who;
	struct vmadj_target target;
	struct vmadj_libvirt *libvirt;
	struct vmadj_cpu *cpu;
	sd_event *event;
	struct vmadj_cpu_place place;
	bool answered;
	int err;
};

static void pair_end(struct pair *pair)
{
	vmadj_cpu_free(pair->cpu);
	vmadj_libvirt_free(pair->libvirt);
	(void)sd_event_unref(pair->event);
	vmadj_identity_clear(&pair->who);
	vmadj_lab_vm_stop(pair->vm[0]);
	vmadj_lab_vm_stop(pair->vm[1]);
}

#define _cleanup_pair_ __attribute__((cleanup(pair_end)))

/* The program of this build: it is the helper that talks to libvirt. */
static void use_program(void)
{
	static char path[512];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 64);

	cr_assert(gt(int, (int)len, 0));
	path[len] = '\0';
	for (int i = 0; i < 3; i++)
		*strrchr(path, '/') = '\0';
	(void)strcat(path, "/vmadjust-bpf");
	if (access(path, X_OK))
		cr_skip_test("%s is not built", path);
	vmadj_libvirt_set_program(path);
}

static void pair_start(struct pair *pair)
{
	const struct vmadj_lab_linux want = { .load = "busy",
					      .pinned = true,
					      .cpu = vmadj_world_cpu() };
	pid_t pid;

	use_program();
	for (int i = 0; i < 2; i++)
		vmadj_lab_require(vmadj_lab_libvirt_start(&want, &pair->vm[i]));
	pid = vmadj_lab_vm_pid(pair->vm[0]);
	cr_assert(zero(int, vmadj_identity_read(pid, NULL, &pair->who)));
	pair->target = (struct vmadj_target){ .pid = pid,
					      .uuid = pair->who.uuid,
					      .manager = pair->who.manager };
	cr_assert(zero(int, vmadj_process_start(pid, &pair->target.start_ticks)));
	cr_assert(ge(int, sd_event_new(&pair->event), 0));
	cr_assert(zero(int, vmadj_libvirt_new(pair->event, NULL, &pair->libvirt)));
	cr_assert(zero(int, vmadj_cpu_new(pair->event, pair->libvirt, NULL, &pair->cpu)));
	cr_assert(zero(int, vmadj_cpu_find(pair->cpu, &pair->target, &pair->place)));
	(void)fprintf(stderr, "%s of %s, by %s, now %s\n", vmadj_cpu_kind_name(pair->place.kind),
		      pair->place.group, pair->place.owner ? pair->place.owner : "us",
		      pair->place.value);
	if (pair->place.kind != VMADJ_CPU_CGROUP1 && pair->place.kind != VMADJ_CPU_CGROUP2)
		cr_skip_test("libvirt makes no cpu groups here");
	cr_assert(eq(str, (char *)pair->place.owner, "libvirt"));
	cr_assert(pair->place.effective, "%s", pair->place.why_not);
}

static void on_done(void *userdata, int err, const char *why)
{
	struct pair *pair = userdata;

	pair->answered = true;
	pair->err = err;
	if (err)
		(void)fprintf(stderr, "%s\n", why);
}

/* What vmadj_cpu_set() or vmadj_cpu_put() came to in the end. */
static int outcome(struct pair *pair, int err)
{
	if (err != -EINPROGRESS)
		return err;
	/* All the time: deadlines count from the loop's last turn. */
	for (int i = 0; i < ANSWER_S * 10 && !pair->answered; i++)
		vmadj_share_serve(pair->event, 0.1);
	cr_assert(pair->answered, "nobody called back");
	pair->answered = false;
	return pair->err;
}

/* Sets @nice, or puts back what was where @value is given. A libvirtd that has more to do than it
 * can is left alone for a while, and then asked again. */
static void turn(struct pair *pair, int nice, const char *value)
{
	int err = -EAGAIN;

	for (int i = 0; i < TRIES && (err == -EAGAIN || err == -ETIMEDOUT); i++) {
		if (i)
			vmadj_share_serve(pair->event, ALONE_S);
		err = value ? vmadj_cpu_put(pair->cpu, &pair->target, &pair->place, value, on_done,
					    pair)
			    : vmadj_cpu_set(pair->cpu, &pair->target, &pair->place, nice, on_done,
					    pair);
		err = outcome(pair, err);
	}
	cr_assert(zero(int, err), "%s", vmadj_cpu_why(pair->cpu));
}

Test(cpu_share_libvirt, by_libvirt)
{
	static const int nices[] = { -10, -5, 5, 10, 19 };
	_cleanup_pair_ struct pair pair = { 0 };
	struct vmadj_cpu_place now;
	pid_t pids[2];

	pair_start(&pair);
	pids[0] = pair.target.pid;
	pids[1] = vmadj_lab_vm_pid(pair.vm[1]);
	now = pair.place;
	for (size_t i = 0; i < sizeof(nices) / sizeof(nices[0]); i++) {
		turn(&pair, nices[i], NULL);
		cr_assert(zero(int, vmadj_cpu_read(pair.cpu, &pair.target, &now)));
		cr_expect(eq(int, now.nice, nices[i]));
		vmadj_share_check(pair.event, "libvirt", pids, nices[i]);
	}
	turn(&pair, 0, pair.place.value);
	cr_assert(zero(int, vmadj_cpu_read(pair.cpu, &pair.target, &now)));
	cr_expect(eq(str, now.value, pair.place.value));
}
