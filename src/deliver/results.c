/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A record is dsn_relayed (u8) and the recipient's event. The file's tail is behind what queue has on disk.
   Used by jobs.c. What the life before wrote is read as any foreign bytes are. */
#include "deliver/results.h"

#include <stdlib.h>

#include "base/arena.h"
#include "ipc/event.h"

struct results {
    struct ring *file, *events;
    TAILQ_HEAD(hold_line, result_hold) line; /* jobs in the order of their results */
    uint64_t before_until;                   /* behind what the life before left */
    uint64_t before_told, before_kept;       /* of that, recipients: told to this queue, acknowledged */
    bool has_before;
    struct buffer record;
};

struct results *results_new(struct ring *file, struct ring *events)
{
    struct results *results = memory_alloc(sizeof *results);
    results->file = file;
    results->events = events;
    TAILQ_INIT(&results->line);
    if (file) results->before_until = ring_head(file);
    results->has_before = file && ring_tail(file) < results->before_until;
    return results;
}

void results_free(struct results *results)
{
    if (!results) return;
    ring_unmap(results->file);
    buffer_free(&results->record);
    free(results);
}

static void release(struct results *results)
{
    const struct result_hold *oldest = TAILQ_FIRST(&results->line);
    if (results->file && !results->has_before)
        ring_release(results->file, oldest ? oldest->position : ring_head(results->file));
}

void results_begin(struct results *results, struct result_hold *hold)
{
    hold->position = results->file ? ring_head(results->file) : 0;
    TAILQ_INSERT_TAIL(&results->line, hold, line);
}

void results_keep(struct results *results, struct text record, bool dsn_relayed)
{
    if (!results->file) return;
    buffer_clear(&results->record);
    put_u8(&results->record, dsn_relayed);
    buffer_add_text(&results->record, record);
    ring_append(results->file, buffer_text(&results->record));
}

void results_let_go(struct results *results, struct result_hold *hold)
{
    TAILQ_REMOVE(&results->line, hold, line);
    release(results);
}

/* False: no record of a delivery. */
static bool record_tell(struct results *results, struct text record, struct channel *queue)
{
    struct reader reader = reader_of(record);
    bool dsn_relayed = get_u8(&reader) != 0;
    struct event_ended event;
    uint64_t code;
    if (reader.failed || event_kind_of(reader.rest) != EVENT_ENDED || !event_ended_get(reader.rest, &event) ||
        event.ending != ENDING_DELIVERED || !text_to_number(text_slice(event.reply, 0, 3), 299, &code))
        return false;
    if (results->events) ring_append(results->events, reader.rest);
    struct recipient_result recipient = { .number = event.recipient,
                                          .ending = RECIPIENT_DELIVERED,
                                          .code = (uint16_t)code,
                                          .enhanced = event.dsn,
                                          .reply = event.reply,
                                          .dsn_relayed = dsn_relayed };
    struct deliver_result result = { .id = ++results->before_told,
                                     .message_id = event.id,
                                     .relay = event.relay,
                                     .recipient_count = 1,
                                     .recipients = &recipient };
    deliver_result_put(&result, channel_begin(queue, DELIVER_RESULT, result.id));
    channel_end(queue);
    return true;
}

void results_tell(struct results *results, struct channel *queue)
{
    struct text record;
    results->before_told = results->before_kept = 0;
    if (!results->has_before) return;
    uint64_t position = ring_tail(results->file);
    while (position < results->before_until && ring_next(results->file, &position, &record))
        record_tell(results, record, queue);
    results->has_before = results->before_told > 0;
    release(results);
}

void results_kept(struct results *results, uint64_t id)
{
    if (id == 0 || id > results->before_told || ++results->before_kept < results->before_told) return;
    results->has_before = false;
    release(results);
}
