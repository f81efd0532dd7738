/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * guest_port.h - the host's end of a guest's ports: the agent's, and that of filework.c
 *
 * Errors:    what does not come in time fails the test; times are generous, for an emulated
 *            guest on a busy machine is slow.
 * Ownership: vmadj_guest_port_close() takes NULL; texts and reports are the port's, until the next
 *            one is read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vmadj_guest_port;

struct vmadj_guest_port *vmadj_guest_port_open(const char *socket_path);
void vmadj_guest_port_close(struct vmadj_guest_port *port);

/* The next line, without its end. */
const char *vmadj_guest_port_read(struct vmadj_guest_port *port);
void vmadj_guest_port_write(struct vmadj_guest_port *port, const char *text);

/* One line to filework.c, without its end; Return: its answer. */
const char *vmadj_guest_port_ask(struct vmadj_guest_port *port, const char *line);

/* Bytes that have come and are not read, waiting up to @ms for the first; 0: none came. */
size_t vmadj_guest_port_pending(struct vmadj_guest_port *port, int ms);

/* What an agent's line says; counts that it does not tell are UINT64_MAX. */
struct vmadj_said {
	char agent[32], mode[16], why[128];
	uint64_t seq, interval_ms;
	uint64_t total_bytes, available_bytes, cached_bytes, alloc_stalls, disk_read_bytes;
	uint64_t accessed_pages, hit_pages, miss_pages;
};

/* The agent's next report; fails the test if the line is none. */
struct vmadj_said vmadj_guest_port_report(struct vmadj_guest_port *port);

/* A report that was made after this call. */
struct vmadj_said vmadj_guest_port_report_now(struct vmadj_guest_port *port);
