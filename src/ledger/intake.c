/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Polls rather than waits for a signal: a writer then needs no system call. The poll is quick while there is
   work and slow while there is none. */
#include "ledger/intake.h"

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

struct intake {
    struct loop *loop;
    const char *folder;
    struct database *database;
    struct source sources[INTAKE_RINGS];
    unsigned source_count, next; /* next: whose turn it is first, so that no ring starves another */
    struct timer *timer;
    uint64_t interval_ms;
    struct arena *arena;
    struct intake_counts counts;
    uint64_t window_start_ms, window_events;
};

static void timer_expired(void *context)
{
    struct intake *intake = context;
    bool has_more = intake_poll(intake);
    timer_set(intake->timer, has_more ? 0 : intake->interval_ms);
}

struct intake *intake_new(struct loop *loop, const char *folder)
{
    struct intake *intake = memory_alloc(sizeof *intake);
    intake->loop = loop;
    intake->folder = folder;
    intake->arena = arena_new(64 * 1024);
    intake->timer = timer_new(loop, timer_expired, intake);
    intake->interval_ms = POLL_LEAST_MS;
    intake->window_start_ms = loop_now_ms(loop);
    return intake;
}

void intake_free(struct intake *intake)
{
    for (unsigned i = 0; i < intake->source_count; i++) ring_unmap(intake->sources[i].ring);
    database_close(intake->database);
    timer_free(intake->timer);
    arena_free(intake->arena);
    free(intake);
}

void intake_add_ring(struct intake *intake, struct ring *ring, uint16_t slot)
{
    if (intake->source_count == INTAKE_RINGS) {
        log_error("ledger: more than %d rings: that of slot %u is not read", INTAKE_RINGS, slot);
        ring_unmap(ring);
        return;
    }
    intake->sources[intake->source_count++] = (struct source){ .ring = ring, .slot = slot };
}

static bool database_try_open(struct intake *intake)
{
    bool was_damaged;
    enum database_outcome outcome = database_open(intake->folder, &intake->database, &was_damaged);
    intake->counts.damaged += was_damaged;
    return outcome != DATABASE_NEWER;
}

bool intake_start(struct intake *intake)
{
    if (!database_try_open(intake)) return false;
    timer_set(intake->timer, intake->database ? POLL_LEAST_MS : RETRY_MS);
    return true;
}

/* --- one batch --- */

static void malformed(struct intake *intake, struct source *source)
{
    intake->counts.malformed++;
    if (!source->has_complained)
        log_error("ledger: an event in the ring of slot %u makes no sense and is left out", source->slot);
    source->has_complained = true;
}

static enum database_outcome event_store(struct intake *intake, struct source *source, struct text record)
{
    struct event_accepted accepted;
    struct event_ended ended;
    struct event_refused refused;
    uint32_t first;
    switch (event_kind_of(record)) {
    case EVENT_ACCEPTED:
        if (!event_accepted_get(intake->arena, record, &accepted, &first)) break;
        return database_store_accepted(intake->database, &accepted, first);
    case EVENT_ENDED:
        if (!event_ended_get(record, &ended) || ended.ending == ENDING_NONE) break;
        return database_store_ended(intake->database, &ended);
    case EVENT_REFUSED:
        if (!event_refused_get(record, &refused)) break;
        return database_store_refused(intake->database, &refused, source->slot, source->position);
    default:
        break;
    }
    malformed(intake, source);
    return DATABASE_DONE;
}

/* At most `most` events of one ring into the open transaction. */
static enum database_outcome source_read(struct intake *intake, struct source *source, unsigned most,
                                         unsigned *count)
{
    struct text record;
    uint64_t position = source->position;
    for (unsigned i = 0; i < most && ring_next(source->ring, &position, &record); i++) {
        enum database_outcome outcome = event_store(intake, source, record);
        if (outcome != DATABASE_DONE) return outcome;
        source->position = position;
        ++*count;
    }
    source->position = position; /* ring_next may have passed over damage */
    return DATABASE_DONE;
}

static enum database_outcome batch_store(struct intake *intake, unsigned *count)
{
    enum database_outcome outcome = database_begin(intake->database);
    for (unsigned i = 0; i < intake->source_count && outcome == DATABASE_DONE; i++) {
        struct source *source = &intake->sources[(intake->next + i) % intake->source_count];
        source->position = ring_tail(source->ring);
        outcome = source_read(intake, source, INTAKE_BATCH - *count, count);
    }
    return outcome == DATABASE_DONE ? database_commit(intake->database) : outcome;
}

static void batch_failed(struct intake *intake, enum database_outcome outcome)
{
    if (!intake->counts.is_failing)
        log_error("alarm: the ledger cannot store events; they stay in the rings until it can");
    intake->counts.is_failing = true;
    intake->counts.failures++;
    intake->interval_ms = RETRY_MS;
    database_rollback(intake->database);
    if (outcome != DATABASE_DAMAGED) return;
    database_close(intake->database);
    intake->database = NULL;
}

static void batch_kept(struct intake *intake, unsigned count)
{
    for (unsigned i = 0; i < intake->source_count; i++)
        ring_release(intake->sources[i].ring, intake->sources[i].position);
    if (intake->counts.is_failing) log_warning("the ledger stores events again");
    intake->counts.is_failing = false;
    intake->counts.events += count;
    intake->counts.batches++;
    intake->window_events += count;
    intake->next = (intake->next + 1) % intake->source_count;
}

static bool has_events(const struct intake *intake)
{
    for (unsigned i = 0; i < intake->source_count; i++) {
        struct text record;
        uint64_t position = ring_tail(intake->sources[i].ring);
        if (ring_next(intake->sources[i].ring, &position, &record)) return true;
        if (position != ring_tail(intake->sources[i].ring)) ring_release(intake->sources[i].ring, position);
    }
    return false;
}

bool intake_poll(struct intake *intake)
{
    if (!has_events(intake)) {
        intake->interval_ms = intake->interval_ms * 2 < POLL_MOST_MS ? intake->interval_ms * 2 : POLL_MOST_MS;
        return false;
    }
    if (!intake->database && (!database_try_open(intake) || !intake->database)) {
        intake->interval_ms = RETRY_MS;
        return false;
    }
    unsigned count = 0;
    enum database_outcome outcome = batch_store(intake, &count);
    arena_reset(intake->arena);
    if (outcome != DATABASE_DONE) {
        batch_failed(intake, outcome);
        return false;
    }
    batch_kept(intake, count);
    intake->interval_ms = POLL_LEAST_MS;
    return count >= INTAKE_BATCH;
}

const struct database *intake_database(const struct intake *intake)
{
    return intake->database;
}

void intake_counts(struct intake *intake, struct intake_counts *out)
{
    uint64_t now = loop_now_ms(intake->loop), span = now - intake->window_start_ms;
    intake->counts.lost = 0;
    intake->counts.backlog_percent = 0;
    for (unsigned i = 0; i < intake->source_count; i++) {
        unsigned fill = ring_fill_percent(intake->sources[i].ring);
        intake->counts.lost += ring_lost(intake->sources[i].ring);
        if (fill > intake->counts.backlog_percent) intake->counts.backlog_percent = fill;
    }
    if (span > 0) intake->counts.events_per_second = (double)intake->window_events * 1000 / (double)span;
    if (span > RATE_WINDOW_MS) {
        intake->window_start_ms = now;
        intake->window_events = 0;
    }
    *out = intake->counts;
}
