/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Byte forms of occasion, questions, facts and verdict: whatever is read is written back to the same bytes.
 */
#include <stdlib.h>

#include "base/codec.h"
#include "judge/evidence.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What was accepted must be the canonical form, except for flags, of which any non-zero byte is true. */
static void must_be(const struct buffer *written, size_t read)
{
    if (buffer_length(written) != read) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0) return 0;
    struct arena *arena = arena_new(0);
    struct reader reader = reader_of(text_from((const char *)bytes + 1, size - 1));
    struct buffer written = { 0 };
    struct occasion occasion;
    struct question *questions;
    uint32_t count;
    struct facts facts;
    struct verdict verdict;
    bool is_good = false;
    switch (bytes[0] % 4) {
    case 0:
        if ((is_good = occasion_get(arena, &reader, &occasion))) occasion_put(&occasion, &written);
        break;
    case 1:
        if ((is_good = questions_get(arena, &reader, &questions, &count)))
            questions_put(questions, count, &written);
        break;
    case 2:
        if ((is_good = facts_get(arena, &reader, &facts))) facts_put(&facts, &written);
        break;
    default:
        if ((is_good = verdict_get(arena, &reader, &verdict))) verdict_put(&verdict, &written);
    }
    if (is_good) must_be(&written, size - 1 - reader.rest.length);
    buffer_free(&written);
    arena_free(arena);
    return 0;
}
