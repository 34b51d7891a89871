/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a part's Content- fields say: type, name, charset, transfer encoding, boundary. Called by mime.c. */
#ifndef SEKIMORI_MAIL_CONTENT_FIELDS_H
#define SEKIMORI_MAIL_CONTENT_FIELDS_H

#include "mail/mime.h"

/* Fills type, charset, name, disposition, encoding, encoding_text and boundary of the part from its header,
   and adds findings. `in_digest`: the default type is message/rfc822 (RFC 2046 section 5.1.5). `declared`:
   the charset that the message declares, which raw bytes of a name are likely in where the part names none.
 */
void content_fields_read(struct arena *arena, const struct mime_limits *limits, enum mime_choice choice,
                         bool in_digest, struct text declared, struct mime_part *part);

#endif
