/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The walk over a segment. A batch says in each record where it began and in its last one that it ends, so
   what is missing can be told from what was never there: a hole is damage only if a later batch exists. */
#include "queue/journal/walk.h"

#include <stdlib.h>

#include "queue/journal/crc32c.h"

enum { FIRST_RECORD = 4096 };

static bool header_at(struct text bytes, uint64_t offset, uint32_t seed, uint32_t generation,
                      struct record_header *out)
{
    return offset + RECORD_HEADER_BYTES <= bytes.length &&
           record_header_get(bytes.at + offset, seed, generation, out) && out->batch <= offset &&
           out->batch >= FIRST_RECORD && out->batch % BATCH_ALIGN == 0;
}

static bool payload_at(struct text bytes, uint64_t offset, const struct record_header *header,
                       struct text *out)
{
    if (bytes.length - offset - RECORD_HEADER_BYTES < header->length) return false;
    *out = text_from(bytes.at + offset + RECORD_HEADER_BYTES, header->length);
    return crc32c(0, *out) == header->payload_crc;
}

/* The next whole record at or behind `offset`; bytes.length when there is none. */
static uint64_t record_search(struct text bytes, uint64_t offset, uint32_t seed, uint32_t generation,
                              struct record_header *out)
{
    struct text payload;
    for (; offset + RECORD_HEADER_BYTES <= bytes.length; offset += RECORD_ALIGN)
        if (header_at(bytes, offset, seed, generation, out) && payload_at(bytes, offset, out, &payload))
            return offset;
    return bytes.length;
}

static uint64_t round_up(uint64_t offset)
{
    return (offset + BATCH_ALIGN - 1) / BATCH_ALIGN * BATCH_ALIGN;
}

/* A bad stretch waits for a later batch to show that it had been synced; else it was the tear. */
struct suspect {
    bool is_set;
    uint64_t offset, id;
};

static void suspect_set(struct suspect *suspect, uint64_t offset, uint64_t id)
{
    if (!suspect->is_set) *suspect = (struct suspect){ true, offset, id };
}

static void suspect_judge(struct suspect *suspect, uint32_t batch, struct journal_walk *out)
{
    if (!suspect->is_set || batch <= suspect->offset) return;
    if (!out->damage_count++) out->damage_offset = suspect->offset;
    if (!out->damage_id) out->damage_id = suspect->id;
    suspect->is_set = false;
}

/* The records of the batch at hand: told when it is known whether all of them are there. */
struct gathered {
    struct walk_record *items;
    size_t count, capacity;
    uint64_t next; /* where the next record has to be */
    bool has_hole, has_last;
};

static void gather(struct gathered *batch, const struct record_header *header, uint64_t offset,
                   struct text payload)
{
    if (batch->count == batch->capacity) {
        batch->capacity = batch->capacity ? batch->capacity * 2 : 64;
        batch->items = memory_grow(batch->items, batch->capacity * sizeof *batch->items);
    }
    batch->has_hole |= offset != (batch->count ? batch->next : header->batch);
    batch->has_last |= header->is_last;
    batch->next = record_end(offset, header->length);
    batch->items[batch->count++] = (struct walk_record){ *header, offset, payload, false };
}

static void tell(struct gathered *batch, bool is_last_batch,
                 void (*on_record)(void *context, const struct walk_record *record), void *context,
                 struct journal_walk *out)
{
    bool is_torn = is_last_batch && (batch->has_hole || !batch->has_last);
    for (size_t i = 0; i < batch->count; i++) {
        batch->items[i].is_torn = is_torn;
        on_record(context, &batch->items[i]);
    }
    if (batch->count && !is_torn) out->whole = round_up(batch->next);
    batch->count = 0;
    batch->has_hole = batch->has_last = false;
}

void segment_walk(struct text bytes, uint32_t seed, uint32_t generation,
                  void (*on_record)(void *context, const struct walk_record *record), void *context,
                  struct journal_walk *out)
{
    *out = (struct journal_walk){ .end = FIRST_RECORD, .whole = FIRST_RECORD };
    uint64_t offset = FIRST_RECORD;
    bool is_inside = false; /* of a batch: its next record must stand here */
    struct suspect suspect = { 0 };
    struct gathered batch = { 0 };
    while (offset < bytes.length) {
        struct record_header header;
        struct text payload;
        bool has_header = header_at(bytes, offset, seed, generation, &header);
        if (has_header && payload_at(bytes, offset, &header, &payload)) {
            suspect_judge(&suspect, header.batch, out);
            if (batch.count && batch.items[0].header.batch != header.batch)
                tell(&batch, false, on_record, context, out);
            gather(&batch, &header, offset, payload);
            out->records++;
            offset = record_end(offset, header.length);
            is_inside = !header.is_last;
            if (header.is_last) offset = round_up(offset);
            out->end = round_up(offset);
            continue;
        }
        uint64_t bad_id = has_header ? header.id : 0;
        uint64_t next = record_search(bytes, offset + RECORD_ALIGN, seed, generation, &header);
        if (has_header || is_inside || next < bytes.length) suspect_set(&suspect, offset, bad_id);
        offset = next;
        is_inside = false;
    }
    tell(&batch, true, on_record, context, out);
    free(batch.items);
    out->is_torn = suspect.is_set || is_inside;
}
