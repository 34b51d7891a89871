/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Characters that a Japanese keyboard or a word processor writes where the configuration wants ASCII. */
#ifndef SEKIMORI_CONFIG_LOOKALIKE_H
#define SEKIMORI_CONFIG_LOOKALIKE_H

#include "base/buffer.h"

/* Borrowed from the text it was found in. */
struct lookalike {
    struct text character; /* empty: there is none */
    uint32_t code;
    char ascii; /* what it stands for; 0: nothing, it cannot be seen */
};

/* False when the character at the front is ASCII or like none. Full-width forms, Japanese and typographic
   quotation marks, dashes and blanks, the ideographic comma and full stop, invisible characters. */
bool lookalike_find(struct text text, struct lookalike *out);

/* 'a full-width "｛" (U+FF5B) stands where an ASCII "{" belongs'. */
void lookalike_print(const struct lookalike *lookalike, struct buffer *out);

#endif
