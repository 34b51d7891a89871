/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Files that the index does not know: a database was lost, and they were not. What stands in them goes into
   the new index, a few a turn, once for each database that is opened. What queue still has is left to queue,
   which offers it again; what ended otherwise is no longer ours, and its file goes. */
#include <stdlib.h>

#include "base/context.h"
#include "base/log.h"
#include "ledger/quarantine/quarantine_header.h"
#include "ledger/quarantine/quarantine_private.h"
#include "ledgerdb/adopt.h"

enum { FILES_A_TURN = 20, LOOK_AGAIN_MS = 2000 };

/* --- notes --- */

static bool is_as_written(const struct held_rows *rows, const struct stored_message *kept)
{
    struct arena *arena = arena_new(0);
    struct quarantine_header about;
    bool is_same = rows->count == kept->facts.envelope.recipient_count &&
                   quarantine_header_get(arena, kept->about, &about) && rows->count <= about.count;
    for (size_t i = 0; i < rows->count && is_same; i++)
        is_same = rows->items[i].state == HELD_KEPT && rows->items[i].class == about.classes[i] &&
                  rows->items[i].number == kept->facts.recipients[i].number;
    arena_free(arena);
    return is_same;
}

bool quarantine_note(struct quarantine *quarantine, uint64_t message)
{
    struct held_rows rows;
    struct stored_message kept;
    struct buffer note = { 0 };
    struct arena *arena = arena_new(0);
    bool is_good =
        held_of_message(database_sql(quarantine->database), arena, message, &rows) == LEDGERDB_DONE;
    if (is_good && quarantine_store_read_facts(quarantine->store, message, &kept) == QUARANTINE_STORE_DONE) {
        if (!is_as_written(&rows, &kept)) quarantine_rows_put(&rows, &note);
        stored_message_free(&kept);
        is_good = quarantine_store_note_write(quarantine->store, message, buffer_text(&note));
    }
    if (!is_good) log_error("quarantine: a note beside a file cannot be written: %m");
    buffer_free(&note);
    arena_free(arena);
    return is_good;
}

/* --- one file --- */

struct foundling {
    uint64_t id;
    struct stored_message kept;
    struct quarantine_header about;
    struct held_rows rows;
    bool is_told; /* what the ledger knew is in the file */
};

static struct held_row row_of(const struct foundling *foundling, uint32_t i)
{
    const struct held_offer *facts = &foundling->kept.facts;
    const struct held_recipient *held = &facts->recipients[i];
    const struct recipient *recipient = &facts->envelope.recipients[i];
    bool is_told = foundling->is_told && i < foundling->about.count;
    /* As careful as can be when it is not known: nobody but the two owners may release it, and it does not go
       for want of room. */
    enum held_class class = held->hold == HOLD_UNDELIVERABLE ? HELD_UNDELIVERABLE : HELD_POISON;
    return (struct held_row){ .message = foundling->id,
                              .number = held->number,
                              .class = is_told ? foundling->about.classes[i] : class,
                              .state = HELD_KEPT,
                              .stored_ms = foundling->about.stored_ms,
                              .changed_ms = foundling->about.stored_ms,
                              .edits = held->edits,
                              .notify = recipient->notify,
                              .address = recipient->address,
                              .orcpt = recipient->orcpt,
                              .reason = is_told || held->hold != HOLD_QUARANTINE
                                            ? held->reason
                                            : TEXT("what it was found to be is not known any more") };
}

static void about_make(struct foundling *foundling)
{
    const struct held_offer *facts = &foundling->kept.facts;
    foundling->is_told =
        quarantine_header_get(foundling->kept.arena, foundling->kept.about, &foundling->about);
    if (!foundling->is_told)
        foundling->about = (struct quarantine_header){ .stored_ms = facts->arrived_ms,
                                                       .message = { .id = foundling->id,
                                                                    .time_ms = facts->arrived_ms,
                                                                    .size = facts->length,
                                                                    .direction = facts->direction,
                                                                    .sender = facts->envelope.sender } };
}

