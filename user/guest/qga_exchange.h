/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * qga_exchange.h - some commands to a qemu-ga and its answers: what is sent and taken, without I/O
 *
 * A byte 0xFF ends whatever the agent had half heard; its answer to guest-sync-delimited begins
 * with one, and all that came before that is an answer to somebody else's question, or to one of
 * ours that was given up. So is one that names another id. After that one command is open at
 * a time, and nothing comes unasked.
 *
 * Bounds: VMADJ_QGA_ANSWERS_MAX bytes of answers, 1 MiB of what is skipped before them.
 * Errors: -EPROTO: what came is no such conversation; -EMSGSIZE: too much came.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VMADJ_QGA_ANSWERS_MAX  65536
#define VMADJ_QGA_COMMANDS_MAX 1024 /* with its NUL */

struct vmadj_qga_exchange {
	const char *commands; /* those that are not asked yet, each ended by "\n" */
	uint64_t id;	      /* of the synchronisation */
	char sync[128];
	bool sync_sent, synced, marked; /* marked: the sentinel came */
	size_t n_skipped, len;
	char answers[VMADJ_QGA_ANSWERS_MAX + 1];
};

/* @commands must outlive it. @id: one that nobody else would choose, below 2^53. */
void vmadj_qga_exchange_begin(struct vmadj_qga_exchange *exchange, const char *commands,
			      uint64_t id);

/**
 * vmadj_qga_exchange_next() - what is to be sent now
 *
 * Return: its length; 0: all is asked and answered, and answers[] has a line for each command.
 */
size_t vmadj_qga_exchange_next(struct vmadj_qga_exchange *exchange, const char **ret_text);

/**
 * vmadj_qga_exchange_take() - @n bytes came
 *
 * Return: 1: that was the answer; 0: it is not complete yet; -EPROTO; -EMSGSIZE.
 */
int vmadj_qga_exchange_take(struct vmadj_qga_exchange *exchange, const char *bytes, size_t n);
