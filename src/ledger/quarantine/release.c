/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is released becomes a message of its own. Its id stands in the index before queue is given it; when it
   is not known whether queue has it, the ledger's own events and then queue are asked, and only then is it
   given again. */
#include <errno.h>

#include "base/log.h"
#include "ledger/quarantine/custody_private.h"

enum { ASK_AGAIN_MS = 5000, BACKLOG_MOST = 4 << 20 };

static enum books_outcome rows_move(struct custody *custody, const struct held_row *rows, size_t count,
                                    enum held_state from, enum held_state to, uint64_t release,
                                    struct text by)
{
    struct database *database = custody->database;
    enum books_outcome outcome = held_begin(database);
    if (outcome != BOOKS_DONE) return outcome;
    bool is_changed = true;
    for (size_t i = 0; i < count && outcome == BOOKS_DONE && is_changed; i++) {
        struct held_move move = { .message = rows[i].message,
                                  .number = rows[i].number,
                                  .from = from,
                                  .to = to,
                                  .release = release,
                                  .now_ms = loop_wall_ms(custody->loop),
                                  .by = by };
        outcome = held_move(database, &move, &is_changed);
    }
    if (outcome == BOOKS_DONE && is_changed) return held_commit(database);
    held_rollback(database);
    return outcome == BOOKS_DONE ? BOOKS_MISSING : outcome;
}

enum books_outcome custody_release(struct custody *custody, const struct held_row *rows, size_t count,
                                   struct text by, uint64_t *out_release)
{
    if (!custody_database(custody)) return BOOKS_LATER;
    uint64_t release = message_id_next(&custody->ids, loop_wall_ms(custody->loop));
    enum books_outcome outcome = rows_move(custody, rows, count, HELD_KEPT, HELD_RELEASING, release, by);
    *out_release = release;
    if (outcome == BOOKS_DONE && custody->queue) custody_release_send(custody, release);
    return outcome;
}

enum books_outcome custody_delete(struct custody *custody, const struct held_row *rows, size_t count,
                                  struct text by)
{
    if (!custody_database(custody)) return BOOKS_LATER;
    enum books_outcome outcome = rows_move(custody, rows, count, HELD_KEPT, HELD_DELETED, 0, by);
    if (outcome != BOOKS_DONE) return outcome;
    custody->facts.deleted += count;
    custody->facts.recipients -= count;
    custody_file_drop(custody, rows[0].message);
    return BOOKS_DONE;
}

/* --- to queue --- */

/* Its transaction is over: the same one coming again is another message. */
static void envelope_make(struct custody *custody, const struct vault_message *kept,
                          const struct held_rows *rows, struct keep_request *request)
{
    request->envelope = kept->facts.envelope;
    request->envelope.transaction = TEXT_NONE;
    request->envelope.recipient_count = (uint32_t)rows->count;
    request->envelope.recipients =
        arena_alloc_array(custody->arena, rows->count, sizeof *request->envelope.recipients);
    request->recipients = arena_alloc_array(custody->arena, rows->count, sizeof *request->recipients);
    for (size_t i = 0; i < rows->count; i++) {
        const struct held_row *row = &rows->items[i];
        request->envelope.recipients[i] = (struct recipient){ row->address, row->orcpt, row->notify };
        request->recipients[i] =
            (struct keep_recipient){ HOLD_NONE,
                                     row->edits < kept->facts.edits_count ? row->edits : (uint8_t)0 };
    }
}

static bool keep_send(struct custody *custody, uint64_t release, const struct vault_message *kept,
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
    envelope_make(custody, kept, rows, &request);
    bool is_good = body_append(&request.body,
                               text_slice(kept->content, kept->facts.prefix_length, kept->content.length)) &&
                   body_finish(&request.body);
    if (is_good) {
        int fds[FRAME_DESCRIPTORS], fd_count = 0;
        struct buffer *out = channel_begin(custody->queue, QUEUE_KEEP, release);
        keep_request_put(&request, out, fds, &fd_count);
        channel_end_fds(custody->queue, fds, fd_count);
    }
    body_free(&request.body);
    return is_good;
}

