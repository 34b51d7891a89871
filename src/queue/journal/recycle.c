/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Giving room back. A segment may go when none of its messages lives and nothing that its records say is
   still needed: what they say about messages of other segments is said again first. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "queue/journal/journal_private.h"

/* The state of a live message, as records in the batch. */
static void state_carry(struct journal *journal, struct message *message)
{
    struct changed_recipient *list = memory_alloc(message->recipient_count * sizeof *list);
    for (uint32_t i = 0; i < message->recipient_count;) {
        uint32_t reason = message->recipients[i].reason;
        struct change change = { .due_ms = message->due_ms,
                                 .flags = message->flags,
                                 .recipients = list,
                                 .reply = string_pool_text(journal->message_index->reasons, reason) };
        for (; i < message->recipient_count && message->recipients[i].reason == reason; i++) {
            const struct queued_recipient *from = &message->recipients[i];
            list[change.count++] = (struct changed_recipient){ i, from->ending, from->hold, from->attempts };
        }
        journal_change_append(journal, RECORD_STATE, message, &change);
    }
    free(list);
}

static void reference_carry(struct journal *journal, const struct reference *reference)
{
    struct segment *home = segment_find(journal, reference->home);
    if (!home) return; /* gone, and what it held with it */
    struct buffer bytes = { 0 };
    put_u32(&bytes, reference->home);
    struct message *message =
        reference->is_cut ? NULL : message_index_find(journal->message_index, reference->id);
    if (reference->is_cut) {
        put_u32(&bytes, (uint32_t)reference->id);
        if (!home->has_index)
            journal_append(journal, RECORD_CUT, reference->id, NULL, buffer_text(&bytes))->home =
                home->number;
    } else if (message && message->segment == reference->home) {
        state_carry(journal, message);
    } else {
        journal_append(journal, RECORD_GONE, reference->id, NULL, buffer_text(&bytes))->home = home->number;
    }
    buffer_free(&bytes);
}

static bool references_carry(struct journal *journal, struct segment *segment)
{
    struct arena *arena = arena_new(0);
    struct seal seal;
    bool is_known = seal_read_lists(journal, segment, arena, &seal);
    if (!is_known)
        journal_complain(journal, "the index of segment %08u cannot be read again", segment->number);
    for (size_t i = 0; is_known && i < seal.reference_count; i++)
        if (seal.references[i].home != segment->number) reference_carry(journal, &seal.references[i]);
    arena_free(arena);
    return is_known;
}

/* A copy of the message's record goes into the batch, with what has become of its recipients. */
static bool message_move(struct journal *journal, struct message *message)
{
    struct arena *arena = arena_new(0);
    struct buffer content = { 0 };
    struct lead lead;
    bool is_read = journal_read_lead(journal, arena, message, &lead) &&
                   lead.recipient_count == message->recipient_count &&
                   journal_read_content(journal, message, &content);
    if (is_read) {
        lead.flags |= MESSAGE_MOVED | (message->flags & MESSAGE_WARNED);
        for (uint32_t i = 0; i < message->recipient_count; i++) {
            lead.recipients[i].ending = message->recipients[i].ending;
            lead.recipients[i].hold = message->recipients[i].hold;
        }
        struct buffer record = { 0 };
        lead_put(&lead, &record);
        uint32_t lead_length = (uint32_t)buffer_length(&record);
        buffer_add_text(&record, buffer_text(&content));
        journal_append(journal, RECORD_MESSAGE, message->id, message, buffer_text(&record))->lead_length =
            lead_length;
        state_carry(journal, message);
        buffer_free(&record);
    }
    buffer_free(&content);
    arena_free(arena);
    return is_read;
}

static bool has_bad_commit(struct journal *journal)
{
    return journal_commit(journal) != COMMIT_DONE;
}

bool segment_empty(struct journal *journal, struct segment *segment)
{
    size_t place = 0;
    for (struct message *message; (message = message_index_next(journal->message_index, &place));) {
        if (message->segment != segment->number) continue;
        if (!message_move(journal, message)) return false;
        if (journal_batch_bytes(journal) >= MOVE_STEP && has_bad_commit(journal)) return false;
    }
    if (!references_carry(journal, segment) || has_bad_commit(journal)) return false;
    return segment->live == 0;
}

/* The name goes, durably, before anything that its records made superfluous may go. */
static bool segment_recycle(struct journal *journal, struct segment *segment)
{
    const struct disk *disk = journal->options.disk;
    int folder = journal->options.folder;
    uint32_t number = segment->number;
    char name[SEGMENT_NAME_SIZE];
    if (journal->on_segment_end) journal->on_segment_end(journal->on_segment_end_context, number);
    bool is_spare = spare_is_wanted(journal) && !segment->is_unreusable &&
                    segment->size == journal->options.segment_bytes;
    int fd = is_spare ? dup(segment->fd) : -1;
    segment_name(number, "seg", name);
    if (fd >= 0) {
        struct spare spare = { .fd = fd, .filled = segment->size, .is_ready = true };
        spare_name_next(journal, spare.name);
        if (disk->rename(disk->context, folder, name, spare.name) != 0) {
            close(fd);
            return false;
        }
        spare_add(journal, &spare);
    } else if (disk->remove(disk->context, folder, name) != 0) {
        return false;
    }
    disk->remove(disk->context, folder, segment_name(number, "idx", name));
    disk->sync_folder(disk->context, folder);
    segment_drop(journal, segment);
    journal->facts.recycled++;
    return true;
}

