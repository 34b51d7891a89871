/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Statements found by the name in them, whatever its case: domains, recipients. */
#ifndef SEKIMORI_CONFIG_NAME_INDEX_H
#define SEKIMORI_CONFIG_NAME_INDEX_H

#include "base/arena.h"

struct name_index;

/* Of `count` items of `size` bytes each, with a struct text at `name_at` bytes in each. In the arena; the
   items are borrowed and stay where they are. */
struct name_index *name_index_build(struct arena *arena, const void *items, size_t count, size_t size,
                                    size_t name_at);

/* The item; of two with one name the first. NULL: there is none. */
const void *name_index_find(const struct name_index *index, struct text name);

#endif
