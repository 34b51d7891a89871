/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Offers that came in during a turn are one batch: their files, one sync of the folders, one transaction;
   then all are answered. */
#include "ledger/quarantine/custody.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/context.h"
#include "base/log.h"
#include "books/adopt.h"
#include "ipc/message_id.h"
#include "ledger/quarantine/custody_private.h"
#include "ledger/quarantine/memo.h"

enum {
    OWN_PROCESS = 61,           /* in message ids: receive has 0 to 60, report 62, queue 63 */
    TOLD_WITHIN_MS = 60 * 1000, /* after that nobody will tell what a message was found to be */
    TURN_MS = 1000
};

static void offers_take(void *context);
static void turn(void *context);

struct custody *custody_new(struct loop *loop, struct harvest *harvest, int folder)
{
    struct custody *custody = memory_alloc(sizeof *custody);
    custody->magic = CUSTODY_MAGIC;
    custody->loop = loop;
    custody->harvest = harvest;
    custody->vault = vault_new(folder);
    custody->arena = arena_new(0);
    custody->ids.process = OWN_PROCESS;
    custody->take = (struct deferred){ .run = offers_take, .context = custody };
    custody->timer = timer_new(loop, turn, custody);
    timer_set(custody->timer, TURN_MS);
    return custody;
}

static void offers_drop(struct custody *custody)
{
    for (unsigned i = 0; i < custody->offer_count; i++) {
        close(custody->offers[i].fd);
        buffer_free(&custody->offers[i].payload);
    }
    custody->offer_count = 0;
}

void custody_free(struct custody *custody)
{
    offers_drop(custody);
    loop_defer_cancel(custody->loop, &custody->take);
    channel_close(custody->queue);
    timer_free(custody->timer);
    vault_free(custody->vault);
    free(custody->regain.ids);
    arena_free(custody->arena);
    free(custody);
}

void custody_set_config(struct custody *custody, const struct config *config)
{
    custody->config = config;
    custody->ids.node = config->node.number;
}

struct vault *custody_vault(const struct custody *custody)
{
    return custody->vault;
}

struct custody_facts custody_facts(const struct custody *custody)
{
    return custody->facts;
}

/* The index, with what is kept in memory of it. NULL while the database cannot be written. */
struct database *custody_database(struct custody *custody)
{
    struct database *database = harvest_database(custody->harvest);
    uint64_t last;
    if (database && custody->database == database && custody->opening == harvest_openings(custody->harvest))
        return database;
    custody->database = NULL;
    if (!database) return NULL;
    if (held_bytes(database_sql(database), &custody->facts.bytes) != BOOKS_DONE ||
        held_count(database_sql(database), &custody->facts.recipients) != BOOKS_DONE ||
        held_last_release(database_sql(database), &last) != BOOKS_DONE)
        return NULL;
    message_id_resume_behind(&custody->ids, last);
    message_id_not_before(&custody->ids, harvest_epoch_ms(custody->harvest));
    custody->database = database;
    custody->opening = harvest_openings(custody->harvest);
    return database;
}

/* --- offers --- */

struct taking {
    struct held_offer offer;
    enum held_class *classes;
    uint64_t bytes;
    unsigned added;
    bool is_new, is_taken;
    enum held_refusal refusal;
    struct text why;
};

static void refuse(struct taking *taking, enum held_refusal refusal, const char *why)
{
    taking->is_taken = false;
    taking->refusal = refusal;
    taking->why = text_of(why);
}

/* False: not now. */
static bool classes_find(struct custody *custody, struct taking *taking)
{
    const struct held_offer *offer = &taking->offer;
    uint64_t now = loop_wall_ms(custody->loop);
    taking->classes =
        arena_alloc_array(custody->arena, offer->envelope.recipient_count, sizeof *taking->classes);
    for (uint32_t i = 0; i < offer->envelope.recipient_count; i++) {
        enum books_outcome outcome =
            held_class_of(custody->database, offer->id, offer->recipients[i].hold, &taking->classes[i]);
        bool is_late = now > offer->arrived_ms + TOLD_WITHIN_MS;
        if (outcome == BOOKS_DONE || (outcome == BOOKS_MISSING && is_late)) continue;
        refuse(taking, HELD_NOT_YET, "the ledger has not been told of it");
        return false;
    }
    return true;
}

