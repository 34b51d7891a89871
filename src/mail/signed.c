/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goes straight to the content (RFC 5652 sections 3 and 5): elements on the way are entered or passed over.
   Lenient: an element that says it is longer than what is there ends where the bytes end. Every byte is
   looked at a fixed number of times, nothing recurses. */
#include "mail/signed.h"

enum tag {
    TAG_END = 0x00,
    TAG_OCTETS = 0x04,
    TAG_OCTETS_IN_PIECES = 0x24,
    TAG_SEQUENCE = 0x30,
    TAG_EXPLICIT = 0xA0
};

struct element {
    uint8_t tag;
    bool is_open;        /* of no stated length: an end mark closes it */
    size_t header;       /* bytes of tag and length */
    struct text content; /* when it is open, all that follows */
};

static bool element_read(struct text text, struct element *out)
{
    if (text.length < 2) return false;
    uint8_t first = (uint8_t)text.at[1];
    uint64_t length = first;
    *out = (struct element){ .tag = (uint8_t)text.at[0], .is_open = first == 0x80, .header = 2 };
    if (first > 0x80) {
        out->header += first & 0x7F;
        if (out->header > 2 + sizeof length || out->header > text.length) return false;
        length = 0;
        for (size_t i = 2; i < out->header; i++) length = length << 8 | (uint8_t)text.at[i];
    }
    out->content = text_slice(text, out->header, text.length);
    if (!out->is_open && length < out->content.length) out->content.length = (size_t)length;
    return true;
}

static bool enter(struct text *at, uint8_t tag)
{
    struct element element;
    if (!element_read(*at, &element) || element.tag != tag) return false;
    *at = element.content;
    return true;
}

/* Past one element and all within it. */
static bool pass(struct text *at)
{
    struct element element;
    size_t open = 0;
    do {
        if (!element_read(*at, &element)) return false;
        bool is_end = element.tag == TAG_END && open > 0;
        open = open + element.is_open - is_end;
        *at = text_slice(*at, element.header + (element.is_open ? 0 : element.content.length), at->length);
    } while (open > 0);
    return true;
}

static bool is_signed_data(struct text at)
{
    static const struct text signed_data = { "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", 9 };
    struct element element;
    return element_read(at, &element) && element.tag == 0x06 && text_equal(element.content, signed_data);
}

/* An octet string, whole or in pieces within pieces. */
static bool octets_add(struct text at, struct buffer *out)
{
    struct element element;
    if (!element_read(at, &element)) return false;
    size_t open = 0;
    if (!element.is_open) at = text_slice(at, 0, element.header + element.content.length);
    while (element_read(at, &element)) {
        bool is_end = element.tag == TAG_END && open > 0, is_piece = element.tag == TAG_OCTETS;
        if (!is_end && !is_piece && element.tag != TAG_OCTETS_IN_PIECES) return false;
        if (is_piece) buffer_add_text(out, element.content);
        at = text_slice(at, element.header + (is_piece ? element.content.length : 0), at.length);
        open = open + element.is_open - is_end;
        if (is_end && open == 0) return true;
    }
    return at.length == 0;
}

enum signed_outcome signed_content(struct text cms, struct buffer *out)
{
    struct text at = cms;
    if (!enter(&at, TAG_SEQUENCE) || !is_signed_data(at)) return SIGNED_NONE;
    bool good = pass(&at) && enter(&at, TAG_EXPLICIT) && enter(&at, TAG_SEQUENCE);
    good = good && pass(&at) && pass(&at); /* version, digest algorithms */
    good = good && enter(&at, TAG_SEQUENCE) && pass(&at);
    if (!good) return SIGNED_BROKEN;
    if (at.length == 0 || (uint8_t)at.at[0] != TAG_EXPLICIT) return SIGNED_NONE;
    return enter(&at, TAG_EXPLICIT) && octets_add(at, out) ? SIGNED_CONTENT : SIGNED_BROKEN;
}
