/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Polls rather than waits for a signal: a writer then needs no system call. The poll is quick while there is
   work and slow while there is none. */
#include "ledger/harvest.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/context.h"
#include "base/log.h"
#include "books/forget.h"
#include "ledger/waiting.h"

enum {
    POLL_LEAST_MS = 100, /* a batch shares the cost of its commit and of its run of terms */
    POLL_MOST_MS = 200,
    SPILL_POLL_MS = 50, /* while the database cannot be written */
    RETRY_LEAST_MS = 500,
    RETRY_MOST_MS = 8000,
    SPILL_ABOVE_PERCENT = 40, /* of a ring: what is over goes to disk */
    RATE_WINDOW_MS = 5000,
    FORGET_ROWS = 200,
    FORGET_AGAIN_MS = 100,
    FORGET_LOOK_MS = 60000
};

struct source {
    struct ring *ring;
    uint16_t slot;
    uint64_t position; /* behind the last event of the batch under way */
};

struct harvest {
    enum { HARVEST_MAGIC = 0x3122431f } magic;
    struct loop *loop;
    const char *folder;
    struct database *database;
    struct source sources[HARVEST_RINGS];
    unsigned source_count, next; /* next: whose turn it is first, so that no ring starves another */
    struct timer *timer;
    uint64_t interval_ms;
    uint64_t retry_ms, retry_at_ms; /* of the database, while it cannot be written */
    const struct config *config;    /* NULL: nothing is forgotten */
    const struct counters_slot *baseline;
    const struct steady *steady; /* NULL: the clock is believed */
    struct waiting *waiting;
    struct exchange *exchange; /* NULL: no other nodes */
    unsigned openings;
    uint64_t forget_at_ms;
    struct arena *arena;
    struct harvest_counts counts;
    uint64_t window_start_ms, window_events;
};

static void forget(struct harvest *harvest);

static void timer_expired(void *context)
{
    struct harvest *harvest = CONTEXT(context, struct harvest, HARVEST_MAGIC);
    bool has_more = harvest_poll(harvest);
    if (!has_more && !harvest->counts.is_failing) forget(harvest);
    if (harvest->exchange && !harvest->counts.is_failing)
        exchange_serve(harvest->exchange, harvest_old_ms(harvest));
    timer_set(harvest->timer, has_more ? 0 : harvest->interval_ms);
}

struct harvest *harvest_new(struct loop *loop, const char *folder)
{
    struct harvest *harvest = memory_alloc(sizeof *harvest);
    harvest->magic = HARVEST_MAGIC;
    harvest->loop = loop;
    harvest->folder = folder;
    harvest->arena = arena_new(64 * 1024);
    harvest->timer = timer_new(loop, timer_expired, harvest);
    harvest->interval_ms = POLL_LEAST_MS;
    harvest->window_start_ms = loop_now_ms(loop);
    harvest->waiting = waiting_new(folder, WAITING_DEFAULT_BYTES);
    return harvest;
}

void harvest_set_config(struct harvest *harvest, const struct config *config,
                        const struct counters_slot *baseline)
{
    harvest->config = config;
    harvest->baseline = baseline;
    waiting_set_most(harvest->waiting, config->ledger.waiting_bytes);
    for (unsigned i = 0; i < harvest->source_count && baseline; i++)
        ring_count_since(harvest->sources[i].ring, baseline->baseline.epoch_ms);
    if (harvest->database) database_set_config(harvest->database, config);
}

void harvest_set_steady(struct harvest *harvest, const struct steady *steady)
{
    harvest->steady = steady;
}

uint64_t harvest_epoch_ms(const struct harvest *harvest)
{
    return harvest->baseline ? harvest->baseline->baseline.epoch_ms : 0;
}

uint64_t harvest_old_ms(const struct harvest *harvest)
{
    uint64_t wall = loop_wall_ms(harvest->loop);
    return harvest->steady ? steady_old_ms(harvest->steady, wall, loop_boot_ms(harvest->loop)) : wall;
}

void harvest_set_exchange(struct harvest *harvest, struct exchange *exchange)
{
    harvest->exchange = exchange;
}

