// SPDX-License-Identifier: GPL-2.0-only
/*
 * cases.c - the loads of P2, and mixes made to hurt its policy
 *
 * Sizes are an eighth, times a fifth of those of a host with 4 GB whose VMs have at most 3 GB. An
 * equal split leaves a guest about 110 MiB for its page cache; a piece is 128 KiB. Before what
 * counts, caches are filled.
 */
#include "tools/bench/p2/p2.h"

#define SIZES .max_mib = 384, .min_mib = 96, .split_mib = 192

/* Low locality: any of 5 GiB. 100 users make 6 requests a minute each, time / 5. */
#define LOW(end) "0:25:40:big:0:40960 0:" end ":50:big:0:40960"

/* All of 625 MiB, now and then; at 40 s, 200 MiB of that get 100 times as many accesses. */
#define MEDIUM                                       \
	"0:30:60:files:0:5000 30:40:3:files:0:5000 " \
	"40:150:96:files:0:1600 40:150:2:files:1600:3400"

/* Three images of 24 MiB are booted over and over: they fit. */
#define BOOTS "0:110:80:boot:0:3"

/* Reads 88 MiB, which fit, and stops twice. */
#define COMES_BACK                                 \
	"0:45:60:files:0:700 45:80:1:files:0:700 " \
	"80:110:60:files:0:700 110:140:1:files:0:700 140:170:60:files:0:700"

/* Would like more than its half all the time. */
#define LARGE "0:170:60:files:1600:1600"

/* Each in turn reads 200 MiB of its own much, and little else. */
#define TURN_1 "0:70:70:files:0:1600 70:150:2:files:0:1600"
#define TURN_2 \
	"0:30:30:files:0:1600 30:70:2:files:0:1600 70:110:70:files:0:1600 110:150:2:files:0:1600"
#define TURN_3 "0:30:30:files:0:1600 30:110:2:files:0:1600 110:150:70:files:0:1600"

/* One huge file from its first to its last byte; beside a hot set that fits. */
#define SCAN "0:110:80:scan:0:40960"
#define HOT  "0:110:60:files:0:700"

const struct vmadj_exp_case vmadj_p2_cases[VMADJ_P2_CASES] = {
	[VMADJ_P2_CASE1] = {
		.name = "case1", .title = "case 1",
		.n_vms = 2, SIZES, .from_s = 40, .end_s = 150, .mark_s = { 40 },
		.vm = { { "VM1: web server, low locality", LOW("150") },
			{ "VM2: web server, a part gets hot", MEDIUM } },
	},
	[VMADJ_P2_CASE2] = {
		.name = "case2", .title = "case 2",
		.n_vms = 2, SIZES, .from_s = 40, .end_s = 110,
		.vm = { { "VM1: web server, low locality", LOW("110") },
			{ "VM2: images are booted, fits", BOOTS } },
	},
	[VMADJ_P2_BACK] = {
		.name = "back", .title = "a giver that comes back",
		.n_vms = 2, SIZES, .from_s = 40, .end_s = 170, .mark_s = { 45, 80, 110, 140 },
		.vm = { { "VM1: comes and goes, fits", COMES_BACK },
			{ "VM2: more than fits, always", LARGE } },
	},
	[VMADJ_P2_TURNS] = {
		.name = "turns", .title = "three in rotation",
		.n_vms = 3, SIZES, .from_s = 30, .end_s = 150, .mark_s = { 70, 110 },
		.vm = { { "VM1", TURN_1 }, { "VM2", TURN_2 }, { "VM3", TURN_3 } },
	},
	[VMADJ_P2_SCAN] = {
		.name = "scan", .title = "a scan beside a hot set",
		.n_vms = 2, SIZES, .from_s = 40, .end_s = 110,
		.vm = { { "VM1: scans a huge file", SCAN }, { "VM2: a hot set that fits", HOT } },
	},
};
