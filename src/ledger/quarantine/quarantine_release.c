/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is released becomes a message of its own. Its id stands in the index before queue is given it; when it
   is not known whether queue has it, the ledger's own events and then queue are asked, and only then is it
   given again. */
#include <errno.h>

#include "base/log.h"
#include "ledger/quarantine/quarantine_private.h"

enum { ASK_AGAIN_MS = 5000, BACKLOG_MOST = 4 << 20 };

static enum ledgerdb_outcome rows_move(struct quarantine *quarantine, const struct held_row *rows,
                                       size_t count, enum held_state from, enum held_state to,
                                       uint64_t release, struct text by)
{
    struct database *database = quarantine->database;
    enum ledgerdb_outcome outcome = held_begin(database);
    if (outcome != LEDGERDB_DONE) return outcome;
    bool is_changed = true;
    for (size_t i = 0; i < count && outcome == LEDGERDB_DONE && is_changed; i++) {
        struct held_move move = { .message = rows[i].message,
                                  .number = rows[i].number,
                                  .from = from,
                                  .to = to,
                                  .release = release,
                                  .now_ms = loop_wall_ms(quarantine->loop),
                                  .by = by };
        outcome = held_move(database, &move, &is_changed);
    }
    if (outcome == LEDGERDB_DONE && is_changed) return held_commit(database);
    held_rollback(database);
    return outcome == LEDGERDB_DONE ? LEDGERDB_MISSING : outcome;
}

enum ledgerdb_outcome quarantine_release(struct quarantine *quarantine, const struct held_row *rows,
                                         size_t count, struct text by, uint64_t *out_release)
{
    if (!quarantine_database(quarantine)) return LEDGERDB_LATER;
    uint64_t release = message_id_next(&quarantine->ids, loop_wall_ms(quarantine->loop));
    enum ledgerdb_outcome outcome =
        rows_move(quarantine, rows, count, HELD_KEPT, HELD_RELEASING, release, by);
    *out_release = release;
    if (outcome == LEDGERDB_DONE && quarantine->queue) quarantine_release_send(quarantine, release);
    return outcome;
}

enum ledgerdb_outcome quarantine_delete(struct quarantine *quarantine, const struct held_row *rows,
                                        size_t count, struct text by)
{
    if (!quarantine_database(quarantine)) return LEDGERDB_LATER;
    enum ledgerdb_outcome outcome = rows_move(quarantine, rows, count, HELD_KEPT, HELD_DELETED, 0, by);
    if (outcome != LEDGERDB_DONE) return outcome;
    quarantine->facts.deleted += count;
    quarantine->facts.recipients -= count;
    quarantine_file_drop(quarantine, rows[0].message);
    return LEDGERDB_DONE;
}

/* --- to queue --- */

/* Its transaction is over: the same one coming again is another message. */
static void envelope_make(struct quarantine *quarantine, const struct stored_message *kept,
                          const struct held_rows *rows, struct keep_request *request)
{
    request->envelope = kept->facts.envelope;
    request->envelope.transaction = TEXT_NONE;
    request->envelope.recipient_count = (uint32_t)rows->count;
    request->envelope.recipients =
        arena_alloc_array(quarantine->arena, rows->count, sizeof *request->envelope.recipients);
    request->recipients = arena_alloc_array(quarantine->arena, rows->count, sizeof *request->recipients);
    for (size_t i = 0; i < rows->count; i++) {
        const struct held_row *row = &rows->items[i];
        request->envelope.recipients[i] = (struct recipient){ row->address, row->orcpt, row->notify };
        request->recipients[i] =
            (struct keep_recipient){ HOLD_NONE,
                                     row->edits < kept->facts.edits_count ? row->edits : (uint8_t)0 };
    }
}

static bool keep_send(struct quarantine *quarantine, uint64_t release, const struct stored_message *kept,
                      const struct held_rows *rows)
{
    struct keep_request request = { .id = release,
                                    .arrived_ms = message_id_time_ms(release),
                                    .direction = kept->facts.direction,
                                    .authenticated = kept->facts.authenticated,
                                    .content = kept->facts.content,
                                    .prefix = text_slice(kept->content, 0, kept->facts.prefix_length),
                                    .edits_count = kept->facts.edits_count };
    memcpy(request.edits, kept->facts.edits, sizeof request.edits);
    envelope_make(quarantine, kept, rows, &request);
    bool is_good = body_append(&request.body,
                               text_slice(kept->content, kept->facts.prefix_length, kept->content.length)) &&
                   body_finish(&request.body);
    if (is_good) {
        int fds[FRAME_DESCRIPTORS], fd_count = 0;
        struct buffer *out = channel_begin(quarantine->queue, QUEUE_KEEP, release);
        keep_request_put(&request, out, fds, &fd_count);
        channel_end_fds(quarantine->queue, fds, fd_count);
    }
    body_free(&request.body);
    return is_good;
}

