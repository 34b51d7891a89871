/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Polls rather than waits for a signal: a writer then needs no system call. The poll is quick while there is
   work and slow while there is none. */
#include "ledger/ingest.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/context.h"
#include "base/log.h"
#include "ledger/overflow.h"
#include "ledgerdb/held.h"
#include "ledgerdb/purge.h"

enum {
    POLL_MS = 100,
    POLL_LONG_MS = 200,  /* where nothing is told, or much: a batch shares its commit and its run of terms */
    MUCH_EVENTS = 100,   /* of a batch */
    FLOOD_EVENTS = 4000, /* these come at once, before a ring is full of them */
    FLOOD_POLL_MS = 50,
    SPILL_POLL_MS = 50, /* while the database cannot be written */
    RETRY_LEAST_MS = 500,
    RETRY_MOST_MS = 8000,
    SPILL_ABOVE_PERCENT = 40, /* of a ring: what is over goes to disk */
    RATE_WINDOW_MS = 5000,
    FORGET_ROWS = 200,
    FORGET_AGAIN_MS = 100,
    FORGET_LOOK_MS = 60000,
    EXPLAINED_LOOK_MS = 600000,
    OFFERS_MOST = 1 << 20 /* bytes of a batch: more are passed over */
};

struct source {
    struct ring *ring;
    uint16_t slot;
    uint64_t position; /* behind the last event of the batch under way */
};

struct ingest {
    enum { INGEST_MAGIC = 0x3122431f } magic;
    struct loop *loop;
    const char *folder;
    struct database *database;
    struct source sources[INGEST_RINGS];
    unsigned source_count, next; /* next: whose turn it is first, so that no ring starves another */
    struct timer *timer;
    uint64_t interval_ms;
    uint64_t retry_ms, retry_at_ms; /* of the database, while it cannot be written */
    const struct config *config;    /* NULL: nothing is forgotten */
    const struct counters_slot *baseline;
    const struct steady *steady; /* NULL: the clock is believed */
    struct overflow *overflow;
    struct explained_store *explained;
    uint64_t explained_look_ms;      /* loop clock: the next look for old files */
    struct replication *replication; /* NULL: no other nodes */
    void (*on_judgement)(void *context, const struct event_judgement *judgement, uint64_t time_ms);
    void (*on_cause)(void *context, struct text cause, uint32_t recipients); /* NULL: nobody is told */
    struct text cause; /* of the refusal at hand; empty: none */
    uint32_t caused;   /* recipients of it */
    void *listener;    /* its context */
    void (*on_offer)(void *context, struct text event);
    void *offered_to;                 /* its context */
    void (*on_look)(void *context);   /* NULL: nobody follows */
    void *follower;                   /* its context */
    struct buffer offers;             /* of the batch under way, each as a text */
    struct event_judgement judgement; /* of the event at hand, all zero without one */
    uint64_t judged_ms;
    unsigned openings;
    uint64_t forget_at_ms;
    struct arena *arena;
    struct ingest_counts counts;
    uint64_t window_start_ms, window_events;
    struct losses losses_told, losses_seen; /* seen: by the batch under way */
};

static void forget(struct ingest *ingest);

static void timer_expired(void *context)
{
    struct ingest *ingest = CONTEXT(context, struct ingest, INGEST_MAGIC);
    bool has_more = ingest_poll(ingest);
    if (!has_more && ingest->on_look) ingest->on_look(ingest->follower);
    if (!has_more && !ingest->counts.is_failing) forget(ingest);
    if (ingest->replication && !ingest->counts.is_failing)
        replication_serve(ingest->replication, ingest_old_ms(ingest));
    timer_set(ingest->timer, has_more ? 0 : ingest->interval_ms);
}

struct ingest *ingest_new(struct loop *loop, const char *folder)
{
    struct ingest *ingest = memory_alloc(sizeof *ingest);
    ingest->magic = INGEST_MAGIC;
    ingest->loop = loop;
    ingest->folder = folder;
    ingest->arena = arena_new(64 * 1024);
    ingest->timer = timer_new(loop, timer_expired, ingest);
    ingest->interval_ms = POLL_MS;
    ingest->window_start_ms = loop_now_ms(loop);
    ingest->overflow = overflow_new(folder, OVERFLOW_DEFAULT_BYTES);
    ingest->explained = explained_store_new(folder);
    return ingest;
}

