// SPDX-License-Identifier: GPL-2.0-only
/*
 * balloon_qmp.c - a balloon over QEMU's own monitor
 *
 * The socket takes one client, so it is not kept: each question connects, asks one command after
 * the other, and disconnects. Where the balloon is in QEMU's tree of objects is remembered.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "user/actuate/balloon_private.h"
#include "user/util/process.h"
#include "user/virt/qmp.h"

struct over_qmp;

/* One command of a question. */
struct step {
	const char *command;
	json_t *(*arguments)(const struct over_qmp *over); /* NULL: none */
	void (*take)(struct vmadj_balloon *balloon, const json_t *answer);
	bool (*skip)(const struct over_qmp *over); /* NULL: never */
	bool optional;				   /* not every QEMU has it */
};

struct over_qmp {
	char socket[sizeof(((struct sockaddr_un *)0)->sun_path)];
	pid_t pid;
	uint64_t start_ticks;
	struct vmadj_qmp *qmp; /* NULL: not connected */
	const struct step *step;
	char balloon_path[256]; /* in QEMU's tree; "": not known */
	bool period_known;
	uint64_t value; /* to be set */
};

/* What is negative, absurd, or no number, is not told. */
static uint64_t number(const json_t *json)
{
	double value = json_number_value(json);

	return json_is_number(json) && value >= 0 && value < 0x1p63 ? (uint64_t)value
								    : VMADJ_BALLOON_UNSET;
}

static uint64_t number_of(const json_t *object, const char *key)
{
	return number(json_object_get(object, key));
}

static json_t *arg_peripheral(const struct over_qmp *over)
{
	(void)over;
	return json_pack("{s:s}", "path", "/machine/peripheral");
}

static json_t *arg_anonymous(const struct over_qmp *over)
{
	(void)over;
	return json_pack("{s:s}", "path", "/machine/peripheral-anon");
}

static void find_balloon(struct over_qmp *over, const char *folder, const json_t *list)
{
	static const char type_begins[] = "child<virtio-balloon";

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		const char *type = json_string_value(json_object_get(item, "type"));
		const char *name = json_string_value(json_object_get(item, "name"));
		int len;

		if (!type || !name || strncmp(type, type_begins, sizeof(type_begins) - 1) != 0)
			continue;
		len = snprintf(over->balloon_path, sizeof(over->balloon_path), "%s/%s", folder,
			       name);
		if (len >= (int)sizeof(over->balloon_path))
			over->balloon_path[0] = '\0';
	}
}

static void take_peripheral(struct vmadj_balloon *balloon, const json_t *answer)
{
	find_balloon(balloon->priv, "/machine/peripheral", answer);
}

static void take_anonymous(struct vmadj_balloon *balloon, const json_t *answer)
{
	find_balloon(balloon->priv, "/machine/peripheral-anon", answer);
}

static bool is_found(const struct over_qmp *over)
{
	return over->balloon_path[0];
}

static json_t *arg_period(const struct over_qmp *over)
{
	return json_pack("{s:s, s:s}", "path", over->balloon_path, "property",
			 "guest-stats-polling-interval");
}

static void take_period(struct vmadj_balloon *balloon, const json_t *answer)
{
	struct over_qmp *over = balloon->priv;

	over->period_known = number(answer) <= UINT_MAX;
	balloon->state.period_s = over->period_known ? (unsigned int)number(answer) : 0;
}

static bool is_period_known(const struct over_qmp *over)
{
	return over->period_known;
}

static void take_status(struct vmadj_balloon *balloon, const json_t *answer)
{
	balloon->state.running = json_is_true(json_object_get(answer, "running"));
}

static void take_max(struct vmadj_balloon *balloon, const json_t *answer)
{
	uint64_t base = number_of(answer, "base-memory");
	uint64_t plugged = number_of(answer, "plugged-memory");

	/* Both are below 2^63. */
	if (base != VMADJ_BALLOON_UNSET)
		balloon->state.max_bytes = base + (plugged == VMADJ_BALLOON_UNSET ? 0 : plugged);
}