static void complain(struct quarantine *quarantine, uint64_t message, const char *what)
{
    char id[MESSAGE_ID_SIZE];
    if (!quarantine->has_complained)
        log_error("ALARM: quarantine: %s cannot be released: %s", message_id_print(message, id), what);
    quarantine->has_complained = true;
}

/* What cannot be read is not given; it is kept again, so that it can be tried once more or deleted. */
static void give_up(struct quarantine *quarantine, const struct held_rows *rows, uint64_t release,
                    const char *what)
{
    complain(quarantine, rows->items[0].message, what);
    rows_move(quarantine, rows->items, rows->count, HELD_RELEASING, HELD_KEPT, release,
              TEXT("its file could not be read"));
    quarantine_note(quarantine, rows->items[0].message);
}

/* Rows of one message, all with this release. Only while queue does not have it. */
void quarantine_release_send(struct quarantine *quarantine, uint64_t release)
{
    struct held_rows rows;
    struct stored_message kept;
    if (!quarantine->queue || !quarantine_database(quarantine)) return;
    arena_reset(quarantine->arena);
    if (held_of_release(database_sql(quarantine->database), quarantine->arena, release, &rows) !=
        LEDGERDB_DONE)
        return;
    if (!rows.count || rows.items[0].state != HELD_RELEASING) return;
    switch (quarantine_store_read(quarantine->store, rows.items[0].message, &kept)) {
    case QUARANTINE_STORE_DONE: /* noted first: a new index then asks queue instead of offering it once more
                                 */
        quarantine_note(quarantine, rows.items[0].message);
        if (!keep_send(quarantine, release, &kept, &rows))
            complain(quarantine, rows.items[0].message, strerror(errno));
        stored_message_free(&kept);
        break;
    case QUARANTINE_STORE_FAILED:
        if (errno == ENOENT)
            give_up(quarantine, &rows, release, "its file is gone");
        else
            complain(quarantine, rows.items[0].message,
                     strerror(errno)); /* no memory, no descriptors: again */
        break;
    case QUARANTINE_STORE_DAMAGED:
        give_up(quarantine, &rows, release, "its file is damaged");
        break;
    }
}

void quarantine_release_kept(struct quarantine *quarantine, uint64_t release)
{
    struct held_rows rows;
    char old[MESSAGE_ID_SIZE], new[MESSAGE_ID_SIZE];
    if (!quarantine_database(quarantine)) return;
    arena_reset(quarantine->arena);
    if (held_of_release(database_sql(quarantine->database), quarantine->arena, release, &rows) !=
        LEDGERDB_DONE)
        return;
    if (!rows.count || rows.items[0].state != HELD_RELEASING) return;
    if (rows_move(quarantine, rows.items, rows.count, HELD_RELEASING, HELD_RELEASED, release,
                  rows.items[0].by) != LEDGERDB_DONE)
        return; /* asked again */
    log_of(LOG_LEVEL_INFO, message_id_print(rows.items[0].message, old), "%s: released from quarantine as %s",
           old, message_id_print(release, new));
    quarantine->has_complained = false;
    quarantine->facts.released += rows.count;
    quarantine->facts.recipients -= rows.count;
    quarantine_file_drop(quarantine, rows.items[0].message);
}

void quarantine_release_refused(struct quarantine *quarantine, uint64_t release, struct text why)
{
    char id[MESSAGE_ID_SIZE];
    log_of(LOG_LEVEL_WARNING, message_id_print(release, id), "%s: a release is not taken by queue now: %.*s",
           id, TEXT_ARG(why));
}

/* All that are under way, now and then: an answer may have been lost with queue, or with us. */
void quarantine_releases_look(struct quarantine *quarantine)
{
    struct held_rows rows;
    uint64_t now = loop_now_ms(quarantine->loop);
    if (!quarantine->queue || (quarantine->asked_ms && now < quarantine->asked_ms + ASK_AGAIN_MS)) return;
    quarantine->asked_ms = now ? now : 1;
    struct arena *arena = arena_new(0);
    if (held_under_way(database_sql(quarantine->database), arena, &rows) == LEDGERDB_DONE)
        for (size_t i = 0; i < rows.count && channel_backlog(quarantine->queue) < BACKLOG_MOST; i++) {
            if (held_was_accepted(database_sql(quarantine->database), rows.items[i].message))
                quarantine_release_kept(quarantine, rows.items[i].message);
            else
                channel_send(quarantine->queue, QUEUE_RESOLVE, rows.items[i].message, TEXT_NONE);
        }
    arena_free(arena);
}
