/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Whatever is counted has at least a byte for each in the header: no count is larger than what is left. */
#include "open/sevenzip_header.h"

#include "base/codec.h"
#include "open/memory_need.h"

enum {
    START_BYTES = 32,
    ID_END = 0,
    ID_HEADER = 1,
    ID_PROPERTIES = 2,
    ID_STREAMS = 4,
    ID_FILES = 5,
    ID_PACK_INFO = 6,
    ID_UNPACK_INFO = 7,
    ID_SUBSTREAMS = 8,
    ID_SIZE = 9,
    ID_DIGESTS = 10,
    ID_FOLDERS = 11,
    ID_UNPACK_SIZES = 12,
    ID_COUNTS = 13,
    ID_PACKED_HEADER = 23,
    COUNT_MOST = 1000000,
    CODERS_MOST = 32,
    STREAMS_MOST = 32
};

struct walk {
    struct text rest;
    uint64_t stream_most;
    bool is_damaged, is_large;
    uint64_t folders, first_pack_offset, first_pack_bytes;
    struct text folder_bytes; /* what the sizes of all folders are read by */
    struct text coder, properties;
    uint64_t coders, first_size; /* of the first folder */
    bool has_all_digests, has_counts;
    struct text digest_bits, counts; /* of the folders */
};

static bool fail(struct walk *walk)
{
    walk->is_damaged = true;
    walk->rest = TEXT_NONE;
    return false;
}

static unsigned byte_take(struct walk *walk)
{
    if (walk->rest.length == 0) {
        fail(walk);
        return ID_END;
    }
    unsigned byte = (unsigned char)walk->rest.at[0];
    walk->rest = text_slice(walk->rest, 1, walk->rest.length);
    return byte;
}

static struct text bytes_take(struct walk *walk, uint64_t count)
{
    if (count > walk->rest.length) {
        fail(walk);
        return TEXT_NONE;
    }
    struct text bytes = text_slice(walk->rest, 0, (size_t)count);
    walk->rest = text_slice(walk->rest, (size_t)count, walk->rest.length);
    return bytes;
}

/* The ones that lead the first byte say how many follow; its other bits are the highest. */
static uint64_t number_take(struct walk *walk)
{
    unsigned first = byte_take(walk), shift = 0;
    uint64_t number = 0;
    for (unsigned mask = 0x80; mask > 0; mask >>= 1, shift += 8) {
        if (!(first & mask)) return number | (uint64_t)(first & (mask - 1)) << shift;
        number |= (uint64_t)byte_take(walk) << shift;
    }
    return number;
}

static uint64_t count_take(struct walk *walk)
{
    uint64_t count = number_take(walk);
    if (count > walk->rest.length) fail(walk);
    if (count > COUNT_MOST && !walk->is_damaged) walk->is_large = !fail(walk);
    return walk->is_damaged ? 0 : count;
}

static void numbers_skip(struct walk *walk, uint64_t count)
{
    for (; count > 0 && !walk->is_damaged; count--) number_take(walk);
}

/* A byte that says that all are there, or a bit for each: the bits, where they stand. */
static struct text digests_skip(struct walk *walk, uint64_t count)
{
    uint64_t there = count;
    struct text bits = TEXT_NONE;
    if (byte_take(walk) == 0) {
        bits = bytes_take(walk, (count + 7) / 8);
        there = 0;
        for (size_t i = 0; i < bits.length; i++)
            there += (unsigned)__builtin_popcount((unsigned char)bits.at[i]);
    }
    bytes_take(walk, there * 4);
    return bits;
}

static void pack_info(struct walk *walk)
{
    walk->first_pack_offset = number_take(walk);
    uint64_t streams = count_take(walk);
    unsigned id;
    while ((id = byte_take(walk)) != ID_END) {
        if (id == ID_SIZE) {
            if (streams > 0) walk->first_pack_bytes = number_take(walk);
            numbers_skip(walk, streams > 0 ? streams - 1 : 0);
        } else if (id == ID_DIGESTS) {
            digests_skip(walk, streams);
        } else {
            fail(walk);
        }
    }
}

/* --- folders: what is unpacked by one chain of coders --- */

