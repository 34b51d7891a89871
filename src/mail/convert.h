/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A message with 8-bit content made 7-bit for a server that takes no other (RFC 6152 section 3): each part
   that needs it is put into quoted-printable or base64, its Content-Transfer-Encoding says so. A
   message/global is encoded whole (RFC 6532 section 3.7), and so is, as one, what a report returns and cannot
   be converted. */
#ifndef SEKIMORI_MAIL_CONVERT_H
#define SEKIMORI_MAIL_CONVERT_H

#include "base/buffer.h"

enum convert_outcome {
    CONVERT_DONE,
    CONVERT_HEADER_8BIT, /* a header field has bytes over 127 where no encoding can stand, as in an address */
    CONVERT_SIGNED, /* inside a multipart/signed or encrypted part: converting breaks it (RFC 3156, 8551) */
    CONVERT_STRUCTURE, /* 8-bit bytes where no encoding can stand (preamble, broken structure, over a limit)
                        */
    CONVERT_OUTCOME_COUNT
};
const char *convert_reason(enum convert_outcome outcome); /* "8-bit content cannot be converted: …" */

/* `message`: CRLF lines. Appends the converted message to `out`, which is all 7-bit then; on any other
   outcome what was appended is of no use. Linear in the message. */
enum convert_outcome convert_to_7bit(struct text message, struct buffer *out);

#endif
