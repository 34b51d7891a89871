/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The C library's fnmatch over addresses, which are no C strings. */
#include "ipc/pattern.h"

#include <fnmatch.h>
#include <string.h>

enum { ADDRESS_MOST = 4096 }; /* more than a command line has */

void patterns_begin(struct patterns *out, struct arena *arena, size_t most)
{
    *out = (struct patterns){ arena_alloc_array(arena, most + 1, sizeof *out->items), 0 };
}

void patterns_add(struct patterns *patterns, struct arena *arena, struct text pattern)
{
    patterns->items[patterns->count++] =
        text_equal(pattern, TEXT("<>")) ? TEXT("") : arena_text(arena, pattern); /* ends with a NUL */
}

static bool is_match(struct text pattern, struct text address)
{
    char text[ADDRESS_MOST];
    if (text_equal_nocase(pattern, address)) return true;
    if (pattern.length == 0 || address.length >= sizeof text) return false;
    memcpy(text, address.at ? address.at : "", address.length);
    text[address.length] = '\0';
    return fnmatch(pattern.at, text, FNM_CASEFOLD) == 0;
}

bool patterns_have(const struct patterns *patterns, struct text address)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (is_match(patterns->items[i], address)) return true;
    return patterns->count == 0;
}