static enum vault_outcome file_write(struct custody *custody, struct taking *taking, int fd)
{
    struct buffer text = { 0 };
    struct memo_about about = { .stored_ms = loop_wall_ms(custody->loop),
                                .classes = taking->classes,
                                .count = taking->offer.envelope.recipient_count };
    const struct held_offer *offer = &taking->offer;
    if (adopt_recall(custody->database, custody->arena, offer->id, &about.message) != BOOKS_DONE)
        about.message = (struct event_accepted){ .id = offer->id,
                                                 .time_ms = offer->arrived_ms,
                                                 .size = offer->length,
                                                 .direction = offer->direction,
                                                 .sender = offer->envelope.sender };
    memo_about_put(&about, &text);
    enum vault_outcome outcome =
        vault_write(custody->vault, &taking->offer, buffer_text(&text), fd, &taking->bytes);
    buffer_free(&text);
    return outcome;
}

/* A file that the index does not know may be of recipients that are not offered any more. */
static void file_make(struct custody *custody, struct taking *taking, int fd)
{
    uint64_t id = taking->offer.id;
    if (!held_has_file(database_sql(custody->database), id)) custody_regain_one(custody, id);
    if (held_has_file(database_sql(custody->database), id) &&
        (taking->bytes = vault_file_bytes(custody->vault, id)) > 0)
        return;
    uint64_t length = taking->offer.length, most = custody->config->quarantine.most_bytes;
    if (custody->facts.bytes + length > most) {
        custody->facts.is_full = true;
        if (length <= most && length > custody->wanted) custody->wanted = length;
        refuse(taking, HELD_NO_ROOM, "the quarantine is full");
        return;
    }
    taking->is_new = true;
    if (file_write(custody, taking, fd) == VAULT_DONE) return;
    log_error("quarantine: a file cannot be written: %s", strerror(errno));
    refuse(taking, HELD_NO_ROOM, "its file cannot be written");
}

static void prepare(struct custody *custody, struct taking *taking, const struct offered *offered)
{
    taking->is_taken = true;
    if (!custody_database(custody))
        refuse(taking, HELD_NO_ROOM, "the ledger database cannot be written");
    else if (classes_find(custody, taking))
        file_make(custody, taking, offered->fd);
}

static enum books_outcome index_all(struct custody *custody, struct taking *takings, unsigned count)
{
    struct database *database = custody->database;
    enum books_outcome outcome = held_begin(database);
    if (outcome != BOOKS_DONE) return outcome;
    for (unsigned i = 0; i < count && outcome == BOOKS_DONE; i++)
        if (takings[i].is_taken)
            outcome = held_store(database, &takings[i].offer, takings[i].classes, takings[i].bytes,
                                 loop_wall_ms(custody->loop), &takings[i].added);
    if (outcome == BOOKS_DONE) return held_commit(database);
    held_rollback(database);
    return outcome;
}

static void answer(struct custody *custody, const struct taking *taking)
{
    const struct held_offer *offer = &taking->offer;
    if (!custody->queue) return;
    custody->facts.taken += taking->is_taken ? taking->added : 0;
    custody->facts.not_taken += !taking->is_taken;
    if (taking->is_taken) {
        struct buffer *out = channel_begin(custody->queue, LEDGER_TAKEN, offer->id);
        put_u32(out, offer->envelope.recipient_count);
        for (uint32_t i = 0; i < offer->envelope.recipient_count; i++)
            put_u32(out, offer->recipients[i].number);
    } else {
        struct buffer *out = channel_begin(custody->queue, LEDGER_NOT_TAKEN, offer->id);
        put_u8(out, taking->refusal);
        put_text(out, taking->why);
    }
    channel_end(custody->queue);
}