void harvest_free(struct harvest *harvest)
{
    for (unsigned i = 0; i < harvest->source_count; i++) ring_unmap(harvest->sources[i].ring);
    database_close(harvest->database);
    waiting_free(harvest->waiting);
    timer_free(harvest->timer);
    arena_free(harvest->arena);
    free(harvest);
}

void harvest_add_ring(struct harvest *harvest, struct ring *ring, uint16_t slot)
{
    if (harvest->source_count == HARVEST_RINGS) {
        log_error("ledger: more than %d rings: that of slot %u is not read", HARVEST_RINGS, slot);
        ring_unmap(ring);
        return;
    }
    harvest->sources[harvest->source_count++] = (struct source){ .ring = ring, .slot = slot };
}

static bool is_time_to_try(const struct harvest *harvest)
{
    return loop_now_ms(harvest->loop) >= harvest->retry_at_ms;
}

static void try_later(struct harvest *harvest)
{
    if (!harvest->counts.is_failing)
        log_error("ALARM: the ledger cannot store events; they wait until it can, mail flows on");
    harvest->counts.is_failing = true;
    uint64_t next = harvest->retry_ms ? harvest->retry_ms * 2 : RETRY_LEAST_MS;
    harvest->retry_ms = next < RETRY_MOST_MS ? next : RETRY_MOST_MS;
    harvest->retry_at_ms = loop_now_ms(harvest->loop) + harvest->retry_ms;
    harvest->interval_ms = SPILL_POLL_MS;
}

static bool database_try_open(struct harvest *harvest)
{
    bool was_damaged;
    enum books_outcome outcome = database_open(harvest->folder, &harvest->database, &was_damaged);
    harvest->counts.damaged += was_damaged;
    harvest->counts.is_newer = outcome == BOOKS_NEWER;
    if (outcome == BOOKS_DONE && harvest->exchange)
        outcome = exchange_set_database(harvest->exchange, harvest->database);
    if (outcome != BOOKS_DONE) {
        database_close(harvest->database);
        harvest->database = NULL;
        try_later(harvest);
    }
    harvest->openings += harvest->database != NULL;
    if (harvest->database) database_set_config(harvest->database, harvest->config);
    return harvest->database;
}

void harvest_start(struct harvest *harvest)
{
    database_try_open(harvest);
    timer_set(harvest->timer, POLL_LEAST_MS);
}

/* --- one batch --- */

static void malformed(struct harvest *harvest, uint16_t slot)
{
    if (!harvest->counts.malformed++)
        log_error("ledger: an event in the ring of slot %u makes no sense and is left out", slot);
}

static enum books_outcome event_store(struct harvest *harvest, uint16_t slot, uint64_t position,
                                      struct text record)
{
    struct event_accepted accepted;
    struct event_ended ended;
    struct event_refused refused;
    struct event_step step;
    struct event_relayed relayed;
    struct event_audit audit;
    struct event_missed missed;
    uint32_t first;
    switch (event_kind_of(record)) {
    case EVENT_ACCEPTED:
        if (!event_accepted_get(harvest->arena, record, &accepted, &first)) break;
        return database_store_accepted(harvest->database, &accepted, first);
    case EVENT_ENDED:
        if (!event_ended_get(record, &ended) || ended.ending == ENDING_NONE) break;
        return database_store_ended(harvest->database, &ended);
    case EVENT_REFUSED:
        if (!event_refused_get(harvest->arena, record, &refused)) break;
        return database_store_refused(harvest->database, &refused, slot, position);
    case EVENT_STEP:
        if (!event_step_get(record, &step)) break;
        return database_store_step(harvest->database, &step);
    case EVENT_RELAYED:
        if (!event_relayed_get(harvest->arena, record, &relayed, &first)) break;
        return database_store_relayed(harvest->database, &relayed, first);
    case EVENT_AUDIT:
        if (!event_audit_get(record, &audit)) break;
        return database_store_audit(harvest->database, &audit, slot, position);
    case EVENT_MISSED:
        if (!event_missed_get(record, &missed)) break;
        return database_store_missed(harvest->database, &missed);
    default:
        break;
    }
    malformed(harvest, slot);
    return BOOKS_DONE;
}

