/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "corpus_index.h"

enum { COLUMNS_MOST = 12 };

struct text index_column(struct text line, unsigned number)
{
    while (number--) line = text_slice(line, text_find_char(line, '\t') + 1, line.length);
    return text_slice(line, 0, text_find_char(line, '\t'));
}

unsigned index_column_named(struct text head, const char *name)
{
    for (unsigned number = 0; number < COLUMNS_MOST; number++)
        if (text_equal(index_column(head, number), text_of(name))) return number;
    return COLUMNS_MOST;
}