static void complain(struct custody *custody, uint64_t message, const char *what)
{
    char id[MESSAGE_ID_SIZE];
    if (!custody->has_complained)
        log_error("ALARM: quarantine: %s cannot be released: %s", message_id_print(message, id), what);
    custody->has_complained = true;
}

/* What cannot be read is not given; it is kept again, so that it can be tried once more or deleted. */
static void give_up(struct custody *custody, const struct held_rows *rows, uint64_t release, const char *what)
{
    complain(custody, rows->items[0].message, what);
    rows_move(custody, rows->items, rows->count, HELD_RELEASING, HELD_KEPT, release,
              TEXT("its file could not be read"));
    custody_note(custody, rows->items[0].message);
}

/* Rows of one message, all with this release. Only while queue does not have it. */
void custody_release_send(struct custody *custody, uint64_t release)
{
    struct held_rows rows;
    struct vault_message kept;
    if (!custody->queue || !custody_database(custody)) return;
    arena_reset(custody->arena);
    if (held_of_release(database_sql(custody->database), custody->arena, release, &rows) != BOOKS_DONE)
        return;
    if (!rows.count || rows.items[0].state != HELD_RELEASING) return;
    switch (vault_read(custody->vault, rows.items[0].message, &kept)) {
    case VAULT_DONE: /* noted first: a new index then asks queue instead of offering it once more */
        custody_note(custody, rows.items[0].message);
        if (!keep_send(custody, release, &kept, &rows))
            complain(custody, rows.items[0].message, strerror(errno));
        vault_message_free(&kept);
        break;
    case VAULT_FAILED:
        if (errno == ENOENT)
            give_up(custody, &rows, release, "its file is gone");
        else
            complain(custody, rows.items[0].message, strerror(errno)); /* no memory, no descriptors: again */
        break;
    case VAULT_DAMAGED:
        give_up(custody, &rows, release, "its file is damaged");
        break;
    }
}

void custody_release_kept(struct custody *custody, uint64_t release)
{
    struct held_rows rows;
    char old[MESSAGE_ID_SIZE], new[MESSAGE_ID_SIZE];
    if (!custody_database(custody)) return;
    arena_reset(custody->arena);
    if (held_of_release(database_sql(custody->database), custody->arena, release, &rows) != BOOKS_DONE)
        return;
    if (!rows.count || rows.items[0].state != HELD_RELEASING) return;
    if (rows_move(custody, rows.items, rows.count, HELD_RELEASING, HELD_RELEASED, release,
                  rows.items[0].by) != BOOKS_DONE)
        return; /* asked again */
    log_info("%s: released from quarantine as %s", message_id_print(rows.items[0].message, old),
             message_id_print(release, new));
    custody->has_complained = false;
    custody->facts.released += rows.count;
    custody->facts.recipients -= rows.count;
    custody_file_drop(custody, rows.items[0].message);
}

void custody_release_refused(struct custody *custody, uint64_t release, struct text why)
{
    char id[MESSAGE_ID_SIZE];
    log_warning("%s: a release is not taken by queue now: %.*s", message_id_print(release, id),
                TEXT_ARG(why));
}

/* All that are under way, now and then: an answer may have been lost with queue, or with us. */
void custody_releases_look(struct custody *custody)
{
    struct held_rows rows;
    uint64_t now = loop_now_ms(custody->loop);
    if (!custody->queue || (custody->asked_ms && now < custody->asked_ms + ASK_AGAIN_MS)) return;
    custody->asked_ms = now ? now : 1;
    struct arena *arena = arena_new(0);
    if (held_under_way(database_sql(custody->database), arena, &rows) == BOOKS_DONE)
        for (size_t i = 0; i < rows.count && channel_backlog(custody->queue) < BACKLOG_MOST; i++) {
            if (held_was_accepted(database_sql(custody->database), rows.items[i].message))
                custody_release_kept(custody, rows.items[i].message);
            else
                channel_send(custody->queue, QUEUE_RESOLVE, rows.items[i].message, TEXT_NONE);
        }
    arena_free(arena);
}
