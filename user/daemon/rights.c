/* SPDX-License-Identifier: GPL-2.0-only */
/* rights.c - the capabilities that the daemon keeps once everything is open */
#include "user/daemon/rights.h"

#include <cap-ng.h>
#include <stddef.h>

#include "user/util/log.h"

static const unsigned int kept[] = {
	CAP_BPF,	  /* iterators over tasks and files, as long as it runs */
	CAP_PERFMON,	  /* the same */
	CAP_SYS_NICE,	  /* nice values below those of now, of others */
	CAP_SYS_PTRACE,	  /* /proc of VMs that belong to other users */
	CAP_DAC_OVERRIDE, /* files of control groups, autogroups and monitors of other users */
	CAP_KILL,	  /* policy runners have another user */
	CAP_SETUID,	  /* to give them that */
	CAP_SETGID,	  CAP_SETPCAP, /* to take everything else from them */
};

void vmadj_rights_drop(void)
{
	bool had[sizeof(kept) / sizeof(kept[0])];

	if (capng_get_caps_process())
		return;
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		had[i] = capng_have_capability(CAPNG_PERMITTED, kept[i]);
	capng_clear(CAPNG_SELECT_BOTH);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		if (!had[i])
			continue;
		(void)capng_update(CAPNG_ADD,
				   CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET, kept[i]);
	}
	/* Without CAP_SETPCAP the bounding set stays; what it allows is not ours to use then. */
	if (capng_apply(CAPNG_SELECT_BOTH) && capng_apply(CAPNG_SELECT_CAPS))
		log_warning("capabilities that are not needed cannot be dropped, ignoring");
}
