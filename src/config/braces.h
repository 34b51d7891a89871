/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Where a brace is missing or one too many, so that the parser says that once and not all that follows from
   it. For src/config/ only. */
#ifndef SEKIMORI_CONFIG_BRACES_H
#define SEKIMORI_CONFIG_BRACES_H

#include "config/load_private.h"

enum brace_change { BRACE_OPEN, BRACE_CLOSE, BRACE_DROP };

/* At the token that stands there: a brace is put before it, or it is left out. */
struct brace_edit {
    enum brace_change change;
    uint32_t line, column;
    struct place blame;  /* what to complain of */
    struct text message; /* empty: nothing to say */
};

/* In the order of the file, in the loader's arena. */
struct brace_edits {
    struct brace_edit *items;
    size_t count;
};

/* None where the braces of the file balance, or it cannot be told which is wrong. `file` as in struct place.
 */
struct brace_edits braces_mend(struct loader *loader, struct text content, unsigned file);

/* The place of a token in a file, with what does not fit cut. */
struct place braces_place(uint32_t line, uint32_t column, unsigned file);

#endif
