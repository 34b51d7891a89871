/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* HTML as a reader sees it: what is found is no more than what went in, lies within its limits, and is the
   same however often it is read. */
#include <stdlib.h>

#include "spam/markup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) abort();
}

static void read_into(struct markup *markup, struct arena *arena, struct text html)
{
    markup->arena = arena;
    markup_read(markup, html);
    must(markup->link_count <= MARKUP_LINKS_MOST);
    /* A reference is as long as its character at least, and each tag ends a line at most. */
    must(buffer_length(&markup->text) + buffer_length(&markup->hidden) <= 2 * html.length + 1);
    for (uint32_t i = 0; i < markup->link_count; i++) {
        must(markup->links[i].target.length <= MARKUP_TARGET_MOST);
        must(markup->links[i].shown.length <= MARKUP_SHOWN_MOST);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1);
    memcpy(copy, data ? data : (const uint8_t *)"", size);
    struct arena *arena = arena_new(0);
    struct markup *once = arena_alloc(arena, sizeof *once), *again = arena_alloc(arena, sizeof *again);
    read_into(once, arena, text_from(copy, size));
    read_into(again, arena, text_from(copy, size));
    must(text_equal(buffer_text(&once->text), buffer_text(&again->text)));
    must(text_equal(buffer_text(&once->hidden), buffer_text(&again->hidden)));
    must(once->link_count == again->link_count);
    markup_free(once);
    markup_free(again);
    arena_free(arena);
    free(copy);
    return 0;
}
