/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A report is stored before it teaches, and it is taught before it counts as decided: whoever dies in between
   does the same again, which changes nothing. */
#include "ledger/learning/proposals.h"

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/context.h"
#include "base/log.h"
#include "config/own_address.h"
#include "ledgerdb/held.h"

enum { FORGET_EVERY_MS = 3600 * 1000, FIRST_FORGET_MS = 60 * 1000, ID_BYTES_SHOWN = 8 };
#define DAY_MS (UINT64_C(24) * 3600 * 1000)

_Static_assert((int)PROPOSAL_MAIL_BYTES == (int)LESSON_ID_BYTES, "a mail is known by one digest");

struct proposals {
    enum { PROPOSALS_MAGIC = 0x3ed91a57 } magic;
    struct loop *loop;
    struct ingest *ingest;
    struct learning *learning;
    struct quarantine_command_server *records;
    const struct config *config;
    struct timer *forget;
    struct arena *arena; /* of the report or the proposal at hand */
};

/* --- records --- */

/* "spam, told by user@example.jp and 2 more; --undo 0123456789abcdef" */
static struct text about_of(struct arena *arena, const struct proposal *proposal, bool is_yes)
{
    struct buffer out = { 0 };
    buffer_printf(&out, "%s, told by %.*s", proposal->is_spam ? "spam" : "ham", TEXT_ARG(proposal->reporter));
    if (proposal->reporters > 1) buffer_printf(&out, " and %u more", proposal->reporters - 1);
    if (!proposal->message) buffer_add_text(&out, TEXT(", not found among messages of ours"));
    buffer_add_text(&out, is_yes ? TEXT("; --undo ") : TEXT("; declined: "));
    for (int i = 0; i < ID_BYTES_SHOWN; i++) buffer_printf(&out, "%02x", proposal->mail[i]);
    struct text about = arena_text(arena, buffer_text(&out));
    buffer_free(&out);
    return about;
}

/* The decision and its record, or neither. */
static bool decision_store(struct proposals *proposals, const struct commander *who,
                           const struct proposal *proposal, bool is_yes)
{
    struct database *database = ingest_database(proposals->ingest);
    if (!database || held_begin(database) != LEDGERDB_DONE) return false;
    bool is_good = proposal_decide(database, proposal->number,
                                   is_yes ? PROPOSAL_ACCEPTED : PROPOSAL_DECLINED) == LEDGERDB_DONE &&
                   quarantine_command_record_within(proposals->records, who, "learning", proposal->message,
                                                    is_yes ? "learn" : "decline",
                                                    about_of(proposals->arena, proposal, is_yes));
    if (is_good) return held_commit(database) == LEDGERDB_DONE;
    held_rollback(database);
    return false;
}

/* --- teaching --- */

static enum learning_outcome proposal_teach(struct proposals *proposals, const struct proposal *proposal)
{
    struct lesson lesson;
    if (!lesson_parse(proposal->lesson, proposals->arena, &lesson)) return LEARNING_FAILED;
    lesson.is_spam = proposal->is_spam;
    lesson.time_ms = proposal->told_ms; /* it ages with the mail, not with the answer */
    enum learning_outcome outcome = learning_teach(proposals->learning, &lesson);
    if (outcome != LEARNING_FAILED && !learning_sync(proposals->learning)) return LEARNING_FAILED;
    return outcome;
}

/* --- reports --- */

struct report {
    struct proposal_report store;
    struct proposal_copy copy;
};

/* False: its lesson is none. */
static bool report_read(struct proposals *proposals, const struct lesson_proposal *proposal,
                        struct report *out)
{
    struct lesson lesson;
    if (!lesson_parse(proposal->lesson, proposals->arena, &lesson)) return false;
    *out = (struct report){ .store = { .is_spam = proposal->is_spam,
                                       .now_ms = loop_wall_ms(proposals->loop),
                                       .reporter = proposal->reporter,
                                       .lesson = proposal->lesson },
                            .copy = { .message_id = proposal->message_id,
                                      .author = proposal->author,
                                      .subject = proposal->subject,
                                      .part_count = proposal->part_count,
                                      .parts = proposal->parts } };
    memcpy(out->store.mail, lesson.id, sizeof out->store.mail);
    return true;
}

static enum ledgerdb_outcome report_store(struct database *database, const struct report *report,
                                          enum proposal_outcome *out, uint64_t *out_number)
{
    if (held_begin(database) != LEDGERDB_DONE) return LEDGERDB_LATER;
    if (proposal_tell(database, &report->store, out, out_number) == LEDGERDB_DONE)
        return held_commit(database);
    held_rollback(database);
    return LEDGERDB_LATER;
}

/* What was not found among messages of ours is for a person to decide, whoever told it. */
static bool may_teach(const struct proposals *proposals, const struct proposal *proposal,
                      const struct report *report)
{
    return proposals->config->report.learn == REPORT_LEARN_TRUSTED && proposal->message &&
           proposal->state == PROPOSAL_WAITS &&
           config_reporter_is_trusted(proposals->config, report->store.reporter);
}