/* An event of this node: other nodes are told of it too. */
static enum books_outcome own_store(struct harvest *harvest, uint16_t slot, uint64_t position,
                                    struct text record)
{
    uint64_t malformed_before = harvest->counts.malformed;
    enum books_outcome outcome = event_store(harvest, slot, position, record);
    if (outcome == BOOKS_DONE && harvest->counts.malformed == malformed_before)
        outbox_add(harvest->database, record);
    return outcome;
}

static enum books_outcome foreign_store(void *context, struct text record)
{
    return event_store(context, 0, 0, record);
}

/* At most `most` events of one ring into the open transaction. */
static enum books_outcome source_read(struct harvest *harvest, struct source *source, unsigned most,
                                      unsigned *count)
{
    struct text record;
    uint64_t position = source->position;
    for (unsigned i = 0; i < most && ring_next(source->ring, &position, &record); i++) {
        enum books_outcome outcome = own_store(harvest, source->slot, source->position, record);
        if (outcome != BOOKS_DONE) return outcome;
        source->position = position;
        ++*count;
    }
    source->position = position; /* ring_next may have passed over damage */
    return BOOKS_DONE;
}

/* What waits on disk is older than what is in the rings. */
static enum books_outcome waiting_read(struct harvest *harvest, unsigned *count)
{
    struct waited waited;
    while (*count < HARVEST_BATCH && waiting_next(harvest->waiting, &waited)) {
        enum books_outcome outcome = own_store(harvest, waited.slot, waited.position, waited.record);
        if (outcome != BOOKS_DONE) return outcome;
        ++*count;
    }
    return BOOKS_DONE;
}

static enum books_outcome batch_store(struct harvest *harvest, unsigned *count)
{
    enum books_outcome outcome = database_begin(harvest->database);
    for (unsigned i = 0; i < harvest->source_count; i++)
        harvest->sources[i].position = ring_tail(harvest->sources[i].ring);
    if (outcome == BOOKS_DONE) outcome = waiting_read(harvest, count);
    for (unsigned i = 0; i < harvest->source_count && outcome == BOOKS_DONE; i++) {
        struct source *source = &harvest->sources[(harvest->next + i) % harvest->source_count];
        outcome = source_read(harvest, source, HARVEST_BATCH - *count, count);
    }
    if (harvest->exchange && outcome == BOOKS_DONE)
        outcome = exchange_store(harvest->exchange, HARVEST_BATCH, count, foreign_store, harvest);
    return outcome == BOOKS_DONE ? database_commit(harvest->database) : outcome;
}

static void batch_failed(struct harvest *harvest, enum books_outcome outcome)
{
    harvest->counts.failures++;
    database_rollback(harvest->database);
    waiting_again(harvest->waiting);
    if (harvest->exchange) exchange_again(harvest->exchange);
    try_later(harvest);
    if (outcome != BOOKS_DAMAGED && !database_is_stale(harvest->database)) return;
    if (harvest->exchange) exchange_set_database(harvest->exchange, NULL);
    database_close(harvest->database);
    harvest->database = NULL;
    if (outcome == BOOKS_DAMAGED) harvest->retry_at_ms = 0;
}

static void batch_kept(struct harvest *harvest, unsigned count)
{
    waiting_release(harvest->waiting);
    if (harvest->exchange) exchange_kept(harvest->exchange);
    for (unsigned i = 0; i < harvest->source_count; i++)
        ring_release(harvest->sources[i].ring, harvest->sources[i].position);
    if (harvest->counts.is_failing) log_warning("the ledger stores events again");
    harvest->counts.is_failing = harvest->counts.is_full = false;
    harvest->retry_ms = 0;
    harvest->counts.events += count;
    harvest->counts.batches++;
    harvest->window_events += count;
    if (harvest->source_count) harvest->next = (harvest->next + 1) % harvest->source_count;
}

/* --- while the database cannot be written --- */

static bool source_spill(struct harvest *harvest, struct source *source)
{
    struct text record;
    uint64_t position = ring_tail(source->ring), start = position;
    while (ring_next(source->ring, &position, &record)) {
        enum waiting_outcome outcome = waiting_add(harvest->waiting, source->slot, start, record);
        if (outcome == WAITING_FULL) return false;
        if (outcome == WAITING_LEFT_OUT) ring_count_lost(source->ring);
        ring_release(source->ring, position);
        start = position;
    }
    return true;
}