void ingest_set_config(struct ingest *ingest, const struct config *config,
                       const struct counters_slot *baseline)
{
    ingest->config = config;
    ingest->baseline = baseline;
    overflow_set_most(ingest->overflow, config->ledger.waiting_bytes);
    explained_store_set_config(ingest->explained, config);
    ingest->explained_look_ms = 0;
    for (unsigned i = 0; i < ingest->source_count && baseline; i++)
        ring_count_since(ingest->sources[i].ring, baseline->baseline.epoch_ms);
    if (ingest->database) database_set_config(ingest->database, config);
}

void ingest_set_steady(struct ingest *ingest, const struct steady *steady)
{
    ingest->steady = steady;
}

uint64_t ingest_epoch_ms(const struct ingest *ingest)
{
    return ingest->baseline ? ingest->baseline->baseline.epoch_ms : 0;
}

uint64_t ingest_old_ms(const struct ingest *ingest)
{
    uint64_t wall = loop_wall_ms(ingest->loop);
    return ingest->steady ? steady_old_ms(ingest->steady, wall, loop_boot_ms(ingest->loop)) : wall;
}

void ingest_set_replication(struct ingest *ingest, struct replication *replication)
{
    ingest->replication = replication;
}

void ingest_set_listener(struct ingest *ingest,
                         void (*on_judgement)(void *context, const struct event_judgement *judgement,
                                              uint64_t time_ms),
                         void *context)
{
    ingest->on_judgement = on_judgement;
    ingest->listener = context;
}

void ingest_set_offers(struct ingest *ingest, void (*on_offer)(void *context, struct text event),
                       void *context)
{
    ingest->on_offer = on_offer;
    ingest->offered_to = context;
}

void ingest_set_follower(struct ingest *ingest, void (*on_look)(void *context), void *context)
{
    ingest->on_look = on_look;
    ingest->follower = context;
}

void ingest_set_cause_listener(struct ingest *ingest,
                               void (*on_cause)(void *context, struct text cause, uint32_t recipients))
{
    ingest->on_cause = on_cause;
}

void ingest_free(struct ingest *ingest)
{
    for (unsigned i = 0; i < ingest->source_count; i++) ring_unmap(ingest->sources[i].ring);
    database_close(ingest->database);
    overflow_free(ingest->overflow);
    explained_store_free(ingest->explained);
    buffer_free(&ingest->offers);
    timer_free(ingest->timer);
    arena_free(ingest->arena);
    free(ingest);
}

void ingest_add_ring(struct ingest *ingest, struct ring *ring, uint16_t slot)
{
    if (ingest->source_count == INGEST_RINGS) {
        log_error("ledger: more than %d rings: that of slot %u is not read", INGEST_RINGS, slot);
        ring_unmap(ring);
        return;
    }
    ingest->sources[ingest->source_count++] = (struct source){ .ring = ring, .slot = slot };
}

static bool is_time_to_try(const struct ingest *ingest)
{
    return loop_now_ms(ingest->loop) >= ingest->retry_at_ms;
}

static void try_later(struct ingest *ingest)
{
    if (!ingest->counts.is_failing)
        log_error("ALARM: the ledger cannot store events; they wait until it can, mail flows on");
    ingest->counts.is_failing = true;
    uint64_t next = ingest->retry_ms ? ingest->retry_ms * 2 : RETRY_LEAST_MS;
    ingest->retry_ms = next < RETRY_MOST_MS ? next : RETRY_MOST_MS;
    ingest->retry_at_ms = loop_now_ms(ingest->loop) + ingest->retry_ms;
    ingest->interval_ms = SPILL_POLL_MS;
}

static bool database_try_open(struct ingest *ingest)
{
    bool was_damaged;
    enum ledgerdb_outcome outcome = database_open(ingest->folder, &ingest->database, &was_damaged);
    ingest->counts.damaged += was_damaged;
    ingest->counts.is_newer = outcome == LEDGERDB_NEWER;
    if (outcome == LEDGERDB_DONE && ingest->replication)
        outcome = replication_set_database(ingest->replication, ingest->database);
    if (outcome != LEDGERDB_DONE) {
        database_close(ingest->database);
        ingest->database = NULL;
        try_later(ingest);
    }
    ingest->openings += ingest->database != NULL;
    if (ingest->database) database_set_config(ingest->database, ingest->config);
    return ingest->database;
}

