/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Appending and committing. A batch is laid out in memory; places and checksums of its headers are filled in
   at the commit, when it is known where it goes. */
#include "queue/journal/journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/die.h"
#include "base/log.h"
#include "ipc/ask_queue.h"
#include "ipc/event.h"
#include "queue/journal/crc32c.h"
#include "queue/journal/journal_private.h"

enum { OUTSIDE_LIMIT = 64 * 1024, SYNC_SLOW_US = 1000000 };

void journal_complain(struct journal *journal, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(journal->error, sizeof journal->error, format, arguments);
    va_end(arguments);
}

const char *journal_error(const struct journal *journal)
{
    return journal->error;
}

struct journal *journal_open(const struct journal_options *options, const struct journal_listener *listener,
                             struct journal_found *out_found, char *error, size_t error_size)
{
    struct journal *journal = memory_alloc(sizeof *journal);
    journal->options = *options;
    journal->message_index = options->message_index;
    *out_found = (struct journal_found){ 0 };
    if (!journal_recover(journal, listener, out_found)) {
        snprintf(error, error_size, "%s", journal->error);
        journal_close(journal);
        return NULL;
    }
    return journal;
}

void journal_close(struct journal *journal)
{
    if (!journal) return;
    while (journal->segment_count) segment_drop(journal, journal->segments[journal->segment_count - 1]);
    for (size_t i = 0; i < journal->spare_count; i++) close(journal->spares[i].fd);
    free(journal->spares);
    buffer_free(&journal->batch.bytes);
    free(journal->batch.entries);
    free(journal->batch.undos);
    free(journal->segments);
    free(journal->moving_ids);
    free(journal);
}

/* The batch */

static void batch_clear(struct journal *journal)
{
    struct batch *batch = &journal->batch;
    for (size_t i = 0; i < batch->undo_count; i++)
        string_pool_drop(journal->message_index->reasons, batch->undos[i].old.reason);
    buffer_clear(&batch->bytes);
    batch->count = 0;
    batch->length = 0;
    batch->undo_count = 0;
    memset(batch->ended, 0, sizeof batch->ended);
}

void journal_batch_drop(struct journal *journal)
{
    batch_clear(journal);
}

static void undo_swap(struct undo *undo)
{
    struct queued_recipient now = undo->message->recipients[undo->number];
    undo->message->recipients[undo->number] = undo->old;
    undo->old = now;
}

void batch_undo(struct batch *batch)
{
    for (size_t i = batch->undo_count; i > 0; i--) undo_swap(&batch->undos[i - 1]);
}

void batch_redo(struct batch *batch)
{
    for (size_t i = 0; i < batch->undo_count; i++) undo_swap(&batch->undos[i]);
}

static void undo_note(struct journal *journal, struct message *message, uint32_t number)
{
    struct batch *batch = &journal->batch;
    if (batch->undo_count == batch->undo_capacity) {
        batch->undo_capacity = batch->undo_capacity ? batch->undo_capacity * 2 : 64;
        batch->undos = memory_grow(batch->undos, batch->undo_capacity * sizeof *batch->undos);
    }
    struct queued_recipient old = message->recipients[number];
    string_pool_hold_again(journal->message_index->reasons, old.reason);
    batch->undos[batch->undo_count++] = (struct undo){ message, number, old };
}

static void pad(struct buffer *buffer, size_t bytes)
{
    memset(buffer_reserve(buffer, bytes), 0, bytes);
    buffer_commit(buffer, bytes);
}

static struct batch_entry *entry_add(struct batch *batch)
{
    if (batch->count == batch->capacity) {
        batch->capacity = batch->capacity ? batch->capacity * 2 : 64;
        batch->entries = memory_grow(batch->entries, batch->capacity * sizeof *batch->entries);
    }
    struct batch_entry *entry = &batch->entries[batch->count++];
    *entry = (struct batch_entry){ .at = buffer_length(&batch->bytes) };
    return entry;
}

/* Called when header room and inside bytes are in place. */
static void entry_finish(struct batch *batch, struct batch_entry *entry)
{
    entry->inside = (uint32_t)(buffer_length(&batch->bytes) - entry->at - RECORD_HEADER_BYTES);
    entry->payload_crc =
        crc32c(crc32c(0, text_slice(buffer_text(&batch->bytes), entry->at + RECORD_HEADER_BYTES, SIZE_MAX)),
               entry->outside);
    uint64_t length = entry->inside + entry->outside.length;
    uint64_t end = record_end(batch->length, (uint32_t)length);
    pad(&batch->bytes, (size_t)(end - batch->length - RECORD_HEADER_BYTES - length));
    batch->length = end;
}

