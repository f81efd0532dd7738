// SPDX-License-Identifier: GPL-2.0-only
/*
 * cpu_turn.c - one change of a VM's share, from the first check to the last
 *
 * Before: the process is still the VM, and in that group. After: it still is, and what is read back
 * is what was wanted. A pidfd is held in between, so that a process id that was given to
 * another meanwhile is noticed.
 *
 * What waits: libvirt, until it has answered another question about this VM; an owner's answer,
 * then for the group's file to follow (systemd answers before it writes); and an autogroup, which
 * the kernel lets be written ten times a second only.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "user/actuate/cpu_turn.h"

#define RETRY_US  10000
#define ACCURACY  10000
#define OWNER_MAX 20 /* times */
#define AGAIN_MAX 50
#define BUSY_MAX  300 /* as long as a call of libvirt's may take */
#define GONE	  "the VM is gone"

void vmadj_cpu_turn_free(struct vmadj_cpu_turn *turn)
{
	struct vmadj_cpu_turn **at = &turn->cpu->turns;

	while (*at && *at != turn)
		at = &(*at)->next;
	if (*at)
		*at = turn->next;
	if (turn->pidfd >= 0)
		(void)close(turn->pidfd);
	(void)sd_bus_slot_unref(turn->slot);
	(void)sd_event_source_disable_unref(turn->timer);
	free(turn);
}

static int finish(struct vmadj_cpu_turn *turn, int err)
{
	struct vmadj_cpu_turn was = *turn;
	char why[sizeof(was.cpu->why)];

	(void)snprintf(why, sizeof(why), "%s", err ? was.cpu->why : "");
	vmadj_cpu_turn_free(turn);
	if (was.done)
		was.done(was.userdata, err, why);
	return 0;
}

static bool is_group(const struct vmadj_cpu_turn *turn)
{
	return turn->place.kind == VMADJ_CPU_CGROUP1 || turn->place.kind == VMADJ_CPU_CGROUP2;
}

static int check_process(const struct vmadj_cpu_turn *turn)
{
	struct pollfd ended = { .fd = turn->pidfd, .events = POLLIN };

	if (poll(&ended, 1, 0) > 0 || vmadj_cpu_check(turn->cpu, turn->pid, turn->start_ticks))
		return vmadj_cpu_fail(turn->cpu, -ESRCH, GONE);
	return 0;
}

static int begin(struct vmadj_cpu_turn *turn)
{
	struct vmadj_cpu_common common;
	int err;

	turn->pidfd = (int)syscall(SYS_pidfd_open, turn->pid, 0);
	if (turn->pidfd < 0)
		return vmadj_cpu_fail(turn->cpu, errno == ESRCH ? -ESRCH : -errno, GONE);
	err = check_process(turn);
	if (err)
		return err;
	if (vmadj_cpu_common(turn->cpu, turn->pid, &common))
		return vmadj_cpu_fail(turn->cpu, -ESRCH, GONE);
	if (is_group(turn) && !vmadj_cpu_group_holds(turn->cpu, &turn->place, &common)) {
		return vmadj_cpu_fail(turn->cpu, -ESRCH, "it is not in %s any more",
				      turn->place.group);
	}
	return 0;
}

static int write_knob(struct vmadj_cpu_turn *turn)
{
	static const char *const rights[] = {
		[VMADJ_CPU_CGROUP2] = "the group's files: run as root",
		[VMADJ_CPU_CGROUP1] = "the group's files: run as root",
		[VMADJ_CPU_AUTOGROUP] = "CAP_SYS_NICE, and to be root",
		[VMADJ_CPU_THREADS] = "CAP_SYS_NICE",
	};
	int err = -EOPNOTSUPP;

	if (is_group(turn)) {
		err = vmadj_cpu_group_write(&turn->place, &turn->want);
	} else if (turn->place.kind == VMADJ_CPU_AUTOGROUP) {
		err = vmadj_cpu_autogroup_write(turn->cpu, turn->pid, turn->want.nice);
	} else if (turn->place.kind == VMADJ_CPU_THREADS) {
		err = vmadj_cpu_threads_write(turn->cpu, turn->pid, turn->want.nice);
	}
	if (err == -EACCES) {
		return vmadj_cpu_fail(turn->cpu, err, "not allowed: this needs %s",
				      rights[turn->place.kind]);
	}
	if (err == -ESRCH)
		return vmadj_cpu_fail(turn->cpu, err, is_group(turn) ? "its group is gone" : GONE);
	if (err)
		return vmadj_cpu_fail(turn->cpu, err, "the kernel refused: %s", strerror(-err));
	return 0;
}

static int check_knob(struct vmadj_cpu_turn *turn)
{
	struct vmadj_cpu *cpu = turn->cpu;
	struct vmadj_cpu_common common;
	int nice = turn->want.nice;
	bool is = true;

	if (is_group(turn)) {
		is = vmadj_cpu_group_is(cpu, &turn->place, &turn->want, true);
	} else if (turn->place.kind == VMADJ_CPU_AUTOGROUP) {
		is = !vmadj_cpu_autogroup_read(cpu, turn->pid, &nice) && nice == turn->want.nice;
	} else if (!vmadj_cpu_common(cpu, turn->pid, &common)) {
		is = !common.nice_mixed && common.nice == nice;
	}
	return is ? 0
		  : vmadj_cpu_fail(cpu, -EIO,
				   "it was set, but is not what is read back: somebody "
				   "else sets it too");
}