void ingest_start(struct ingest *ingest)
{
    database_try_open(ingest);
    timer_set(ingest->timer, POLL_MS);
}

void ingest_hurry(struct ingest *ingest)
{
    timer_set(ingest->timer, 0);
}

/* --- one batch --- */

static void malformed(struct ingest *ingest, uint16_t slot)
{
    if (!ingest->counts.malformed++)
        log_error("ledger: an event in the ring of slot %u makes no sense and is left out", slot);
}

/* Queue offers what it holds for it beside the rings: it may be in the quarantine already, as something else.
 */
static enum ledgerdb_outcome found_store(struct ingest *ingest, const struct event_found *found)
{
    bool is_changed;
    enum ledgerdb_outcome outcome = held_condemn(ingest->database, found, &is_changed);
    return outcome == LEDGERDB_DONE && !is_changed ? database_store_found(ingest->database, found) : outcome;
}

static enum ledgerdb_outcome event_store(struct ingest *ingest, uint16_t slot, uint64_t position,
                                         struct text record)
{
    struct event_accepted accepted;
    struct event_ended ended;
    struct event_refused refused;
    struct event_step step;
    struct event_relayed relayed;
    struct event_audit audit;
    struct event_missed missed;
    struct event_lost lost;
    struct event_found found;
    uint32_t first;
    switch (event_kind_of(record)) {
    case EVENT_ACCEPTED:
        if (!event_accepted_get(ingest->arena, record, &accepted, &first)) break;
        ingest->judgement = accepted.judgement;
        ingest->judged_ms = accepted.time_ms;
        return database_store_accepted(ingest->database, &accepted, first);
    case EVENT_ENDED:
        if (!event_ended_get(record, &ended) || ended.ending == ENDING_NONE) break;
        return database_store_ended(ingest->database, &ended);
    case EVENT_REFUSED:
        if (!event_refused_get(ingest->arena, record, &refused)) break;
        ingest->judgement = refused.judgement;
        ingest->judged_ms = refused.time_ms;
        ingest->cause = refused.cause;
        ingest->caused = refused.count;
        return database_store_refused(ingest->database, &refused, slot, position);
    case EVENT_STEP:
        if (!event_step_get(record, &step)) break;
        return database_store_step(ingest->database, &step);
    case EVENT_RELAYED:
        if (!event_relayed_get(ingest->arena, record, &relayed, &first)) break;
        return database_store_relayed(ingest->database, &relayed, first);
    case EVENT_AUDIT:
        if (!event_audit_get(record, &audit)) break;
        return database_store_audit(ingest->database, &audit, slot, position);
    case EVENT_MISSED:
        if (!event_missed_get(ingest->arena, record, &missed)) break;
        return database_store_missed(ingest->database, &missed);
    case EVENT_LOST:
        if (!event_lost_get(record, &lost)) break;
        return database_store_lost(ingest->database, &lost);
    case EVENT_FOUND:
        if (!event_found_get(ingest->arena, record, &found)) break;
        return found_store(ingest, &found);
    default:
        break;
    }
    malformed(ingest, slot);
    return LEDGERDB_DONE;
}

/* An event of this node: other nodes are told of it too. */
static enum ledgerdb_outcome own_store(struct ingest *ingest, uint16_t slot, uint64_t position,
                                       struct text record)
{
    uint64_t malformed_before = ingest->counts.malformed;
    ingest->judgement = (struct event_judgement){ 0 };
    ingest->cause = TEXT_NONE;
    enum ledgerdb_outcome outcome = event_store(ingest, slot, position, record);
    if (outcome == LEDGERDB_DONE && ingest->counts.malformed == malformed_before)
        outbox_add(ingest->database, record);
    if (outcome == LEDGERDB_DONE && ingest->on_judgement && ingest->judgement.is_judged)
        ingest->on_judgement(ingest->listener, &ingest->judgement, ingest->judged_ms);
    if (outcome == LEDGERDB_DONE && ingest->on_cause && ingest->cause.length > 0)
        ingest->on_cause(ingest->listener, ingest->cause, ingest->caused);
    return outcome;
}

