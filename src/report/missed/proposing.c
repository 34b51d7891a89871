/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A mail goes to scan, its numbers to ledger, then the next one. A question has a number of its own, so that
   an answer to one that was given up is nobody's. */
#include "report/missed/proposing.h"

#include "base/arena.h"
#include "base/codec.h"
#include "base/context.h"
#include "ipc/ask_scan.h"
#include "report/missed/missed_parts.h"

struct proposing {
    enum { PROPOSING_MAGIC = 0x4c83e1d9 } magic;
    struct loop *loop;
    const struct proposing_events *events;
    void *context;
    struct channel *scan, *ledger; /* NULL: not there; ledger is inbox.c's */
    struct proposing_order order;
    bool is_under_way;
    size_t at;                             /* the mail at hand */
    uint64_t asked;                        /* the question that is open */
    unsigned outcomes[PROPOSED_COUNT];     /* mails, by what became of them */
    struct arena *arena;                   /* of the mail at hand */
};

bool proposing_teaches(enum missed_kind kind, bool *out_is_spam)
{
    *out_is_spam = kind != MISSED_HAM;
    return kind == MISSED_SPAM || kind == MISSED_PHISHING || kind == MISSED_HAM;
}

static void later(struct proposing *proposing, const char *why)
{
    if (!proposing->is_under_way) return;
    proposing->is_under_way = false;
    proposing->events->later(proposing->context, why);
}

/* --- in words --- */

static void done(struct proposing *proposing)
{
    static const char *const words[PROPOSED_COUNT] = {
        [PROPOSED_WAITS] = "for the administrator to decide",
        [PROPOSED_TAUGHT] = "learned",
        [PROPOSED_KNOWN] = "learned before",
        [PROPOSED_DECIDED] = "decided about before",
        [PROPOSED_TOO_MANY] = "left out, there are too many",
        [PROPOSED_OFF] = "not learned from",
        [PROPOSED_UNREAD] = "no mail that can be read",
    };
    struct buffer said = { 0 };
    for (int i = 0; i < PROPOSED_COUNT; i++) {
        if (!proposing->outcomes[i] || !words[i]) continue;
        buffer_printf(&said, "%s%u %s", buffer_length(&said) ? ", " : "", proposing->outcomes[i], words[i]);
    }
    proposing->is_under_way = false;
    proposing->events->done(proposing->context, buffer_text(&said));
    buffer_free(&said);
}

/* --- one mail --- */

static void mail_ask(struct proposing *proposing)
{
    if (proposing->at == proposing->order.count) {
        done(proposing);
        return;
    }
    arena_reset(proposing->arena);
    if (!proposing->scan || !proposing->ledger)
        later(proposing, "scan or ledger is being restarted");
    else if (!scan_lesson_send(proposing->scan, ++proposing->asked, proposing->order.mails[proposing->at]))
        later(proposing, "there is no memory or descriptor for a mail");
}

static void next(struct proposing *proposing, int outcome)
{
    proposing->outcomes[outcome]++;
    proposing->at++;
    mail_ask(proposing);
}

static void propose(struct proposing *proposing, const struct lesson_found *found)
{
    struct lesson_proposal proposal = { .is_spam = proposing->order.is_spam,
                                        .reporter = proposing->order.reporter,
                                        .message_id = found->message_id,
                                        .author = found->author,
                                        .subject = found->subject,
                                        .lesson = found->lesson };
    if (!proposing->ledger) {
        later(proposing, "ledger is being restarted");
        return;
    }
    proposal.parts =
        missed_parts(proposing->arena, proposing->order.mails[proposing->at], &proposal.part_count);
    lesson_proposal_put(&proposal, channel_begin(proposing->ledger, LEDGER_PROPOSE, proposing->asked));
    channel_end(proposing->ledger);
}

bool proposing_answer(struct proposing *proposing, const struct frame *frame)
{
    struct reader reader = reader_of(frame->payload);
    enum proposed outcome = get_u8(&reader);
    uint64_t message = get_u64(&reader);
    if (!reader_done(&reader) || outcome >= PROPOSED_COUNT) return false;
    if (!proposing->is_under_way || frame->id != proposing->asked) return true;
    if (outcome == PROPOSED_LATER)
        later(proposing, "the ledger cannot be written now");
    else if (!proposing->events->found(proposing->context, proposing->order.mails[proposing->at], message))
        later(proposing, "lookup is being restarted");
    else
        next(proposing, outcome);
    return true;
}

/* --- scan --- */

/* What makes no sense is a worker's, who has read a stranger's mail: it costs that mail, not the channel. */
static void lesson_take(struct proposing *proposing, const struct frame *frame)
{
    struct lesson_found found;
    if (lesson_found_get(frame->payload, &found) && found.is_mail)
        propose(proposing, &found);
    else
        next(proposing, PROPOSED_UNREAD);
}

/* What ended a worker twice ends none any more, and teaches nothing. */
static bool failure_take(struct proposing *proposing, const struct frame *frame)
{
    struct reader reader = reader_of(frame->payload);
    enum scan_failure failure = get_u8(&reader);
    if (reader.failed) return false;
    if (failure == SCAN_POISON)
        next(proposing, PROPOSED_UNREAD);
    else
        later(proposing, "scan cannot read it now");
    return true;
}

static bool on_frame(void *context, struct frame *frame)
{
    struct proposing *proposing = CONTEXT(context, struct proposing, PROPOSING_MAGIC);
    if (frame->type == SCAN_SIGNATURES) return true;
    if (frame->type != SCAN_LESSON_IS && frame->type != SCAN_FAILED) return false;
    if (!proposing->is_under_way || frame->id != proposing->asked) return true;
    if (frame->type == SCAN_FAILED) return failure_take(proposing, frame);
    lesson_take(proposing, frame);
    return true;
}

static void on_closed(void *context)
{
    struct proposing *proposing = CONTEXT(context, struct proposing, PROPOSING_MAGIC);
    channel_close(proposing->scan);
    proposing->scan = NULL;
    later(proposing, "scan is being restarted");
}

/* --- life --- */

void proposing_set_scan(struct proposing *proposing, int fd)
{
    static const struct channel_events events = { on_frame, on_closed };
    if (proposing->scan) on_closed(proposing);
    proposing->scan = channel_open(proposing->loop, fd, &events, proposing);
}

void proposing_begin(struct proposing *proposing, struct channel *ledger, const struct proposing_order *order)
{
    proposing->ledger = ledger;
    proposing->order = *order;
    proposing->at = 0;
    proposing->is_under_way = true;
    for (int i = 0; i < PROPOSED_COUNT; i++) proposing->outcomes[i] = 0;
    mail_ask(proposing);
}

void proposing_cancel(struct proposing *proposing)
{
    proposing->is_under_way = false;
    proposing->ledger = NULL;
}

struct proposing *proposing_new(struct loop *loop, const struct proposing_events *events, void *context)
{
    struct proposing *proposing = memory_alloc(sizeof *proposing);
    *proposing =
        (struct proposing){ .magic = PROPOSING_MAGIC, .loop = loop, .events = events, .context = context };
    proposing->arena = arena_new(0);
    return proposing;
}