struct batch_entry *journal_append(struct journal *journal, enum record_type type, uint64_t id,
                                   struct message *message, struct text inside)
{
    struct batch *batch = &journal->batch;
    struct batch_entry *entry = entry_add(batch);
    entry->type = type;
    entry->id = id;
    entry->message = message;
    pad(&batch->bytes, RECORD_HEADER_BYTES);
    buffer_add_text(&batch->bytes, inside);
    entry_finish(batch, entry);
    return entry;
}

struct message *journal_keep(struct journal *journal, uint64_t id, const struct lead *lead,
                             struct text prefix, struct text body)
{
    if (body.length + prefix.length > INT32_MAX - (1 << 20)) return NULL;
    struct batch *batch = &journal->batch;
    struct batch_entry *entry = entry_add(batch);
    pad(&batch->bytes, RECORD_HEADER_BYTES);
    lead_put(lead, &batch->bytes);
    entry->lead_length = (uint32_t)(buffer_length(&batch->bytes) - entry->at - RECORD_HEADER_BYTES);
    buffer_add_text(&batch->bytes, prefix);
    if (body.length > OUTSIDE_LIMIT && !(lead->flags & MESSAGE_OWN))
        entry->outside = body;
    else
        buffer_add_text(&batch->bytes, body);
    entry_finish(batch, entry);
    entry->type = RECORD_MESSAGE;
    entry->id = id;
    entry->message = journal_message_make(journal, id, lead, entry->lead_length, (uint32_t)body.length);
    entry->message->flags |= MESSAGE_PENDING;
    return entry->message;
}

/* Texts are cut to what OUTCOME_MOST has room for. */
void journal_change_append(struct journal *journal, enum record_type type, struct message *message,
                           const struct change *change)
{
    struct change homed = *change;
    homed.home = message->segment;
    homed.dsn = text_slice(change->dsn, 0, CHANGE_DSN_MOST);
    homed.relay = text_slice(change->relay, 0, CHANGE_RELAY_MOST);
    homed.reply = text_slice(change->reply, 0, CHANGE_REPLY_MOST);
    struct batch *batch = &journal->batch;
    struct batch_entry *entry = entry_add(batch);
    pad(&batch->bytes, RECORD_HEADER_BYTES);
    change_put(&homed, &batch->bytes);
    entry_finish(batch, entry);
    entry->type = type;
    entry->id = message->id;
    entry->message = message;
    entry->home = message->segment;
}

void journal_change(struct journal *journal, enum record_type type, struct message *message,
                    const struct change *change)
{
    for (uint32_t i = 0; i < change->count; i++) {
        const struct changed_recipient *changed = &change->recipients[i];
        if (changed->number >= message->recipient_count) bug("a change of a recipient that is not there");
        if (message->recipients[changed->number].ending == ENDING_NONE && changed->ending)
            journal->batch.ended[changed->ending]++;
        undo_note(journal, message, changed->number);
    }
    journal_change_append(journal, type, message, change);
    journal_change_apply(journal, message, change);
}

void journal_change_in_memory(struct journal *journal, struct message *message, const struct change *change)
{
    for (uint32_t i = 0; i < change->count; i++)
        if (change->recipients[i].ending != ENDING_NONE) bug("an ending that is not written");
    journal_change_apply(journal, message, change);
}

void journal_mark_clean(struct journal *journal)
{
    bool is_marked = journal->is_clean && !journal_has_batch(journal);
    if (!is_marked && journal_has_room(journal, BATCH_ALIGN))
        journal_append(journal, RECORD_CLEAN, 0, NULL, TEXT_NONE);
}

/* Room */

static uint64_t batch_room(const struct journal *journal)
{
    return (journal->batch.length + BATCH_ALIGN - 1) / BATCH_ALIGN * BATCH_ALIGN;
}

uint64_t journal_room(const struct journal *journal)
{
    const struct segment *open = journal->open;
    uint64_t room = spare_room(journal) + (open ? open->size - open->end : 0), used = batch_room(journal);
    return room > used ? room - used : 0;
}

bool journal_has_room(const struct journal *journal, uint64_t bytes)
{
    return journal_room(journal) >= journal->claimed + bytes;
}

bool journal_has_place(const struct journal *journal, uint64_t bytes)
{
    return journal_room(journal) >= (bytes < journal->claimed ? bytes : journal->claimed);
}

bool journal_has_batch(const struct journal *journal)
{
    return journal->batch.count > 0;
}

uint64_t journal_batch_bytes(const struct journal *journal)
{
    return journal->batch.length;
}

/* The commit */

