// SPDX-License-Identifier: GPL-2.0-only
/*
 * inside_sample.c - the figures of all VMs brought to user space, by ours and by the module
 *
 * Ours: what dump does each second, up to the snapshot. The module's: its file is read and parsed
 * into the same kind of table.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tools/bench/overhead/inside.h"
#include "tools/bench/watch.h"
#include "user/util/cleanup.h"
#include "user/vm/inventory.h"

#define SERVE_MS  100
#define FILE_MAX  (4U << 20)
#define VCPUS_MAX 8192
#define KEYS_MAX  16

/* --- ours ------------------------------------------------------------------- */

static int take(struct vmadj_bench_watch *watch, struct vmadj_inside_sample *ret_sample)
{
	struct vmadj_inside_sample sample = { 0 };
	uint64_t start = vmadj_inside_now();
	int err = vmadj_inventory_dispatch(watch->inventory);

	if (!err)
		err = vmadj_inventory_tick(watch->inventory);
	if (!err)
		err = vmadj_snapshot_build(watch->builder, &watch->snapshot);
	if (err)
		return err;
	sample.cost = vmadj_inside_now() - start;
	for (size_t i = 0; i < watch->snapshot->n_vms; i++) {
		const struct vmadj_snap_vm *vm = &watch->snapshot->vms[i];

		sample.vms += !vm->ended;
		sample.switches += vm->cpu.switches;
		sample.accessed_pages += vm->host_cache.accessed_pages;
	}
	*ret_sample = sample;
	return 0;
}

static int serve(struct vmadj_bench_watch *watch)
{
	struct vmadj_inside_sample sample;
	char question;
	ssize_t n;
	int err;

	for (;;) {
		err = vmadj_bench_watch_serve(watch, SERVE_MS);
		if (err)
			return err;
		n = read(STDIN_FILENO, &question, 1);
		if (!n)
			return 0;
		if (n < 0)
			continue;
		err = take(watch, &sample);
		if (err)
			return err;
		if (write(STDIN_FILENO, &sample, sizeof(sample)) != sizeof(sample))
			return -EPIPE;
	}
}

int vmadj_inside_ours_main(enum vmadj_mode mode)
{
	struct vmadj_bench_watch watch;
	int err = vmadj_bench_watch_open_mode(mode, &watch);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (err) {
		(void)fprintf(stderr, "ours: %s\n", strerror(-err));
		return 1;
	}
	(void)fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	if (write(STDIN_FILENO, "ready", 5) == 5)
		err = serve(&watch);
	vmadj_bench_watch_close(&watch);
	return err ? 1 : 0;
}

int vmadj_inside_ours_sample(const struct vmadj_inside_running *running,
			     struct vmadj_inside_sample *ret_sample)
{
	struct vmadj_inside_sample sample;

	if (write(running->talk, "s", 1) != 1 ||
	    read(running->talk, &sample, sizeof(sample)) != sizeof(sample))
		return -EPIPE;
	*ret_sample = sample;
	return 0;
}

/* --- the module --------------------------------------------------------------- */

struct line {
	uint64_t value[KEYS_MAX]; /* in the order of the file */
};

struct table {
	size_t n_vms, n_vcpus;
	struct line vms[VCPUS_MAX], vcpus[VCPUS_MAX];
};

/* The rest of a line: pairs of a key and a value; a name is no number, and is skipped. */
static const char *parse_line(const char *at, struct line *line)
{
	char *end;

	for (size_t i = 0; *at && *at != '\n'; i++) {
		while (*at == ' ')
			at++;
		if (i) {
			at += strcspn(at, " \n");
			at += *at == ' ';
		}
		if (i < KEYS_MAX)
			line->value[i] = strtoull(at, &end, 10);
		at += strcspn(at, " \n");
	}
	return at;
}

static void parse(const char *at, struct table *table)
{
	while (*at) {
		if (!strncmp(at, "vm ", 3) && table->n_vms < VCPUS_MAX)
			at = parse_line(at + 3, &table->vms[table->n_vms++]);
		else if (!strncmp(at, "vcpu ", 5) && table->n_vcpus < VCPUS_MAX)
			at = parse_line(at + 5, &table->vcpus[table->n_vcpus++]);
		else
			at += strcspn(at, "\n");
		at += *at == '\n';
	}
}

static int read_file(char *text)
{
	_cleanup_close_ int fd = open("/proc/vmadj_kmod", O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, text + len, FILE_MAX - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	return n < 0 ? -errno : 0;
}

/* "vcpu SERIAL id ID tid TID run_ns ... wait_ns ... switches ..." */
enum { SWITCHES = 5 };

int vmadj_inside_module_sample(struct vmadj_inside_sample *ret_sample)
{
	static char text[FILE_MAX];
	static struct table table;
	struct vmadj_inside_sample sample = { 0 };
	uint64_t start = vmadj_inside_now();
	int err;

	table.n_vms = 0;
	table.n_vcpus = 0;
	err = read_file(text);
	if (err)
		return err;
	parse(text, &table);
	sample.cost = vmadj_inside_now() - start;
	sample.vms = table.n_vms;
	for (size_t i = 0; i < table.n_vcpus; i++)
		sample.switches += table.vcpus[i].value[SWITCHES];
	*ret_sample = sample;
	return 0;
}
