/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Keeps the list of edits in order, walks it, and turns it into bytes and back. Many edits at once
   (a header full of forged fields) are merged in one pass, so building is linear too. */
#include "mail/edits.h"

#include "base/codec.h"
#include "base/die.h"
#include "mail/subject_tag.h"

static uint64_t edit_end(const struct edit *edit)
{
    return edit->offset + edit->length;
}

static void reserve(struct edits *edits, size_t count)
{
    if (count <= edits->capacity) return;
    size_t capacity = edits->capacity ? edits->capacity : 16;
    while (capacity < count) capacity *= 2;
    struct edit *items = arena_alloc_array(edits->arena, capacity, sizeof *items);
    if (edits->count) memcpy(items, edits->items, edits->count * sizeof *items);
    edits->items = items;
    edits->capacity = capacity;
}

static struct text joined(struct arena *arena, struct text first, struct text second)
{
    if (first.length == 0) return second;
    if (second.length == 0) return first;
    char *both = arena_alloc(arena, first.length + second.length);
    memcpy(both, first.at, first.length);
    memcpy(both + first.length, second.at, second.length);
    return text_from(both, first.length + second.length);
}

/* Behind the last one, or into it where they overlap or are two cuts that touch. */
static void push(struct edits *edits, struct edit edit)
{
    struct edit *last = edits->count ? &edits->items[edits->count - 1] : NULL;
    bool overlap = last && edit.offset < edit_end(last);
    bool touch = last && edit.offset == edit_end(last) && last->length > 0 && edit.length > 0 &&
                 edit.insert.length == 0;
    if (overlap || touch) {
        uint64_t end = edit_end(&edit) > edit_end(last) ? edit_end(&edit) : edit_end(last);
        last->insert = joined(edits->arena, last->insert, edit.insert);
        last->length = end - last->offset;
        return;
    }
    reserve(edits, edits->count + 1);
    edits->items[edits->count++] = edit;
}

void edits_merge(struct edits *edits, const struct edits *more)
{
    if (more->count == 0) return;
    if (edits->count == 0 || more->items[0].offset >= edits->items[edits->count - 1].offset) {
        for (size_t i = 0; i < more->count; i++) push(edits, more->items[i]);
        return;
    }
    struct edits merged = { .arena = edits->arena };
    size_t a = 0, b = 0;
    while (a < edits->count || b < more->count) {
        bool from_more =
            a == edits->count || (b < more->count && more->items[b].offset < edits->items[a].offset);
        push(&merged, from_more ? more->items[b++] : edits->items[a++]);
    }
    *edits = merged;
}

void edits_add(struct edits *edits, uint64_t offset, uint64_t length, struct text insert)
{
    if (length > UINT64_MAX - offset) bug("edits_add: %ju bytes at %ju", length, offset);
    struct edit edit = { offset, length, insert };
    struct edits one = { edits->arena, &edit, 1, 1 };
    edits_merge(edits, &one);
}

void edits_insert_top(struct edits *edits, struct text fields)
{
    edits_add(edits, 0, 0, fields);
}

static bool is_listed(struct text name, const struct text *names, size_t name_count)
{
    for (size_t i = 0; i < name_count; i++)
        if (text_equal_nocase(name, names[i])) return true;
    return false;
}

size_t edits_remove_fields(struct edits *edits, const struct header *header, const struct text *names,
                           size_t name_count)
{
    struct edits cuts = { .arena = edits->arena };
    size_t removed = 0;
    for (size_t i = 0; i < header->count; i++) {
        const struct header_field *field = &header->fields[i];
        if (!is_listed(field->name, names, name_count)) continue;
        push(&cuts, (struct edit){ field->offset, field->length, TEXT_NONE });
        removed++;
    }
    edits_merge(edits, &cuts);
    return removed;
}

size_t edits_remove_prefixed(struct edits *edits, const struct header *header, struct text prefix)
{
    struct edits cuts = { .arena = edits->arena };
    size_t removed = 0;
    for (size_t i = 0; i < header->count; i++) {
        const struct header_field *field = &header->fields[i];
        if (!text_starts_nocase(field->name, prefix)) continue;
        push(&cuts, (struct edit){ field->offset, field->length, TEXT_NONE });
        removed++;
    }
    edits_merge(edits, &cuts);
    return removed;
}

/* RFC 5322 knows a message without a Subject; a tag needs one. Before a text without a header it is the
 * header. */
static void add_subject(struct edits *edits, struct text message, const struct header *header,
                        struct text prefix)
{
    size_t end = header_is_missing(message) ? 0 : header->length;
    bool cut = end > 0 && message.at[end - 1] != '\n';
    struct text value = subject_of_prefix(edits->arena, prefix);
    edits_add(edits, end, 0,
              arena_printf(edits->arena, "%sSubject:%.*s\r\n", cut ? "\r\n" : "", TEXT_ARG(value)));
}

