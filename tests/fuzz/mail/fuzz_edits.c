/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Encoded edits from foreign bytes: what is accepted can be applied, and encodes to the same bytes again. */
#include <stdlib.h>

#include "mail/edits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) abort();
}

/* Any three bytes make an edit; whatever the order, the result is in order and has the promised length. */
static void check_building(struct arena *arena, const uint8_t *data, size_t size, struct text original)
{
    struct edits edits = { .arena = arena };
    struct buffer out = { 0 }, wire = { 0 };
    struct edits again;
    for (size_t i = 0; i + 3 <= size && i < 300; i += 3)
        edits_add(&edits, data[i] % 100, data[i + 1] % (101 - data[i] % 100),
                  data[i + 2] % 2 ? TEXT("ins") : TEXT_NONE);
    edits_apply(&edits, original, &out);
    must(buffer_length(&out) == edits_length(&edits, original.length));
    edits_encode(&edits, &wire);
    must(edits_decode(arena, buffer_text(&wire), original.length, &again));
    buffer_free(&out);
    buffer_free(&wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char bytes[100] = "an original message of one hundred bytes";
    struct text original = text_from(bytes, sizeof bytes), wire = text_from((const char *)data, size);
    struct arena *arena = arena_new(0);
    struct edits edits;
    bool is_good = edits_decode(arena, wire, original.length, &edits);
    must(edits_are_whole(wire, original.length) == is_good);
    if (is_good) {
        struct buffer out = { 0 }, again = { 0 };
        edits_apply(&edits, original, &out);
        must(buffer_length(&out) == edits_length(&edits, original.length));
        edits_encode(&edits, &again);
        must(text_equal(buffer_text(&again), wire));
        must(edits_encoded_length(&edits) == wire.length);
        buffer_free(&out);
        buffer_free(&again);
    }
    check_building(arena, data, size, original);
    arena_free(arena);
    return 0;
}
