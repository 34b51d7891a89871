/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is drawn in any text and any HTML: no drawing is larger or comes oftener than is said, what is a text
   of markup lies in it, and a picture's header promises no side of 0. The first byte chooses the parser. */
#include <stdlib.h>

#include "mail/picture_size.h"
#include "open/block_drawing.h"
#include "mail/html_tags.h"
#include "open/table_drawing.h"

enum { SIDE_MOST = 2048 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    unsigned count, sum;
};

static bool drawing(void *context, const struct bitmap *bitmap)
{
    struct seen *seen = context;
    if (bitmap->width > SIDE_MOST || bitmap->height > SIDE_MOST || ++seen->count > TABLES_MOST) abort();
    for (size_t i = 0; i < (size_t)bitmap->width * bitmap->height; i += 97) seen->sum += bitmap->grey[i];
    return true;
}

static bool lies_in(struct text whole, struct text part)
{
    return part.length == 0 || (part.at >= whole.at && part.at + part.length <= whole.at + whole.length);
}

static void markup(struct text html)
{
    struct html_piece one;
    struct buffer decoded = { 0 };
    for (struct text rest = html; html_next(&rest, &one);) {
        struct text value;
        if (!lies_in(html, one.name) || !lies_in(html, one.inside)) abort();
        if (one.is_tag && html_attribute(one.inside, TEXT("style"), &value) && !lies_in(html, value))
            abort();
        if (!one.is_tag) html_decode(one.inside, &decoded);
    }
    if (buffer_length(&decoded) > html.length * 2) abort();
    buffer_free(&decoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct picture_size picture;
    struct seen seen = { 0 };
    if (size == 0) return 0;
    struct text text = text_from((const char *)data + 1, size - 1);
    switch (data[0] % 4) {
    case 0:
        block_drawing_find(text, drawing, &seen);
        return 0;
    case 1:
        table_drawing_find(text, drawing, &seen);
        return 0;
    case 2:
        markup(text);
        return 0;
    default:
        if (picture_size_read(text, &picture) != PICTURE_NONE && (picture.width == 0 || picture.height == 0))
            abort();
        return 0;
    }
}
