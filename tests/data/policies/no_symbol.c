/* SPDX-License-Identifier: GPL-2.0-only */
/* no_symbol.c - a shared object that is no policy */
extern int no_policy;
int no_policy;
