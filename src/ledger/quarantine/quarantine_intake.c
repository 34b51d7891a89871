/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Offers that came in between two looks of ingest are one batch; as many as queue makes at a time hurry it:
   their files, one sync of the folders, one transaction; then all are answered. */
#include "ledger/quarantine/quarantine.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/context.h"
#include "base/log.h"
#include "ipc/message_id.h"
#include "ledger/quarantine/quarantine_header.h"
#include "ledger/quarantine/quarantine_private.h"
#include "ledgerdb/adopt.h"

enum {
    OWN_PROCESS = 61,           /* in message ids: receive has 0 to 60, report 62, queue 63 */
    TOLD_WITHIN_MS = 60 * 1000, /* after that nobody will tell what a message was found to be */
    TURN_MS = 1000
};

static void offers_take(void *context);
static void turn(void *context);

struct quarantine *quarantine_new(struct loop *loop, struct ingest *ingest, int folder)
{
    struct quarantine *quarantine = memory_alloc(sizeof *quarantine);
    quarantine->magic = QUARANTINE_MAGIC;
    quarantine->loop = loop;
    quarantine->ingest = ingest;
    quarantine->store = quarantine_store_new(folder);
    quarantine->arena = arena_new(0);
    quarantine->ids.process = OWN_PROCESS;
    ingest_set_follower(ingest, offers_take, quarantine);
    quarantine->timer = timer_new(loop, turn, quarantine);
    timer_set(quarantine->timer, TURN_MS);
    return quarantine;
}

static void offers_drop(struct quarantine *quarantine)
{
    for (unsigned i = 0; i < quarantine->offer_count; i++) {
        close(quarantine->offers[i].fd);
        buffer_free(&quarantine->offers[i].payload);
    }
    quarantine->offer_count = 0;
}

void quarantine_free(struct quarantine *quarantine)
{
    offers_drop(quarantine);
    ingest_set_follower(quarantine->ingest, NULL, NULL);
    channel_close(quarantine->queue);
    timer_free(quarantine->timer);
    quarantine_store_free(quarantine->store);
    free(quarantine->reindex.ids);
    arena_free(quarantine->arena);
    free(quarantine);
}

void quarantine_set_config(struct quarantine *quarantine, const struct config *config)
{
    quarantine->config = config;
    quarantine->ids.node = config->node.number;
}

struct quarantine_store *quarantine_store_of(const struct quarantine *quarantine)
{
    return quarantine->store;
}

struct quarantine_facts quarantine_facts(const struct quarantine *quarantine)
{
    return quarantine->facts;
}

/* The index, with what is kept in memory of it. NULL while the database cannot be written. */
struct database *quarantine_database(struct quarantine *quarantine)
{
    struct database *database = ingest_database(quarantine->ingest);
    uint64_t last;
    if (database && quarantine->database == database &&
        quarantine->opening == ingest_openings(quarantine->ingest))
        return database;
    quarantine->database = NULL;
    if (!database) return NULL;
    if (held_bytes(database_sql(database), &quarantine->facts.bytes) != LEDGERDB_DONE ||
        held_count(database_sql(database), &quarantine->facts.recipients) != LEDGERDB_DONE ||
        held_last_release(database_sql(database), &last) != LEDGERDB_DONE)
        return NULL;
    message_id_resume_behind(&quarantine->ids, last);
    message_id_not_before(&quarantine->ids, ingest_epoch_ms(quarantine->ingest));
    quarantine->database = database;
    quarantine->opening = ingest_openings(quarantine->ingest);
    return database;
}

/* --- offers --- */

