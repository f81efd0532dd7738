// SPDX-License-Identifier: GPL-2.0-only
/* libvirt_calls.c - what each question asks of libvirt */
#include "user/virt/libvirt_calls.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/virt/libvirt.h"

#define HUNG_MS	   1000 /* QEMU owes libvirt an answer for so long */
#define PARAMS_MAX 16	/* of a domain's scheduler; libvirt's protocol refuses to ask for more */
#define SHARES	   VIR_DOMAIN_SCHEDULER_CPU_SHARES

/* The domain that is asked, and what becomes of it. */
struct call {
	const struct vmadj_libvirt_api *api;
	virDomainPtr domain;
	uint64_t value;
	struct vmadj_libvirt_reply *reply;
};

static void keep_quiet(void *data, virErrorPtr error)
{
	(void)data;
	(void)error;
}

const char *vmadj_libvirt_load(struct vmadj_libvirt_api *api)
{
	static const struct {
		const char *name;
		size_t offset;
	} functions[] = {
#define VMADJ_ROW(function) { #function, offsetof(struct vmadj_libvirt_api, function) },
		VMADJ_LIBVIRT_FUNCTIONS(VMADJ_ROW)
#undef VMADJ_ROW
	};
	void *library = dlopen("libvirt.so.0", RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return dlerror();
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		void *function = dlsym(library, functions[i].name);

		if (!function)
			return dlerror();
		memcpy((char *)api + functions[i].offset, &function, sizeof(function));
	}
	api->virSetErrorFunc(NULL, keep_quiet);
	return api->virInitialize() ? "libvirt cannot be initialised" : NULL;
}

const char *vmadj_libvirt_words(const struct vmadj_libvirt_api *api)
{
	const virError *error = api->virGetLastError();

	return error && error->message ? error->message : "libvirt gives no reason";
}

static int error_of(const struct vmadj_libvirt_api *api)
{
	const virError *error = api->virGetLastError();

	switch (error ? error->code : VIR_ERR_OK) {
	case VIR_ERR_NO_DOMAIN:
		return -ENOENT;
	case VIR_ERR_OPERATION_TIMEOUT:
		return -ETIMEDOUT;
	case VIR_ERR_NO_SUPPORT:
	case VIR_ERR_ARGUMENT_UNSUPPORTED:
	case VIR_ERR_CONFIG_UNSUPPORTED:
	case VIR_ERR_OPERATION_UNSUPPORTED:
		return -EOPNOTSUPP;
	default:
		return -EIO;
	}
}

static int ask_state(const struct call *call)
{
	unsigned long max_kib;
	int state;

	if (call->api->virDomainGetState(call->domain, &state, NULL, 0))
		return -EIO;
	max_kib = call->api->virDomainGetMaxMemory(call->domain);
	if (!max_kib)
		return -EIO;
	call->reply->running = state == VIR_DOMAIN_RUNNING || state == VIR_DOMAIN_BLOCKED;
	call->reply->max_bytes = (uint64_t)max_kib << 10;
	return 0;
}

/*
 * Has somebody's question to QEMU been without an answer for a while? Then ours would only be one
 * more that holds a worker of libvirtd's.
 */
static int is_hung(const struct call *call, bool *ret_hung)
{
	virDomainControlInfo info;

	if (call->api->virDomainGetControlInfo(call->domain, &info, 0))
		return -EIO;
	*ret_hung = info.state == VIR_DOMAIN_CONTROL_ERROR ||
		    (info.state == VIR_DOMAIN_CONTROL_OCCUPIED && info.stateTime >= HUNG_MS);
	return 0;
}

static int ask_job(const struct call *call)
{
	const virError *error;
	virDomainJobInfo info;

	if (!call->api->virDomainGetJobInfo(call->domain, &info)) {
		call->reply->job_active = info.type != VIR_DOMAIN_JOB_NONE;
		return 0;
	}
	/* What migrates to here is a job that libvirt refuses to tell of. */
	error = call->api->virGetLastError();
	call->reply->job_active = error && error->code == VIR_ERR_OPERATION_INVALID;
	return call->reply->job_active ? 0 : -EIO;
}

static void take_stat(struct vmadj_balloon_stats *stats, const virDomainMemoryStatStruct *stat)
{
	uint64_t bytes = stat->val > UINT64_MAX >> 10 ? VMADJ_BALLOON_UNSET : stat->val << 10;

	switch (stat->tag) {
	case VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON:
		stats->actual_bytes = bytes;
		break;
	case VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE:
		stats->last_update_s = stat->val;
		break;
	case VIR_DOMAIN_MEMORY_STAT_AVAILABLE:
		stats->total_bytes = bytes;
		break;
	case VIR_DOMAIN_MEMORY_STAT_UNUSED:
		stats->free_bytes = bytes;
		break;
	case VIR_DOMAIN_MEMORY_STAT_USABLE:
		stats->available_bytes = bytes;
		break;
	case VIR_DOMAIN_MEMORY_STAT_DISK_CACHES:
		stats->cached_bytes = bytes;
		break;
	case VIR_DOMAIN_MEMORY_STAT_SWAP_IN:
		stats->swap_in_bytes = bytes;
		break;
	case VIR_DOMAIN_MEMORY_STAT_SWAP_OUT:
		stats->swap_out_bytes = bytes;
		break;
	case VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT:
		stats->major_faults = stat->val;
		break;
	case VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT:
		stats->minor_faults = stat->val;
		break;
	default:
		break;
	}
}