static void take_migration(struct vmadj_balloon *balloon, const json_t *answer)
{
	static const char *const over[] = { "none", "completed", "failed", "cancelled" };
	const char *status = json_string_value(json_object_get(answer, "status"));
	bool active = status;

	for (size_t i = 0; status && i < sizeof(over) / sizeof(over[0]); i++)
		active = active && strcmp(status, over[i]) != 0;
	balloon->state.job_active |= active;
}

/* Snapshots, backups, mirrors: jobs of disks are among them. */
static void take_jobs(struct vmadj_balloon *balloon, const json_t *answer)
{
	static const char *const over[] = { "concluded", "null" };

	for (size_t i = 0; i < json_array_size(answer); i++) {
		const json_t *job = json_array_get(answer, i);
		const char *status = json_string_value(json_object_get(job, "status"));

		balloon->state.job_active |=
			!status || (strcmp(status, over[0]) != 0 && strcmp(status, over[1]) != 0);
	}
}

static void take_actual(struct vmadj_balloon *balloon, const json_t *answer)
{
	balloon->state.stats.actual_bytes = number_of(answer, "actual");
}

static json_t *arg_stats(const struct over_qmp *over)
{
	return json_pack("{s:s, s:s}", "path", over->balloon_path, "property", "guest-stats");
}

static void take_stats(struct vmadj_balloon *balloon, const json_t *answer)
{
	struct vmadj_balloon_stats *to = &balloon->state.stats;
	const json_t *stats = json_object_get(answer, "stats");
	uint64_t updated = number_of(answer, "last-update");

	/* Of a paused guest they stand still. */
	if (!balloon->state.running)
		return;
	to->last_update_s = updated == VMADJ_BALLOON_UNSET ? 0 : updated;
	to->total_bytes = number_of(stats, "stat-total-memory");
	to->free_bytes = number_of(stats, "stat-free-memory");
	to->available_bytes = number_of(stats, "stat-available-memory");
	to->cached_bytes = number_of(stats, "stat-disk-caches");
	to->swap_in_bytes = number_of(stats, "stat-swap-in");
	to->swap_out_bytes = number_of(stats, "stat-swap-out");
	to->major_faults = number_of(stats, "stat-major-faults");
	to->minor_faults = number_of(stats, "stat-minor-faults");
	to->oom_kills = number_of(stats, "stat-oom-kills");
	to->alloc_stalls = number_of(stats, "stat-alloc-stalls");
}

static json_t *arg_set(const struct over_qmp *over)
{
	return json_pack("{s:I}", "value", (json_int_t)over->value);
}

static json_t *arg_set_period(const struct over_qmp *over)
{
	json_t *arguments = arg_period(over);

	(void)json_object_set_new(arguments, "value", json_integer((json_int_t)over->value));
	return arguments;
}

static void take_set_period(struct vmadj_balloon *balloon, const json_t *answer)
{
	struct over_qmp *over = balloon->priv;

	(void)answer;
	balloon->state.period_s = (unsigned int)over->value;
	over->period_known = true;
}

/* clang-format off */
#define FIND                                                                                       \
	{ .command = "qom-list", .arguments = arg_peripheral, .take = take_peripheral,             \
	  .skip = is_found },                                                                      \
	{ .command = "qom-list", .arguments = arg_anonymous, .take = take_anonymous,               \
	  .skip = is_found }

static const struct step look_steps[] = {
	FIND,
	{ .command = "qom-get", .arguments = arg_period, .take = take_period,
	  .skip = is_period_known },
	{ .command = "query-status", .take = take_status },
	{ .command = "query-memory-size-summary", .take = take_max },
	{ .command = "query-migrate", .take = take_migration },
	{ .command = "query-jobs", .take = take_jobs, .optional = true }, /* since 3.0 */
	{ .command = "query-balloon", .take = take_actual },
	{ .command = "qom-get", .arguments = arg_stats, .take = take_stats },
	{ .command = NULL },
};

static const struct step set_steps[] = {
	{ .command = "balloon", .arguments = arg_set },
	{ .command = NULL },
};