static void batch_finish(struct custody *custody, struct taking *takings, unsigned count)
{
    bool has_any = false;
    for (unsigned i = 0; i < count; i++) has_any = has_any || takings[i].is_taken;
    bool is_good =
        !has_any || (vault_sync(custody->vault) && index_all(custody, takings, count) == BOOKS_DONE);
    for (unsigned i = 0; i < count; i++) {
        if (takings[i].is_taken && is_good && !takings[i].is_new &&
            !custody_note(custody, takings[i].offer.id))
            refuse(&takings[i], HELD_NO_ROOM, "a note beside its file cannot be written");
        if (takings[i].is_taken && !is_good)
            refuse(&takings[i], HELD_NO_ROOM, "the index of the quarantine cannot be written");
        if (takings[i].is_taken) {
            custody->facts.bytes += takings[i].is_new ? takings[i].bytes : 0;
            custody->facts.recipients += takings[i].added;
            custody->facts.is_full = false;
        }
        answer(custody, &takings[i]);
    }
}

/* What receive and queue tell of these messages comes first. */
static void offers_take(void *context)
{
    struct custody *custody = CONTEXT(context, struct custody, CUSTODY_MAGIC);
    struct taking takings[CUSTODY_OFFERS] = { 0 };
    unsigned count = custody->offer_count;
    arena_reset(custody->arena);
    harvest_poll(custody->harvest);
    if (custody_database(custody)) custody_make_room(custody);
    for (unsigned i = 0; i < count; i++) {
        /* looked at when it came, so it is whole */
        held_offer_get(custody->arena, buffer_text(&custody->offers[i].payload), &takings[i].offer);
        prepare(custody, &takings[i], &custody->offers[i]);
    }
    batch_finish(custody, takings, count);
    offers_drop(custody);
}

static bool offer_add(struct custody *custody, struct frame *frame)
{
    struct held_offer offer;
    struct arena *arena = arena_new(0);
    bool is_good = held_offer_get(arena, frame->payload, &offer) && offer.id == frame->id;
    int fd = is_good && custody->offer_count < CUSTODY_OFFERS ? frame_take_fd(frame, 0) : -1;
    arena_free(arena);
    if (fd < 0) return false;
    struct offered *offered = &custody->offers[custody->offer_count++];
    *offered = (struct offered){ .fd = fd };
    buffer_add_text(&offered->payload, frame->payload);
    loop_defer(custody->loop, &custody->take);
    return true;
}

/* --- the channel --- */

static bool on_frame(void *context, struct frame *frame)
{
    struct custody *custody = CONTEXT(context, struct custody, CUSTODY_MAGIC);
    struct reader reader = reader_of(frame->payload);
    switch (frame->type) {
    case LEDGER_HELD:
        return offer_add(custody, frame);
    case QUEUE_KEPT:
    case QUEUE_KEPT_BEFORE:
        custody_release_kept(custody, frame->id);
        return true;
    case QUEUE_NOT_KEPT: /* tried again at the next turn */
        get_u8(&reader);
        custody_release_refused(custody, frame->id, get_text(&reader));
        return !reader.failed;
    case QUEUE_RESOLVED:
        if (get_u8(&reader))
            custody_release_kept(custody, frame->id);
        else
            custody_release_send(custody, frame->id);
        return !reader.failed;
    case LEDGER_LIVE:
        return custody_regain_told(custody, frame);
    case QUEUE_SPACE:
        return true;
    default:
        return false;
    }
}

static void on_closed(void *context)
{
    struct custody *custody = CONTEXT(context, struct custody, CUSTODY_MAGIC);
    channel_close(custody->queue);
    custody->queue = NULL;
    offers_drop(custody);
}

/* Releases of which nobody knows whether queue has them are asked for at the next turn. */
void custody_set_queue(struct custody *custody, int fd)
{
    static const struct channel_events events = { on_frame, on_closed };
    if (custody->queue) on_closed(custody);
    custody->queue = channel_open(custody->loop, fd, &events, custody);
    custody->asked_ms = 0;
    timer_set(custody->timer, 0);
}

static void turn(void *context)
{
    struct custody *custody = CONTEXT(context, struct custody, CUSTODY_MAGIC);
    bool has_more = false;
    if (custody_database(custody)) {
        custody_releases_look(custody);
        has_more = custody_regain(custody);
        if (custody_database(custody)) has_more = custody_let_go(custody) || has_more;
    }
    timer_set(custody->timer, has_more ? TURN_MS / 20 : TURN_MS);
}
