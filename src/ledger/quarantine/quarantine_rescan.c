/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Looks again at what is kept when scan has new signatures: one message at a time, each class from the oldest
   on. What is infected after all gets the class of that, so that only who may release viruses releases it. A
   pass that was finished is not begun again with the same signatures. */
#include "base/context.h"
#include "base/log.h"
#include "ipc/ask_scan.h"
#include "ledger/quarantine/quarantine_private.h"
#include "ledgerdb/mark.h"
#include "ledgerdb/outbox.h"

enum {
    PAUSE_MS = 20,       /* between one message and the next */
    AGAIN_MS = 5 * 1000, /* scan or the database cannot now */
    LOSSES_MOST = 4,
    PASS_LEAST_MS = 1000
};

static const char mark[] = "looked at again with";

/* The others are known to be infected, or end the worker that reads them. */
static const enum held_class looked_at[] = { HELD_SPAM, HELD_POLICY, HELD_ENCRYPTED, HELD_UNDELIVERABLE };
enum { CLASSES = sizeof looked_at / sizeof *looked_at };

/* --- a pass --- */

static bool is_done_before(struct quarantine *quarantine, uint64_t signatures)
{
    uint64_t done;
    return mark_get(database_sql(quarantine->database), mark, &done) == LEDGERDB_DONE && done == signatures;
}

static void pass_begin(struct quarantine *quarantine)
{
    struct rescan *rescan = &quarantine->rescan;
    *rescan = (struct rescan){ .timer = rescan->timer,
                               .wanted = rescan->wanted,
                               .signatures = rescan->wanted,
                               .begun_ms = loop_now_ms(quarantine->loop) };
    rescan->is_under_way = !is_done_before(quarantine, rescan->signatures);
}

/* False: not yet. However often scan says that it has others, a pass is begun once a second. */
static bool pass_look(struct quarantine *quarantine)
{
    struct rescan *rescan = &quarantine->rescan;
    uint64_t now = loop_now_ms(quarantine->loop);
    if (rescan->wanted == rescan->signatures) return true;
    if (now < rescan->begun_ms + PASS_LEAST_MS) {
        timer_set(rescan->timer, rescan->begun_ms + PASS_LEAST_MS - now);
        return false;
    }
    pass_begin(quarantine);
    return true;
}

/* True: it is on the disk. */
static bool pass_end(struct quarantine *quarantine)
{
    struct rescan *rescan = &quarantine->rescan;
    if (held_begin(quarantine->database) != LEDGERDB_DONE) return false;
    if (mark_set(database_sql(quarantine->database), mark, rescan->signatures) != LEDGERDB_DONE) {
        held_rollback(quarantine->database);
        return false;
    }
    if (held_commit(quarantine->database) != LEDGERDB_DONE) return false;
    rescan->is_under_way = false;
    if (rescan->looked || rescan->failed)
        log_info("quarantine: %u messages were looked at again with new signatures, %u are infected, %u "
                 "could not be"
                 " judged",
                 rescan->looked, rescan->found, rescan->failed);
    return true;
}

/* False: cannot be asked now. *out 0: there is none any more. */
static bool next_find(struct quarantine *quarantine, uint64_t *out)
{
    struct rescan *rescan = &quarantine->rescan;
    *out = 0;
    for (; rescan->class < CLASSES; rescan->class ++, rescan->after = 0) {
        if (held_next(database_sql(quarantine->database), looked_at[rescan->class], rescan->after, out) !=
            LEDGERDB_DONE)
            return false;
        if (*out) return true;
    }
    return true;
}

/* --- one message --- */

static void go_on(struct quarantine *quarantine, uint64_t message, bool is_judged)
{
    struct rescan *rescan = &quarantine->rescan;
    rescan->asked = 0;
    rescan->losses = 0;
    rescan->after = message;
    rescan->looked += is_judged;
    rescan->failed += !is_judged;
    timer_set(rescan->timer, PAUSE_MS);
}

/* Perhaps it is what ended it, or somebody ends scan again and again. */
static void lost(struct quarantine *quarantine, uint64_t message)
{
    struct rescan *rescan = &quarantine->rescan;
    if (++rescan->losses == LOSSES_MOST) {
        go_on(quarantine, message, false);
        return;
    }
    rescan->asked = 0;
    timer_set(rescan->timer, PAUSE_MS);
}

static void message_ask(struct quarantine *quarantine, uint64_t message)
{
    struct stored_message kept;
    arena_reset(quarantine->arena);
    if (quarantine_store_read(quarantine->store, message, &kept) != QUARANTINE_STORE_DONE) {
        go_on(quarantine, message, false);
        return;
    }
    if (scan_again_send(quarantine->scan, quarantine->arena, message, (enum direction)kept.facts.direction,
                        &kept.facts.envelope,
                        text_slice(kept.content, kept.facts.prefix_length, kept.content.length)))
        quarantine->rescan.asked = message;
    else
        timer_set(quarantine->rescan.timer, AGAIN_MS); /* no memory or descriptor for it */
    stored_message_free(&kept);
}

