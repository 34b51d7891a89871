/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Memory that ends together. A chain of blocks; the first is kept over a reset. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/die.h"

struct block {
    struct block *next;
    size_t size, used;
    _Alignas(max_align_t) char bytes[];
};

struct arena {
    struct block *first, *current;
    size_t asked;
};

static struct block *block_new(size_t size)
{
    struct block *block = malloc(sizeof *block + size);
    if (!block) die("out of memory (%zu bytes)", size);
    block->next = NULL;
    block->size = size;
    block->used = 0;
    return block;
}

struct arena *arena_new(size_t block_bytes)
{
    struct arena *arena = memory_alloc(sizeof *arena);
    arena->first = arena->current = block_new(block_bytes ? block_bytes : 4096);
    return arena;
}

void arena_reset(struct arena *arena)
{
    for (struct block *block = arena->first->next, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    arena->first->next = NULL;
    arena->first->used = 0;
    arena->current = arena->first;
    arena->asked = 0;
}

void arena_free(struct arena *arena)
{
    if (!arena) return;
    arena_reset(arena);
    free(arena->first);
    free(arena);
}

/* A large piece gets a block of its own; the chain's growth is capped at 64 KiB a block. */
static void grow(struct arena *arena, size_t size)
{
    size_t next_size = arena->current->size * 2;
    if (next_size > 65536) next_size = 65536;
    if (next_size < size) next_size = size;
    struct block *block = block_new(next_size);
    arena->current->next = block;
    arena->current = block;
}

static void *take(struct arena *arena, size_t size)
{
    const size_t align = _Alignof(max_align_t);
    if (size > SIZE_MAX / 2) bug("arena_alloc: %zu bytes", size);
    size = (size + align - 1) & ~(align - 1);
    if (arena->current->size - arena->current->used < size) grow(arena, size);
    void *piece = arena->current->bytes + arena->current->used;
    arena->current->used += size;
    arena->asked += size;
    return piece;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    return memset(take(arena, size), 0, size);
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / 2 / size) bug("arena_alloc_array: %zu of %zu", count, size);
    return arena_alloc(arena, count * size);
}

struct text arena_text(struct arena *arena, struct text text)
{
    char *copy = take(arena, text.length + 1);
    if (text.length) memcpy(copy, text.at, text.length);
    copy[text.length] = '\0';
    return (struct text){ copy, text.length };
}

struct text arena_text_lower(struct arena *arena, struct text text)
{
    struct text copy = arena_text(arena, text);
    for (size_t i = 0; i < copy.length; i++) ((char *)copy.at)[i] = char_lower(copy.at[i]);
    return copy;
}

struct text arena_printf(struct arena *arena, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) bug("arena_printf: bad format %s", format);
    char *copy = arena_alloc(arena, (size_t)length + 1);
    vsnprintf(copy, (size_t)length + 1, format, again);
    va_end(again);
    return (struct text){ copy, (size_t)length };
}

size_t arena_used(const struct arena *arena)
{
    return arena->asked;
}

void *memory_alloc(size_t size)
{
    void *memory = calloc(1, size ? size : 1);
    if (!memory) die("out of memory (%zu bytes)", size);
    return memory;
}

void *memory_grow(void *old, size_t size)
{
    void *memory = realloc(old, size ? size : 1);
    if (!memory) die("out of memory (%zu bytes)", size);
    return memory;
}

char *memory_string(struct text text)
{
    char *copy = memory_alloc(text.length + 1);
    if (text.length) memcpy(copy, text.at, text.length);
    return copy;
}
