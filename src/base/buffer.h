/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A growing run of bytes: written at the end, consumed at the front. */
#ifndef SEKIMORI_BASE_BUFFER_H
#define SEKIMORI_BASE_BUFFER_H

#include <stdarg.h>

#include "base/text.h"

/* Zero-initialised is empty and valid. Bytes are [start, end) of `memory`. */
struct buffer {
    char *memory;
    size_t start, end, capacity;
};

void buffer_free(struct buffer *buffer);  /* leaves it empty and usable */
void buffer_clear(struct buffer *buffer); /* keeps the memory */

static inline size_t buffer_length(const struct buffer *buffer)
{
    return buffer->end - buffer->start;
}

/* Borrowed: valid until the next change of the buffer. */
static inline struct text buffer_text(const struct buffer *buffer)
{
    if (!buffer->memory) return TEXT_NONE;
    return (struct text){ buffer->memory + buffer->start, buffer->end - buffer->start };
}

/* Room for at least `size` more bytes; returns where to write them. Follow with buffer_commit. */
char *buffer_reserve(struct buffer *buffer, size_t size);
void buffer_commit(struct buffer *buffer, size_t size);

/* Each copies to the end; `bytes` and `text` must not lie in this buffer, which may move. NULL is allowed
   where the size is 0. */
void buffer_add(struct buffer *buffer, const void *bytes, size_t size);
void buffer_add_text(struct buffer *buffer, struct text text);
void buffer_add_char(struct buffer *buffer, char c);
/* No NUL is counted or left behind. A format that printf refuses aborts. */
void buffer_printf(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buffer_vprintf(struct buffer *buffer, const char *format, va_list arguments);

/* Drops `size` bytes at the front. */
void buffer_consume(struct buffer *buffer, size_t size);
/* Drops what is behind the first `length` bytes. */
void buffer_truncate(struct buffer *buffer, size_t length);

#endif
