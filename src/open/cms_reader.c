/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A walk down BER: lengths short, long and indefinite, octet strings in pieces. */
#include "open/cms_reader.h"

#include "open/archive_reader.h"

enum {
    TAG_OCTETS = 0x04,
    TAG_OID = 0x06,
    TAG_OCTETS_IN_PIECES = 0x24,
    TAG_SEQUENCE = 0x30,
    TAG_CONTENT = 0xA0,
    LENGTH_UNKNOWN = 0x80,
    DEPTH_MOST = 16,
    METHOD_DEFLATE = 8
};

struct item {
    unsigned tag;
    struct text content;
};

static bool item_next(struct text *rest, struct item *out, int depth);

/* Up to the two zeros that end it; to the end of all where they are missing. */
static bool unknown_length_take(struct text *rest, struct item *out, int depth)
{
    struct text from = *rest;
    struct item inner;
    if (!(out->tag & 0x20) || depth >= DEPTH_MOST) return false;
    while (rest->length >= 2 && (rest->at[0] != 0 || rest->at[1] != 0))
        if (!item_next(rest, &inner, depth + 1)) {
            *rest = text_slice(*rest, rest->length, rest->length);
            break;
        }
    out->content = text_slice(from, 0, from.length - rest->length);
    *rest = text_slice(*rest, rest->length >= 2 ? 2 : rest->length, rest->length);
    return true;
}

/* A length that reaches beyond the end is cut there. False: no item begins here. */
static bool item_next(struct text *rest, struct item *out, int depth)
{
    if (rest->length < 2) return false;
    unsigned length_byte = (unsigned char)rest->at[1];
    out->tag = (unsigned char)rest->at[0];
    *rest = text_slice(*rest, 2, rest->length);
    if (length_byte == LENGTH_UNKNOWN) return unknown_length_take(rest, out, depth);
    uint64_t length = length_byte;
    if (length_byte > LENGTH_UNKNOWN) {
        size_t count = length_byte - LENGTH_UNKNOWN;
        if (count > 8 || count > rest->length) return false;
        length = 0;
        for (size_t i = 0; i < count; i++) length = length << 8 | (unsigned char)rest->at[i];
        *rest = text_slice(*rest, count, rest->length);
    }
    size_t taken = length < rest->length ? (size_t)length : rest->length;
    out->content = text_slice(*rest, 0, taken);
    *rest = text_slice(*rest, taken, rest->length);
    return true;
}

/* An octet string, whole or in pieces, itself in [0] or not. */
static bool octets_gather(struct unpack *unpack, struct text in, struct buffer *out, int depth)
{
    struct item item;
    while (depth < DEPTH_MOST && item_next(&in, &item, 0)) {
        bool is_good = true;
        if (item.tag == TAG_OCTETS)
            is_good = members_add(unpack, out, item.content.at, item.content.length);
        else if (item.tag == TAG_OCTETS_IN_PIECES)
            is_good = octets_gather(unpack, item.content, out, depth + 1);
        if (!is_good) return false;
    }
    return depth < DEPTH_MOST;
}

/* EncapsulatedContentInfo: a type, and the content in [0]. Other sequences begin with a type, too. */
static bool content_find(struct text inside, struct text *out)
{
    struct item item, type, content;
    while (item_next(&inside, &item, 0)) {
        struct text rest = item.content;
        if (item.tag != TAG_SEQUENCE || !item_next(&rest, &type, 0) || type.tag != TAG_OID) continue;
        if (!item_next(&rest, &content, 0) || content.tag != TAG_CONTENT) continue;
        *out = content.content;
        return true;
    }
    return false;
}

/* RFC 3274 section 2: zlib, whose two bytes of header are left out here. */
static void compressed_member(struct unpack *unpack, struct text zlib)
{
    struct buffer member = { 0 };
    struct zip_entry entry = { .packed = text_slice(zlib, 2, zlib.length),
                               .method = METHOD_DEFLATE,
                               .is_open_ended = true };
    enum zip_outcome outcome = archive_zip_entry(unpack, &entry, &member);
    if (outcome == ZIP_FAILED) members_notice(unpack, UNPACK_NOT_OPENED, "cms: compressed");
    members_take(unpack, TEXT("content"), buffer_text(&member));
    buffer_free(&member);
}

static void content_info_read(struct unpack *unpack, struct text bytes)
{
    struct item info, type, explicit, inside;
    struct buffer octets = { 0 };
    bool is_good = item_next(&bytes, &info, 0) && item_next(&info.content, &type, 0) &&
                   type.content.length > 0 && item_next(&info.content, &explicit, 0) &&
                   explicit.tag == TAG_CONTENT;
    unsigned kind = is_good ? (unsigned char)type.content.at[type.content.length - 1] : 0;
    bool is_compressed = is_good && type.content.length > 9;
    struct text content = is_good ? explicit.content : TEXT_NONE;
    if (is_good && (kind != 1 || is_compressed)) {
        is_good = item_next(&explicit.content, &inside, 0) && inside.tag == TAG_SEQUENCE;
        if (is_good && !content_find(inside.content, &content)) return; /* a signature of what is elsewhere */
    }
    if (!is_good || !octets_gather(unpack, content, &octets, 0))
        members_notice(unpack, UNPACK_NOT_OPENED, "cms: damaged");
    if (is_compressed)
        compressed_member(unpack, buffer_text(&octets));
    else
        members_take(unpack, TEXT("content"), buffer_text(&octets));
    buffer_free(&octets);
}

/* --- base64 --- */

static int digit_value(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (char_is_digit(c)) return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* RFC 7468: what is between the lines that begin with "-----". */
static void pem_decode(struct text bytes, struct buffer *out)
{
    struct text line;
    uint32_t bits = 0;
    unsigned count = 0;
    bool is_inside = false;
    while (text_next_line(&bytes, &line)) {
        if (text_starts(text_trim(line), TEXT("-----"))) {
            if (is_inside) return;
            is_inside = true;
            continue;
        }
        for (size_t i = 0; is_inside && i < line.length; i++) {
            int value = digit_value(line.at[i]);
            if (value < 0) continue;
            bits = bits << 6 | (uint32_t)value;
            count += 6;
            if (count < 8) continue;
            count -= 8;
            buffer_add_char(out, (char)(bits >> count & 0xFF));
        }
    }
}

void cms_read(struct unpack *unpack, struct text bytes, bool is_pem)
{
    struct buffer decoded = { 0 };
    if (!is_pem) {
        content_info_read(unpack, bytes);
        return;
    }
    pem_decode(bytes, &decoded);
    enum true_type type = true_type_of(buffer_text(&decoded));
    if (type == TYPE_CMS)
        content_info_read(unpack, buffer_text(&decoded));
    else if (type == TYPE_CMS_ENCRYPTED)
        members_notice(unpack, UNPACK_ENCRYPTED, "cms");
    else
        members_notice(unpack, UNPACK_NOT_OPENED, "cms: damaged");
    buffer_free(&decoded);
}
