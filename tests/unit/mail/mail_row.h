/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A mail as a row of a table: "~" is CRLF. */
#ifndef SEKIMORI_TESTS_MAIL_ROW_H
#define SEKIMORI_TESTS_MAIL_ROW_H

#include "base/arena.h"
#include "base/buffer.h"

/* The bytes that the row stands for, in the arena. */
static inline struct text mail_from_row(struct arena *arena, const char *row)
{
    struct buffer out = { 0 };
    for (const char *at = row; *at; at++) {
        if (*at == '~')
            buffer_add_text(&out, TEXT("\r\n"));
        else
            buffer_add_char(&out, *at);
    }
    struct text text = arena_text(arena, buffer_text(&out));
    buffer_free(&out);
    return text;
}

#endif
