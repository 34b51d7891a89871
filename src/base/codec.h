/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Numbers and texts as bytes, for frames between processes and records on disk. Little-endian.
   A reader never goes past its end: the first bad read marks it failed and all later ones give zero. */
#ifndef SEKIMORI_BASE_CODEC_H
#define SEKIMORI_BASE_CODEC_H

#include "base/buffer.h"

/* Each appends to the buffer. */
void put_u8(struct buffer *buffer, uint8_t value);
void put_u16(struct buffer *buffer, uint16_t value);
void put_u32(struct buffer *buffer, uint32_t value);
void put_u64(struct buffer *buffer, uint64_t value);
/* Its IEEE 754 bits, as a put_u64. */
void put_double(struct buffer *buffer, double value);
void put_text(struct buffer *buffer, struct text text); /* u32 length, bytes */

struct reader {
    struct text rest;
    bool failed;
};

static inline struct reader reader_of(struct text text)
{
    return (struct reader){ text, false };
}

/* Each takes as many bytes as its type has; 0 and `failed` when fewer are left. */
uint8_t get_u8(struct reader *reader);
uint16_t get_u16(struct reader *reader);
uint32_t get_u32(struct reader *reader);
uint64_t get_u64(struct reader *reader);
/* Any bits are taken: the caller minds NaN and infinities. 0 when fewer than 8 bytes are left. */
double get_double(struct reader *reader);
struct text get_text(struct reader *reader); /* borrowed from the reader's text */
void get_bytes(struct reader *reader, void *out, size_t size); /* copied; zeros when fewer are left */

/* A count of things that take at least `least_bytes` each: fails when the rest cannot hold them. */
uint32_t get_count(struct reader *reader, uint32_t most, size_t least_bytes);

/* True when nothing failed and nothing is left. */
bool reader_done(const struct reader *reader);

/* In bytes of others, by place; what lies behind the end counts as zeros. */
static inline uint8_t codec_byte_at(struct text bytes, size_t at)
{
    return at < bytes.length ? (uint8_t)bytes.at[at] : 0;
}

/* `size`: 1 to 8, the lowest byte first. */
static inline uint64_t codec_number_at(struct text bytes, size_t at, unsigned size)
{
    uint64_t number = 0;
    for (unsigned i = size; i > 0; i--) number = number << 8 | codec_byte_at(bytes, at + i - 1);
    return number;
}

#endif
