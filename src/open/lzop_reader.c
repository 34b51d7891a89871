/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The only file that knows lzo1x.h. Numbers are big-endian; checksums are not looked at, since who wants to
   hide something may make them wrong. */
#include "open/lzop_reader.h"

#include <lzo/lzo1x.h>
#include <stdlib.h>

enum {
    MAGIC_BYTES = 9,
    VERSION_WITH_LEVEL = 0x0940,
    BLOCK_MOST = 64 << 20, /* as lzop has it */
    FLAG_ADLER = 1,
    FLAG_ADLER_PACKED = 2,
    FLAG_EXTRA = 0x40,
    FLAG_CRC = 0x100,
    FLAG_CRC_PACKED = 0x200,
    FLAG_FILTER = 0x800
};

struct lzop {
    struct text rest;
    bool is_cut;
    uint32_t flags;
    struct text name;
};

static uint32_t take(struct lzop *lzop, size_t size)
{
    uint32_t number = 0;
    if (lzop->rest.length < size) lzop->is_cut = true;
    if (lzop->is_cut) return 0;
    for (size_t i = 0; i < size; i++) number = number << 8 | (unsigned char)lzop->rest.at[i];
    lzop->rest = text_slice(lzop->rest, size, lzop->rest.length);
    return number;
}

static struct text take_bytes(struct lzop *lzop, size_t size)
{
    if (lzop->rest.length < size) lzop->is_cut = true;
    struct text bytes = text_slice(lzop->rest, 0, size);
    lzop->rest = text_slice(lzop->rest, size, lzop->rest.length);
    return bytes;
}

/* False: packed through a filter, which no encoder does by itself. */
static bool header_read(struct lzop *lzop)
{
    take_bytes(lzop, MAGIC_BYTES);
    bool has_level = take(lzop, 2) >= VERSION_WITH_LEVEL;
    take(lzop, 2);
    if (has_level) take(lzop, 2);
    take(lzop, 1);
    if (has_level) take(lzop, 1);
    lzop->flags = take(lzop, 4);
    if (lzop->flags & FLAG_FILTER) return false;
    take_bytes(lzop, has_level ? 12 : 8); /* mode and times */
    lzop->name = take_bytes(lzop, take(lzop, 1));
    take(lzop, 4);
    if (lzop->flags & FLAG_EXTRA) {
        take_bytes(lzop, take(lzop, 4));
        take(lzop, 4);
    }
    return true;
}

static bool block_unpack(struct unpack *unpack, struct text packed, size_t size, struct buffer *member,
                         bool *is_damaged)
{
    unsigned char *out = malloc(size);
    lzo_uint got = size;
    if (!out) return *is_damaged = true, false;
    int code = lzo1x_decompress_safe((const unsigned char *)packed.at, packed.length, out, &got, NULL);
    bool is_good = members_add(unpack, member, out, got > size ? size : got);
    *is_damaged |= code != LZO_E_OK;
    free(out);
    return is_good;
}

/* False: no further block is read. */
static bool block_read(struct unpack *unpack, struct lzop *lzop, struct buffer *member, bool *is_damaged)
{
    uint32_t size = take(lzop, 4);
    if (lzop->is_cut || size == 0) return false;
    uint32_t packed_size = take(lzop, 4);
    bool is_stored = packed_size >= size;
    take_bytes(lzop, 4 * (size_t)(!!(lzop->flags & FLAG_ADLER) + !!(lzop->flags & FLAG_CRC)));
    if (!is_stored)
        take_bytes(lzop,
                   4 * (size_t)(!!(lzop->flags & FLAG_ADLER_PACKED) + !!(lzop->flags & FLAG_CRC_PACKED)));
    if (lzop->is_cut) return false;
    if (size > BLOCK_MOST || packed_size > size) {
        *is_damaged = true;
        return false;
    }
    struct text packed = take_bytes(lzop, packed_size);
    if (is_stored) return members_add(unpack, member, packed.at, packed.length);
    bool is_good = block_unpack(unpack, packed, size, member, is_damaged);
    if (lzop->is_cut) *is_damaged = false;
    return is_good && !*is_damaged && !lzop->is_cut;
}

void lzop_read(struct unpack *unpack, struct text bytes)
{
    struct lzop lzop = { .rest = bytes };
    while (text_starts(lzop.rest, TEXT("\x89LZO\0\r\n\x1A\n")) && !lzop.is_cut && members_may_go_on(unpack)) {
        struct buffer member = { 0 };
        bool is_damaged = !header_read(&lzop);
        while (!is_damaged && !lzop.is_cut && block_read(unpack, &lzop, &member, &is_damaged)) {
        }
        if (is_damaged)
            members_notice(unpack, UNPACK_NOT_OPENED, "lzop: damaged, or of a kind that is not read");
        members_take(unpack, lzop.name.length ? lzop.name : TEXT("data"), buffer_text(&member));
        buffer_free(&member);
        if (is_damaged) return;
    }
}
