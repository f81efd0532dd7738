/* SPDX-License-Identifier: GPL-2.0-only */
/* dump.c - `vmadjust-bpf dump`: a sample of all VMs, once an interval */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <systemd/sd-event.h>

#include "user/cmd/cmd.h"
#include "user/cmd/exitcode.h"
#include "user/cmd/observe.h"
#include "user/cmd/options.h"
#include "user/cmd/output.h"
#include "user/cmd/screen.h"
#include "user/cmd/signals.h"
#include "user/cmd/stream.h"
#include "user/cmd/table.h"
#include "user/cmd/view.h"
#include "user/observe/observer.h"
#include "user/snapshot/parse.h"
#include "user/util/log.h"
#include "user/util/ticker.h"
#include "user/vm/inventory.h"

#define FDS_MAX		   16
#define TICK_US		   1000000
#define ACCURACY_US	   1000
#define DEFAULT_INTERVAL_S 1

struct dump {
	const struct vmadj_options *options;
	struct vmadj_stream *stream; /* of the daemon; NULL: this process observes itself */
	double interval_s;
	struct vmadj_observer *observer;
	struct vmadj_inventory *inventory;
	struct vmadj_snapshot_builder *builder;
	struct vmadj_view *view;
	sd_event *event;
	uint64_t next_us; /* when the next sample is due, CLOCK_MONOTONIC */
	uint64_t printed;
	bool on_screen;
};

/* --- one sample --------------------------------------------------------- */

static int print_json_document(const struct vmadj_snapshot *snapshot)
{
	char *text;
	size_t len;
	int err, status;

	err = vmadj_snapshot_to_json(snapshot, &text, &len);
	if (err) {
		log_err("cannot write a sample as JSON: %s", strerror(-err));
		return VMADJ_EXIT_FAILED;
	}
	text[len] = '\n'; /* instead of the NUL: the line goes out in one piece */
	status = vmadj_output_print(text, len + 1);
	free(text);
	return status;
}

/* JSON of the VMs that were chosen, in the order that was chosen. */
static int print_json_view(const struct vmadj_snapshot *snapshot, const struct vmadj_row *rows,
			   size_t n_rows)
{
	struct vmadj_snapshot chosen = *snapshot;
	int status;

	chosen.vms = calloc(n_rows + 1, sizeof(*chosen.vms));
	if (!chosen.vms) {
		log_err("out of memory");
		return VMADJ_EXIT_FAILED;
	}
	for (size_t i = 0; i < n_rows; i++)
		chosen.vms[i] = *rows[i].vm;
	chosen.n_vms = n_rows;
	status = print_json_document(&chosen);
	free(chosen.vms);
	return status;
}

static int print_table(const struct dump *dump, const struct vmadj_table *table)
{
	struct vmadj_table_style style;
	char *text;
	size_t len;
	int err, status;

	vmadj_screen_style(dump->options->no_color, &style);
	if (!style.screen && dump->printed > 0) {
		status = vmadj_output_print("\n", 1);
		if (status)
			return status;
	}
	err = vmadj_table_render(table, &style, &text, &len);
	if (err) {
		log_err("cannot draw the table: %s", strerror(-err));
		return VMADJ_EXIT_FAILED;
	}
	status = vmadj_output_print(text, len);
	free(text);
	return status;
}

static int print_sample(struct dump *dump, const struct vmadj_snapshot *snapshot)
{
	const struct vmadj_options *options = dump->options;
	struct vmadj_table table = { .snapshot = snapshot, .filtered = options->n_vm > 0 };
	int err;

	if (options->json && !options->n_vm && options->sort == VMADJ_SORT_DEFAULT)
		return print_json_document(snapshot);
	err = vmadj_view_update(dump->view, snapshot, &table.rows, &table.n_rows);
	if (err) {
		log_err("cannot sort the VMs: %s", strerror(-err));
		return VMADJ_EXIT_FAILED;
	}
	if (options->json)
		return print_json_view(snapshot, table.rows, table.n_rows);
	return print_table(dump, &table);
}