static enum ledgerdb_outcome foreign_store(void *context, struct text record)
{
    return event_store(context, 0, 0, record);
}

/* Of this node alone, and for no table. */
static void explain_take(struct ingest *ingest, uint16_t slot, struct text record)
{
    if (!explained_store_add(ingest->explained, record)) malformed(ingest, slot);
}

/* Neither is of the account. False: it is another event. */
static bool spare_take(struct ingest *ingest, uint16_t slot, struct text record)
{
    enum event_kind kind = event_kind_of(record);
    if (kind == EVENT_EXPLAINED) explain_take(ingest, slot, record);
    if (kind == EVENT_OFFERED && buffer_length(&ingest->offers) < OFFERS_MOST)
        put_text(&ingest->offers, record);
    return kind == EVENT_EXPLAINED || kind == EVENT_OFFERED;
}

static void offers_make(struct ingest *ingest)
{
    struct reader reader = reader_of(buffer_text(&ingest->offers));
    while (reader.rest.length > 0 && !reader.failed) {
        struct text event = get_text(&reader);
        if (ingest->on_offer) ingest->on_offer(ingest->offered_to, event);
    }
    buffer_clear(&ingest->offers);
}

/* At most `most` events of one ring into the open transaction. */
static enum ledgerdb_outcome source_read(struct ingest *ingest, struct source *source, unsigned most,
                                         unsigned *count)
{
    struct text record;
    uint64_t position = source->position;
    for (unsigned i = 0; i < most && ring_next(source->ring, &position, &record); i++) {
        enum ledgerdb_outcome outcome = LEDGERDB_DONE;
        if (!spare_take(ingest, source->slot, record))
            outcome = own_store(ingest, source->slot, source->position, record);
        if (outcome != LEDGERDB_DONE) return outcome;
        source->position = position;
        ++*count;
    }
    source->position = position; /* ring_next may have passed over damage */
    return LEDGERDB_DONE;
}

/* What waits on disk is older than what is in the rings. */
static enum ledgerdb_outcome overflow_read(struct ingest *ingest, unsigned *count)
{
    struct waited waited;
    while (*count < INGEST_BATCH && overflow_next(ingest->overflow, &waited)) {
        enum ledgerdb_outcome outcome = own_store(ingest, waited.slot, waited.position, waited.record);
        if (outcome != LEDGERDB_DONE) return outcome;
        ++*count;
    }
    return LEDGERDB_DONE;
}

static struct losses losses(const struct ingest *ingest)
{
    struct losses sum = { .events = overflow_lost(ingest->overflow) };
    for (unsigned i = 0; i < ingest->source_count; i++) {
        sum.events += ring_lost(ingest->sources[i].ring);
        sum.refusals += ring_lost_minor(ingest->sources[i].ring);
    }
    return sum;
}

static bool losses_equal(struct losses a, struct losses b)
{
    return a.events == b.events && a.refusals == b.refusals;
}

static uint32_t more_of(uint64_t now, uint64_t told)
{
    uint64_t more = now > told ? now - told : 0;
    return more < UINT32_MAX ? (uint32_t)more : UINT32_MAX;
}

/* What was lost since the last look becomes an event of its own, so that the day's account is known to be
   short of it. Counts that began anew are below what was told. */
static enum ledgerdb_outcome losses_store(struct ingest *ingest)
{
    struct losses now = losses(ingest), told;
    if (losses_equal(now, ingest->losses_told)) return LEDGERDB_DONE;
    enum ledgerdb_outcome outcome = database_losses_told(ingest->database, &told);
    struct event_lost event = { loop_wall_ms(ingest->loop), more_of(now.events, told.events),
                                more_of(now.refusals, told.refusals) };
    if (outcome == LEDGERDB_DONE && (event.events || event.refusals)) {
        struct buffer record = { 0 };
        event_lost_put(&event, &record);
        outcome = own_store(ingest, 0, 0, buffer_text(&record));
        buffer_free(&record);
    }
    if (outcome == LEDGERDB_DONE && !losses_equal(now, told))
        outcome = database_tell_losses(ingest->database, now);
    ingest->losses_seen = now;
    return outcome;
}

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

