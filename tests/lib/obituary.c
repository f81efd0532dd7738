// SPDX-License-Identifier: GPL-2.0-only
/* obituary.c - the kernel's last word on each thread that ends */
#include "tests/lib/obituary.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/taskstats.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEPT_MAX 4096
#define ROOM	 (4 << 20)

struct message {
	struct nlmsghdr head;
	struct genlmsghdr genl;
	char room[4096];
};

static struct vmadj_obituary kept[KEPT_MAX];
static size_t n_kept;
static int fd = -1;

static struct nlattr *next(struct nlattr *at)
{
	return (struct nlattr *)(void *)((char *)at + NLA_ALIGN(at->nla_len));
}

/* The attribute of that type in [at, end); NULL: none. */
static struct nlattr *find(struct nlattr *at, const char *end, int type)
{
	while ((char *)at + NLA_HDRLEN <= end && at->nla_len >= NLA_HDRLEN) {
		if ((at->nla_type & NLA_TYPE_MASK) == type)
			return at;
		at = next(at);
	}
	return NULL;
}

static void *value(struct nlattr *attr)
{
	return (char *)attr + NLA_HDRLEN;
}

static int ask(uint16_t family, uint8_t command, uint16_t type, const char *text)
{
	struct message message = {
		.head = { .nlmsg_type = family, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.genl = { .cmd = command, .version = 1 },
	};
	struct nlattr *attr = (struct nlattr *)(void *)message.room;

	attr->nla_type = type;
	attr->nla_len = (uint16_t)(NLA_HDRLEN + strlen(text) + 1);
	memcpy(value(attr), text, strlen(text) + 1);
	message.head.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + GENL_HDRLEN + NLA_ALIGN(attr->nla_len));
	return send(fd, &message, message.head.nlmsg_len, 0) < 0 ? -errno : 0;
}

static int family_id(void)
{
	struct message answer;
	struct nlattr *id;
	ssize_t len;

	if (ask(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME, TASKSTATS_GENL_NAME))
		return -errno;
	len = recv(fd, &answer, sizeof(answer), 0);
	if (len < (ssize_t)NLMSG_HDRLEN || answer.head.nlmsg_type == NLMSG_ERROR)
		return -ENOENT;
	id = find((struct nlattr *)(void *)answer.room, (char *)&answer + len, CTRL_ATTR_FAMILY_ID);
	/* The acknowledgement that follows. */
	(void)recv(fd, &answer, sizeof(answer), 0);
	return id ? *(uint16_t *)value(id) : -ENOENT;
}

void vmadj_obituary_listen(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	const struct timeval limit = { .tv_sec = 5 };
	int room = ROOM, family, err = 0;
	char cpus[32];

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		cr_skip_test("netlink: %s", strerror(errno));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	family = family_id();
	(void)snprintf(cpus, sizeof(cpus), "0-%ld", sysconf(_SC_NPROCESSORS_CONF) - 1);
	if (family > 0)
		err = ask((uint16_t)family, TASKSTATS_CMD_GET, TASKSTATS_CMD_ATTR_REGISTER_CPUMASK,
			  cpus);
	if (family <= 0 || err)
		cr_skip_test("this kernel tells no last word on threads (taskstats)");
}

static void keep(const struct message *message, ssize_t len)
{
	const char *end = (const char *)message + len;
	struct nlattr *attr = find((struct nlattr *)(void *)message->room, end,
				   TASKSTATS_TYPE_AGGR_PID),
		      *stats;
	struct taskstats words = { 0 };

	if (!attr || n_kept == KEPT_MAX)
		return;
	stats = find(value(attr), (char *)attr + attr->nla_len, TASKSTATS_TYPE_STATS);
	if (!stats)
		return;
	/* Newer kernels say more than this header knows, older ones less. */
	len = stats->nla_len - NLA_HDRLEN;
	memcpy(&words, value(stats), (size_t)len < sizeof(words) ? (size_t)len : sizeof(words));
	kept[n_kept++] = (struct vmadj_obituary){
		.tid = (pid_t)words.ac_pid,
		.run_ns = words.cpu_run_virtual_total,
		.wait_ns = words.cpu_delay_total,
		.voluntary = words.nvcsw,
		.involuntary = words.nivcsw,
	};
}

bool vmadj_obituary_of(pid_t tid, struct vmadj_obituary *ret_obituary)
{
	struct message message;
	ssize_t len;

	while ((len = recv(fd, &message, sizeof(message), MSG_DONTWAIT)) > 0 ||
	       (len < 0 && errno == EINTR)) {
		if (len > (ssize_t)(NLMSG_HDRLEN + GENL_HDRLEN))
			keep(&message, len);
	}
	if (errno == ENOBUFS)
		cr_fatal("more threads ended than this test can hear of");
	for (size_t i = n_kept; i-- > 0;) {
		if (kept[i].tid != tid)
			continue;
		*ret_obituary = kept[i];
		return true;
	}
	return false;
}

void vmadj_obituary_close(void)
{
	if (fd >= 0)
		(void)close(fd);
	fd = -1;
}
