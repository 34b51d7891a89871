/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Whole messages: parse by both choices, read in every way, and hold the tree to what mime.h promises. With
   SEKIMORI_PLANTED_BUG the harness carries a fault of its own, which shows that faults are found. */
#include <stdlib.h>

#include "mail/edits.h"
#include "mail/encoded_word.h"
#include "mail/reading_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct mime_limits limits = {
    .parts = 200,
    .depth = 6,
    .header_bytes = 4096,
    .header_fields = 100,
    .parameters = 20,
    .notes = 20,
    .decoded_bytes = 1 << 20,
};

static void must(bool holds)
{
    if (!holds) abort();
}

static bool within(struct text inner, struct text outer)
{
    return inner.at >= outer.at && inner.at + inner.length <= outer.at + outer.length;
}

#ifdef SEKIMORI_PLANTED_BUG
/* One byte too short for a charset that fills it. */
static void planted(const struct mime_part *part)
{
    enum { ROOM = 16 };
    char *volatile room = malloc(ROOM); /* volatile: the compiler would see that nobody reads it */
    if (part->charset.length <= ROOM) {
        memcpy(room, part->charset.at ? part->charset.at : "", part->charset.length);
        room[part->charset.length] = '\0';
    }
    free(room);
}
#else
static void planted(const struct mime_part *part)
{
}
#endif

static void check_part(const struct mime *mime, uint32_t index)
{
    const struct mime_part *part = &mime->parts[index];
    must(index == 0 ? part->parent == MIME_NO_PARENT : part->parent < index);
    must(part->depth <= limits.depth + 1);
    must(part->offset <= mime->message.length && part->length <= mime->message.length - part->offset);
    must(within(part->body, mime->message));
    must(part->type.length > 0);
    if (index > 0) {
        const struct mime_part *parent = &mime->parts[part->parent];
        must(part->offset >= parent->offset &&
             part->offset + part->length <= parent->offset + parent->length);
    }
    planted(part);
}

static struct mime *check_tree(struct arena *arena, struct text message, enum mime_choice choice)
{
    struct mime *mime = mime_parse(arena, message, &limits, choice);
    must(mime->count >= 1 && mime->count <= limits.parts && mime->note_count <= limits.notes);
    size_t children = 0;
    for (uint32_t i = 0; i < mime->count; i++) {
        check_part(mime, i);
        children += mime->parts[i].children;
    }
    must(children == mime->count - 1);
    return mime;
}

static void check_readings(struct arena *arena, struct mime *mime)
{
    struct reading_list *list = reading_open(arena, mime);
    struct reading reading;
    size_t decoded = 0;
    unsigned sum = 0;
    while (reading_next(list, &reading)) {
        must(reading.bytes.length > 0);
        decoded += reading.bytes.length;
        for (size_t i = 0; i < reading.bytes.length; i++) sum += (uint8_t)reading.bytes.at[i];
    }
    must(decoded <= limits.decoded_bytes && sum < UINT32_MAX);
    must(!reading_is_ambiguous(list) || finding_set_is_doubtful(&mime->findings) ||
         list->is_ambiguous_inside); /* the doubts of a mail inside are its own */
    reading_close(list);
}

static void check_edits(struct arena *arena, const struct mime *mime)
{
    struct edits edits = { .arena = arena };
    struct buffer out = { 0 };
    struct text name = TEXT("X-Spam-Flag");
    const struct header *header = mime->parts[0].header;
    edits_remove_fields(&edits, header, &name, 1);
    edits_prefix_subject(&edits, mime->message, header, mime->declared, TEXT("[SPAM] "));
    edits_insert_top(&edits, TEXT("X: y\r\n"));
    edits_apply(&edits, mime->message, &out);
    must(buffer_length(&out) == edits_length(&edits, mime->message.length));
    buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(1 << 14);
    char *copy = malloc(size ? size : 1); /* exactly as long, so that one byte too far is seen */
    memcpy(copy, data ? data : (const uint8_t *)"", size);
    struct text message = text_from(copy, size);
    check_tree(arena, message, MIME_LAST);
    struct mime *mime = check_tree(arena, message, MIME_FIRST);
    check_readings(arena, mime);
    check_edits(arena, mime);
    arena_free(arena);
    free(copy);
    return 0;
}
