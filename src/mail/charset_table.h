/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* ICU's tables of characters, each by its name. Which table a charset of mail is read by is charset.c's. */
#ifndef SEKIMORI_MAIL_CHARSET_TABLE_H
#define SEKIMORI_MAIL_CHARSET_TABLE_H

#include "base/buffer.h"

enum { CHARSET_TABLE_NAME_MOST = 60 }; /* a longer name is none */

/* Appends; what is no character becomes U+FFFD. False, nothing appended, when that happens more than
   `most_bad` times or there is no such table. */
bool charset_table_to_utf8(struct text name, struct text bytes, size_t most_bad, struct buffer *out);

/* The other way; false, nothing appended, when the table lacks a character, or there is none. */
bool charset_table_from_utf8(struct text name, struct text utf8, struct buffer *out);

bool charset_table_is_known(struct text name); /* in any case of letters */
bool charset_table_is_single_byte(
    struct text name); /* every byte is a character of its own; false also: unknown */

/* Under which ICU has it, a text that lives as long as the process; NULL: unknown. */
const char *charset_table_standard_name(const char *name);

enum { CHARSET_FOLD_MOST = 512, CHARSET_FOLD_GROWTH = 11 };

/* NFKC_Casefold (UAX 44) of at most CHARSET_FOLD_MOST bytes of UTF-8: at most CHARSET_FOLD_GROWTH times as
   many, which are what it returns. Other bytes, and a `room` that is too small: a copy, as far as it goes. */
size_t charset_table_fold(struct text utf8, char *room, size_t size);

/* False: the character may become one with that before it. */
bool charset_table_stands_alone(uint32_t point);

/* Opens every table that mail is likely to need, so that a jailed child needs no files for it. */
void charset_table_warm(void);

#endif
