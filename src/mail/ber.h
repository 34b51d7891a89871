/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One element of BER (X.690 section 8.1) as strangers write it. Pure, recurses into nothing. */
#ifndef SEKIMORI_MAIL_BER_H
#define SEKIMORI_MAIL_BER_H

#include "base/text.h"

enum ber_tag {
    BER_END = 0x00,
    BER_OCTETS = 0x04,
    BER_OID = 0x06,
    BER_OCTETS_IN_PIECES = 0x24,
    BER_SEQUENCE = 0x30,
    BER_EXPLICIT = 0xA0 /* [0] */
};
enum { BER_CONSTRUCTED = 0x20 }; /* the bit of a tag */

struct ber_element {
    uint8_t tag;
    bool is_open;        /* of no stated length: an end mark closes it */
    size_t header;       /* bytes of tag and length */
    struct text content; /* borrowed; when it is open, all that follows */
};

/* The element that `text` begins with. One that says it is longer than what is there ends where the bytes
   end. False: none begins here. */
bool ber_read(struct text text, struct ber_element *out);

#endif