static bool is_refusable(const struct batch_entry *entry)
{
    return entry->type == RECORD_MESSAGE && (entry->message->flags & MESSAGE_PENDING) &&
           !(entry->message->flags & MESSAGE_OWN);
}

static bool is_move(const struct batch_entry *entry)
{
    return entry->type == RECORD_MESSAGE && !(entry->message->flags & MESSAGE_PENDING);
}

/* Headers get their places and checksums; the pieces for the write are counted out. */
static int batch_lay_out(struct journal *journal, struct iovec *pieces)
{
    struct batch *batch = &journal->batch;
    struct segment *segment = journal->open;
    char *bytes = batch->bytes.memory + batch->bytes.start;
    uint64_t offset = segment->end;
    int count = 0;
    size_t from = 0;
    for (size_t i = 0; i < batch->count; i++) {
        struct batch_entry *entry = &batch->entries[i];
        uint32_t length = entry->inside + (uint32_t)entry->outside.length;
        struct record_header header = {
            entry->type,        segment->number, (uint32_t)segment->end, length,
            entry->lead_length, entry->id,       entry->payload_crc,     i + 1 == batch->count
        };
        record_header_put(&header, segment->seed, bytes + entry->at);
        offset = record_end(offset, length);
        if (!entry->outside.length) continue;
        size_t until = entry->at + RECORD_HEADER_BYTES + entry->inside;
        pieces[count++] = (struct iovec){ bytes + from, until - from };
        pieces[count++] = (struct iovec){ (void *)entry->outside.at, entry->outside.length };
        from = until;
    }
    pieces[count++] = (struct iovec){ bytes + from, buffer_length(&batch->bytes) - from };
    return count;
}

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static bool batch_sync(struct journal *journal)
{
    const struct disk *disk = journal->options.disk;
    uint64_t begun = now_us();
    if (disk->sync(disk->context, journal->open->fd) != 0) return false;
    uint64_t took = now_us() - begun;
    journal->facts.sync_us += took;
    if (took > journal->facts.sync_most_us) journal->facts.sync_most_us = took;
    if (took > SYNC_SLOW_US) log_warning("journal: a sync took %llu ms", (unsigned long long)(took / 1000));
    return true;
}

/* Only the block behind the last batch is padded: what is stale behind it has another generation. */
static bool batch_write(struct journal *journal)
{
    struct batch *batch = &journal->batch;
    size_t outside = 0;
    for (size_t i = 0; i < batch->count; i++) outside += batch->entries[i].outside.length > 0;
    struct iovec few[16];
    struct iovec *pieces = outside * 2 + 1 > 16 ? memory_alloc((outside * 2 + 1) * sizeof *pieces) : few;
    int count = batch_lay_out(journal, pieces);
    bool is_written =
        disk_write_all(journal->options.disk, journal->open->fd, pieces, count, journal->open->end);
    int error = errno;
    if (pieces != few) free(pieces);
    errno = error;
    return is_written;
}

static void entry_settle(struct journal *journal, struct batch_entry *entry, uint64_t offset)
{
    struct segment *open = journal->open;
    struct message *message = entry->message;
    if (entry->type == RECORD_CUT || entry->type == RECORD_GONE)
        segment_note_reference(open, (struct reference){ entry->id, entry->home, entry->type == RECORD_CUT });
    if (!message) return;
    if (entry->type != RECORD_MESSAGE) {
        if (entry->home && entry->home != open->number)
            segment_note_reference(open, (struct reference){ entry->id, entry->home, false });
        return;
    }
    if (is_move(entry)) {
        struct segment *old = segment_find(journal, message->segment);
        segment_note_reference(open, (struct reference){ entry->id, message->segment, false });
        if (old) {
            old->live--;
            old->live_bytes -= message_bytes(message);
        }
    } else {
        message->flags &= (uint8_t)~MESSAGE_PENDING;
        journal->totals.accepted += message->recipient_count;
        if (message->flags & MESSAGE_OWN) journal->totals.own += message->recipient_count;
        if (message->flags & MESSAGE_AGAIN) journal->totals.ended[COUNTERS_AGAIN] += message->recipient_count;
        message_index_remember(journal->message_index, message->id);
    }
    segment_note_id(open, message->id);
    message->offset = (uint32_t)offset;
    message->lead_length = entry->lead_length;
    journal_message_at_home(journal, message, open);
}

