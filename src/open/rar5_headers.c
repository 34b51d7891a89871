/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Block by block; their checksums are nobody's concern here. */
#include "open/rar5_headers.h"

enum {
    SIGNATURE = 8,
    CHECKSUM = 4,
    BLOCK_FILE = 2,
    BLOCK_SERVICE = 3,
    BLOCK_ENCRYPTION = 4,
    BLOCK_END = 5,
    HAS_EXTRA = 1,
    HAS_DATA = 2,
    RECORD_ENCRYPTION = 1,
    NUMBER_MOST = 10 /* bytes of one */
};

/* Seven bits a byte, the lowest first; taken from the front. UINT64_MAX: it does not end, and nothing is left.
 */
static uint64_t number_take(struct text *rest)
{
    uint64_t number = 0;
    for (size_t i = 0; i < rest->length && i < NUMBER_MOST; i++) {
        unsigned byte = (unsigned char)rest->at[i];
        if (i < NUMBER_MOST - 1) number |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (byte & 0x80) continue;
        *rest = text_slice(*rest, i + 1, rest->length);
        return number;
    }
    *rest = TEXT_NONE;
    return UINT64_MAX;
}

/* Records, each behind its length. */
static bool extra_has_encryption(struct text extra)
{
    while (extra.length > 0) {
        uint64_t length = number_take(&extra);
        if (length == 0 || length > extra.length) return false;
        struct text record = text_slice(extra, 0, (size_t)length);
        if (number_take(&record) == RECORD_ENCRYPTION) return true;
        extra = text_slice(extra, (size_t)length, extra.length);
    }
    return false;
}

struct block {
    uint64_t type, data; /* data: bytes behind its header */
    struct text extra;
};

/* Takes it from the front, its data excepted. False: it makes no sense. */
static bool block_take(struct text *rest, struct block *out)
{
    if (rest->length <= CHECKSUM) return false;
    *rest = text_slice(*rest, CHECKSUM, rest->length);
    uint64_t length = number_take(rest);
    if (length == 0 || length > rest->length) return false;
    struct text header = text_slice(*rest, 0, (size_t)length), fields = header;
    *rest = text_slice(*rest, (size_t)length, rest->length);
    out->type = number_take(&fields);
    uint64_t flags = number_take(&fields);
    uint64_t extra = flags & HAS_EXTRA ? number_take(&fields) : 0;
    out->data = flags & HAS_DATA ? number_take(&fields) : 0;
    if (extra > header.length || out->data > rest->length) return false;
    out->extra = text_slice(header, header.length - (size_t)extra, header.length);
    return true;
}

static bool is_encrypted(const struct block *block)
{
    bool is_file = block->type == BLOCK_FILE || block->type == BLOCK_SERVICE;
    return block->type == BLOCK_ENCRYPTION || (is_file && extra_has_encryption(block->extra));
}

bool rar5_headers_leave_out(struct text archive, struct buffer *plain)
{
    struct text rest = text_slice(archive, SIGNATURE, archive.length);
    struct block block;
    bool is_any = false;
    const char *kept = archive.at; /* what stands from here on is to be appended */
    for (const char *at = rest.at; block_take(&rest, &block); at = rest.at) {
        rest = text_slice(rest, (size_t)block.data, rest.length);
        if (block.type == BLOCK_END) break;
        if (!is_encrypted(&block)) continue;
        is_any = true;
        buffer_add(plain, kept, (size_t)(at - kept));
        kept = rest.at;
        if (block.type == BLOCK_ENCRYPTION) return true;
    }
    if (is_any) buffer_add(plain, kept, (size_t)(archive.at + archive.length - kept));
    return is_any;
}
