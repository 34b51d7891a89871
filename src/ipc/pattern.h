/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Patterns of addresses in commands: *, ? and [a-z], in any case. */
#ifndef SEKIMORI_IPC_PATTERN_H
#define SEKIMORI_IPC_PATTERN_H

#include "base/arena.h"

/* What one option was given, each time it was said. */
struct patterns {
    struct text *items;
    size_t count;
};

/* `most`: how many will be added. In the arena. */
void patterns_begin(struct patterns *out, struct arena *arena, size_t most);
/* "<>" is the empty address. */
void patterns_add(struct patterns *patterns, struct arena *arena, struct text pattern);

/* One of them is the address, or matches it; true when there is none. */
bool patterns_have(const struct patterns *patterns, struct text address);

#endif