static int ask_balloon(const struct call *call)
{
	virDomainMemoryStatStruct stats[VIR_DOMAIN_MEMORY_STAT_NR];
	int err = ask_job(call), n;

	if (err)
		return err;
	n = call->api->virDomainMemoryStats(call->domain, stats, VIR_DOMAIN_MEMORY_STAT_NR, 0);
	if (n < 0)
		return -EIO;
	for (int i = 0; i < n; i++)
		take_stat(&call->reply->balloon, &stats[i]);
	/* A domain without a balloon still tells of its process. */
	return call->reply->balloon.actual_bytes == VMADJ_BALLOON_UNSET ? -EOPNOTSUPP : 0;
}

static int set_memory(const struct call *call)
{
	/* Rounded up: never less than what was asked for. */
	unsigned long kib = (unsigned long)(call->value >> 10) + !!(call->value & 1023);

	return call->api->virDomainSetMemoryFlags(call->domain, kib, VIR_DOMAIN_AFFECT_LIVE);
}

static int set_period(const struct call *call)
{
	return call->api->virDomainSetMemoryStatsPeriod(call->domain, (int)call->value,
							VIR_DOMAIN_AFFECT_LIVE);
}

/* libvirt tells it nowhere else; this does not ask QEMU. */
static int get_period(const struct call *call)
{
	char *xml = call->api->virDomainGetXMLDesc(call->domain, 0);
	const char *at = xml ? strstr(xml, "<memballoon ") : NULL;
	const char *end = at ? strstr(at, "</memballoon>") : NULL;

	if (!xml)
		return -EIO;
	at = end ? strstr(at, "<stats period='") : NULL;
	call->reply->period_s =
		at && at < end ? strtoul(at + strlen("<stats period='"), NULL, 10) : 0;
	free(xml);
	return 0;
}

static int get_shares(const struct call *call)
{
	virTypedParameter params[PARAMS_MAX];
	unsigned long long shares;
	int n = PARAMS_MAX, found;

	if (call->api->virDomainGetSchedulerParametersFlags(call->domain, params, &n,
							    VIR_DOMAIN_AFFECT_LIVE))
		return -EIO;
	found = call->api->virTypedParamsGetULLong(params, n, SHARES, &shares);
	call->api->virTypedParamsClear(params, n);
	if (found == 1)
		call->reply->shares = shares;
	return found == 1 ? 0 : -EOPNOTSUPP;
}

static int set_shares(const struct call *call)
{
	virTypedParameter param = { .field = SHARES,
				    .type = VIR_TYPED_PARAM_ULLONG,
				    .value.ul = call->value };

	return call->api->virDomainSetSchedulerParametersFlags(call->domain, &param, 1,
							       VIR_DOMAIN_AFFECT_LIVE);
}

/* Each returns 0, -EOPNOTSUPP, or whatever else when libvirt has the reason. */
static const struct {
	int (*ask)(const struct call *call);
	bool needs_qemu;
} questions[] = {
	[VMADJ_LIBVIRT_STATE] = { ask_state, false },
	[VMADJ_LIBVIRT_BALLOON] = { ask_balloon, true },
	[VMADJ_LIBVIRT_SET_MEMORY] = { set_memory, true },
	[VMADJ_LIBVIRT_SET_PERIOD] = { set_period, true },
	[VMADJ_LIBVIRT_GET_SHARES] = { get_shares, false },
	[VMADJ_LIBVIRT_SET_SHARES] = { set_shares, true },
	[VMADJ_LIBVIRT_GET_PERIOD] = { get_period, false },
};

static int ask(const struct call *call, uint32_t what)
{
	bool hung = false;
	int err = 0;

	if (questions[what].needs_qemu)
		err = is_hung(call, &hung);
	if (hung) {
		(void)snprintf(call->reply->error, sizeof(call->reply->error),
			       "QEMU does not answer libvirt");
		return -EAGAIN;
	}
	if (!err)
		err = questions[what].ask(call);
	if (err == -EOPNOTSUPP) {
		(void)snprintf(call->reply->error, sizeof(call->reply->error),
			       "this domain has no such thing");
	}
	return err == -EOPNOTSUPP || !err ? err : -EIO;
}

bool vmadj_libvirt_call(const struct vmadj_libvirt_api *api, virConnectPtr conn,
			const struct vmadj_libvirt_request *request,
			struct vmadj_libvirt_reply *reply)
{
	struct call call = { api, NULL, request->value, reply };

	memset(&reply->balloon, 0xff, sizeof(reply->balloon));
	reply->balloon.last_update_s = 0;
	call.domain = api->virDomainLookupByUUIDString(conn, request->uuid);
	reply->err = call.domain ? ask(&call, request->what) : -EIO;
	if (reply->err == -EIO) {
		(void)snprintf(reply->error, sizeof(reply->error), "%s", vmadj_libvirt_words(api));
		reply->err = error_of(api);
		/* This forgets the error. */
		if (api->virConnectIsAlive(conn) != 1)
			reply->err = -ENOTCONN;
	}
	if (!call.domain)
		return reply->err != -ENOTCONN;
	(void)api->virDomainFree(call.domain);
	return true;
}