/* What is decided has no numbers any more: a trusted reporter's contrary report brings them, and is newer. */
static void decided_open(const struct report *report, struct proposal *out)
{
    out->state = PROPOSAL_WAITS;
    out->message = report->store.message;
    out->told_ms = report->store.now_ms;
    out->lesson = report->store.lesson;
}

static enum proposed trusted_teach(struct proposals *proposals, const struct report *report, uint64_t number,
                                   enum proposed otherwise)
{
    struct database *database = ingest_database(proposals->ingest);
    struct proposal proposal;
    enum ledgerdb_outcome outcome =
        proposal_read(database_sql(database), number, proposals->arena, &proposal);
    if (outcome != LEDGERDB_DONE) return PROPOSED_LATER;
    if (otherwise == PROPOSED_DECIDED) decided_open(report, &proposal);
    if (!may_teach(proposals, &proposal, report)) return otherwise;
    const struct commander who = { .uid = UINT32_MAX, .user = report->store.reporter };
    enum learning_outcome taught = proposal_teach(proposals, &proposal);
    if (taught == LEARNING_FAILED || !decision_store(proposals, &who, &proposal, true)) return PROPOSED_LATER;
    log_info("taught by %.*s: %.*s", TEXT_ARG(report->store.reporter),
             TEXT_ARG(about_of(proposals->arena, &proposal, true)));
    return taught == LEARNING_KNOWN ? PROPOSED_KNOWN : PROPOSED_TAUGHT;
}

/* It is learned as the other class: of who is trusted the last word counts. */
static bool is_contrary(const struct proposals *proposals, const struct report *report)
{
    return learning_knows(proposals->learning, report->store.mail, !report->store.is_spam);
}

/* What nobody said is taken back as soon as somebody says the contrary, whoever he is; what it is then, is
   decided as ever. */
static enum learning_outcome automatic_take_back(struct proposals *proposals, const struct report *report)
{
    const struct commander who = { .uid = UINT32_MAX, .user = report->store.reporter };
    if (!is_contrary(proposals, report) || !learning_is_automatic(proposals->learning, report->store.mail))
        return LEARNING_MISSING;
    struct buffer about = { 0 };
    for (int i = 0; i < ID_BYTES_SHOWN; i++) buffer_printf(&about, "%02x", report->store.mail[i]);
    buffer_add_text(&about, TEXT(", learned automatically: a report says otherwise"));
    enum learning_outcome outcome = learning_undo_automatic(proposals->learning, report->store.mail);
    if (outcome == LEARNING_TAUGHT && !learning_sync(proposals->learning)) outcome = LEARNING_FAILED;
    if (outcome == LEARNING_TAUGHT)
        quarantine_command_record(proposals->records, &who, "learning", report->store.message, "unlearn",
                                  buffer_text(&about));
    buffer_free(&about);
    return outcome;
}

/* Of a report whose message was looked for. */
static enum proposed report_propose(struct proposals *proposals, struct database *database,
                                    const struct report *report)
{
    static const enum proposed outcomes[] = { [PROPOSAL_NEW] = PROPOSED_WAITS,
                                              [PROPOSAL_JOINED] = PROPOSED_WAITS,
                                              [PROPOSAL_DECIDED] = PROPOSED_DECIDED,
                                              [PROPOSAL_TOO_MANY] = PROPOSED_TOO_MANY };
    enum proposal_outcome told;
    uint64_t number;
    if (proposals->config->report.learn == REPORT_LEARN_OFF) return PROPOSED_OFF;
    if (learning_knows(proposals->learning, report->store.mail, report->store.is_spam)) return PROPOSED_KNOWN;
    if (automatic_take_back(proposals, report) == LEARNING_FAILED) return PROPOSED_LATER;
    if (report_store(database, report, &told, &number) != LEDGERDB_DONE) return PROPOSED_LATER;
    if (told == PROPOSAL_TOO_MANY || (told == PROPOSAL_DECIDED && !is_contrary(proposals, report)))
        return outcomes[told];
    return trusted_teach(proposals, report, number, outcomes[told]);
}

/* A trusted reporter's word stops what is like the mail, or takes that back: report tells lookup when it has
   the answer. False: it cannot be written down now, so he has to be heard again. */
static bool stop_record(struct proposals *proposals, const struct report *report)
{
    const struct commander who = { .uid = UINT32_MAX, .user = report->store.reporter };
    if (!report->store.message || !config_reporter_is_trusted(proposals->config, report->store.reporter))
        return true;
    return quarantine_command_record(
        proposals->records, &who, "learning", report->store.message, "campaign",
        report->store.is_spam ? TEXT("stop what is like this message, by a report")
                              : TEXT("forget the own stop of what is like this message, by a report"));
}

