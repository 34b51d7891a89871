/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The channels to queue, scan, lookup, consult and deliver: frames find their sessions, and what a peer took
   with it when it died is asked of the next one. Called by main.c. */
#include "receive/peers.h"

#include <unistd.h>

#include "base/log.h"
#include "receive/connection.h"
#include "receive/judging.h"
#include "receive/mail_data.h"
#include "receive/ports.h"
#include "receive/queue_request.h"
#include "receive/recipients.h"
#include "receive/relay.h"
#include "receive/transaction.h"

/* --- queue --- */

static void kept(struct server *server, uint64_t id)
{
    struct session *session = session_by_message(server, id);
    if (session)
        transaction_kept(session);
    else /* its client is gone: the offer stays until queue has told ledger */
        channel_send(server->queue, QUEUE_RESOLVE, id, TEXT_NONE);
}

static void not_kept(struct server *server, struct frame *frame)
{
    struct session *session = session_by_message(server, frame->id);
    struct reader reader = reader_of(frame->payload);
    enum keep_refusal why = get_u8(&reader);
    struct text reason = get_text(&reader);
    if (session)
        transaction_not_kept(session, why, reason);
    else
        keep_old_resolved(server, frame->id, false);
}

static void resolved(struct server *server, uint64_t id, bool is_kept)
{
    struct session *session = session_by_message(server, id);
    if (session)
        transaction_resolved(session, is_kept);
    else
        keep_old_resolved(server, id, is_kept);
}

static bool queue_frame(void *context, struct frame *frame)
{
    struct server *server = context;
    struct reader reader = reader_of(frame->payload);
    switch (frame->type) {
    case QUEUE_KEPT:
        kept(server, frame->id);
        return true;
    case QUEUE_KEPT_BEFORE: {
        struct session *session = session_by_message(server, frame->id);
        uint64_t as = get_u64(&reader);
        if (session)
            transaction_kept_before(session, as);
        else
            keep_old_resolved(server, frame->id, false);
        return !reader.failed;
    }
    case QUEUE_NOT_KEPT:
        not_kept(server, frame);
        return true;
    case QUEUE_RESOLVED:
        resolved(server, frame->id, get_u8(&reader) != 0);
        return !reader.failed;
    case QUEUE_BODY_FILE_IS: {
        struct session *session = session_by_message(server, frame->id);
        if (session) mail_data_file(session, frame_take_fd(frame, 0));
        return true;
    }
    case QUEUE_SPACE: {
        bool is_full = get_u8(&reader) != 0;
        struct text why = get_text(&reader);
        if (is_full != server->queue_is_full)
            log_warning("queue %s: %.*s", is_full ? "takes nothing now" : "takes mail again", TEXT_ARG(why));
        server->queue_is_full = is_full;
        return !reader.failed;
    }
    default:
        return false;
    }
}

static void queue_gone(void *context)
{
    struct server *server = context;
    channel_close(server->queue);
    server->queue = NULL;
}

static void queue_back(struct server *server)
{
    keep_resolve_old(server);
    for (struct session *session = server->sessions, *next; session; session = next) {
        next = session->next;
        connection_queue_is_back(session);
    }
}

/* --- scan --- */

static bool scan_frame(void *context, struct frame *frame)
{
    struct session *session = session_by_message(context, frame->id);
    if (frame->type < SCAN_FACTS || frame->type > SCAN_FAILED) return false;
    if (!session) return true; /* it was cancelled meanwhile */
    if (frame->type == SCAN_FACTS) judging_facts(session, frame);
    if (frame->type == SCAN_VERDICT) judging_verdict(session, frame);
    if (frame->type == SCAN_FAILED) judging_scan_failed(session, frame);
    return true;
}

static void scan_gone(void *context)
{
    struct server *server = context;
    channel_close(server->scan);
    server->scan = NULL;
}

static void scan_back(struct server *server)
{
    for (struct session *session = server->sessions, *next; session; session = next) {
        next = session->next;
        judging_scan_is_back(session);
    }
}

/* --- answerers --- */

static bool answer_frame(struct server *server, struct frame *frame, enum question_answerer from)
{
    struct session *session = session_by_question(server, frame->id);
    struct question_answer answer;
    if (!question_answer_get(frame, from, &answer)) return false;
    if (session) judging_answered(session, frame->id, &answer);
    return true;
}