/* Return: whether it was the last one, with @status as the exit status. */
static bool show(struct dump *dump, const struct vmadj_snapshot *snapshot, int *ret_status)
{
	*ret_status = print_sample(dump, snapshot);
	dump->printed++;
	return *ret_status || (dump->options->count && dump->printed >= dump->options->count);
}

static int sample(struct dump *dump, bool *ret_last)
{
	const struct vmadj_snapshot *snapshot;
	int err, status = VMADJ_EXIT_FAILED;

	err = vmadj_inventory_dispatch(dump->inventory);
	if (!err)
		err = vmadj_snapshot_build(dump->builder, &snapshot);
	if (err) {
		log_err("cannot take a sample: %s", strerror(-err));
		*ret_last = true;
		return status;
	}
	*ret_last = show(dump, snapshot, &status);
	return status;
}

/* --- events ------------------------------------------------------------- */

static uint64_t interval_us(const struct dump *dump)
{
	return (uint64_t)(dump->interval_s * 1e6);
}

static int on_sample_due(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct dump *dump = userdata;
	bool last;
	int status = sample(dump, &last);

	(void)usec;
	if (last)
		return sd_event_exit(dump->event, status);
	return vmadj_ticker_next(source, interval_us(dump), &dump->next_us);
}

static int end_with_failure(struct dump *dump, int err)
{
	log_err("cannot follow the VMs of this host: %s", strerror(-err));
	return sd_event_exit(dump->event, VMADJ_EXIT_FAILED);
}

static int on_tick(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct dump *dump = userdata;
	int err = vmadj_inventory_tick(dump->inventory);

	if (err)
		return end_with_failure(dump, err);
	err = sd_event_source_set_time(source, usec + TICK_US);
	return err < 0 ? err : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct dump *dump = userdata;
	int err = vmadj_inventory_dispatch(dump->inventory);

	(void)source;
	(void)fd;
	(void)revents;
	return err ? end_with_failure(dump, err) : 0;
}

static int on_stream(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct dump *dump = userdata;
	struct vmadj_snapshot *snapshot = NULL;
	int err, status = VMADJ_EXIT_FAILED;
	bool last;

	(void)source;
	(void)fd;
	(void)revents;
	for (;;) {
		err = vmadj_stream_read(dump->stream, &snapshot);
		if (err == -EAGAIN)
			return 0;
		if (err) {
			log_err("the daemon tells nothing any more: %s",
				err == -ECONNRESET ? "it has ended" : strerror(-err));
			return sd_event_exit(dump->event, VMADJ_EXIT_FAILED);
		}
		last = show(dump, snapshot, &status);
		vmadj_snapshot_free(snapshot);
		if (last)
			return sd_event_exit(dump->event, status);
	}
}

static int on_end_signal(sd_event_source *source, const struct signalfd_siginfo *info,
			 void *userdata)
{
	struct dump *dump = userdata;

	(void)source;
	(void)info;
	return sd_event_exit(dump->event, VMADJ_EXIT_DONE);
}

static int watch_signals(struct dump *dump)
{
	int signals[VMADJ_END_SIGNALS_MAX];
	size_t n = vmadj_signals_list(signals);

	for (size_t i = 0; i < n; i++) {
		int err = sd_event_add_signal(dump->event, NULL, signals[i], on_end_signal, dump);

		if (err < 0)
			return err;
	}
	return 0;
}

static int watch_stream(struct dump *dump)
{
	int err = sd_event_add_io(dump->event, NULL, vmadj_stream_fd(dump->stream), EPOLLIN,
				  on_stream, dump);

	return err < 0 ? err : 0;
}

static int watch_kernel(struct dump *dump)
{
	int fds[FDS_MAX];
	uint64_t now_us;
	int err, n_fds;

	n_fds = vmadj_inventory_fds(dump->inventory, fds, FDS_MAX);
	for (int i = 0; i < n_fds; i++) {
		err = sd_event_add_io(dump->event, NULL, fds[i], EPOLLIN, on_readable, dump);
		if (err < 0)
			return err;
	}
	err = sd_event_now(dump->event, CLOCK_MONOTONIC, &now_us);
	if (err < 0)
		return err;
	dump->next_us = now_us + interval_us(dump);
	err = sd_event_add_time(dump->event, NULL, CLOCK_MONOTONIC, now_us + TICK_US, TICK_US / 4,
				on_tick, dump);
	if (err < 0)
		return err;
	return sd_event_add_time(dump->event, NULL, CLOCK_MONOTONIC, dump->next_us, ACCURACY_US,
				 on_sample_due, dump);
}