static void turn(void *context)
{
    struct quarantine *quarantine = CONTEXT(context, struct quarantine, QUARANTINE_MAGIC);
    struct rescan *rescan = &quarantine->rescan;
    uint64_t message;
    if (!quarantine->scan || rescan->asked) return;
    if (!quarantine_database(quarantine)) {
        timer_set(rescan->timer, AGAIN_MS);
        return;
    }
    if (!pass_look(quarantine) || !rescan->is_under_way) return;
    if (!next_find(quarantine, &message))
        timer_set(rescan->timer, AGAIN_MS);
    else if (message)
        message_ask(quarantine, message);
    else if (!pass_end(quarantine))
        timer_set(rescan->timer, AGAIN_MS);
}

/* --- what scan says --- */

/* False: the database cannot be written now. */
static bool store(struct quarantine *quarantine, const struct event_found *event, bool *out_changed)
{
    struct database *database = quarantine->database;
    struct buffer record = { 0 };
    if (held_begin(database) != LEDGERDB_DONE) return false;
    enum ledgerdb_outcome outcome = held_condemn(database, event, out_changed);
    event_found_put(event, &record);
    if (outcome == LEDGERDB_DONE && *out_changed) outbox_add(database, buffer_text(&record));
    buffer_free(&record);
    if (outcome == LEDGERDB_DONE) return held_commit(database) == LEDGERDB_DONE;
    held_rollback(database);
    return false;
}

static bool condemn(struct quarantine *quarantine, uint64_t message, const struct facts *facts)
{
    const struct virus_finding *finding = &facts->virus_findings[0];
    const struct event_found event = event_found_of(message, loop_wall_ms(quarantine->loop), false, facts);
    bool is_changed = false;
    char id[MESSAGE_ID_SIZE];
    if (!store(quarantine, &event, &is_changed)) return false;
    if (!is_changed) return true; /* released or deleted meanwhile */
    quarantine->rescan.found++;
    quarantine_note(quarantine, message);
    log_warning("quarantine: %s is infected, as new signatures show: %.*s in %.*s; its class is %s now",
                message_id_print(message, id), TEXT_ARG(finding->name), TEXT_ARG(finding->part),
                class_name(event.class));
    return true;
}

/* False: malformed. */
static bool facts_take(struct quarantine *quarantine, struct frame *frame)
{
    struct found found;
    struct facts facts;
    arena_reset(quarantine->arena);
    if (!found_get(frame->payload, &found) || !found_facts(quarantine->arena, &found, &facts)) return false;
    if (facts_are_infected(&facts) &&
        (!quarantine_database(quarantine) || !condemn(quarantine, frame->id, &facts))) {
        quarantine->rescan.asked = 0; /* the same message again, when the database can be written */
        timer_set(quarantine->rescan.timer, AGAIN_MS);
        return true;
    }
    go_on(quarantine, frame->id, facts.virus != SCAN_UNSCANNED && facts.virus != SCAN_NOT_ASKED);
    return true;
}

static void failure_take(struct quarantine *quarantine, enum scan_failure failure, uint64_t message)
{
    if (failure == SCAN_WORKER_DIED) {
        lost(quarantine, message);
        return;
    }
    if (failure != SCAN_NOT_READY) {
        go_on(quarantine, message, false);
        return;
    }
    quarantine->rescan.asked = 0;
    timer_set(quarantine->rescan.timer, AGAIN_MS);
}

static bool on_frame(void *context, struct frame *frame)
{
    struct quarantine *quarantine = CONTEXT(context, struct quarantine, QUARANTINE_MAGIC);
    struct reader reader = reader_of(frame->payload);
    if (frame->type == SCAN_SIGNATURES) {
        quarantine->rescan.wanted = get_u64(&reader) & INT64_MAX; /* a mark is no larger */
        timer_set(quarantine->rescan.timer, 0);
        return reader_done(&reader);
    }
    if (frame->id == 0 || frame->id != quarantine->rescan.asked) return false;
    if (frame->type == SCAN_FACTS) return facts_take(quarantine, frame);
    if (frame->type != SCAN_FAILED) return false;
    failure_take(quarantine, get_u8(&reader), frame->id);
    return true;
}

/* Scan is told to be there again by a new channel, and names its signatures. */
static void on_closed(void *context)
{
    struct quarantine *quarantine = CONTEXT(context, struct quarantine, QUARANTINE_MAGIC);
    uint64_t asked = quarantine->rescan.asked;
    channel_close(quarantine->scan);
    quarantine->scan = NULL;
    if (asked) lost(quarantine, asked);
}

void quarantine_set_scan(struct quarantine *quarantine, int fd)
{
    static const struct channel_events events = { on_frame, on_closed };
    if (quarantine->scan) on_closed(quarantine);
    if (!quarantine->rescan.timer) quarantine->rescan.timer = timer_new(quarantine->loop, turn, quarantine);
    quarantine->scan = channel_open(quarantine->loop, fd, &events, quarantine);
}

void quarantine_rescan_end(struct quarantine *quarantine)
{
    channel_close(quarantine->scan);
    timer_free(quarantine->rescan.timer);
    quarantine->scan = NULL;
    quarantine->rescan.timer = NULL;
}