/* False: it cannot be read. It stays where it is. */
static bool foundling_make(struct quarantine *quarantine, uint64_t id, struct foundling *out)
{
    char name[MESSAGE_ID_SIZE];
    struct buffer note = { 0 };
    *out = (struct foundling){ .id = id };
    if (quarantine_store_read_facts(quarantine->store, id, &out->kept) != QUARANTINE_STORE_DONE) {
        log_error("ALARM: quarantine: the file of %s is not in the index, and cannot be read",
                  message_id_print(id, name));
        return false;
    }
    about_make(out);
    struct arena *arena = out->kept.arena;
    bool has_note = quarantine_store_note_read(quarantine->store, id, &note) &&
                    quarantine_rows_get(arena, arena_text(arena, buffer_text(&note)), id, &out->rows);
    buffer_free(&note);
    if (has_note) return true;
    uint32_t count = out->kept.facts.envelope.recipient_count;
    out->rows.items = arena_alloc_array(arena, count, sizeof *out->rows.items);
    for (uint32_t i = 0; i < count; i++) out->rows.items[out->rows.count++] = row_of(out, i);
    return true;
}

static enum ledgerdb_outcome message_adopt(struct quarantine *quarantine, const struct foundling *foundling)
{
    struct held_row file = { .message = foundling->id,
                             .stored_ms = foundling->about.stored_ms,
                             .size = foundling->kept.facts.length,
                             .bytes = quarantine_store_file_bytes(quarantine->store, foundling->id),
                             .sender = foundling->kept.facts.envelope.sender };
    return adopt_message(quarantine->database, &foundling->about.message, &file);
}

struct standings {
    unsigned live, taken, ended;
};

/* What queue has of a message. NULL: it was not asked, so what has no ending may be its. */
struct live {
    const uint32_t *numbers;
    uint32_t count;
};

static bool is_live(const struct live *live, uint32_t number)
{
    if (!live) return true;
    for (uint32_t i = 0; i < live->count; i++)
        if (live->numbers[i] == number) return true;
    return false;
}

static enum ledgerdb_outcome rows_adopt(struct quarantine *quarantine, const struct foundling *foundling,
                                        const struct live *live, struct standings *out)
{
    enum ledgerdb_outcome outcome = LEDGERDB_DONE;
    *out = (struct standings){ 0 };
    for (size_t i = 0; i < foundling->rows.count && outcome == LEDGERDB_DONE; i++) {
        enum adopt_standing standing;
        const struct held_row *row = &foundling->rows.items[i];
        outcome = adopt_look(quarantine->database, foundling->id, row->number, &standing);
        if (outcome != LEDGERDB_DONE) break;
        if (standing == ADOPT_LIVE && !is_live(live, row->number)) standing = ADOPT_QUARANTINED;
        out->live += standing == ADOPT_LIVE;
        out->ended += standing == ADOPT_ENDED;
        if (standing != ADOPT_UNKNOWN && standing != ADOPT_QUARANTINED) continue;
        if (!out->taken++) outcome = message_adopt(quarantine, foundling);
        if (outcome == LEDGERDB_DONE)
            outcome = adopt_recipient(quarantine->database, &foundling->about.message, row);
    }
    return outcome;
}

/* In the transaction under way. */
static enum ledgerdb_outcome file_reindex(struct quarantine *quarantine, uint64_t id, const struct live *live,
                                          bool *out_later)
{
    struct foundling foundling;
    struct standings found;
    *out_later = false;
    if (!foundling_make(quarantine, id, &foundling)) return LEDGERDB_DONE;
    enum ledgerdb_outcome outcome = rows_adopt(quarantine, &foundling, live, &found);
    stored_message_free(&foundling.kept);
    *out_later = found.live > 0;
    quarantine->reindex.taken += outcome == LEDGERDB_DONE && found.taken > 0;
    bool is_of_nobody = found.ended == foundling.rows.count;
    if (outcome == LEDGERDB_DONE && is_of_nobody) quarantine_store_remove(quarantine->store, id);
    return outcome;
}

void quarantine_reindex_one(struct quarantine *quarantine, uint64_t message)
{
    bool is_later;
    if (!quarantine_store_file_bytes(quarantine->store, message) ||
        held_begin(quarantine->database) != LEDGERDB_DONE)
        return;
    if (file_reindex(quarantine, message, NULL, &is_later) == LEDGERDB_DONE)
        held_commit(quarantine->database);
    else
        held_rollback(quarantine->database);
}

