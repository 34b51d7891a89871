/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A `void *` that the loop, a stream, a channel or a timer gives back is checked where it comes back: an object
   that is handed out so begins with a word of its kind, which whoever makes one sets,
       struct pool {
           enum { POOL_MAGIC = 0x2b9d5e41 } magic;
   and a pointer to anything else ends the process before it is used. */
#ifndef SEKIMORI_BASE_CONTEXT_H
#define SEKIMORI_BASE_CONTEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/die.h"

/* `pointer` as a `type *`: struct pool *pool = CONTEXT(context, struct pool, POOL_MAGIC). Costs one
   comparison. Does not compile where `magic` is not the first member. */
#define CONTEXT(pointer, type, word)    \
    ((type *)context_checked((pointer), \
                             (uint32_t)(word) * sizeof(char[offsetof(type, magic) == 0 ? 1 : -1]), #type))

/* NULL is wrong too: no word is 0. Aborts, as bug() does. */
static inline void *context_checked(void *pointer, uint32_t word, const char *type)
{
    uint32_t found = 0;
    if (pointer) memcpy(&found, pointer, sizeof found);
    if (found != word) bug("a callback got a context that is no %s", type);
    return pointer;
}

#endif
