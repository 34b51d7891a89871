/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "corpus_index.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "judging.h"

enum { COLUMNS_MOST = 12 };

struct text index_open(const char *path, struct text *out_head)
{
    const char *why = access(path, R_OK) == 0 ? "it is empty" : strerror(errno);
    struct text index = TEXT_NONE;
    if (access(path, R_OK) == 0) index = judging_mail(path);
    if (text_next_line(&index, out_head)) return index;
    fprintf(stderr, "%s: %s; bench/README.md, \"Corpora\", says what has to be there\n", path, why);
    exit(EX_NOINPUT);
}

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