/* Where the disk has no room for another, recent ids matter less than room. */
static size_t kept_count(const struct journal *journal)
{
    return journal->spare_error ? 0 : SEGMENTS_KEPT;
}

static bool is_silent(struct journal *journal, struct segment *segment)
{
    struct arena *arena = arena_new(0);
    struct seal seal;
    bool is_known = seal_read_lists(journal, segment, arena, &seal);
    for (size_t i = 0; is_known && i < seal.reference_count; i++)
        if (seal.references[i].home != segment->number && segment_find(journal, seal.references[i].home))
            is_known = false;
    arena_free(arena);
    return is_known;
}

bool recycle_for_room(struct journal *journal)
{
    if (!journal->spare_error) journal->spare_error = ENOSPC;
    for (size_t i = 0; i < journal->segment_count; i++) {
        struct segment *segment = journal->segments[i];
        bool is_dead = !segment->live && !segment->jobs && segment->is_sealed && !segment->is_damaged;
        if (is_dead && is_silent(journal, segment)) return segment_recycle(journal, segment);
    }
    return false;
}

/* What a dead segment says is said again out of the reserve, since its file comes back for it; but only where
   all of that surely fits. It is tried again later. */
static bool has_no_place(struct journal *journal)
{
    if (!journal->batch.length || journal_room(journal)) return false;
    journal_batch_drop(journal);
    return true;
}

static bool recycle_one(struct journal *journal)
{
    for (size_t i = 0; i + kept_count(journal) < journal->segment_count; i++) {
        struct segment *segment = journal->segments[i];
        if (segment->live || segment->jobs || !segment->is_sealed || segment->is_damaged) continue;
        if (segment->number == journal->moving) journal->moving = 0;
        if (!references_carry(journal, segment)) {
            segment->is_damaged = true; /* it stays; looked at again at the next start */
            log_error("journal: %s; it stays", journal->error);
            return true;
        }
        if (has_no_place(journal) || has_bad_commit(journal)) return false;
        if (segment_recycle(journal, segment)) return true;
        log_error("journal: segment %08u cannot be recycled: %s", segment->number, strerror(errno));
        segment->is_damaged = true;
        return true;
    }
    return false;
}

/* Nearly dead: less than a quarter of it lives. */
static struct segment *nearly_dead(const struct journal *journal)
{
    for (size_t i = 0; i + SEGMENTS_KEPT < journal->segment_count; i++) {
        struct segment *segment = journal->segments[i];
        if (segment->is_sealed && segment->has_index && !segment->is_damaged && segment->live &&
            segment->live_bytes < segment->size / 4 && journal->facts.commits >= segment->move_again)
            return segment;
    }
    return NULL;
}

static bool move_start(struct journal *journal)
{
    struct segment *segment = nearly_dead(journal);
    struct arena *arena = arena_new(0);
    struct seal seal;
    bool is_started = segment && seal_read_lists(journal, segment, arena, &seal);
    if (is_started) {
        journal->moving = segment->number;
        journal->moving_place = 0;
        journal->moving_count = seal.id_count;
        journal->moving_ids = memory_grow(journal->moving_ids, (seal.id_count + 1) * sizeof *seal.ids);
        if (seal.id_count) memcpy(journal->moving_ids, seal.ids, seal.id_count * sizeof *seal.ids);
    } else if (segment) {
        segment->is_damaged = true;
        log_error("journal: segment %08u: its index cannot be read again; it stays", segment->number);
    }
    arena_free(arena);
    return is_started;
}

/* Messages that deliver is reading stay until another round. The room of outcomes is not used: what is moved
   is less than a quarter of a segment. */
static bool move_some(struct journal *journal)
{
    if (!journal_has_room(journal, journal->options.segment_bytes / 8 * 3)) return false;
    if (!journal->moving && !move_start(journal)) return false;
    while (journal->moving_place < journal->moving_count && journal_batch_bytes(journal) < MOVE_STEP) {
        uint64_t id = journal->moving_ids[journal->moving_place++];
        struct message *message = message_index_find(journal->message_index, id);
        if (!message || message->segment != journal->moving || message->jobs) continue;
        if (!message_move(journal, message)) {
            struct segment *segment = segment_find(journal, journal->moving);
            if (segment) segment->is_damaged = true;
            journal->moving = 0;
            return true;
        }
    }
    bool is_done = journal->moving_place >= journal->moving_count;
    if (is_done) {
        struct segment *segment = segment_find(journal, journal->moving);
        if (segment) segment->move_again = journal->facts.commits + MOVE_AGAIN_COMMITS;
        journal->moving = 0;
        journal->facts.compacted++;
    }
    return !has_bad_commit(journal);
}

bool journal_tidy(struct journal *journal)
{
    if (journal_has_batch(journal)) return false;
    return spare_tidy(journal) || recycle_one(journal) || move_some(journal);
}
