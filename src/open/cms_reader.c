/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A walk down BER: indefinite lengths, octet strings in pieces. */
#include "open/cms_reader.h"

#include "mail/ber.h"
#include "mail/decode.h"
#include "open/archive_reader.h"

enum { DEPTH_MOST = 16, METHOD_DEFLATE = 8 };

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
    if (!(out->tag & BER_CONSTRUCTED) || depth >= DEPTH_MOST) return false;
    while (rest->length >= 2 && (rest->at[0] != 0 || rest->at[1] != 0))
        if (!item_next(rest, &inner, depth + 1)) {
            *rest = text_slice(*rest, rest->length, rest->length);
            break;
        }
    out->content = text_slice(from, 0, from.length - rest->length);
    *rest = text_slice(*rest, rest->length >= 2 ? 2 : rest->length, rest->length);
    return true;
}

/* False: no item begins here. */
static bool item_next(struct text *rest, struct item *out, int depth)
{
    struct ber_element element;
    if (!ber_read(*rest, &element)) return false;
    *out = (struct item){ element.tag, element.content };
    *rest = text_slice(*rest, element.header, rest->length);
    if (element.is_open) return unknown_length_take(rest, out, depth);
    *rest = text_slice(*rest, element.content.length, rest->length);
    return true;
}

/* An octet string, whole or in pieces, itself in [0] or not. */
static bool octets_gather(struct unpack *unpack, struct text in, struct buffer *out, int depth)
{
    struct item item;
    while (depth < DEPTH_MOST && item_next(&in, &item, 0)) {
        bool is_good = true;
        if (item.tag == BER_OCTETS)
            is_good = members_add(unpack, out, item.content.at, item.content.length);
        else if (item.tag == BER_OCTETS_IN_PIECES)
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
        if (item.tag != BER_SEQUENCE || !item_next(&rest, &type, 0) || type.tag != BER_OID) continue;
        if (!item_next(&rest, &content, 0) || content.tag != BER_EXPLICIT) continue;
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
                   explicit.tag == BER_EXPLICIT;
    unsigned kind = is_good ? (unsigned char)type.content.at[type.content.length - 1] : 0;
    bool is_compressed = is_good && type.content.length > 9;
    struct text content = is_good ? explicit.content : TEXT_NONE;
    if (is_good && (kind != 1 || is_compressed)) {
        is_good = item_next(&explicit.content, &inside, 0) && inside.tag == BER_SEQUENCE;
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

/* --- PEM --- */

static bool is_boundary(struct text line)
{
    return text_starts(text_trim(line), TEXT("-----"));
}

/* RFC 7468: what is between the lines that begin with "-----". */
static void pem_decode(struct text bytes, struct buffer *out)
{
    struct text rest = bytes, line;
    while (text_next_line(&rest, &line) && !is_boundary(line)) {
    }
    struct text inside = rest;
    size_t length = 0;
    while (text_next_line(&rest, &line) && !is_boundary(line)) length = inside.length - rest.length;
    inside = text_slice(inside, 0, length);
    buffer_commit(out, decode_base64(inside, DECODE_SKIP, buffer_reserve(out, decode_room(length)), NULL));
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