/* A question that died with its answerer is a temporary error, never "none". */
static void answerer_gone(struct server *server, struct channel **channel, enum question_answerer gone)
{
    channel_close(*channel);
    *channel = NULL;
    for (struct session *session = server->sessions, *next; session; session = next) {
        next = session->next;
        judging_unanswered(session, gone);
    }
}

static bool sender_frame(struct server *server, struct frame *frame)
{
    struct session *session = session_by_question(server, frame->id);
    struct sender_rcpt_answer answer;
    struct text bytes;
    if (!lookup_text_get(frame, &bytes) || !sender_rcpt_answer_get(bytes, &answer)) return false;
    if (session && session->sender_ask == frame->id) recipient_sender_known(session, &answer);
    return true;
}

static bool lookup_frame(void *context, struct frame *frame)
{
    if (frame->type == LOOKUP_SENDER_IS) return sender_frame(context, frame);
    return answer_frame(context, frame, ANSWERER_LOOKUP);
}

static void lookup_gone(void *context)
{
    struct server *server = context;
    answerer_gone(server, &server->lookup, ANSWERER_LOOKUP);
}

/* What the old one was asked for, or nobody could be: a new one may know. */
static void lookup_back(struct server *server)
{
    for (struct session *session = server->sessions; session; session = session->next) {
        if (session->dialogue.speaks_for || session->transaction.step >= STEP_JUDGING) continue;
        question_set_reopen(&session->questions);
        session_ask(session);
    }
}

static bool consult_frame(void *context, struct frame *frame)
{
    return answer_frame(context, frame, ANSWERER_CONSULT);
}

static void consult_gone(void *context)
{
    struct server *server = context;
    answerer_gone(server, &server->consult, ANSWERER_CONSULT);
}

/* What the old one was asked is answered as it was. */
static void consult_back(struct server *server)
{
}

/* --- deliver --- */

static bool deliver_frame(void *context, struct frame *frame)
{
    if (frame->type == DELIVER_RELAYED) {
        struct session *relaying = session_by_message(context, frame->id);
        if (relaying) transaction_relayed(relaying, frame);
        return true;
    }
    struct session *session = session_by_question(context, frame->id);
    struct reader reader = reader_of(frame->payload);
    enum recipient_ending ending = get_u8(&reader);
    get_u16(&reader);
    struct text enhanced = get_text(&reader), reply = get_text(&reader);
    if (frame->type != DELIVER_CALL_OUT_IS || reader.failed) return false;
    if (session && session->callout == frame->id) recipient_called_out(session, ending, enhanced, reply);
    return true;
}

static void deliver_gone(void *context)
{
    struct server *server = context;
    channel_close(server->deliver);
    server->deliver = NULL;
}

static void deliver_back(struct server *server)
{
    for (struct session *session = server->sessions; session; session = session->next) {
        relay_deliver_is_back(session);
        recipient_deliver_is_back(session);
    }
}

/* --- a channel --- */

void peers_take(struct server *server, enum process_kind kind, int fd)
{
    static const struct channel_events queue_events = { queue_frame, queue_gone };
    static const struct channel_events scan_events = { scan_frame, scan_gone };
    static const struct channel_events lookup_events = { lookup_frame, lookup_gone };
    static const struct channel_events consult_events = { consult_frame, consult_gone };
    static const struct channel_events deliver_events = { deliver_frame, deliver_gone };
    const struct {
        enum process_kind kind;
        struct channel **channel;
        const struct channel_events *events;
        void (*gone)(void *context);
        void (*back)(struct server *server);
    } peers[] = {
        { PROCESS_QUEUE, &server->queue, &queue_events, queue_gone, queue_back },
        { PROCESS_SCAN, &server->scan, &scan_events, scan_gone, scan_back },
        { PROCESS_LOOKUP, &server->lookup, &lookup_events, lookup_gone, lookup_back },
        { PROCESS_CONSULT, &server->consult, &consult_events, consult_gone, consult_back },
        { PROCESS_DELIVER, &server->deliver, &deliver_events, deliver_gone, deliver_back },
    };
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
        if (peers[i].kind != kind) continue;
        if (*peers[i].channel) peers[i].gone(server);
        *peers[i].channel = channel_open(server->loop, fd, peers[i].events, server);
        peers[i].back(server);
        ports_begin(server);
        return;
    }
    close(fd);
}