struct taking {
    struct held_offer offer;
    struct event_accepted told;
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

/* What the ledger was told of it; without that, what the offer says. False: the database cannot be read. */
static bool recall(struct quarantine *quarantine, struct taking *taking)
{
    const struct held_offer *offer = &taking->offer;
    enum ledgerdb_outcome outcome =
        adopt_recall(quarantine->database, quarantine->arena, offer->id, &taking->told);
    if (outcome == LEDGERDB_MISSING)
        taking->told = (struct event_accepted){ .id = offer->id,
                                                .time_ms = offer->arrived_ms,
                                                .size = offer->length,
                                                .direction = offer->direction,
                                                .sender = offer->envelope.sender };
    return outcome == LEDGERDB_DONE || outcome == LEDGERDB_MISSING;
}

/* False: not now. */
static bool classes_find(struct quarantine *quarantine, struct taking *taking)
{
    const struct held_offer *offer = &taking->offer;
    const struct event_judgement *judgement = &taking->told.judgement;
    bool is_told = judgement->is_judged || judgement->class != CLASS_NONE;
    bool is_late = loop_wall_ms(quarantine->loop) > offer->arrived_ms + TOLD_WITHIN_MS;
    taking->classes =
        arena_alloc_array(quarantine->arena, offer->envelope.recipient_count, sizeof *taking->classes);
    for (uint32_t i = 0; i < offer->envelope.recipient_count; i++) {
        uint8_t hold = offer->recipients[i].hold;
        taking->classes[i] = held_class_by(hold, judgement->class);
        if (hold == HOLD_QUARANTINE && !is_told && !is_late) return false;
    }
    return true;
}

static enum quarantine_store_outcome file_write(struct quarantine *quarantine, struct taking *taking, int fd)
{
    struct buffer text = { 0 };
    struct quarantine_header about = { .stored_ms = loop_wall_ms(quarantine->loop),
                                       .classes = taking->classes,
                                       .count = taking->offer.envelope.recipient_count,
                                       .message = taking->told };
    quarantine_header_put(&about, &text);
    enum quarantine_store_outcome outcome =
        quarantine_store_write(quarantine->store, &taking->offer, buffer_text(&text), fd, &taking->bytes);
    buffer_free(&text);
    return outcome;
}

/* A file that the index does not know may be of recipients that are not offered any more. */
static void file_make(struct quarantine *quarantine, struct taking *taking, int fd)
{
    uint64_t id = taking->offer.id;
    struct sql *sql = database_sql(quarantine->database);
    taking->bytes = quarantine_store_file_bytes(quarantine->store, id);
    if (taking->bytes > 0 && !held_has_file(sql, id)) quarantine_reindex_one(quarantine, id);
    if (taking->bytes > 0 && held_has_file(sql, id)) {
        if (!quarantine_store_keep(quarantine->store, id))
            refuse(taking, HELD_NO_ROOM, "its folder cannot be synced");
        return;
    }
    uint64_t length = taking->offer.length, most = quarantine->config->quarantine.most_bytes;
    if (quarantine->facts.bytes + length > most) {
        quarantine->facts.is_full = true;
        if (length <= most && length > quarantine->wanted) quarantine->wanted = length;
        refuse(taking, HELD_NO_ROOM, "the quarantine is full");
        return;
    }
    taking->is_new = true;
    if (file_write(quarantine, taking, fd) == QUARANTINE_STORE_DONE) return;
    log_error("quarantine: a file cannot be written: %s", strerror(errno));
    refuse(taking, HELD_NO_ROOM, "its file cannot be written");
}

static void prepare(struct quarantine *quarantine, struct taking *taking, const struct offered *offered)
{
    taking->is_taken = true;
    if (!quarantine_database(quarantine))
        refuse(taking, HELD_NO_ROOM, "the ledger database cannot be written");
    else if (!recall(quarantine, taking) || !classes_find(quarantine, taking))
        refuse(taking, HELD_NOT_YET, "the ledger has not been told of it");
    else
        file_make(quarantine, taking, offered->fd);
}

static enum ledgerdb_outcome index_all(struct quarantine *quarantine, struct taking *takings, unsigned count)
{
    struct database *database = quarantine->database;
    enum ledgerdb_outcome outcome = held_begin(database);
    if (outcome != LEDGERDB_DONE) return outcome;
    for (unsigned i = 0; i < count && outcome == LEDGERDB_DONE; i++)
        if (takings[i].is_taken)
            outcome = held_store(database, &takings[i].offer, takings[i].classes, takings[i].bytes,
                                 loop_wall_ms(quarantine->loop), &takings[i].added);
    if (outcome == LEDGERDB_DONE) return held_commit(database);
    held_rollback(database);
    return outcome;
}

static void answer(struct quarantine *quarantine, const struct taking *taking)
{
    const struct held_offer *offer = &taking->offer;
    if (!quarantine->queue) return;
    quarantine->facts.taken += taking->is_taken ? taking->added : 0;
    quarantine->facts.not_taken += !taking->is_taken;
    if (taking->is_taken) {
        struct buffer *out = channel_begin(quarantine->queue, LEDGER_TAKEN, offer->id);
        put_u32(out, offer->envelope.recipient_count);
        for (uint32_t i = 0; i < offer->envelope.recipient_count; i++)
            put_u32(out, offer->recipients[i].number);
    } else {
        struct buffer *out = channel_begin(quarantine->queue, LEDGER_NOT_TAKEN, offer->id);
        put_u8(out, taking->refusal);
        put_text(out, taking->why);
    }
    channel_end(quarantine->queue);
}

static void batch_finish(struct quarantine *quarantine, struct taking *takings, unsigned count)
{
    bool has_any = false;
    for (unsigned i = 0; i < count; i++) has_any = has_any || takings[i].is_taken;
    bool is_good = !has_any || (quarantine_store_sync(quarantine->store) &&
                                index_all(quarantine, takings, count) == LEDGERDB_DONE);
    for (unsigned i = 0; i < count; i++) {
        if (takings[i].is_taken && is_good && !takings[i].is_new &&
            !quarantine_note(quarantine, takings[i].offer.id))
            refuse(&takings[i], HELD_NO_ROOM, "a note beside its file cannot be written");
        if (takings[i].is_taken && !is_good)
            refuse(&takings[i], HELD_NO_ROOM, "the index of the quarantine cannot be written");
        if (takings[i].is_taken) {
            quarantine->facts.bytes += takings[i].is_new ? takings[i].bytes : 0;
            quarantine->facts.recipients += takings[i].added;
            quarantine->facts.is_full = false;
        }
        answer(quarantine, &takings[i]);
    }
}

/* What receive and queue told of these messages is stored. */
static void offers_take(void *context)
{
    struct quarantine *quarantine = CONTEXT(context, struct quarantine, QUARANTINE_MAGIC);
    struct taking takings[QUARANTINE_OFFERS] = { 0 };
    unsigned count = quarantine->offer_count;
    if (count == 0) return;
    arena_reset(quarantine->arena);
    if (quarantine_database(quarantine)) quarantine_make_room(quarantine);
    for (unsigned i = 0; i < count; i++) {
        /* looked at when it came, so it is whole */
        held_offer_get(quarantine->arena, buffer_text(&quarantine->offers[i].payload), &takings[i].offer);
        prepare(quarantine, &takings[i], &quarantine->offers[i]);
    }
    batch_finish(quarantine, takings, count);
    offers_drop(quarantine);
}

static bool offer_add(struct quarantine *quarantine, struct frame *frame)
{
    struct held_offer offer;
    struct arena *arena = arena_new(0);
    bool is_good = held_offer_get(arena, frame->payload, &offer) && offer.id == frame->id;
    int fd = is_good && quarantine->offer_count < QUARANTINE_OFFERS ? frame_take_fd(frame, 0) : -1;
    arena_free(arena);
    if (fd < 0) return false;
    struct offered *offered = &quarantine->offers[quarantine->offer_count++];
    *offered = (struct offered){ .fd = fd };
    buffer_add_text(&offered->payload, frame->payload);
    if (quarantine->offer_count == HELD_OFFERS_MOST) ingest_hurry(quarantine->ingest);
    return true;
}

/* --- the channel --- */

static bool on_frame(void *context, struct frame *frame)
{
    struct quarantine *quarantine = CONTEXT(context, struct quarantine, QUARANTINE_MAGIC);
    struct reader reader = reader_of(frame->payload);
    switch (frame->type) {
    case LEDGER_HELD:
        return offer_add(quarantine, frame);
    case QUEUE_KEPT:
    case QUEUE_KEPT_BEFORE:
        quarantine_release_kept(quarantine, frame->id);
        return true;
    case QUEUE_NOT_KEPT: /* tried again at the next turn */
        get_u8(&reader);
        quarantine_release_refused(quarantine, frame->id, get_text(&reader));
        return !reader.failed;
    case QUEUE_RESOLVED:
        if (get_u8(&reader))
            quarantine_release_kept(quarantine, frame->id);
        else
            quarantine_release_send(quarantine, frame->id);
        return !reader.failed;
    case LEDGER_LIVE:
        return quarantine_reindex_told(quarantine, frame);
    case QUEUE_SPACE:
        return true;
    default:
        return false;
    }
}

static void on_closed(void *context)
{
    struct quarantine *quarantine = CONTEXT(context, struct quarantine, QUARANTINE_MAGIC);
    channel_close(quarantine->queue);
    quarantine->queue = NULL;
    offers_drop(quarantine);
}

/* Releases of which nobody knows whether queue has them are asked for at the next turn. */
void quarantine_set_queue(struct quarantine *quarantine, int fd)
{
    static const struct channel_events events = { on_frame, on_closed };
    if (quarantine->queue) on_closed(quarantine);
    quarantine->queue = channel_open(quarantine->loop, fd, &events, quarantine);
    quarantine->asked_ms = 0;
    timer_set(quarantine->timer, 0);
}

static void turn(void *context)
{
    struct quarantine *quarantine = CONTEXT(context, struct quarantine, QUARANTINE_MAGIC);
    bool has_more = false;
    if (quarantine_database(quarantine)) {
        quarantine_releases_look(quarantine);
        has_more = quarantine_reindex(quarantine);
        if (quarantine_database(quarantine)) has_more = quarantine_let_go(quarantine) || has_more;
    }
    timer_set(quarantine->timer, has_more ? TURN_MS / 20 : TURN_MS);
}
