// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_qga.c - whatever a guest's qemu-ga answers, its figures are possible ones or unknown
 *
 *	make fuzz && build/fuzz/qga -max_len=8192 CORPUS tests/data/fuzz/qga
 *
 * The first byte: 'x': a conversation, taken line by line; 'w': one answer; 'p': texts of /proc,
 * 0xFF between them; its case says in how small pieces the conversation comes.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user/guest/qga_exchange.h"
#include "user/guest/qga_figures.h"
#include "user/guest/qga_words.h"
#include "user/util/cleanup.h"

#define ID	  7
#define MAX_BYTES (1ULL << 30)
#define N_TEXTS	  3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static bool fits(uint64_t bytes, uint64_t whole)
{
	return bytes == VMADJ_GUEST_UNKNOWN || bytes <= whole;
}

static void check_figures(const char *meminfo, const char *vmstat, const char *psi)
{
	struct vmadj_guest guest;

	if (!vmadj_guest_from_proc(meminfo, vmstat, psi, MAX_BYTES, &guest))
		return;
	must(guest.known && guest.mem_total_bytes && guest.mem_total_bytes <= MAX_BYTES);
	must(fits(guest.mem_free_bytes, guest.mem_total_bytes));
	must(fits(guest.mem_available_bytes, guest.mem_total_bytes));
	must(fits(guest.cached_bytes, guest.mem_total_bytes));
	must(fits(guest.active_file_bytes, guest.mem_total_bytes));
	must(!(guest.mem_psi_some_pct < 0) && !(guest.mem_psi_some_pct > 100));
}

static void check_answers(const char *answers)
{
	static char texts[N_TEXTS][VMADJ_QGA_FILE_MAX + 1];
	struct vmadj_qga_words words = { "" };

	for (size_t i = 0; i < N_TEXTS; i++) {
		for (int reads = 0; reads < 2; reads++) {
			size_t len = strcspn(answers, "\n");
			int err = reads ? vmadj_qga_take_file(answers, len, texts[i], &words)
					: vmadj_qga_take_seek(answers, len, &words);

			must(answers[len] == '\n' && strlen(words.text) < sizeof(words.text));
			if (err)
				return;
			answers += len + 1;
		}
		must(strlen(texts[i]) <= VMADJ_QGA_FILE_MAX);
	}
	check_figures(texts[0], texts[1], texts[2]);
}

static void converse(const char *data, size_t size, bool in_pieces)
{
	static struct vmadj_qga_exchange exchange;
	char commands[VMADJ_QGA_COMMANDS_MAX];
	const char *said, *end = data + size;
	size_t used = 0;

	for (int64_t i = 0; i < N_TEXTS; i++)
		used = vmadj_qga_say_read(commands, sizeof(commands), used, i);
	vmadj_qga_exchange_begin(&exchange, commands, ID);
	must(vmadj_qga_exchange_next(&exchange, &said));
	while (data < end) {
		const char *line = memchr(data, '\n', (size_t)(end - data));
		size_t n = (line ? (size_t)(line - data) + 1 : (size_t)(end - data));
		int took;

		if (in_pieces && n > 5)
			n = 5;
		took = vmadj_qga_exchange_take(&exchange, data, n);
		must(exchange.len <= VMADJ_QGA_ANSWERS_MAX && took <= 1);
		if (took < 0)
			return;
		data += n;
		if (took && !vmadj_qga_exchange_next(&exchange, &said)) {
			check_answers(exchange.answers);
			return;
		}
	}
}

static void check_line(const char *line, size_t len)
{
	static char text[VMADJ_QGA_FILE_MAX + 1];
	struct vmadj_qga_words words;
	int64_t handle = -1;

	(void)vmadj_qga_is_sync(line, len, ID);
	must(vmadj_qga_take_handle(line, len, &handle, &words) || handle >= 0);
	(void)vmadj_qga_take_seek(line, len, &words);
	(void)vmadj_qga_take_file(line, len, text, &words);
}

static void check_texts(char *text)
{
	char none[] = "", *texts[N_TEXTS] = { text, none, none };

	for (size_t i = 1; i < N_TEXTS; i++) {
		char *mark = strchr(texts[i - 1], '\xff');

		if (!mark)
			break;
		*mark = '\0';
		texts[i] = mark + 1;
	}
	check_figures(texts[0], texts[1], texts[2]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *copy = size ? malloc(size) : NULL;

	if (!copy)
		return 0;
	/* Exactly as large as it is, so that a byte too far is found; texts are ended. */
	memcpy(copy, data + 1, size - 1);
	copy[size - 1] = '\0';
	switch (tolower(data[0])) {
	case 'x':
		converse(copy, size - 1, isupper(data[0]));
		break;
	case 'w':
		check_line(copy, size - 1);
		break;
	case 'p':
		check_texts(copy);
		break;
	default:
		return -1;
	}
	return 0;
}
