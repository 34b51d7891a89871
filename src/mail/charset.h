/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Text in any charset to UTF-8 and back. Names as mail has them, read as the programs that wrote the mail
   meant them: Shift_JIS is CP932, ISO-2022-JP has half-width kana and vendor rows, ISO-8859-1 is
   windows-1252. */
#ifndef SEKIMORI_MAIL_CHARSET_H
#define SEKIMORI_MAIL_CHARSET_H

#include "base/buffer.h"
#include "mail/finding.h"

/* Appends valid UTF-8, whatever the bytes: where the charset is empty, unknown, or wrong for the bytes, the
   likeliest one is taken (unknown-charset, wrong-charset); what is still no character becomes U+FFFD.
   An empty charset without 8-bit bytes is no finding. `findings` may be NULL. */
void charset_to_utf8(struct text charset, struct text bytes, struct buffer *out,
                     struct finding_set *findings);

/* The other way; false, nothing appended, when the charset is unknown or lacks a character. */
bool charset_from_utf8(struct text charset, struct text utf8, struct buffer *out);

/* The charset that the bytes are most likely in: "US-ASCII", "UTF-8", "ISO-2022-JP", "Shift_JIS", …
   A string literal or one that lives as long as the process; never NULL. */
const char *charset_of_bytes(struct text bytes);

bool charset_is_utf8(struct text bytes);  /* ASCII too, and no bytes at all */
/* By us or by ICU, in any case of letters. */
bool charset_is_known(struct text charset);

/* Opens what is opened lazily, so that a jailed child needs no files for it. */
void charset_warm(void);

#endif