static void dictionary_look(struct walk *walk, struct text coder, struct text properties)
{
    uint32_t room = 0;
    bool is_lzma2 = text_equal(coder, TEXT("\x21"));
    bool is_sized = text_equal(coder, TEXT("\3\1\1")) || text_equal(coder, TEXT("\3\4\1"));
    if (is_lzma2 && properties.length > 0) room = memory_need_lzma2((unsigned char)properties.at[0]);
    if (is_sized && properties.length >= 5) room = (uint32_t)codec_number_at(properties, 1, 4);
    walk->is_large |= room > DICTIONARY_MOST;
}

static void coder_read(struct walk *walk, bool is_first, uint64_t *in, uint64_t *out)
{
    unsigned flags = byte_take(walk);
    uint64_t ins = 1, outs = 1;
    struct text coder = bytes_take(walk, flags & 0x0F), properties = TEXT_NONE;
    if (flags & 0x10) {
        ins = number_take(walk);
        outs = number_take(walk);
    }
    if (flags & 0x20) properties = bytes_take(walk, number_take(walk));
    if ((flags & 0xC0) || ins > STREAMS_MOST || outs > STREAMS_MOST) fail(walk);
    *in += ins;
    *out += outs;
    dictionary_look(walk, coder, properties);
    if (!is_first) return;
    walk->coder = coder;
    walk->properties = properties;
}

/* Unpacked streams of one folder; `is_mixed`: from several packed ones. */
static uint64_t folder_read(struct walk *walk, bool is_first, bool *is_mixed)
{
    uint64_t coders = number_take(walk), in = 0, out = 0;
    if (coders == 0 || coders > CODERS_MOST) fail(walk);
    for (uint64_t i = 0; i < coders && !walk->is_damaged; i++) coder_read(walk, is_first, &in, &out);
    if (is_first) walk->coders = coders;
    if (walk->is_damaged || out == 0 || in + 1 < out || in > STREAMS_MOST || out > STREAMS_MOST)
        return !fail(walk);
    numbers_skip(walk, 2 * (out - 1));
    uint64_t packed = in - (out - 1);
    *is_mixed = packed > 1;
    if (packed > 1) numbers_skip(walk, packed);
    return out;
}

/* Once more over the folders, now that their sizes are at hand. */
static void sizes_read(struct walk *walk)
{
    struct walk folders = { .rest = walk->folder_bytes };
    bool is_mixed = false;
    for (uint64_t i = 0; i < walk->folders && !walk->is_damaged; i++) {
        uint64_t streams = folder_read(&folders, false, &is_mixed);
        for (uint64_t k = 0; k < streams && !walk->is_damaged; k++) {
            uint64_t size = number_take(walk);
            walk->is_large |= is_mixed && size > walk->stream_most;
            if (i == 0 && k == 0) walk->first_size = size;
        }
    }
}

static void unpack_info(struct walk *walk)
{
    bool is_mixed;
    if (byte_take(walk) != ID_FOLDERS) fail(walk);
    walk->folders = count_take(walk);
    if (byte_take(walk) != 0) fail(walk); /* elsewhere */
    struct text from = walk->rest;
    for (uint64_t i = 0; i < walk->folders && !walk->is_damaged; i++) folder_read(walk, i == 0, &is_mixed);
    walk->folder_bytes = text_slice(from, 0, from.length - walk->rest.length);
    if (byte_take(walk) != ID_UNPACK_SIZES) fail(walk);
    sizes_read(walk);
    unsigned id;
    while ((id = byte_take(walk)) != ID_END) {
        if (id != ID_DIGESTS) fail(walk);
        walk->digest_bits = digests_skip(walk, walk->folders);
        walk->has_all_digests = walk->digest_bits.length == 0;
    }
}

/* How many files a folder has, counted again from the bytes that say so; one where none do. */
static uint64_t files_of_next(struct walk *walk, struct walk *counts)
{
    return walk->has_counts ? number_take(counts) : 1;
}

static void substream_sizes_skip(struct walk *walk)
{
    struct walk counts = { .rest = walk->counts };
    for (uint64_t i = 0; i < walk->folders && !walk->is_damaged; i++) {
        uint64_t files = files_of_next(walk, &counts);
        numbers_skip(walk, files > 0 ? files - 1 : 0);
    }
}

/* A folder of one file whose digest is known already has none here. */
static void substream_digests_skip(struct walk *walk)
{
    struct walk counts = { .rest = walk->counts };
    uint64_t sum = 0;
    for (uint64_t i = 0; i < walk->folders; i++) {
        uint64_t files = files_of_next(walk, &counts);
        bool is_there = walk->has_all_digests;
        if (i / 8 < walk->digest_bits.length)
            is_there |= (unsigned char)walk->digest_bits.at[i / 8] >> (7 - i % 8) & 1;
        if (files != 1 || !is_there) sum += files;
    }
    digests_skip(walk, sum);
}

