/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The .lzma and .xz formats (1.1.0), RFC 8878 for zstd, the lzip manual. */
#include "open/memory_need.h"

#include "base/codec.h"

enum {
    XZ_HEADER = 12,
    XZ_FOOTER = 12,
    XZ_HAS_PACKED = 0x40,
    XZ_HAS_UNPACKED = 0x80,
    XZ_FILTERS = 3,
    FILTER_LZMA2 = 0x21,
    LZMA2_MALFORMED = 40
};

uint32_t memory_need_lzma2(unsigned property)
{
    if (property >= LZMA2_MALFORMED) return UINT32_MAX;
    return (2U | (property & 1)) << (property / 2 + 11);
}

/* --- xz --- */

/* Seven bits a byte, the lowest first. */
static uint64_t varint_take(struct text bytes, size_t *at)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
        unsigned byte = codec_byte_at(bytes, (*at)++);
        number |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) break;
    }
    return number;
}

/* The largest dictionary that a block's header states. */
static uint32_t block_dictionary(struct text bytes, size_t at)
{
    unsigned flags = codec_byte_at(bytes, at + 1);
    uint32_t most = 0;
    size_t filter = at + 2;
    if (flags & XZ_HAS_PACKED) varint_take(bytes, &filter);
    if (flags & XZ_HAS_UNPACKED) varint_take(bytes, &filter);
    for (unsigned i = 0; i <= (flags & XZ_FILTERS); i++) {
        uint64_t id = varint_take(bytes, &filter), size = varint_take(bytes, &filter);
        uint32_t dictionary = id == FILTER_LZMA2 ? memory_need_lzma2(codec_byte_at(bytes, filter)) : 0;
        if (dictionary > most) most = dictionary;
        if (size > bytes.length) break;
        filter += (size_t)size;
    }
    return most;
}

/* Behind the chunks of LZMA2 that begin at `at`; the length: they do not end. */
static size_t chunks_end(struct text bytes, size_t at)
{
    while (at < bytes.length) {
        unsigned control = codec_byte_at(bytes, at);
        if (control == 0) return at + 1;
        if (control < 0x80) /* stored */
            at += 3 + (((size_t)codec_byte_at(bytes, at + 1) << 8) | codec_byte_at(bytes, at + 2)) + 1;
        else
            at += (control >= 0xC0 ? 6U : 5U) +
                  (((size_t)codec_byte_at(bytes, at + 3) << 8) | codec_byte_at(bytes, at + 4)) + 1;
    }
    return bytes.length;
}

static size_t aligned(size_t at, size_t from)
{
    return from + ((at - from + 3) & ~(size_t)3);
}

/* Behind the index that begins at `at`. */
static size_t index_end(struct text bytes, size_t at)
{
    size_t from = at++;
    uint64_t count = varint_take(bytes, &at);
    for (; count > 0 && at < bytes.length; count--) {
        varint_take(bytes, &at);
        varint_take(bytes, &at);
    }
    return aligned(at, from) + 4;
}

/* Blocks follow one another, and streams: as a decoder goes from one to the next without unpacking. */
static bool xz_is_too_large(struct text bytes)
{
    static const unsigned char check_sizes[16] = { 0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64 };
    size_t start = 0;
    while (text_starts(text_slice(bytes, start, bytes.length), TEXT("\xFD\x37zXZ\0"))) {
        size_t check = check_sizes[codec_byte_at(bytes, start + 7) & 15], at = start + XZ_HEADER;
        while (at < bytes.length && codec_byte_at(bytes, at) != 0) {
            if (block_dictionary(bytes, at) > DICTIONARY_MOST) return true;
            size_t data = at + (codec_byte_at(bytes, at) + 1) * (size_t)4;
            at = aligned(chunks_end(bytes, data), data) + check;
        }
        if (at >= bytes.length) return false;
        start = index_end(bytes, at) + XZ_FOOTER;
        while (start < bytes.length && codec_byte_at(bytes, start) == 0) start++;
    }
    return false;
}

/* --- zstd and lzip --- */

/* RFC 8878 section 3.1.1.1: a window, or with the single-segment flag the size of the content. */
static bool zstd_is_too_large(struct text bytes)
{
    unsigned descriptor = codec_byte_at(bytes, 4), window = codec_byte_at(bytes, 5);
    if (codec_number_at(bytes, 0, 4) != 0xFD2FB528) return false;
    if (descriptor & 0x20) return false; /* libzstd refuses more than 128 MiB */
    uint64_t base = UINT64_C(1) << (10 + (window >> 3));
    return base + base / 8 * (window & 7) > DICTIONARY_MOST;
}

bool memory_need_is_too_large(enum true_type type, struct text bytes)
{
    switch (type) {
    case TYPE_LZMA:
        return codec_number_at(bytes, 1, 4) > DICTIONARY_MOST;
    case TYPE_XZ:
        return xz_is_too_large(bytes);
    case TYPE_LZIP:
        return (codec_byte_at(bytes, 5) & 0x1F) > 26;
    case TYPE_ZSTD:
        return zstd_is_too_large(bytes);
    default:
        return false;
    }
}
