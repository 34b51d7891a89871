/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A whole message through all that the spam engine reads of it: HTML, links, phrases, features. What is found must
   not grow beyond what went in, and twice the same is the same. */
#include <stdlib.h>

#include "spam/message_facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) abort();
}

static uint32_t look(struct text message)
{
    struct arena *arena = arena_new(0);
    struct mime *mime = mime_parse(arena, message, &mime_limits_default, MIME_FIRST);
    struct features *features = arena_alloc(arena, sizeof *features);
    struct message_text *text = arena_alloc(arena, sizeof *text);
    struct buffer room = { 0 };
    features->arena = arena;
    message_text_begin(text, arena);
    for (size_t i = 0; i < mime->count; i++)
        if (mime->parts[i].kind == MIME_LEAF) message_text_part(text, &mime->parts[i], mime_decode(&mime->parts[i], &room, NULL));
    message_text_finish(text, mime);
    must(text->visible.length <= 8 * (message.length + 64));
    must(text->markup.link_count <= MARKUP_LINKS_MOST);
    features_add_text(features, FEATURE_BODY, text->visible);
    features_add_text(features, FEATURE_SUBJECT, text->subject_folded);
    message_facts_add(features, mime, text);
    uint32_t sum = 0;
    for (int block = 0; block < FEATURE_BLOCKS; block++)
        for (uint32_t i = 0; i < features->blocks[block].count; i++) sum = sum * 31 + features->blocks[block].slots[i];
    message_text_free(text);
    buffer_free(&room);
    arena_free(arena);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text message = text_from((const char *)data, size);
    must(look(message) == look(message));
    return 0;
}
