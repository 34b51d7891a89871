/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a worker hands to the dispatcher to be signed, and what facts have of it: any bytes are refused, or
   give fields that are whole and are written again as they were. */
#include <stdlib.h>

#include "scan/seal_draft.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void list_try(struct arena *arena, struct text bytes)
{
    struct seal_list list;
    struct buffer again = { 0 };
    struct text fields;
    if (!seal_list_get(arena, bytes, &list)) return;
    seal_list_put(&list, &again);
    if (buffer_length(&again) != bytes.length) abort();
    for (uint32_t i = 0; i < list.count; i++) {
        bool is_whole = seal_draft_signed(arena, &list, &list.drafts[i], TEXT("signature"), &fields);
        if (!is_whole && !seal_draft_signed(arena, &list, &list.drafts[i], TEXT("signature"), &fields))
            abort();
        if (list.purpose == SEAL_DKIM && !text_ends(fields, TEXT("\r\n"))) abort();
    }
    buffer_free(&again);
}

static void basis_try(struct arena *arena, struct text bytes)
{
    struct seal_basis basis;
    struct edit items[] = { { 0, 0, TEXT("X-Top: 1\r\n") }, { 3, 5, TEXT_NONE }, { 9, 0, TEXT("tag") } };
    const struct edits edits = { .arena = arena, .items = items, .count = 3, .capacity = 3 };
    if (!seal_basis_get(arena, bytes, &basis)) return;
    struct text applied = seal_basis_apply(arena, &basis, TEXT("Received: x\r\n"), &edits);
    if (!text_starts(applied, TEXT("Received: x\r\nX-Top: 1\r\n")) || !text_ends(applied, TEXT("\r\n")))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(0);
    struct text bytes = text_from((const char *)data, size);
    list_try(arena, bytes);
    basis_try(arena, bytes);
    arena_free(arena);
    return 0;
}