static const struct step period_steps[] = {
	FIND,
	{ .command = "qom-set", .arguments = arg_set_period, .take = take_set_period },
	{ .command = NULL },
};
/* clang-format on */

static void end(struct vmadj_balloon *balloon, int err)
{
	struct over_qmp *over = balloon->priv;

	if (err) {
		vmadj_balloon_set_why(balloon, vmadj_qmp_why(over->qmp));
		/* The device may be another one by now. */
		over->balloon_path[0] = '\0';
	}
	vmadj_qmp_close(over->qmp);
	over->qmp = NULL;
	vmadj_balloon_finish(balloon, err);
}

static void on_answer(void *userdata, int err, const json_t *answer);

static void ask_step(struct vmadj_balloon *balloon)
{
	struct over_qmp *over = balloon->priv;
	const struct step *step;
	int err;

	while (over->step->skip && over->step->skip(over))
		over->step++;
	step = over->step;
	if (!step->command) {
		end(balloon, 0);
		return;
	}
	/* Past those that look for the balloon. */
	if ((step->arguments == arg_period || step->arguments == arg_set_period) &&
	    !is_found(over)) {
		end(balloon, -EOPNOTSUPP);
		return;
	}
	err = vmadj_qmp_ask(over->qmp, step->command,
			    step->arguments ? step->arguments(over) : NULL, on_answer, balloon);
	if (err)
		end(balloon, err);
}

static void on_answer(void *userdata, int err, const json_t *answer)
{
	struct vmadj_balloon *balloon = userdata;
	struct over_qmp *over = balloon->priv;

	if (err && !(over->step->optional && err == -EOPNOTSUPP)) {
		end(balloon, err);
		return;
	}
	if (!err && over->step->take)
		over->step->take(balloon, answer);
	over->step++;
	ask_step(balloon);
}

/* The path may be another QEMU's by now, or another one's in this program's file systems. */
static bool is_the_same(const struct over_qmp *over)
{
	pid_t peer = vmadj_qmp_peer(over->qmp);
	uint64_t start_ticks;

	return !vmadj_process_start(over->pid, &start_ticks) && start_ticks == over->start_ticks &&
	       (!peer || peer == over->pid);
}

static void on_open(void *userdata, int err, const json_t *answer)
{
	struct vmadj_balloon *balloon = userdata;

	(void)answer;
	if (!err && !is_the_same(balloon->priv))
		err = -ENOENT;
	if (err) {
		end(balloon, err);
	} else {
		ask_step(balloon);
	}
}

static int begin(struct vmadj_balloon *balloon, const struct step *steps)
{
	struct over_qmp *over = balloon->priv;

	over->step = steps;
	return vmadj_qmp_open(balloon->event, over->socket, on_open, balloon, &over->qmp);
}

static int qmp_look(struct vmadj_balloon *balloon)
{
	return begin(balloon, look_steps);
}

static int qmp_set(struct vmadj_balloon *balloon, uint64_t bytes)
{
	struct over_qmp *over = balloon->priv;

	over->value = bytes;
	return begin(balloon, set_steps);
}

static int qmp_set_period(struct vmadj_balloon *balloon, unsigned int seconds)
{
	struct over_qmp *over = balloon->priv;

	over->value = seconds;
	return begin(balloon, period_steps);
}

static void qmp_close(struct vmadj_balloon *balloon)
{
	struct over_qmp *over = balloon->priv;

	vmadj_qmp_close(over->qmp);
	free(over);
}

static const struct vmadj_balloon_ops qmp_ops = {
	.kind = "qmp",
	.look = qmp_look,
	.set = qmp_set,
	.set_period = qmp_set_period,
	.close = qmp_close,
};

int vmadj_balloon_use_qmp(struct vmadj_balloon *balloon, const char *path,
			  const struct vmadj_target *target)
{
	struct over_qmp *over = calloc(1, sizeof(*over));

	if (!over)
		return -ENOMEM;
	(void)snprintf(over->socket, sizeof(over->socket), "%s", path);
	over->pid = target->pid;
	over->start_ticks = target->start_ticks;
	balloon->ops = &qmp_ops;
	balloon->priv = over;
	return 0;
}