/* Lists are learned from what this node saw itself: others' events are stored without. */
static enum ledgerdb_outcome batch_store(struct ingest *ingest, unsigned *count)
{
    enum ledgerdb_outcome outcome = database_begin(ingest->database);
    database_set_today(ingest->database, (uint32_t)(ingest_old_ms(ingest) / DAY_MS));
    for (unsigned i = 0; i < ingest->source_count; i++)
        ingest->sources[i].position = ring_tail(ingest->sources[i].ring);
    if (outcome == LEDGERDB_DONE) outcome = overflow_read(ingest, count);
    for (unsigned i = 0; i < ingest->source_count && outcome == LEDGERDB_DONE; i++) {
        struct source *source = &ingest->sources[(ingest->next + i) % ingest->source_count];
        outcome = source_read(ingest, source, INGEST_BATCH - *count, count);
    }
    if (outcome == LEDGERDB_DONE) outcome = losses_store(ingest);
    database_set_today(ingest->database, 0);
    if (ingest->replication && outcome == LEDGERDB_DONE)
        outcome = replication_store(ingest->replication, INGEST_BATCH, count, foreign_store, ingest);
    return outcome == LEDGERDB_DONE ? database_commit(ingest->database) : outcome;
}

static void batch_failed(struct ingest *ingest, enum ledgerdb_outcome outcome)
{
    ingest->counts.failures++;
    database_rollback(ingest->database);
    overflow_again(ingest->overflow);
    explained_store_again(ingest->explained);
    buffer_clear(&ingest->offers);
    if (ingest->replication) replication_again(ingest->replication);
    try_later(ingest);
    if (outcome != LEDGERDB_DAMAGED && !database_is_stale(ingest->database)) return;
    if (ingest->replication) replication_set_database(ingest->replication, NULL);
    database_close(ingest->database);
    ingest->database = NULL;
    if (outcome == LEDGERDB_DAMAGED) ingest->retry_at_ms = 0;
}

static void batch_kept(struct ingest *ingest, unsigned count)
{
    overflow_release(ingest->overflow);
    explained_store_write(ingest->explained, loop_wall_ms(ingest->loop), loop_now_ms(ingest->loop));
    offers_make(ingest);
    ingest->losses_told = ingest->losses_seen;
    if (ingest->replication) replication_kept(ingest->replication);
    for (unsigned i = 0; i < ingest->source_count; i++)
        ring_release(ingest->sources[i].ring, ingest->sources[i].position);
    if (ingest->counts.is_failing) log_warning("the ledger stores events again");
    ingest->counts.is_failing = ingest->counts.is_full = false;
    ingest->retry_ms = 0;
    ingest->counts.events += count;
    ingest->counts.batches++;
    ingest->window_events += count;
    if (ingest->source_count) ingest->next = (ingest->next + 1) % ingest->source_count;
}

/* --- while the database cannot be written --- */

static bool source_spill(struct ingest *ingest, struct source *source)
{
    struct text record;
    uint64_t position = ring_tail(source->ring), start = position;
    while (ring_next(source->ring, &position, &record)) {
        enum event_kind kind = event_kind_of(record);
        bool is_spare = kind == EVENT_EXPLAINED || kind == EVENT_OFFERED;
        if (kind == EVENT_EXPLAINED) explained_store_drop(ingest->explained, 1);
        enum overflow_outcome outcome =
            is_spare ? OVERFLOW_KEPT : overflow_add(ingest->overflow, source->slot, start, record);
        if (outcome == OVERFLOW_FULL) return false;
        if (outcome == OVERFLOW_LEFT_OUT) ring_count_lost_minor(source->ring);
        ring_release(source->ring, position);
        start = position;
    }
    return true;
}

/* Makes room in the rings. What finds no room on disk either stays there, and the ring counts what it loses.
 */
static void spill(struct ingest *ingest)
{
    for (unsigned i = 0; i < ingest->source_count; i++) {
        struct source *source = &ingest->sources[i];
        if (ring_fill_percent(source->ring) < SPILL_ABOVE_PERCENT) continue;
        if (!source_spill(ingest, source) && !ingest->counts.is_full)
            log_error(
                "ALARM: no room for the ledger's events, in its database or beside it: the next are lost");
        ingest->counts.is_full = ring_fill_percent(source->ring) >= SPILL_ABOVE_PERCENT;
    }
}

