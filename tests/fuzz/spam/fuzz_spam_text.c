/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A whole message through all that the spam engine reads of it: HTML, links, phrases, features. What is found must
   not grow beyond what went in, and twice the same is the same. */
#include <stdlib.h>

#include "spam/campaign_sketch.h"
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
    features->arena = arena;
    message_text_read(text, arena, mime);
    must(text->visible.length <= 8 * (message.length + 64));
    must(text->markup.link_count <= MARKUP_LINKS_MOST);
    message_features_add(features, mime, text);
    uint32_t sum = 0;
    for (int block = 0; block < FEATURE_BLOCKS; block++)
        for (uint32_t i = 0; i < features->blocks[block].count; i++) sum = sum * 31 + features->blocks[block].slots[i];
    message_text_free(text);
    struct campaign_sketch sketch;
    campaign_sketch_message(arena, mime, &sketch);
    must(sketch.file_count <= CAMPAIGN_FILES_MOST && !(sketch.bands[0] && sketch.line));
    arena_free(arena);
    return sum + (uint32_t)sketch.bands[0] + (uint32_t)sketch.line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text message = text_from((const char *)data, size);
    must(look(message) == look(message));
    return 0;
}
