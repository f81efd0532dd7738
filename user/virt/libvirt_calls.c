// SPDX-License-Identifier: GPL-2.0-only
/* libvirt_calls.c - what each question asks of libvirt */
#include "user/virt/libvirt_calls.h"

#include <dlfcn.h>
#include <errno.h>
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/virt/libvirt.h"
#include "user/virt/libvirt_channel.h"

#define HUNG_MS	    1000 /* QEMU owes libvirt an answer for so long */
#define PARAMS_MAX  16	 /* of a domain's scheduler; libvirt's protocol refuses to ask for more */
#define SHARES	    VIR_DOMAIN_SCHEDULER_CPU_SHARES
#define AGENT_S	    2 /* for an answer; libvirt's own synchronisation before may take 5 s */
#define AGENT_ALL_S 5 /* after which no more is asked, so that a guest cannot hold a thread */

/* The domain that is asked, and what becomes of it. */
struct call {
	const struct vmadj_libvirt_api *api;
	virDomainPtr domain;
	uint64_t value;
	const char *text;
	struct vmadj_libvirt_reply *reply;
};

static time_t now_s(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void keep_quiet(void *data, virErrorPtr error)
{
	(void)data;
	(void)error;
}

static void load_agent(struct vmadj_libvirt_api *api)
{
	void *library = dlopen("libvirt-qemu.so.0", RTLD_NOW | RTLD_LOCAL);
	void *function = library ? dlsym(library, "virDomainQemuAgentCommand") : NULL;

	memcpy(&api->virDomainQemuAgentCommand, &function, sizeof(function));
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
	load_agent(api);
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

/* As little asks QEMU. */
static int ask_channel(const struct call *call)
{
	char *xml = call->api->virDomainGetXMLDesc(call->domain, 0);
	bool found = xml && vmadj_libvirt_channel(xml, VMADJ_LIBVIRT_PORT, call->reply->channel,
						  sizeof(call->reply->channel));

	if (!xml)
		return -EIO;
	free(xml);
	return found ? 0 : -EOPNOTSUPP;
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

/* What the agent calls an error is one of libvirt's like any other, but for these words. */
static char *error_as_answer(const struct call *call)
{
	const virError *error = call->api->virGetLastError();
	json_t *json;
	char *text;

	if (!error || error->code != VIR_ERR_INTERNAL_ERROR || !error->message ||
	    !strstr(error->message, "unable to execute QEMU agent command"))
		return NULL;
	json = json_pack("{s:{s:s}}", "error", "desc", error->message);
	text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	return text;
}

/* Adds the answer and a new line. Return: whether there is room. */
static bool add_answer(struct vmadj_libvirt_reply *reply, char *answer)
{
	size_t used = strlen(reply->text), len = strlen(answer);
	bool fits = len + 2 <= sizeof(reply->text) - used;

	/* A line of its own it must be, whatever is in it. */
	for (char *at = answer; fits && (at = strchr(at, '\n')); at++)
		*at = ' ';
	if (fits)
		(void)snprintf(reply->text + used, sizeof(reply->text) - used, "%s\n", answer);
	return fits;
}

static int refuse(const struct call *call, int err, const char *why)
{
	(void)snprintf(call->reply->error, sizeof(call->reply->error), "%s", why);
	return err;
}

static int ask_agent(const struct call *call)
{
	char command[VMADJ_LIBVIRT_ASK_MAX];
	const char *at = call->text;
	time_t end_s = now_s() + AGENT_ALL_S;

	if (!call->api->virDomainQemuAgentCommand)
		return -EOPNOTSUPP;
	for (size_t len; *at; at += len + (at[len] == '\n')) {
		char *answer;
		bool fits;

		if (now_s() > end_s)
			return refuse(call, -ETIMEDOUT, "the guest's agent is too slow");
		len = strcspn(at, "\n");
		(void)snprintf(command, sizeof(command), "%.*s", (int)len, at);
		answer = call->api->virDomainQemuAgentCommand(call->domain, command, AGENT_S, 0);
		if (!answer)
			answer = error_as_answer(call);
		if (!answer)
			return -EIO;
		fits = add_answer(call->reply, answer);
		free(answer);
		if (!fits)
			return refuse(call, -EMSGSIZE, "the guest's answer is too long");
	}
	return 0;
}

/* Each returns 0, -EOPNOTSUPP, or whatever else when libvirt has the reason. */
static const struct {
	int (*ask)(const struct call *call);
	bool needs_qemu;
} questions[] = {
	[VMADJ_LIBVIRT_STATE] = { ask_state, false },
	[VMADJ_LIBVIRT_BALLOON] = { ask_balloon, true },
	[VMADJ_LIBVIRT_CHANNEL] = { ask_channel, false },
	[VMADJ_LIBVIRT_SET_MEMORY] = { set_memory, true },
	[VMADJ_LIBVIRT_SET_PERIOD] = { set_period, true },
	[VMADJ_LIBVIRT_GET_SHARES] = { get_shares, false },
	[VMADJ_LIBVIRT_SET_SHARES] = { set_shares, true },
	[VMADJ_LIBVIRT_GET_PERIOD] = { get_period, false },
	[VMADJ_LIBVIRT_AGENT] = { ask_agent, true },
};

static int ask(const struct call *call, uint32_t what)
{
	bool hung = false;
	int err = 0;

	if (questions[what].needs_qemu)
		err = is_hung(call, &hung);
	if (hung)
		return refuse(call, -EAGAIN, "QEMU does not answer libvirt");
	if (!err)
		err = questions[what].ask(call);
	if (err == -EOPNOTSUPP)
		return refuse(call, err, "this domain has no such thing");
	/* Those that have their words already. */
	if (!err || err == -EMSGSIZE || err == -ETIMEDOUT)
		return err;
	return -EIO;
}

bool vmadj_libvirt_call(const struct vmadj_libvirt_api *api, virConnectPtr conn,
			const struct vmadj_libvirt_request *request,
			struct vmadj_libvirt_reply *reply)
{
	struct call call = { api, NULL, request->value, request->text, reply };

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