/* All is on disk: messages are where they are, counts are true, what has ended is forgotten. */
static void batch_settle(struct journal *journal)
{
    struct batch *batch = &journal->batch;
    uint64_t offset = journal->open->end;
    for (size_t i = 0; i < batch->count; i++) {
        struct batch_entry *entry = &batch->entries[i];
        entry_settle(journal, entry, offset);
        offset = record_end(offset, entry->inside + (uint32_t)entry->outside.length);
    }
    for (int i = 0; i < 8; i++) journal->totals.ended[i] += batch->ended[i];
    journal->open->end = (offset + BATCH_ALIGN - 1) / BATCH_ALIGN * BATCH_ALIGN;
    journal->is_clean = batch->entries[batch->count - 1].type == RECORD_CLEAN;
    journal->facts.commits++;
    journal->facts.commit_records += batch->count;
    for (size_t i = 0; i < batch->count; i++) {
        struct message *message = batch->entries[i].message; /* gone already if an entry before had it */
        if (!message || message_index_find(journal->message_index, batch->entries[i].id) != message) continue;
        if (!message->live_count) journal_message_forget(journal, message);
    }
    batch_clear(journal);
}

/* Keeps what must not be lost: changes and our own messages, in a new batch. */
static void batch_refuse(struct journal *journal)
{
    struct batch old = journal->batch;
    journal->batch = (struct batch){ 0 };
    memcpy(journal->batch.ended, old.ended, sizeof old.ended);
    journal->batch.undos = old.undos;
    journal->batch.undo_count = old.undo_count;
    journal->batch.undo_capacity = old.undo_capacity;
    char *bytes = old.bytes.memory + old.bytes.start;
    for (size_t i = 0; i < old.count; i++) {
        struct batch_entry *entry = &old.entries[i];
        if (is_refusable(entry)) {
            journal_message_forget(journal, entry->message);
            continue;
        }
        if (is_move(entry)) continue;
        struct text inside = text_from(bytes + entry->at + RECORD_HEADER_BYTES, entry->inside);
        struct batch_entry *kept = journal_append(journal, entry->type, entry->id, entry->message, inside);
        kept->lead_length = entry->lead_length;
        kept->home = entry->home;
    }
    buffer_free(&old.bytes);
    free(old.entries);
}

static void segment_give_up(struct journal *journal)
{
    struct segment *segment = journal->open;
    uint64_t end = segment->end;
    uint32_t number = segment->number;
    segment->is_unreusable = true;
    journal->open = NULL;
    if (!seal_write(journal, segment, false))
        log_error("journal: segment %08u: no index after a failed sync: %s", number, strerror(errno));
    struct buffer cut = { 0 };
    put_u32(&cut, number);
    put_u32(&cut, (uint32_t)end);
    journal_append(journal, RECORD_CUT, end, NULL, buffer_text(&cut))->home = number;
    buffer_free(&cut);
}

/* A segment with room for the batch. */
static bool batch_find_room(struct journal *journal)
{
    uint64_t need = batch_room(journal);
    struct segment *open = journal->open;
    if (open && open->end + need <= open->size) return true;
    if (open) {
        journal->open = NULL;
        if (!seal_write(journal, open, false))
            log_error("journal: segment %08u: no index: %s", open->number, strerror(errno));
    }
    do {
        if (segment_open_next(journal, SEGMENT_HEADER_BYTES + need)) return true;
    } while (recycle_for_room(journal));
    journal_complain(journal, "no new segment: %s", strerror(errno));
    log_error("journal: %s", journal->error);
    return false;
}

/* Messages are taken only while the reserve has room for the outcomes of all messages, these among them. */
static bool is_room_left(struct journal *journal)
{
    bool has_refusable = false;
    for (size_t i = 0; i < journal->batch.count && !has_refusable; i++)
        has_refusable = is_refusable(&journal->batch.entries[i]);
    while (has_refusable && spare_room(journal) < journal->claimed) {
        if (spare_make(journal) || recycle_for_room(journal)) continue;
        journal_complain(journal, "no room in reserve for outcomes");
        return false;
    }
    return true;
}

static enum commit commit_try(struct journal *journal)
{
    if (!batch_find_room(journal) || !is_room_left(journal)) {
        batch_refuse(journal);
        return COMMIT_DISK_FULL;
    }
    if (batch_write(journal) && batch_sync(journal)) {
        batch_settle(journal);
        return COMMIT_DONE;
    }
    int error = errno;
    journal_complain(journal, "segment %08u: %s", journal->open->number, strerror(error));
    log_error("journal: %s; the segment is sealed, the batch refused", journal->error);
    batch_refuse(journal);
    segment_give_up(journal);
    return error == ENOSPC || error == EDQUOT ? COMMIT_DISK_FULL : COMMIT_SYNC_FAILED;
}

enum commit journal_commit(struct journal *journal)
{
    if (!journal->batch.count) return COMMIT_DONE;
    enum commit outcome = commit_try(journal);
    if (outcome != COMMIT_DONE && journal->batch.count) commit_try(journal);
    return outcome;
}
