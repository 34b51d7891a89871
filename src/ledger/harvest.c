/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Polls rather than waits for a signal: a writer then needs no system call. The poll is quick while there is
   work and slow while there is none. */
#include "ledger/harvest.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/log.h"

enum { POLL_LEAST_MS = 20, POLL_MOST_MS = 200, RETRY_MS = 1000, RATE_WINDOW_MS = 5000 };

struct source {
    struct ring *ring;
    uint16_t slot;
    uint64_t position; /* behind the last event of the batch under way */
    bool has_complained;
};

struct harvest {
    struct loop *loop;
    const char *folder;
    struct database *database;
    struct source sources[HARVEST_RINGS];
    unsigned source_count, next; /* next: whose turn it is first, so that no ring starves another */
    struct timer *timer;
    uint64_t interval_ms;
    struct arena *arena;
    struct harvest_counts counts;
    uint64_t window_start_ms, window_events;
};

static void timer_expired(void *context)
{
    struct harvest *harvest = context;
    bool has_more = harvest_poll(harvest);
    timer_set(harvest->timer, has_more ? 0 : harvest->interval_ms);
}

struct harvest *harvest_new(struct loop *loop, const char *folder)
{
    struct harvest *harvest = memory_alloc(sizeof *harvest);
    harvest->loop = loop;
    harvest->folder = folder;
    harvest->arena = arena_new(64 * 1024);
    harvest->timer = timer_new(loop, timer_expired, harvest);
    harvest->interval_ms = POLL_LEAST_MS;
    harvest->window_start_ms = loop_now_ms(loop);
    return harvest;
}

void harvest_free(struct harvest *harvest)
{
    for (unsigned i = 0; i < harvest->source_count; i++) ring_unmap(harvest->sources[i].ring);
    database_close(harvest->database);
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

static bool database_try_open(struct harvest *harvest)
{
    bool was_damaged;
    enum books_outcome outcome = database_open(harvest->folder, &harvest->database, &was_damaged);
    harvest->counts.damaged += was_damaged;
    return outcome != BOOKS_NEWER;
}

bool harvest_start(struct harvest *harvest)
{
    if (!database_try_open(harvest)) return false;
    timer_set(harvest->timer, harvest->database ? POLL_LEAST_MS : RETRY_MS);
    return true;
}

/* --- one batch --- */

static void malformed(struct harvest *harvest, struct source *source)
{
    harvest->counts.malformed++;
    if (!source->has_complained)
        log_error("ledger: an event in the ring of slot %u makes no sense and is left out", source->slot);
    source->has_complained = true;
}

static enum books_outcome event_store(struct harvest *harvest, struct source *source, struct text record)
{
    struct event_accepted accepted;
    struct event_ended ended;
    struct event_refused refused;
    struct event_step step;
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
        return database_store_refused(harvest->database, &refused, source->slot, source->position);
    case EVENT_STEP:
        if (!event_step_get(record, &step)) break;
        return database_store_step(harvest->database, &step);
    case EVENT_AUDIT:
        if (!event_audit_get(record, &audit)) break;
        return database_store_audit(harvest->database, &audit, source->slot, source->position);
    case EVENT_MISSED:
        if (!event_missed_get(record, &missed)) break;
        return database_store_missed(harvest->database, &missed);
    default:
        break;
    }
    malformed(harvest, source);
    return BOOKS_DONE;
}

/* At most `most` events of one ring into the open transaction. */
static enum books_outcome source_read(struct harvest *harvest, struct source *source, unsigned most,
                                      unsigned *count)
{
    struct text record;
    uint64_t position = source->position;
    for (unsigned i = 0; i < most && ring_next(source->ring, &position, &record); i++) {
        enum books_outcome outcome = event_store(harvest, source, record);
        if (outcome != BOOKS_DONE) return outcome;
        source->position = position;
        ++*count;
    }
    source->position = position; /* ring_next may have passed over damage */
    return BOOKS_DONE;
}

static enum books_outcome batch_store(struct harvest *harvest, unsigned *count)
{
    enum books_outcome outcome = database_begin(harvest->database);
    for (unsigned i = 0; i < harvest->source_count && outcome == BOOKS_DONE; i++) {
        struct source *source = &harvest->sources[(harvest->next + i) % harvest->source_count];
        source->position = ring_tail(source->ring);
        outcome = source_read(harvest, source, HARVEST_BATCH - *count, count);
    }
    return outcome == BOOKS_DONE ? database_commit(harvest->database) : outcome;
}

static void batch_failed(struct harvest *harvest, enum books_outcome outcome)
{
    if (!harvest->counts.is_failing)
        log_error("ALARM: the ledger cannot store events; they stay in the rings until it can");
    harvest->counts.is_failing = true;
    harvest->counts.failures++;
    harvest->interval_ms = RETRY_MS;
    database_rollback(harvest->database);
    if (outcome != BOOKS_DAMAGED) return;
    database_close(harvest->database);
    harvest->database = NULL;
}

static void batch_kept(struct harvest *harvest, unsigned count)
{
    for (unsigned i = 0; i < harvest->source_count; i++)
        ring_release(harvest->sources[i].ring, harvest->sources[i].position);
    if (harvest->counts.is_failing) log_warning("the ledger stores events again");
    harvest->counts.is_failing = false;
    harvest->counts.events += count;
    harvest->counts.batches++;
    harvest->window_events += count;
    harvest->next = (harvest->next + 1) % harvest->source_count;
}

static bool has_events(const struct harvest *harvest)
{
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
    if (!harvest->database && (!database_try_open(harvest) || !harvest->database)) {
        harvest->interval_ms = RETRY_MS;
        return false;
    }
    unsigned count = 0;
    enum books_outcome outcome = batch_store(harvest, &count);
    arena_reset(harvest->arena);
    if (outcome != BOOKS_DONE) {
        batch_failed(harvest, outcome);
        return false;
    }
    batch_kept(harvest, count);
    harvest->interval_ms = POLL_LEAST_MS;
    return count >= HARVEST_BATCH;
}

struct database *harvest_database(const struct harvest *harvest)
{
    return harvest->database;
}

void harvest_counts(struct harvest *harvest, struct harvest_counts *out)
{
    uint64_t now = loop_now_ms(harvest->loop), span = now - harvest->window_start_ms;
    harvest->counts.lost = 0;
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
