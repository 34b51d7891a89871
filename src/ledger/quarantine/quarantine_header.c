/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "ledger/quarantine/quarantine_header.h"

#include "base/codec.h"

enum { ROWS_VERSION = 1, ROW_LEAST = 48 };

void quarantine_header_put(const struct quarantine_header *about, struct buffer *out)
{
    struct buffer record = { 0 };
    event_accepted_put(&about->message, 0, &record);
    put_u64(out, about->stored_ms);
    put_text(out, buffer_text(&record));
    put_u32(out, about->count);
    for (uint32_t i = 0; i < about->count; i++) put_u8(out, (uint8_t)about->classes[i]);
    buffer_free(&record);
}

bool quarantine_header_get(struct arena *arena, struct text bytes, struct quarantine_header *out)
{
    struct reader reader = reader_of(bytes);
    uint32_t first;
    *out = (struct quarantine_header){ .stored_ms = get_u64(&reader) };
    struct text record = get_text(&reader);
    if (reader.failed || event_kind_of(record) != EVENT_ACCEPTED ||
        !event_accepted_get(arena, record, &out->message, &first))
        return false;
    out->count = get_count(&reader, ENVELOPE_RECIPIENTS_MOST, 1);
    enum held_class *classes = arena_alloc_array(arena, out->count + 1, sizeof *classes);
    for (uint32_t i = 0; i < out->count; i++) {
        uint8_t class = get_u8(&reader);
        if (class >= HELD_CLASSES) return false;
        classes[i] = (enum held_class) class;
    }
    out->classes = classes;
    return reader_done(&reader);
}

void quarantine_rows_put(const struct held_rows *rows, struct buffer *out)
{
    put_u8(out, ROWS_VERSION);
    put_u32(out, (uint32_t)rows->count);
    for (size_t i = 0; i < rows->count; i++) {
        const struct held_row *row = &rows->items[i];
        put_u32(out, row->number);
        put_u8(out, (uint8_t)row->class);
        put_u8(out, (uint8_t)row->state);
        put_u64(out, row->stored_ms);
        put_u64(out, row->changed_ms);
        put_u64(out, row->release);
        put_u8(out, row->edits);
        put_u8(out, row->notify);
        put_text(out, row->address);
        put_text(out, row->orcpt);
        put_text(out, row->reason);
        put_text(out, row->by);
    }
}

static bool row_get(struct reader *reader, uint64_t message, struct held_row *out)
{
    *out = (struct held_row){ .message = message, .number = get_u32(reader) };
    uint8_t class = get_u8(reader), state = get_u8(reader);
    out->class = (enum held_class) class;
    out->state = (enum held_state)state;
    out->stored_ms = get_u64(reader);
    out->changed_ms = get_u64(reader);
    out->release = get_u64(reader);
    out->edits = get_u8(reader);
    out->notify = get_u8(reader);
    out->address = get_text(reader);
    out->orcpt = get_text(reader);
    out->reason = get_text(reader);
    out->by = get_text(reader);
    return !reader->failed && class < HELD_CLASSES && state >= HELD_KEPT && state < HELD_STATES;
}

bool quarantine_rows_get(struct arena *arena, struct text bytes, uint64_t message, struct held_rows *out)
{
    struct reader reader = reader_of(bytes);
    *out = (struct held_rows){ 0 };
    if (get_u8(&reader) != ROWS_VERSION) return false;
    uint32_t count = get_count(&reader, ENVELOPE_RECIPIENTS_MOST, ROW_LEAST);
    out->items = arena_alloc_array(arena, count + 1, sizeof *out->items);
    for (; out->count < count; out->count++)
        if (!row_get(&reader, message, &out->items[out->count])) return false;
    return reader_done(&reader);
}
