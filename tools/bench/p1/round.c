// SPDX-License-Identifier: GPL-2.0-only
/* round.c - one round of a guest's work, as it says it on its console */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/bench/p1/p1.h"
#include "user/util/cleanup.h"

#define POLL_MS		 20
#define LIMIT_S		 120
#define TEST_NAME_MAX	 32
#define CONSOLE_LINE_MAX 256

const struct vmadj_p1_test vmadj_p1_tests[VMADJ_P1_TESTS] = {
	{ "dhrystone", "Dhrystone-like integers (P1 1.08)" },
	{ "whetstone", "Whetstone-like reals (P1 1.12)" },
	{ "execl", "execl (P1 1.05)" },
	{ "file-copy-256", "file copy, 256 bytes (P1 1.27..1.35)" },
	{ "file-copy-1024", "file copy, 1024 bytes (P1 1.27..1.35)" },
	{ "file-copy-4096", "file copy, 4096 bytes (P1 1.27..1.35)" },
	{ "pipe-throughput", "pipe throughput (P1 1.40)" },
	{ "pipe-context", "pipe context switching (P1 1.28)" },
	{ "process", "process creation (P1 1.04)" },
	{ "shell-1", "shell scripts, 1 (P1 1.14)" },
	{ "shell-8", "shell scripts, 8 at once (P1 0.96)" },
	{ "syscall", "system calls (P1 1.01)" },
};

struct reader {
	FILE *console;
	char line[CONSOLE_LINE_MAX];
	size_t len;
	bool begun; /* the kind that was under way has ended */
	size_t n;
	double begin_s;
	struct vmadj_p1_round round;
};

static double now_s(void)
{
	return (double)vmadj_bench_now_ns() / 1e9;
}

static void take_line(struct reader *reader)
{
	char name[TEST_NAME_MAX];
	const char *at = strstr(reader->line, "UNIXLIKE ");
	double rate, seconds;

	/* NOLINTNEXTLINE(cert-err34-c): the guest's program is ours, and prints what fits */
	if (!at || sscanf(at, "UNIXLIKE %31s %lf %lf", name, &rate, &seconds) != 3)
		return;
	if (!reader->begun) {
		reader->begun = true;
		reader->begin_s = now_s();
		return;
	}
	for (size_t i = 0; i < VMADJ_P1_TESTS; i++) {
		if (strcmp(vmadj_p1_tests[i].name, name) != 0 || reader->round.rate[i] > 0)
			continue;
		reader->round.rate[i] = rate;
		reader->round.guest_s += seconds;
		reader->n++;
	}
}

/* What the guest has written by now; a line that is not whole waits for its rest. */
static void take(struct reader *reader)
{
	int c;

	clearerr(reader->console);
	while (reader->n < VMADJ_P1_TESTS && (c = fgetc(reader->console)) != EOF) {
		if (c != '\n' && reader->len < sizeof(reader->line) - 1) {
			reader->line[reader->len++] = (char)c;
			continue;
		}
		reader->line[reader->len] = '\0';
		reader->len = 0;
		take_line(reader);
	}
}

int vmadj_p1_round(struct vmadj_bench *bench, const struct vmadj_lab_vm *vm,
		   struct vmadj_p1_round *ret_round)
{
	_cleanup_fclose_ FILE *console = fopen(vmadj_lab_vm_path(vm, VMADJ_LAB_CONSOLE), "re");
	struct reader reader = { .console = console };
	double end_s = now_s() + LIMIT_S;
	int err = 0;

	if (!console || fseek(console, 0, SEEK_END))
		return vmadj_bench_fail(bench, -EIO, "the guest's console cannot be read");
	while (reader.n < VMADJ_P1_TESTS && !err) {
		err = vmadj_bench_sleep_ms(POLL_MS);
		take(&reader);
		if (!err && now_s() > end_s)
			err = vmadj_bench_fail(bench, -ETIMEDOUT, "the guest's work does not end");
	}
	if (err)
		return err;
	reader.round.host_s = now_s() - reader.begin_s;
	*ret_round = reader.round;
	return 0;
}