static bool has_events(const struct ingest *ingest)
{
    if (overflow_bytes(ingest->overflow) || !losses_equal(losses(ingest), ingest->losses_told)) return true;
    if (ingest->replication && replication_has_arrivals(ingest->replication)) return true;
    for (unsigned i = 0; i < ingest->source_count; i++) {
        struct text record;
        uint64_t position = ring_tail(ingest->sources[i].ring);
        if (ring_next(ingest->sources[i].ring, &position, &record)) return true;
        if (position != ring_tail(ingest->sources[i].ring)) ring_release(ingest->sources[i].ring, position);
    }
    return false;
}

static uint64_t interval_behind(unsigned events)
{
    if (events >= FLOOD_EVENTS) return FLOOD_POLL_MS;
    return events >= MUCH_EVENTS ? POLL_LONG_MS : POLL_MS;
}

bool ingest_poll(struct ingest *ingest)
{
    if (!has_events(ingest)) {
        ingest->interval_ms = ingest->interval_ms * 2 < POLL_LONG_MS ? ingest->interval_ms * 2 : POLL_LONG_MS;
        return false;
    }
    bool may_try = !ingest->counts.is_failing || is_time_to_try(ingest);
    if (!may_try || (!ingest->database && !database_try_open(ingest))) {
        spill(ingest);
        return false;
    }
    unsigned count = 0;
    enum ledgerdb_outcome outcome = batch_store(ingest, &count);
    arena_reset(ingest->arena);
    if (outcome != LEDGERDB_DONE) {
        batch_failed(ingest, outcome);
        spill(ingest);
        return false;
    }
    batch_kept(ingest, count);
    ingest->interval_ms = interval_behind(count);
    return count >= INGEST_BATCH || overflow_bytes(ingest->overflow);
}

/* --- retention --- */

static void explained_look(struct ingest *ingest)
{
    uint64_t now = loop_now_ms(ingest->loop);
    if (now < ingest->explained_look_ms) return;
    explained_store_forget(ingest->explained, ingest_old_ms(ingest));
    ingest->explained_look_ms = now + EXPLAINED_LOOK_MS;
}

/* A little, when there is nothing to store; often while there is more, else a look now and then. */
static void forget(struct ingest *ingest)
{
    unsigned rows = 0;
    explained_look(ingest);
    if (!ingest->config || !ingest->database || loop_now_ms(ingest->loop) < ingest->forget_at_ms) return;
    struct forget_limits limits =
        forget_limits_of(ingest->config, ingest_old_ms(ingest), ingest_epoch_ms(ingest));
    if (forget_some(ingest->database, &limits, FORGET_ROWS, &rows) != LEDGERDB_DONE) rows = 0;
    ingest->counts.forgotten += rows;
    ingest->forget_at_ms = loop_now_ms(ingest->loop) + (rows ? FORGET_AGAIN_MS : FORGET_LOOK_MS);
}

struct explained_counts ingest_explained(const struct ingest *ingest)
{
    struct explained_counts counts = explained_store_counts(ingest->explained, loop_now_ms(ingest->loop));
    for (unsigned i = 0; i < ingest->source_count; i++)
        counts.dropped += ring_lost_spare(ingest->sources[i].ring);
    return counts;
}

struct database *ingest_database(const struct ingest *ingest)
{
    return ingest->database;
}

unsigned ingest_openings(const struct ingest *ingest)
{
    return ingest->openings;
}

void ingest_counts(struct ingest *ingest, struct ingest_counts *out)
{
    uint64_t now = loop_now_ms(ingest->loop), span = now - ingest->window_start_ms;
    ingest->counts.lost = losses(ingest);
    ingest->counts.waiting_bytes = overflow_bytes(ingest->overflow);
    ingest->counts.backlog_percent = 0;
    for (unsigned i = 0; i < ingest->source_count; i++) {
        unsigned fill = ring_fill_percent(ingest->sources[i].ring);
        if (fill > ingest->counts.backlog_percent) ingest->counts.backlog_percent = fill;
    }
    if (span > 0) ingest->counts.events_per_second = (double)ingest->window_events * 1000 / (double)span;
    if (span > RATE_WINDOW_MS) {
        ingest->window_start_ms = now;
        ingest->window_events = 0;
    }
    *out = ingest->counts;
}
