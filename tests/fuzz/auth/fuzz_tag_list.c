/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Tag lists from foreign bytes: no name comes twice, all texts lie within the input, and base64 that is read
   is as long as its characters say. */
#include <stdlib.h>

#include "auth/tag_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tag_list tags;
    struct text text = text_from((const char *)data, size), word, bytes;
    if (!tag_list_parse(text, &tags)) return 0;
    struct arena *arena = arena_new(0);
    if (tags.count > TAG_LIST_MOST) abort();
    for (uint32_t i = 0; i < tags.count; i++) {
        struct text value = tags.tags[i].value;
        for (uint32_t j = 0; j < i; j++)
            if (text_equal(tags.tags[i].name, tags.tags[j].name)) abort();
        if (value.at < text.at || value.at + value.length > text.at + text.length) abort();
        if (tag_list_base64(arena, value, SIZE_MAX, &bytes) && bytes.length > value.length) abort();
        tag_list_squeeze(arena, value);
        while (tag_list_next_word(&value, &word)) {
        }
    }
    arena_free(arena);
    return 0;
}
