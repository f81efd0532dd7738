/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agent.h - the agent: looks four times a second, reports when it is time or urgent
 *
 * Errors:    0 or a negative errno.
 * Ownership: vmadj_agent_free() takes NULL.
 */
#pragma once

#include <stddef.h>

struct vmadj_agent;

/**
 * vmadj_agent_new() - draw an id, and count where the kernel lets us
 *
 * Gives up all capabilities once it counts. @port: NULL: it is found by its name.
 * Return: 0; -ENOMEM; -EIO: there is no id to be had.
 */
int vmadj_agent_new(const char *port, unsigned int interval_ms, struct vmadj_agent **ret_agent);
void vmadj_agent_free(struct vmadj_agent *agent);

/** vmadj_agent_once() - a report, which the caller frees; Return: 0; -ENOMEM. */
int vmadj_agent_once(struct vmadj_agent *agent, char **ret_line, size_t *ret_len);

/**
 * vmadj_agent_run() - until SIGINT, SIGTERM or SIGHUP
 *
 * Return: 0: one of them came; -ENOMEM; what signalfd(2) gives.
 */
int vmadj_agent_run(struct vmadj_agent *agent);
