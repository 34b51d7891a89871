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

/* Are they whole characters of that charset, of several bytes each? What is stateful, of single bytes or
   unknown is not told. */
bool charset_is_whole(struct text charset, struct text bytes);

/* Does it say anything of raw bytes over 127 near it? What is 7-bit, UTF-8 (which shows by itself) or unknown
   does not. */
bool charset_tells_raw(struct text charset);

/* The other way; false, nothing appended, when the charset lacks a character or is none that is written here:
   UTF-8, ISO-2022-JP, Shift_JIS, EUC-JP and those of single bytes are, by their own tables and not the wider
   ones that are read. */
bool charset_from_utf8(struct text charset, struct text utf8, struct buffer *out);

/* Bytes without a label of their own, the likeliest charset taken; `declared`: what is said near them (of the
   body below a raw Subject), empty: nothing. It counts where the bytes are whole in it. */
void charset_raw_to_utf8(struct text declared, struct text bytes, struct buffer *out,
                         struct finding_set *findings);

/* The charset that would be: "US-ASCII", "UTF-8", "ISO-2022-JP", "Shift_JIS", … never empty. `declared`
   itself, or a text that lives as long as the process. */
struct text charset_of_bytes(struct text declared, struct text bytes);

/* In which bytes of a charset nothing but ASCII looks like ASCII. */
enum charset_shape {
    CHARSET_PLAIN,     /* in all */
    CHARSET_SHIFT_JIS, /* not in the second of a character, by Shift_JIS's first bytes */
    CHARSET_PAIRS,     /* likewise, as in Big5 and GBK */
    CHARSET_ESCAPED    /* not between two escapes of ISO-2022-JP */
};

enum charset_shape charset_shape(struct text charset); /* of an unknown one: plain */

/* How many bytes at the front of `at` are no ASCII, though they may look like it. 0: the first byte stands
   for itself. No backslash, quote or semicolon is meant in them. */
size_t charset_opaque(enum charset_shape shape, struct text at);

bool charset_is_utf8(struct text bytes); /* ASCII too, and no bytes at all */
/* By us or by ICU, in any case of letters. */
bool charset_is_known(struct text charset);

/* Opens what is opened lazily, so that a jailed child needs no files for it. */
void charset_warm(void);

#endif