/* --- from start to end -------------------------------------------------- */

/*
 * Where the daemon runs, its samples are shown, with the knobs, and nothing is attached twice;
 * but not when another interval or a folder for pins was asked for.
 */
static bool ask_daemon(struct dump *dump)
{
	const struct vmadj_options *options = dump->options;
	double interval_s = 0;
	int err;

	dump->interval_s = options->interval_s > 0 ? options->interval_s : DEFAULT_INTERVAL_S;
	if (options->pin_dir && !options->socket)
		return false;
	err = vmadj_stream_open(options->socket, &interval_s, &dump->stream);
	if (err) {
		if (options->socket || (err != -ENOENT && err != -ECONNREFUSED))
			log_info("the daemon is not asked: %s", strerror(-err));
		return false;
	}
	if (options->interval_s > 0 && fabs(options->interval_s - interval_s) > 1e-3) {
		log_info("the daemon samples every %g s, not every %g: observing beside it, "
			 "without knobs",
			 interval_s, options->interval_s);
		vmadj_stream_close(dump->stream);
		dump->stream = NULL;
		return false;
	}
	dump->interval_s = interval_s;
	if (options->mode)
		log_notice("the daemon's samples are shown, in its own mode: --mode is not used");
	return true;
}

static int open_kernel(struct dump *dump)
{
	/* A choice that was made is one more than its place. */
	int mode = dump->options->mode ? dump->options->mode - 1 : VMADJ_MODE_AUTO;
	int err, status = vmadj_observe(dump->options, (enum vmadj_mode)mode, &dump->observer);

	if (status)
		return status;
	err = vmadj_inventory_new(dump->observer, &dump->inventory);
	if (!err)
		err = vmadj_snapshot_builder_new(dump->inventory, &dump->builder);
	if (!err)
		return VMADJ_EXIT_DONE;
	log_err("cannot look for the VMs of this host: %s", strerror(-err));
	return VMADJ_EXIT_FAILED;
}

static int prepare(struct dump *dump)
{
	int err, status = ask_daemon(dump) ? VMADJ_EXIT_DONE : open_kernel(dump);

	if (status)
		return status;
	err = vmadj_view_new(dump->options, &dump->view);
	if (!err)
		err = sd_event_new(&dump->event);
	if (err >= 0)
		err = watch_signals(dump);
	if (!err)
		err = dump->stream ? watch_stream(dump) : watch_kernel(dump);
	if (err >= 0)
		return VMADJ_EXIT_DONE;
	log_err("cannot set up the event loop: %s", strerror(-err));
	return VMADJ_EXIT_FAILED;
}

static int loop(struct dump *dump)
{
	struct vmadj_table_style style;
	int status;

	vmadj_screen_style(dump->options->no_color, &style);
	dump->on_screen = style.screen && !dump->options->json;
	if (dump->on_screen) {
		status = vmadj_screen_enter(dump->interval_s);
		if (status)
			return status;
	}
	status = sd_event_loop(dump->event);
	if (status < 0) {
		log_err("the event loop failed: %s", strerror(-status));
		return VMADJ_EXIT_FAILED;
	}
	return status;
}

int vmadj_cmd_dump(const struct vmadj_options *options)
{
	struct dump dump = { .options = options };
	int status;

	status = prepare(&dump);
	if (!status)
		status = loop(&dump);
	if (dump.on_screen)
		vmadj_screen_leave();
	(void)sd_event_unref(dump.event);
	vmadj_snapshot_builder_free(dump.builder);
	vmadj_inventory_free(dump.inventory);
	vmadj_view_free(dump.view);
	vmadj_observer_close(dump.observer);
	vmadj_stream_close(dump.stream);
	return status;
}
