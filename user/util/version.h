/* SPDX-License-Identifier: GPL-2.0-only */
/* version.h - which release all programs of this tree are */
#pragma once

#ifndef VMADJ_VERSION
#define VMADJ_VERSION "0.1.0"
#endif
