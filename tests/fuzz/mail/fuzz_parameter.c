/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Structured values: bounded lists, and values that become UTF-8. */
#include <stdlib.h>

#include "mail/charset.h"
#include "mail/parameter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 12 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(0);
    struct parameter_list list;
    char *copy = malloc(size ? size : 1);
    memcpy(copy, data ? data : (const uint8_t *)"", size);
    struct text declared = size && copy[size - 1] & 1 ? TEXT("big5") : TEXT_NONE;
    parameter_parse(arena, text_from(copy, size), declared, MOST, &list);
    if (list.count > MOST) abort();
    for (size_t i = 0; i < list.count; i++) {
        const struct parameter *item = &list.items[i];
        if (item->value.length > size) abort();
        if (!charset_is_utf8(parameter_utf8(arena, item, declared, &list.findings))) abort();
        if (!parameter_find(&list, item->name, false) || !parameter_find(&list, item->name, true)) abort();
        if (parameter_times(&list, item->name) == 0) abort();
    }
    arena_free(arena);
    free(copy);
    return 0;
}
