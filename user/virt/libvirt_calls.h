/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libvirt_calls.h - the helper's part that knows libvirt
 *
 * libvirt is loaded when it is first needed, and in the helper only: the program itself stays small
 * and runs where there is no libvirt.
 *
 * Threads: any number, each with a connection of its own.
 */
#pragma once

#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdbool.h>

#include "user/virt/libvirt_wire.h"

#define VMADJ_LIBVIRT_FUNCTIONS(X)              \
	X(virInitialize)                        \
	X(virSetErrorFunc)                      \
	X(virGetLastError)                      \
	X(virConnectOpen)                       \
	X(virConnectClose)                      \
	X(virConnectIsAlive)                    \
	X(virDomainLookupByUUIDString)          \
	X(virDomainFree)                        \
	X(virDomainGetState)                    \
	X(virDomainGetControlInfo)              \
	X(virDomainGetMaxMemory)                \
	X(virDomainGetJobInfo)                  \
	X(virDomainGetXMLDesc)                  \
	X(virDomainMemoryStats)                 \
	X(virDomainSetMemoryFlags)              \
	X(virDomainSetMemoryStatsPeriod)        \
	X(virDomainGetSchedulerParametersFlags) \
	X(virDomainSetSchedulerParametersFlags) \
	X(virTypedParamsGetULLong)              \
	X(virTypedParamsClear)

struct vmadj_libvirt_api {
#define VMADJ_MEMBER(function) __typeof__(function) *(function);
	VMADJ_LIBVIRT_FUNCTIONS(VMADJ_MEMBER)
	VMADJ_MEMBER(virDomainQemuAgentCommand) /* of a library of its own; NULL: not there */
#undef VMADJ_MEMBER
};

/* Return: NULL; or why libvirt cannot be had, a text of the loader's. */
const char *vmadj_libvirt_load(struct vmadj_libvirt_api *api);

/* What libvirt said of the calling thread's last failure. */
const char *vmadj_libvirt_words(const struct vmadj_libvirt_api *api);

/**
 * vmadj_libvirt_call() - ask @request of @conn; may never return
 *
 * Return: whether @reply is filled in (but its id); false: the connection is gone, and nothing was
 * asked or done yet.
 */
bool vmadj_libvirt_call(const struct vmadj_libvirt_api *api, virConnectPtr conn,
			const struct vmadj_libvirt_request *request,
			struct vmadj_libvirt_reply *reply);