/* Makes room in the rings. What finds no room on disk either stays there, and the ring counts what it loses.
 */
static void spill(struct harvest *harvest)
{
    for (unsigned i = 0; i < harvest->source_count; i++) {
        struct source *source = &harvest->sources[i];
        if (ring_fill_percent(source->ring) < SPILL_ABOVE_PERCENT) continue;
        if (!source_spill(harvest, source) && !harvest->counts.is_full)
            log_error(
                "ALARM: no room for the ledger's events, in its database or beside it: the next are lost");
        harvest->counts.is_full = ring_fill_percent(source->ring) >= SPILL_ABOVE_PERCENT;
    }
}

static bool has_events(const struct harvest *harvest)
{
    if (waiting_bytes(harvest->waiting)) return true;
    if (harvest->exchange && exchange_has_arrivals(harvest->exchange)) return true;
    for (unsigned i = 0; i < harvest->source_count; i++) {
        struct text record;
        uint64_t position = ring_tail(harvest->sources[i].ring);
        if (ring_next(harvest->sources[i].ring, &position, &record)) return true;
        if (position != ring_tail(harvest->sources[i].ring)) ring_release(harvest->sources[i].ring, position);
    }
    return false;
}

bool harvest_poll(struct harvest *harvest)
{
    if (!has_events(harvest)) {
        harvest->interval_ms =
            harvest->interval_ms * 2 < POLL_MOST_MS ? harvest->interval_ms * 2 : POLL_MOST_MS;
        return false;
    }
    bool may_try = !harvest->counts.is_failing || is_time_to_try(harvest);
    if (!may_try || (!harvest->database && !database_try_open(harvest))) {
        spill(harvest);
        return false;
    }
    unsigned count = 0;
    enum books_outcome outcome = batch_store(harvest, &count);
    arena_reset(harvest->arena);
    if (outcome != BOOKS_DONE) {
        batch_failed(harvest, outcome);
        spill(harvest);
        return false;
    }
    batch_kept(harvest, count);
    harvest->interval_ms = POLL_LEAST_MS;
    return count >= HARVEST_BATCH || waiting_bytes(harvest->waiting);
}

/* --- retention --- */

/* A little, when there is nothing to store; often while there is more, else a look now and then. */
static void forget(struct harvest *harvest)
{
    unsigned rows = 0;
    if (!harvest->config || !harvest->database || loop_now_ms(harvest->loop) < harvest->forget_at_ms) return;
    struct forget_limits limits =
        forget_limits_of(harvest->config, harvest_old_ms(harvest), harvest_epoch_ms(harvest));
    if (forget_some(harvest->database, &limits, FORGET_ROWS, &rows) != BOOKS_DONE) rows = 0;
    harvest->counts.forgotten += rows;
    harvest->forget_at_ms = loop_now_ms(harvest->loop) + (rows ? FORGET_AGAIN_MS : FORGET_LOOK_MS);
}

struct database *harvest_database(const struct harvest *harvest)
{
    return harvest->database;
}

unsigned harvest_openings(const struct harvest *harvest)
{
    return harvest->openings;
}

void harvest_counts(struct harvest *harvest, struct harvest_counts *out)
{
    uint64_t now = loop_now_ms(harvest->loop), span = now - harvest->window_start_ms;
    harvest->counts.lost = waiting_lost(harvest->waiting);
    harvest->counts.waiting_bytes = waiting_bytes(harvest->waiting);
    harvest->counts.backlog_percent = 0;
    for (unsigned i = 0; i < harvest->source_count; i++) {
        unsigned fill = ring_fill_percent(harvest->sources[i].ring);
        harvest->counts.lost += ring_lost(harvest->sources[i].ring);
        if (fill > harvest->counts.backlog_percent) harvest->counts.backlog_percent = fill;
    }
    if (span > 0) harvest->counts.events_per_second = (double)harvest->window_events * 1000 / (double)span;
    if (span > RATE_WINDOW_MS) {
        harvest->window_start_ms = now;
        harvest->window_events = 0;
    }
    *out = harvest->counts;
}
