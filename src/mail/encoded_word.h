/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Encoded words in header values, RFC 2047, to UTF-8 and back. */
#ifndef SEKIMORI_MAIL_ENCODED_WORD_H
#define SEKIMORI_MAIL_ENCODED_WORD_H

#include "base/arena.h"
#include "base/buffer.h"
#include "mail/finding.h"

/* "=?charset?B?text?=" or with a language, as it stands. */
struct word {
    struct text charset; /* without the language of RFC 2231 section 5 */
    char encoding;       /* 'B' or 'Q' */
    struct text encoded;
    size_t length; /* of the whole word */
};

/* A word begins at the start of `text`; false when it does not. */
bool word_at(struct text text, struct word *out);

/* Appends the value in UTF-8: words decoded wherever they stand, blanks between two words dropped, words of
   one charset joined where a character is divided between them, raw ISO-2022-JP and 8-bit
   bytes outside words read as the likeliest charset. `declared`: the charset that the message declares for
   its text, empty: none; that of the first word comes before it. Folds become one space. `findings` may be
   NULL. */
void word_decode(struct text value, struct text declared, struct buffer *out, struct finding_set *findings);

/* The same into the arena. */
struct text word_decode_in(struct arena *arena, struct text value, struct text declared,
                           struct finding_set *findings);

/* The first word in `value`, wherever it stands; false: it has none. */
bool word_find(struct text value, struct word *out);

enum { WORD_LINE_MOST = 76 }; /* bytes of a line with a word, RFC 2047 section 2 */

/* Appends `utf8` as one or more words of `charset`, each on a line of its own behind the first; in UTF-8 when
   the charset cannot hold it. `column`: bytes on the line before them, where too many begins with a fold.
   `encoding` is 'B' or 'Q'. */
void word_encode(struct text charset, char encoding, struct text utf8, size_t column, struct buffer *out);

#endif
