/* SPDX-License-Identifier: GPL-2.0-only */
/* cache_mixes.h - what the guests of cache_model.h do: P2's two cases, and mixes made to hurt it */
#pragma once

#include "tests/lib/cache_model.h"

/* P2's cases come first; the list ends with a NULL name. */
extern const struct cache_mix cache_mixes[];

/* Two to four guests that do whatever @seed says. */
struct cache_mix cache_mix_random(uint64_t seed);
