/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * daemon_client.h - ask the daemon that runs on this host
 *
 * Errors:    0 or a negative errno; vmadj_daemon_ask() says what went wrong.
 * Ownership: a connection is a descriptor, which the caller closes.
 */
#pragma once

#include <jansson.h>

#define VMADJ_CONTROL_PATH "/run/vmadjust-bpf/control.sock"

/**
 * vmadj_daemon_connect() - @path: NULL: VMADJ_CONTROL_PATH
 *
 * Return: a descriptor; -ENOENT, -ECONNREFUSED: no daemon runs; -EACCES: not for this user; -errno.
 */
int vmadj_daemon_connect(const char *path);

/**
 * vmadj_daemon_request() - send @request (not taken over) and wait for its answer
 *
 * Return: 0 and the answer, whatever it says; -ETIMEDOUT; -ECONNRESET; -EPROTO; -errno.
 */
int vmadj_daemon_request(int fd, const json_t *request, json_t **ret_answer);

/**
 * vmadj_daemon_ask() - connect, request, hang up; all that goes wrong, a refusal included, is
 * logged
 *
 * Return: 0; -errno.
 */
int vmadj_daemon_ask(const char *path, const json_t *request, json_t **ret_answer);