void edits_prefix_subject(struct edits *edits, struct text message, const struct header *header,
                          struct text declared, struct text prefix)
{
    if (prefix.length == 0) return;
    if (header->times[HEADER_SUBJECT] == 0) {
        add_subject(edits, message, header, prefix);
        return;
    }
    struct edits changes = { .arena = edits->arena };
    for (size_t i = 0; i < header->count; i++) {
        const struct header_field *field = &header->fields[i];
        size_t cut;
        struct text insert;
        if (field->id != HEADER_SUBJECT) continue;
        size_t offset = (size_t)(field->value.at - message.at);
        struct subject subject = { field->value, declared, offset - field->offset };
        if (!subject_prefix(edits->arena, &subject, prefix, &cut, &insert)) continue;
        push(&changes, (struct edit){ offset, cut, insert });
    }
    edits_merge(edits, &changes);
}

uint64_t edits_length(const struct edits *edits, uint64_t original_length)
{
    uint64_t length = original_length;
    for (size_t i = 0; edits && i < edits->count; i++)
        length = length - edits->items[i].length + edits->items[i].insert.length;
    return length;
}

static bool original_piece(struct edit_cursor *cursor, uint64_t end, struct edit_piece *out)
{
    if (cursor->offset >= end) return false;
    *out = (struct edit_piece){ TEXT_NONE, cursor->offset, end - cursor->offset };
    cursor->offset = end;
    return true;
}

bool edits_next(const struct edits *edits, uint64_t original_length, struct edit_cursor *cursor,
                struct edit_piece *out)
{
    while (edits && cursor->index < edits->count) {
        const struct edit *edit = &edits->items[cursor->index];
        if (edit_end(edit) > original_length) bug("an edit reaches behind the message");
        if (original_piece(cursor, edit->offset, out)) return true;
        cursor->offset = edit_end(edit);
        cursor->index++;
        if (edit->insert.length == 0) continue;
        *out = (struct edit_piece){ edit->insert, 0, 0 };
        return true;
    }
    return original_piece(cursor, original_length, out);
}

void edits_apply(const struct edits *edits, struct text original, struct buffer *out)
{
    struct edit_cursor cursor = { 0 };
    struct edit_piece piece;
    while (edits_next(edits, original.length, &cursor, &piece)) {
        if (piece.literal.at)
            buffer_add_text(out, piece.literal);
        else
            buffer_add(out, original.at + piece.offset, piece.length);
    }
}

/* --- the byte form --- */

enum { COUNT_BYTES = 4, EDIT_BYTES = 8 + 8 + 4 }; /* of an edit that inserts nothing */

const struct text edits_none = { "\0\0\0", COUNT_BYTES };
const struct text edits_empty_line = { "\1\0\0\0"
                                       "\0\0\0\0\0\0\0\0"
                                       "\0\0\0\0\0\0\0\0"
                                       "\2\0\0\0"
                                       "\r\n",
                                       COUNT_BYTES + 8 + 8 + 4 + 2 };

size_t edits_encoded_length(const struct edits *edits)
{
    size_t length = COUNT_BYTES;
    for (size_t i = 0; i < edits->count; i++) length += EDIT_BYTES + edits->items[i].insert.length;
    return length;
}

void edits_encode(const struct edits *edits, struct buffer *out)
{
    size_t count = edits ? edits->count : 0;
    put_u32(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        put_u64(out, edits->items[i].offset);
        put_u64(out, edits->items[i].length);
        put_text(out, edits->items[i].insert);
    }
}

/* The next edit behind `*end`, which it moves; false when it breaks what edits_decode promises. */
static bool edit_get(struct reader *reader, uint64_t original_length, uint64_t *end, struct edit *out)
{
    out->offset = get_u64(reader);
    out->length = get_u64(reader);
    out->insert = get_text(reader);
    if (reader->failed || out->offset < *end || out->insert.length > EDITS_INSERT_MOST) return false;
    if (out->offset > original_length || out->length > original_length - out->offset) return false;
    *end = edit_end(out);
    return true;
}

bool edits_decode(struct arena *arena, struct text bytes, uint64_t original_length, struct edits *out)
{
    struct reader reader = reader_of(bytes);
    uint32_t count = get_count(&reader, EDITS_MOST, EDIT_BYTES);
    *out = (struct edits){ .arena = arena };
    if (reader.failed) return false;
    reserve(out, count);
    uint64_t end = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct edit edit;
        if (!edit_get(&reader, original_length, &end, &edit)) return false;
        edit.insert = edit.insert.length ? arena_text(arena, edit.insert) : TEXT_NONE;
        out->items[out->count++] = edit;
    }
    return reader_done(&reader);
}

bool edits_are_whole(struct text bytes, uint64_t original_length)
{
    struct reader reader = reader_of(bytes);
    uint32_t count = get_count(&reader, EDITS_MOST, EDIT_BYTES);
    uint64_t end = 0;
    struct edit edit;
    for (uint32_t i = 0; i < count; i++)
        if (!edit_get(&reader, original_length, &end, &edit)) return false;
    return reader_done(&reader);
}