static enum proposed propose(struct proposals *proposals, struct report *report)
{
    struct database *database = ingest_database(proposals->ingest);
    ingest_poll(proposals->ingest); /* it may have passed a moment ago */
    if (!database || proposal_message(database_sql(database), &report->copy, proposals->arena,
                                      &report->store.message) != LEDGERDB_DONE)
        return PROPOSED_LATER;
    enum proposed outcome = report_propose(proposals, database, report);
    return outcome != PROPOSED_LATER && stop_record(proposals, report) ? outcome : PROPOSED_LATER;
}

bool proposals_frame(void *context, struct channel *report, struct frame *frame)
{
    struct proposals *proposals = CONTEXT(context, struct proposals, PROPOSALS_MAGIC);
    struct lesson_proposal proposal;
    struct report told = { 0 };
    arena_reset(proposals->arena);
    if (frame->type != LEDGER_PROPOSE || !lesson_proposal_get(proposals->arena, frame->payload, &proposal) ||
        proposal.reporter.length == 0)
        return false;
    enum proposed outcome = PROPOSED_UNREAD;
    if (report_read(proposals, &proposal, &told)) outcome = propose(proposals, &told);
    struct buffer *out = channel_begin(report, LEDGER_PROPOSED, frame->id);
    put_u8(out, (uint8_t)outcome);
    put_u64(out, told.store.message);
    channel_end(report);
    return true;
}

/* --- the administrator --- */

bool proposals_list(struct proposals *proposals, struct arena *arena, struct proposal **out,
                    size_t *out_count)
{
    struct database *database = ingest_database(proposals->ingest);
    return database && proposal_list(database_sql(database), arena, out, out_count) == LEDGERDB_DONE;
}

static bool one_decide(struct proposals *proposals, const struct commander *who, uint64_t number, bool is_yes,
                       struct proposals_decided *out)
{
    struct database *database = ingest_database(proposals->ingest);
    struct proposal proposal;
    arena_reset(proposals->arena);
    if (!database) return false;
    enum ledgerdb_outcome found = proposal_read(database_sql(database), number, proposals->arena, &proposal);
    bool is_there = found == LEDGERDB_DONE && proposal.state == PROPOSAL_WAITS;
    out->missing += !is_there && (found == LEDGERDB_DONE || found == LEDGERDB_MISSING);
    if (!is_there) return found == LEDGERDB_DONE || found == LEDGERDB_MISSING;
    enum learning_outcome taught = is_yes ? proposal_teach(proposals, &proposal) : LEARNING_TAUGHT;
    if (taught == LEARNING_FAILED || !decision_store(proposals, who, &proposal, is_yes)) return false;
    out->known += taught == LEARNING_KNOWN;
    out->spam += taught != LEARNING_KNOWN && proposal.is_spam;
    out->ham += taught != LEARNING_KNOWN && !proposal.is_spam;
    return true;
}

bool proposals_decide(struct proposals *proposals, const struct commander *who, const uint64_t *numbers,
                      size_t count, bool is_yes, struct proposals_decided *out)
{
    bool is_good = true;
    *out = (struct proposals_decided){ 0 };
    for (size_t i = 0; i < count && is_good; i++)
        is_good = one_decide(proposals, who, numbers[i], is_yes, out);
    return is_good;
}

/* --- life --- */

/* As long as Subjects are kept, and PROPOSALS_KEPT_DAYS at most. */
static void forget(void *context)
{
    struct proposals *proposals = CONTEXT(context, struct proposals, PROPOSALS_MAGIC);
    struct database *database = ingest_database(proposals->ingest);
    uint64_t keep = PROPOSALS_KEPT_DAYS * DAY_MS, subjects = proposals->config->ledger.subjects_ms;
    uint64_t now = loop_wall_ms(proposals->loop);
    if (subjects && subjects < keep) keep = subjects;
    timer_set(proposals->forget, FORGET_EVERY_MS);
    if (!database || now < keep || held_begin(database) != LEDGERDB_DONE) return;
    if (proposal_forget(database, now - keep) == LEDGERDB_DONE)
        held_commit(database);
    else
        held_rollback(database);
}

struct proposals *proposals_new(struct loop *loop, struct ingest *ingest, struct learning *learning,
                                struct quarantine_command_server *records)
{
    struct proposals *proposals = memory_alloc(sizeof *proposals);
    *proposals = (struct proposals){
        .magic = PROPOSALS_MAGIC, .loop = loop, .ingest = ingest, .learning = learning, .records = records
    };
    proposals->arena = arena_new(1 << 16);
    proposals->forget = timer_new(loop, forget, proposals);
    timer_set(proposals->forget, FIRST_FORGET_MS);
    return proposals;
}

void proposals_free(struct proposals *proposals)
{
    timer_free(proposals->forget);
    arena_free(proposals->arena);
    free(proposals);
}

void proposals_set_config(struct proposals *proposals, const struct config *config)
{
    proposals->config = config;
}
