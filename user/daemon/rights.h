/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rights.h - the capabilities that the daemon keeps once everything is open
 */
#pragma once

/**
 * vmadj_rights_drop() - keep those that are needed for what is still to come
 *
 * Which and what for: the table in rights.c. Those that it never had are not missed here.
 */
void vmadj_rights_drop(void);
