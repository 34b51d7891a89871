/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a user with the right to trace sends to a node, and what the command reads of its answer: any bytes
   are a question or an answer or are refused, and what was read is written again as it came. */
#include <stdlib.h>

#include "ledgerdb/search_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text bytes = text_from((const char *)data, size);
    struct search_question question, same;
    struct search_result result;
    struct buffer again = { 0 };
    struct arena *arena = arena_new(0);
    if (search_question_get(bytes, arena, &question)) {
        search_question_put(&question, &again);
        if (!search_question_get(buffer_text(&again), arena, &same)) abort();
        if (!text_equal(same.from, question.from) || same.most != question.most) abort();
    }
    buffer_clear(&again);
    if (search_result_get(bytes, arena, &result)) search_result_put(&result, &again);
    buffer_free(&again);
    arena_free(arena);
    return 0;
}
