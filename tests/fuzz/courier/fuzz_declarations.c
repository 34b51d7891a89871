/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What another node says to this one's ledger: of any lines, what is a declaration can be written and read
   again, and two ledgers that hear the same lines in opposite orders have the same. */
#include <stdlib.h>

#include "ledger/declarations.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINES_MOST = 64, NOW = 1000 };

static void read_again(struct text line)
{
    struct declaration declaration, again;
    struct buffer out = { 0 };
    if (!declaration_read(line, &declaration)) return;
    declaration_write(&declaration, &out);
    if (!declaration_read(buffer_text(&out), &again) || !text_equal(again.body, declaration.body)) abort();
    buffer_free(&out);
}

static struct text all(const struct declarations *declarations, struct buffer *out)
{
    if (declarations_list(declarations, 0, declarations_stamp(declarations), 0, SIZE_MAX, out)) abort();
    return buffer_text(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text rest = text_from((const char *)data, size), lines[LINES_MOST];
    struct declarations *one = declarations_new(), *other = declarations_new();
    struct buffer here = { 0 }, there = { 0 };
    size_t count = 0;
    while (count < LINES_MOST && text_next_line(&rest, &lines[count])) read_again(lines[count++]);
    declarations_start(one, -1, 0, NOW);
    declarations_start(other, -1, 0, NOW);
    for (size_t i = 0; i < count; i++) declarations_hear(one, lines[i], NOW);
    for (size_t i = count; i > 0; i--) declarations_hear(other, lines[i - 1], NOW);
    if (!text_equal(all(one, &here), all(other, &there))) abort();
    buffer_free(&here);
    buffer_free(&there);
    declarations_free(one);
    declarations_free(other);
    return 0;
}
