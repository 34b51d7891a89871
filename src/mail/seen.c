/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A set of numbers. Two runs with one number would cost a reading; at 64 bits nobody meets that by chance. */
#include "mail/seen.h"

static uint64_t key_of(struct text encoded, unsigned method)
{
    uint64_t key = ((uint64_t)(uintptr_t)encoded.at * 0x9e3779b97f4a7c15u) ^
                   (encoded.length * 0xc2b2ae3d27d4eb4fu) ^ (method + 1);
    key = (key ^ key >> 29) * 0xbf58476d1ce4e5b9u;
    return key ? key : 1;
}

static void place(struct seen *seen, uint64_t key)
{
    size_t at = key & (seen->room - 1);
    while (seen->keys[at] != 0) at = (at + 1) & (seen->room - 1);
    seen->keys[at] = key;
}

static void grow(struct arena *arena, struct seen *seen)
{
    struct seen wider = { .room = seen->room ? seen->room * 2 : 64 };
    wider.keys = arena_alloc_array(arena, wider.room, sizeof *wider.keys);
    wider.count = seen->count;
    for (size_t i = 0; i < seen->room; i++)
        if (seen->keys[i]) place(&wider, seen->keys[i]);
    *seen = wider;
}

static bool is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool seen_add(struct arena *arena, struct seen *seen, struct text encoded, unsigned method)
{
    while (encoded.length > 0 && is_white(encoded.at[encoded.length - 1])) encoded.length--;
    if (encoded.length == 0) return false;
    if (seen->count * 2 >= seen->room) grow(arena, seen);
    uint64_t key = key_of(encoded, method);
    for (size_t at = key & (seen->room - 1); seen->keys[at]; at = (at + 1) & (seen->room - 1))
        if (seen->keys[at] == key) return false;
    place(seen, key);
    seen->count++;
    return true;
}
