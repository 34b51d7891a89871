/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A growing run of bytes. Consuming moves a mark; bytes are moved only when room is needed. */
#include "base/buffer.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/die.h"

void buffer_free(struct buffer *buffer)
{
    free(buffer->memory);
    *buffer = (struct buffer){ 0 };
}

void buffer_clear(struct buffer *buffer)
{
    buffer->start = buffer->end = 0;
}

/* Twice as much as there was, until it is enough; of much, a quarter more than is wanted. */
static size_t grown(size_t capacity, size_t wanted)
{
    enum { FIRST = 256, MUCH = 1 << 20 };
    if (wanted > MUCH) return capacity == 0 ? wanted : wanted + wanted / 4;
    if (capacity == 0) capacity = FIRST;
    while (capacity < wanted) capacity *= 2;
    return capacity;
}

char *buffer_reserve(struct buffer *buffer, size_t size)
{
    if (buffer->memory && buffer->capacity - buffer->end >= size) return buffer->memory + buffer->end;
    size_t length = buffer_length(buffer);
    if (size > SIZE_MAX / 4 - length) bug("buffer_reserve: %zu bytes", size);
    if (buffer->start > 0) {
        memmove(buffer->memory, buffer->memory + buffer->start, length);
        buffer->start = 0;
        buffer->end = length;
    }
    if (!buffer->memory || buffer->capacity - length < size) {
        buffer->capacity = grown(buffer->capacity, length + size);
        buffer->memory = memory_grow(buffer->memory, buffer->capacity);
    }
    return buffer->memory + buffer->end;
}

void buffer_commit(struct buffer *buffer, size_t size)
{
    if (size > buffer->capacity - buffer->end) bug("buffer_commit: %zu bytes not reserved", size);
    buffer->end += size;
}

void buffer_add(struct buffer *buffer, const void *bytes, size_t size)
{
    if (size == 0) return;
    memcpy(buffer_reserve(buffer, size), bytes, size);
    buffer->end += size;
}

void buffer_add_text(struct buffer *buffer, struct text text)
{
    buffer_add(buffer, text.at, text.length);
}

void buffer_add_char(struct buffer *buffer, char c)
{
    buffer_add(buffer, &c, 1);
}

void buffer_vprintf(struct buffer *buffer, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    char *room = buffer_reserve(buffer, 128);
    size_t space = buffer->capacity - buffer->end;
    int length = vsnprintf(room, space, format, arguments);
    if (length < 0) bug("buffer_printf: bad format %s", format);
    if ((size_t)length >= space) {
        room = buffer_reserve(buffer, (size_t)length + 1);
        vsnprintf(room, (size_t)length + 1, format, again);
    }
    va_end(again);
    buffer->end += (size_t)length;
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    buffer_vprintf(buffer, format, arguments);
    va_end(arguments);
}

void buffer_consume(struct buffer *buffer, size_t size)
{
    if (size > buffer_length(buffer)) bug("buffer_consume: %zu bytes", size);
    buffer->start += size;
    if (buffer->start == buffer->end) buffer_clear(buffer);
}

void buffer_truncate(struct buffer *buffer, size_t length)
{
    if (length > buffer_length(buffer)) bug("buffer_truncate: %zu bytes", length);
    buffer->end = buffer->start + length;
}
