/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Numbers and texts as little-endian bytes; the reader is safe on any input. */
#include "base/codec.h"

#include <endian.h>

void put_u8(struct buffer *buffer, uint8_t value)
{
    buffer_add(buffer, &value, sizeof value);
}

void put_u16(struct buffer *buffer, uint16_t value)
{
    value = htole16(value);
    buffer_add(buffer, &value, sizeof value);
}

void put_u32(struct buffer *buffer, uint32_t value)
{
    value = htole32(value);
    buffer_add(buffer, &value, sizeof value);
}

void put_u64(struct buffer *buffer, uint64_t value)
{
    value = htole64(value);
    buffer_add(buffer, &value, sizeof value);
}

void put_double(struct buffer *buffer, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_u64(buffer, bits);
}

void put_text(struct buffer *buffer, struct text text)
{
    put_u32(buffer, (uint32_t)text.length);
    buffer_add_text(buffer, text);
}

static bool take(struct reader *reader, void *out, size_t size)
{
    if (reader->failed || reader->rest.length < size) {
        reader->failed = true;
        memset(out, 0, size);
        return false;
    }
    memcpy(out, reader->rest.at, size);
    reader->rest = text_slice(reader->rest, size, reader->rest.length);
    return true;
}

void get_bytes(struct reader *reader, void *out, size_t size)
{
    take(reader, out, size);
}

uint8_t get_u8(struct reader *reader)
{
    uint8_t value;
    take(reader, &value, sizeof value);
    return value;
}

uint16_t get_u16(struct reader *reader)
{
    uint16_t value;
    take(reader, &value, sizeof value);
    return le16toh(value);
}

uint32_t get_u32(struct reader *reader)
{
    uint32_t value;
    take(reader, &value, sizeof value);
    return le32toh(value);
}

uint64_t get_u64(struct reader *reader)
{
    uint64_t value;
    take(reader, &value, sizeof value);
    return le64toh(value);
}

double get_double(struct reader *reader)
{
    uint64_t bits = get_u64(reader);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

struct text get_text(struct reader *reader)
{
    uint32_t length = get_u32(reader);
    if (reader->failed || reader->rest.length < length) {
        reader->failed = true;
        return TEXT_NONE;
    }
    struct text text = text_slice(reader->rest, 0, length);
    reader->rest = text_slice(reader->rest, length, reader->rest.length);
    return text;
}

uint32_t get_count(struct reader *reader, uint32_t most, size_t least_bytes)
{
    uint32_t count = get_u32(reader);
    if (reader->failed || count > most || (uint64_t)count * least_bytes > reader->rest.length) {
        reader->failed = true;
        return 0;
    }
    return count;
}

bool reader_done(const struct reader *reader)
{
    return !reader->failed && reader->rest.length == 0;
}