/* All recipients of the message that have not ended are in the answer: the rest is ours. */
bool quarantine_reindex_told(struct quarantine *quarantine, struct frame *frame)
{
    struct reader reader = reader_of(frame->payload);
    struct arena *arena = arena_new(0);
    uint32_t count = get_count(&reader, ENVELOPE_RECIPIENTS_MOST, 4);
    uint32_t *numbers = arena_alloc_array(arena, count + 1, sizeof *numbers);
    struct live live = { numbers, count };
    bool is_later;
    for (uint32_t i = 0; i < count; i++) numbers[i] = get_u32(&reader);
    bool is_good = reader_done(&reader);
    while (ingest_poll(quarantine->ingest)) continue; /* endings were told before this answer */
    if (is_good && quarantine_database(quarantine) && held_begin(quarantine->database) == LEDGERDB_DONE) {
        if (file_reindex(quarantine, frame->id, &live, &is_later) == LEDGERDB_DONE)
            held_commit(quarantine->database);
        else
            held_rollback(quarantine->database);
    }
    arena_free(arena);
    return is_good;
}

/* --- all of them --- */

static void file_note(void *context, uint64_t id)
{
    struct quarantine *quarantine = CONTEXT(context, struct quarantine, QUARANTINE_MAGIC);
    struct reindex *reindex = &quarantine->reindex;
    if (held_has_file(database_sql(quarantine->database), id)) return;
    if (reindex->count == reindex->room) {
        reindex->room = reindex->room ? reindex->room * 2 : 64;
        reindex->ids = memory_grow(reindex->ids, reindex->room * sizeof *reindex->ids);
    }
    reindex->ids[reindex->count++] = id;
}

/* Those that are not decided come to the front, for the next round. */
static enum ledgerdb_outcome some_reindex(struct quarantine *quarantine)
{
    struct reindex *reindex = &quarantine->reindex;
    size_t next = reindex->next, later = reindex->later;
    unsigned taken = reindex->taken;
    enum ledgerdb_outcome outcome = held_begin(quarantine->database);
    if (outcome != LEDGERDB_DONE) return outcome;
    for (unsigned n = 0; n < FILES_A_TURN && next < reindex->count && outcome == LEDGERDB_DONE; n++) {
        bool is_later;
        uint64_t id = reindex->ids[next++];
        outcome = file_reindex(quarantine, id, NULL, &is_later);
        if (!is_later) continue;
        reindex->ids[later++] = id;
        channel_send(quarantine->queue, LEDGER_WHOSE, id, TEXT_NONE);
    }
    if (outcome == LEDGERDB_DONE)
        outcome = held_commit(quarantine->database);
    else
        held_rollback(quarantine->database);
    if (outcome == LEDGERDB_DONE) {
        reindex->next = next;
        reindex->later = later;
    } else {
        reindex->taken = taken;
    }
    return outcome;
}

static void round_end(struct quarantine *quarantine)
{
    struct reindex *reindex = &quarantine->reindex;
    if (reindex->taken)
        log_warning("quarantine: %u messages that the ledger database did not know are in its index again",
                    reindex->taken);
    quarantine->facts.reindexed += reindex->taken;
    if (reindex->taken) quarantine->database = NULL; /* its numbers are asked for anew */
    reindex->count = reindex->later;
    reindex->next = reindex->later = 0;
    reindex->taken = 0;
    reindex->again_ms = loop_now_ms(quarantine->loop) + LOOK_AGAIN_MS;
}

bool quarantine_reindex(struct quarantine *quarantine)
{
    struct reindex *reindex = &quarantine->reindex;
    unsigned opening = ingest_openings(quarantine->ingest);
    if (!quarantine->queue || !opening) return false; /* what queue still tells comes first */
    if (reindex->opening != opening) {
        reindex->count = reindex->next = reindex->later = reindex->taken = 0;
        reindex->opening = opening;
        quarantine_store_walk(quarantine->store, file_note, quarantine);
    }
    if (!reindex->count || loop_now_ms(quarantine->loop) < reindex->again_ms) return false;
    if (some_reindex(quarantine) != LEDGERDB_DONE) return false;
    if (reindex->next < reindex->count) return true;
    round_end(quarantine);
    return false;
}
