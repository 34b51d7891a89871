/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goes straight to the content (RFC 5652 sections 3 and 5): elements on the way are entered or passed over.
   Every byte is looked at a fixed number of times, nothing recurses. */
#include "mail/signed.h"

#include "mail/ber.h"

static bool enter(struct text *at, uint8_t tag)
{
    struct ber_element element;
    if (!ber_read(*at, &element) || element.tag != tag) return false;
    *at = element.content;
    return true;
}

/* Past one element and all within it. */
static bool pass(struct text *at)
{
    struct ber_element element;
    size_t open = 0;
    do {
        if (!ber_read(*at, &element)) return false;
        bool is_end = element.tag == BER_END && open > 0;
        open = open + element.is_open - is_end;
        *at = text_slice(*at, element.header + (element.is_open ? 0 : element.content.length), at->length);
    } while (open > 0);
    return true;
}

static bool is_signed_data(struct text at)
{
    static const struct text signed_data = { "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", 9 };
    struct ber_element element;
    return ber_read(at, &element) && element.tag == BER_OID && text_equal(element.content, signed_data);
}

/* An octet string, whole or in pieces within pieces. */
static bool octets_add(struct text at, struct buffer *out)
{
    struct ber_element element;
    if (!ber_read(at, &element)) return false;
    size_t open = 0;
    if (!element.is_open) at = text_slice(at, 0, element.header + element.content.length);
    while (ber_read(at, &element)) {
        bool is_end = element.tag == BER_END && open > 0, is_piece = element.tag == BER_OCTETS;
        if (!is_end && !is_piece && element.tag != BER_OCTETS_IN_PIECES) return false;
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
    if (!enter(&at, BER_SEQUENCE) || !is_signed_data(at)) return SIGNED_NONE;
    bool good = pass(&at) && enter(&at, BER_EXPLICIT) && enter(&at, BER_SEQUENCE);
    good = good && pass(&at) && pass(&at); /* version, digest algorithms */
    good = good && enter(&at, BER_SEQUENCE) && pass(&at);
    if (!good) return SIGNED_BROKEN;
    if (at.length == 0 || (uint8_t)at.at[0] != BER_EXPLICIT) return SIGNED_NONE;
    return enter(&at, BER_EXPLICIT) && octets_add(at, out) ? SIGNED_CONTENT : SIGNED_BROKEN;
}