static int end(struct vmadj_cpu_turn *turn)
{
	int err = check_process(turn);

	return err ? err : check_knob(turn);
}

/* Who has waited longest for the kernel goes first, or who comes late may never have a turn. */
static bool stands_behind(const struct vmadj_cpu_turn *turn)
{
	if (turn->place.kind != VMADJ_CPU_AUTOGROUP)
		return false;
	for (turn = turn->next; turn; turn = turn->next) {
		if (turn->place.kind == VMADJ_CPU_AUTOGROUP)
			return true;
	}
	return false;
}

/* Return: 0; -EAGAIN: not yet; another errno. */
static int try_again(struct vmadj_cpu_turn *turn)
{
	bool last = ++turn->tries >= (is_group(turn) ? OWNER_MAX : AGAIN_MAX);
	int err = check_process(turn);

	if (!err && is_group(turn) &&
	    !vmadj_cpu_group_is(turn->cpu, &turn->place, &turn->want, false)) {
		err = last ? vmadj_cpu_fail(turn->cpu, -EIO,
					    "%s took it, but the group's weight is another",
					    turn->place.owner)
			   : -EAGAIN;
	}
	if (!err)
		err = write_knob(turn);
	if (!err)
		err = end(turn);
	return err == -EAGAIN && last ? -EIO : err;
}

/* Return: 0: libvirt was asked and will answer; -EAGAIN: not yet; another errno. */
static int ask_again(struct vmadj_cpu_turn *turn)
{
	int err = vmadj_cpu_libvirt_ask(turn);

	turn->unasked = err == -EBUSY && ++turn->tries < BUSY_MAX;
	if (!err)
		turn->tries = 0;
	return turn->unasked ? -EAGAIN : err;
}

static int on_timer(sd_event_source *source, uint64_t now_us, void *userdata)
{
	struct vmadj_cpu_turn *turn = userdata;
	int err = -EAGAIN;

	if (turn->unasked) {
		err = ask_again(turn);
		if (!err)
			return 0;
	} else if (!stands_behind(turn)) {
		err = try_again(turn);
	}
	if (err != -EAGAIN)
		return finish(turn, err);
	(void)sd_event_source_set_time(source, now_us + RETRY_US);
	(void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

static int later(struct vmadj_cpu_turn *turn)
{
	int err;

	turn->timer = sd_event_source_disable_unref(turn->timer);
	err = sd_event_add_time_relative(turn->cpu->event, &turn->timer, CLOCK_MONOTONIC, RETRY_US,
					 ACCURACY, on_timer, turn);
	return err < 0 ? vmadj_cpu_fail(turn->cpu, err, "no timer: %s", strerror(-err)) : 0;
}

void vmadj_cpu_turn_answered(struct vmadj_cpu_turn *turn, int err, const char *why)
{
	turn->slot = sd_bus_slot_unref(turn->slot);
	if (err) {
		(void)vmadj_cpu_fail(turn->cpu, err, "%s refused: %s", turn->place.owner,
				     why && *why ? why : strerror(-err));
	} else {
		err = later(turn);
	}
	if (err)
		(void)finish(turn, err);
}

static int act(struct vmadj_cpu_turn *turn)
{
	int err;

	if (!turn->place.owner) {
		err = stands_behind(turn) ? -EAGAIN : write_knob(turn);
		if (err != -EAGAIN)
			return err ? err : end(turn);
		err = later(turn);
	} else if (!strcmp(turn->place.owner, "libvirt")) {
		err = vmadj_cpu_libvirt_ask(turn);
		turn->unasked = err == -EBUSY;
		if (turn->unasked)
			err = later(turn);
	} else {
		err = vmadj_cpu_systemd_ask(turn);
	}
	return err ? err : -EINPROGRESS;
}

int vmadj_cpu_turn(struct vmadj_cpu_turn *turn)
{
	int err;

	turn->next = turn->cpu->turns;
	turn->cpu->turns = turn;
	err = begin(turn);
	if (!err)
		err = act(turn);
	if (err != -EINPROGRESS)
		vmadj_cpu_turn_free(turn);
	return err;
}

bool vmadj_cpu_is_turning(const struct vmadj_cpu *cpu, const struct vmadj_target *target)
{
	for (const struct vmadj_cpu_turn *turn = cpu->turns; turn; turn = turn->next) {
		if (turn->pid == target->pid)
			return true;
	}
	return false;
}

void vmadj_cpu_forget(struct vmadj_cpu *cpu, const void *userdata)
{
	for (struct vmadj_cpu_turn *turn = cpu->turns; turn; turn = turn->next) {
		if (turn->userdata == userdata)
			turn->done = NULL;
	}
}
