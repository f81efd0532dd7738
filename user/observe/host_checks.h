/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * host_checks.h - what this host is and what this process may do
 */
#pragma once

#include <stdbool.h>

struct vmadj_checks;

/** vmadj_host_check_rights() - Return: whether loading and attaching can work. */
bool vmadj_host_check_rights(struct vmadj_checks *checks);

/* Nothing in these stops the observer: the kernel's version; PSI and cgroups. */
void vmadj_host_check_kernel(struct vmadj_checks *checks);
void vmadj_host_check_host(struct vmadj_checks *checks);

/* KVM, its types, libvirt, and news of VMs. */
void vmadj_host_check_vms(struct vmadj_checks *checks, bool vcpus_known);
