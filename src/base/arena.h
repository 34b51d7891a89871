/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* An arena owns many small pieces of memory that end together: one per session, one per message. */
#ifndef SEKIMORI_BASE_ARENA_H
#define SEKIMORI_BASE_ARENA_H

#include "base/text.h"

struct arena;

/* Never NULL. `block_bytes` is the size of the first block (0: 4 KiB). */
struct arena *arena_new(size_t block_bytes);
void arena_free(struct arena *arena); /* NULL is allowed */

/* Forgets all pieces, keeps the first block. */
void arena_reset(struct arena *arena);

/* Zeroed, aligned for any object, lives until arena_reset or arena_free. Never NULL. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_alloc_array(struct arena *arena, size_t count, size_t size); /* over SIZE_MAX: aborts */

/* A copy that lives in the arena; a NUL follows its last byte (not counted). */
struct text arena_text(struct arena *arena, struct text text);
struct text arena_text_lower(struct arena *arena, struct text text); /* ASCII letters alone */
struct text arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Bytes asked for since the last reset. */
size_t arena_used(const struct arena *arena);

/* malloc family that never returns NULL; for what outlives any arena. Release with free(). */
void *memory_alloc(size_t size);           /* zeroed */
void *memory_grow(void *old, size_t size); /* what is new is not zeroed */
char *memory_string(struct text text);     /* NUL-ended copy */

#endif
