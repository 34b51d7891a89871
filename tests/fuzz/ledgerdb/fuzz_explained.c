/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What `sekimori explain` reads and did not write itself. By the first byte: a file of explanations as it is;
   a record, in a file that is whole; what its jailed reader says of a text. What was read is written again as
   it came. */
#include <stdlib.h>

#include "ledgerdb/explained_file.h"
#include "spam/passages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void file_look(struct text bytes)
{
    struct explained_walk walk;
    struct explanation found;
    explained_walk_begin(&walk, bytes, 0);
    while (explained_walk_next(&walk, &found)) {
        struct arena *arena = arena_new(0);
        struct explanation_evidence evidence;
        struct explanation again;
        struct buffer record = { 0 };
        explanation_put(&found, &record);
        if (!explanation_get(buffer_text(&record), &again)) abort();
        explanation_evidence_get(arena, &found, &evidence);
        buffer_free(&record);
        arena_free(arena);
    }
    explained_walk_end(&walk);
}

static void record_look(struct text record)
{
    struct explained_frame frame = { 0 };
    struct buffer file = { 0 };
    if (!explained_frame_add(&frame, 7, record)) return;
    explained_frame_pack(&frame, &file);
    file_look(buffer_text(&file));
    explained_frame_free(&frame);
    buffer_free(&file);
}

static void passages_look(struct text bytes)
{
    struct arena *arena = arena_new(0);
    struct passages passages;
    struct passage strongest[5];
    if (passages_get(arena, bytes, &passages)) {
        struct buffer again = { 0 };
        passages_strongest(arena, &passages, true, 5, strongest);
        passages_rest(&passages);
        passages_put(&passages, &again);
        if (!passages_get(arena, buffer_text(&again), &passages)) abort();
        buffer_free(&again);
    }
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    struct text rest = text_from((const char *)data + 1, size - 1);
    if (data[0] % 3 == 0) file_look(rest);
    if (data[0] % 3 == 1) record_look(rest);
    if (data[0] % 3 == 2) passages_look(rest);
    return 0;
}
