/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* S/MIME: the message inside a signed one (RFC 8551 section 3.5.2), which mail programs show as if it stood
   in the open. Nothing is verified here. */
#ifndef SEKIMORI_MAIL_SIGNED_H
#define SEKIMORI_MAIL_SIGNED_H

#include "base/buffer.h"

enum signed_outcome {
    SIGNED_NONE,    /* not signed data (encrypted, say), or a signature without content */
    SIGNED_CONTENT, /* appended to `out`: a MIME entity, header first */
    SIGNED_BROKEN,  /* signed data in which no content can be made out */
};

/* `cms` is the decoded body of application/pkcs7-mime, in DER or BER. */
enum signed_outcome signed_content(struct text cms, struct buffer *out);

#endif