static void counts_take(struct walk *walk)
{
    struct text from = walk->rest;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < walk->folders && !walk->is_damaged; i++) sum += count_take(walk);
    if (sum > COUNT_MOST) walk->is_large = !fail(walk);
    walk->counts = text_slice(from, 0, from.length - walk->rest.length);
    walk->has_counts = !walk->is_damaged;
}

static void substreams(struct walk *walk)
{
    unsigned id;
    while ((id = byte_take(walk)) != ID_END) {
        if (id == ID_COUNTS && !walk->has_counts)
            counts_take(walk);
        else if (id == ID_SIZE)
            substream_sizes_skip(walk);
        else if (id == ID_DIGESTS)
            substream_digests_skip(walk);
        else
            fail(walk);
    }
}

/* --- all --- */

static void streams_read(struct walk *walk)
{
    unsigned id = byte_take(walk);
    if (id == ID_PACK_INFO) pack_info(walk), id = byte_take(walk);
    if (id == ID_UNPACK_INFO) unpack_info(walk), id = byte_take(walk);
    if (id == ID_SUBSTREAMS) substreams(walk), id = byte_take(walk);
    if (id != ID_END) fail(walk);
}

/* Properties of files: each has its size. */
static void properties_skip(struct walk *walk)
{
    while (byte_take(walk) != ID_END) bytes_take(walk, number_take(walk));
}

static void header_read(struct walk *walk)
{
    unsigned id = byte_take(walk);
    if (id == ID_PROPERTIES) properties_skip(walk), id = byte_take(walk);
    if (id == ID_STREAMS) streams_read(walk), id = byte_take(walk);
    if (id == ID_FILES) {
        count_take(walk);
        properties_skip(walk);
    } else if (id != ID_END) {
        fail(walk);
    }
}

/* Other coders than LZMA and LZMA2 pack no header, but AES, which ends it for everybody without the key. */
static enum sevenzip_state packed_read(struct walk *walk, struct sevenzip_packed *out)
{
    static const struct text aes = { "\6\xF1\7\1", 4 };
    streams_read(walk);
    if (walk->is_large) return SEVENZIP_LARGE;
    if (walk->is_damaged || walk->folders != 1) return SEVENZIP_DAMAGED;
    if (walk->coders > 1 || text_equal(walk->coder, aes)) {
        struct text bytes = walk->folder_bytes;
        return text_find(bytes, aes) < bytes.length ? SEVENZIP_FINE : SEVENZIP_DAMAGED;
    }
    bool is_lzma = text_equal(walk->coder, TEXT("\3\1\1")) && walk->properties.length == 5;
    bool is_lzma2 = text_equal(walk->coder, TEXT("\x21")) && walk->properties.length == 1;
    if (!is_lzma && !is_lzma2) return SEVENZIP_DAMAGED;
    if (walk->first_size > SEVENZIP_HEADER_MOST) return SEVENZIP_LARGE;
    *out = (struct sevenzip_packed){ walk->properties, START_BYTES + walk->first_pack_offset,
                                     walk->first_pack_bytes, walk->first_size };
    return SEVENZIP_PACKED;
}

bool sevenzip_header_find(struct text file, struct text *out)
{
    if (file.length < START_BYTES) return false;
    uint64_t offset = codec_number_at(file, 12, 8), length = codec_number_at(file, 20, 8);
    struct text rest = text_slice(file, START_BYTES, file.length);
    if (offset > rest.length || length > rest.length - offset) return false;
    *out = text_slice(rest, (size_t)offset, (size_t)(offset + length));
    return true;
}

enum sevenzip_state sevenzip_header_look(struct text header, uint64_t stream_most,
                                         struct sevenzip_packed *out)
{
    struct walk walk = { .rest = header, .stream_most = stream_most };
    if (header.length == 0) return SEVENZIP_FINE; /* no files */
    unsigned id = byte_take(&walk);
    if (id == ID_PACKED_HEADER) return packed_read(&walk, out);
    if (id != ID_HEADER) return SEVENZIP_DAMAGED;
    header_read(&walk);
    if (walk.is_large) return SEVENZIP_LARGE;
    return walk.is_damaged ? SEVENZIP_DAMAGED : SEVENZIP_FINE;
}
