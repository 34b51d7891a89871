/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A connection's bytes: lines to the dialogue, content to the transaction; the greeting, time limits and
 * the end. */
#include "receive/connection.h"

#include <stdio.h>
#include <sys/socket.h>

#include "base/log.h"
#include "receive/account.h"
#include "receive/admission.h"
#include "receive/drop.h"
#include "receive/eviction.h"
#include "receive/list_check.h"
#include "receive/mail_data.h"
#include "receive/recipients.h"
#include "receive/relay.h"
#include "receive/transaction.h"
#include "receive/xclient.h"
#include "smtp/proxy.h"

enum { UNREAD_MOST = 64 * 1024 }; /* of replies that the client does not read */

/* --- begin and end --- */

static void turn_away(struct session *session, const struct reply *reply)
{
    account_refused(session, STAGE_CONNECT, TEXT_NONE, reply);
    session_reply(session, reply->code, reply->enhanced, "%s", reply->text);
    session->is_quiet = true; /* that line has said it all */
    session->state = SESSION_CLOSING;
    drop_session(session);
}

/* `is_early`: its client spoke before. */
static void greet(struct session *session, bool is_early)
{
    struct reply refusal = admission_of_peer(session);
    if (refusal.code) {
        turn_away(session, &refusal);
        return;
    }
    session_note(session, "connect", "");
    if (is_early) session_note(session, "early talker", ": it spoke before the greeting");
    session_name_ask(session);
    list_check_client(session);
    session->state = SESSION_COMMAND;
    session_await(session);
    server_dialogue_greet(&session->dialogue, session->server->config, is_early, &session->server->replies);
    session_speak(session);
}

static void on_half_closed(void *context)
{
    struct session *session = context;
    session->has_closed_side = true;
    if (session->transaction.step != STEP_NONE) session_note(session, "half-closed connection", "");
    relay_doubt(session);
}

static void on_ended(void *context, enum stream_end end, const char *reason)
{
    struct session *session = context;
    char why[200];
    snprintf(why, sizeof why, ": %s", reason);
    if (end == STREAM_END_TLS && !stream_is_secure(session->stream))
        session->server->measures->handshakes[MEASURES_TLS_FAILED]++;
    if (session->transaction.step != STEP_NONE || end != STREAM_END_CLOSED)
        session_note(session, "lost connection", why);
    drop_session(session);
}

/* The queue that MAIL waits for: it came, or was missed. What came along is done in this. */
static void queue_wait_end(struct session *session, enum session_queue queue)
{
    session->queue = queue;
    session_go_on(session, SESSION_COMMAND);
}

void connection_queue_is_back(struct session *session)
{
    transaction_queue_is_back(session);
    if (session->queue == QUEUE_IS_AWAITED) queue_wait_end(session, QUEUE_IS_THERE);
}

static void wait_is_over(struct session *session)
{
    if (session->queue == QUEUE_IS_AWAITED)
        queue_wait_end(session, QUEUE_IS_MISSED);
    else if (session->waits_for_lists)
        list_check_missed(session);
    else if (session->sender_ask)
        recipient_sender_known(session, NULL);
    else if (session->callout)
        recipient_timed_out(session);
    else
        transaction_timed_out(session);
}

static void on_time(void *context)
{
    struct session *session = context;
    if (session->state == SESSION_WAITING) {
        wait_is_over(session);
    } else if (session->state == SESSION_CLOSING) {
        drop_session(session);
    } else {
        session_note(session, "timeout", "");
        drop_goodbye(session, "4.4.2", "timeout, closing");
    }
}

/* --- input --- */

/* Whatever the node says next, it has seen our reply to what it sent before. */
static void confirm(struct session *session)
{
    struct channel *queue = session->server->queue;
    if (session->unconfirmed && queue) channel_send(queue, QUEUE_CONFIRMED, session->unconfirmed, TEXT_NONE);
    session->unconfirmed = 0;
}

/* While queue is being restarted a new message waits for it, as one at its end does: not for longer. False:
   MAIL is to be shown again when the session goes on. */
static bool mail_offer(struct session *session, const struct smtp_command *command)
{
    struct server *server = session->server;
    if (admission_waits_for_queue(session) && session->queue != QUEUE_IS_MISSED) {
        session->queue = QUEUE_IS_AWAITED;
        session_wait(session, server->config->limits.verdict_ms);
        return false;
    }
    session->queue = QUEUE_IS_THERE;
    struct reply refusal = admission_of_message(session);
    if (refusal.code == 0) transaction_open(session, command);
    server_dialogue_mail_answer(&session->dialogue, server->config, &refusal, &server->replies);
    session_speak(session);
    return true;
}

/* One small function an action. The session may be gone after those of the end. */

static void data_taken(struct session *session, const struct server_dialogue_step *step)
{
    bool is_chunk = step->action == SERVER_DIALOGUE_CHUNK;
    if (session->transaction.step == STEP_OPEN && session->dialogue.mail >= MAIL_DATA)
        mail_data_begin(session);
    session->state = is_chunk ? SESSION_CHUNK : SESSION_DATA;
    if (!is_chunk)
        session_await(session);
    else if (session->dialogue.chunk_left == 0)
        mail_data_chunk(session, TEXT_NONE);
}

static void refusal_tell(struct session *session, const struct server_dialogue_step *step)
{
    account_refused(session, step->stage, step->address, &step->refusal);
}

static void rcpt_offer(struct session *session, const struct server_dialogue_step *step)
{
    recipient_offer(session, &step->command);
}

static void xclient_take(struct session *session, const struct server_dialogue_step *step)
{
    xclient_do(session, &step->command);
}

static void reset(struct session *session, const struct server_dialogue_step *step)
{
    drop_unfinished(session);
}

static void greeted(struct session *session, const struct server_dialogue_step *step)
{
    drop_unfinished(session);
    session_pace_reach(session, PACE_BETWEEN);
    session_await(session);
}

/* The cloud whose client it is, which is asked for its certificate; a node that speaks for others is not. */
static const struct port_hosted *hosted_of(const struct session *session)
{
    const struct port *port = session->port;
    for (size_t i = 0; i < port->hosted_count && !session->dialogue.speaks_for; i++)
        if (network_list_has(&port->hosted[i].networks, &session->client)) return &port->hosted[i];
    return NULL;
}

static void secure(struct session *session, const struct server_dialogue_step *step)
{
    session_pace_renew(session, PACE_GREETING); /* once a session: the handshake and EHLO have its time */
    session_await(session);
    session->asked_as = hosted_of(session);
    stream_start_tls(session->stream, session->asked_as ? session->asked_as->tls : session->port->tls, true,
                     TEXT_NONE);
}

static void give_up(struct session *session, const struct server_dialogue_step *step)
{
    session_note(session, step->refusal.text, "");
    drop_session(session);
}

static void end_out_of_step(struct session *session, const struct server_dialogue_step *step)
{
    drop_out_of_step(session, step->refusal.text);
}

static void end(struct session *session, const struct server_dialogue_step *step)
{
    drop_session(session);
}

static void (*const acts[SERVER_DIALOGUE_ACTIONS])(struct session *session,
                                                   const struct server_dialogue_step *step) = {
    [SERVER_DIALOGUE_REFUSED] = refusal_tell,
    [SERVER_DIALOGUE_RCPT] = rcpt_offer,
    [SERVER_DIALOGUE_XCLIENT] = xclient_take,
    [SERVER_DIALOGUE_DATA] = data_taken,
    [SERVER_DIALOGUE_CHUNK] = data_taken,
    [SERVER_DIALOGUE_RESET] = reset,
    [SERVER_DIALOGUE_HELLO] = greeted,
    [SERVER_DIALOGUE_SECURE] = secure,
    [SERVER_DIALOGUE_GIVE_UP] = give_up,
    [SERVER_DIALOGUE_OUT_OF_STEP] = end_out_of_step,
    [SERVER_DIALOGUE_CLOSE] = end,
};

static size_t take_command(struct session *session, struct text bytes)
{
    struct server *server = session->server;
    const struct server_dialogue_terms terms = { server->config, session_left_ms(session) == 0,
                                                 session->has_transaction_id };
    struct server_dialogue_step step;
    arena_reset(server->line);
    server_dialogue_input(&session->dialogue, &terms, bytes, server->line, &server->replies, &step);
    if (step.action == SERVER_DIALOGUE_MORE) return step.used;
    if (session->unconfirmed) confirm(session);
    session_await(session);
    session_speak(session);
    if (step.action == SERVER_DIALOGUE_MAIL) return mail_offer(session, &step.command) ? step.used : 0;
    if (step.action == SERVER_DIALOGUE_RCPT && list_check_wait(session)) return 0;
    if (acts[step.action]) acts[step.action](session, &step);
    return step.used;
}

/* What is thrown away is paid for too, since its client is to hear why; but not without end. */
static void content_heard(struct session *session, uint64_t octets)
{
    struct transaction *transaction = &session->transaction;
    transaction->wire_octets += octets;
    bool counts = transaction->step == STEP_READING &&
                  transaction->wire_octets <= 2 * session->server->config->limits.message_bytes;
    session_pace_count(session, counts ? octets : 0);
    session_await(session);
}

static size_t take_proxy(struct session *session, struct text bytes)
{
    struct endpoint client;
    size_t used;
    enum proxy_outcome outcome = proxy_parse(bytes, &client, &used);
    if (outcome == PROXY_MORE) return 0;
    if (outcome == PROXY_BAD) {
        if (admission_is_noted(session->server))
            log_warning("no PROXY header from %.*s, from which one is required",
                        TEXT_ARG(session->client_text));
        drop_session(session);
        return 0;
    }
    if (outcome == PROXY_CLIENT) {
        session_client_set(session, &client.address);
        session->dialogue.is_listed = network_list_has(&session->port->listener.xclient, &client.address);
    }
    greet(session, false);
    return used;
}

/* The stream shows the rest again after each piece. The session may be gone after any of these. */
static size_t on_input(void *context, struct text bytes)
{
    struct session *session = context;
    switch (session->state) {
    case SESSION_PROXY:
        return take_proxy(session, bytes);
    case SESSION_COMMAND:
        return take_command(session, bytes);
    case SESSION_DATA:
        content_heard(session, bytes.length);
        return mail_data_take(session, bytes);
    case SESSION_CHUNK:
        content_heard(session, text_slice(bytes, 0, session->dialogue.chunk_left).length);
        return mail_data_chunk(session, bytes);
    default:
        return 0;
    }
}

static enum measures_tls tls_kind(const char *version)
{
    if (strcmp(version, "TLSv1.3") == 0) return MEASURES_TLS_1_3;
    return strcmp(version, "TLSv1.2") == 0 ? MEASURES_TLS_1_2 : MEASURES_TLS_OTHER;
}

static void on_secured(void *context)
{
    struct session *session = context;
    session->server->measures->handshakes[tls_kind(stream_tls_version(session->stream))]++;
    const char *node = stream_peer_name(session->stream), *doubt = stream_peer_doubt(session->stream);
    drop_message(session);
    if (session->asked_as)
        server_dialogue_secured(&session->dialogue, false, ""); /* a cloud is no node, whatever it shows */
    else
        server_dialogue_secured(&session->dialogue, *node != '\0', doubt);
    if (session->is_quiet) return;
    log_info("%s TLS connection established from %.*s[%.*s]: %s with cipher %s (%d bits)%s%s",
             *node ? "Trusted" : "Anonymous", TEXT_ARG(session->client_name), TEXT_ARG(session->client_text),
             stream_tls_version(session->stream), stream_tls_cipher(session->stream),
             stream_tls_bits(session->stream),
             !*node              ? ""
             : session->asked_as ? " certificate="
                                 : " node=",
             node);
    if (*doubt)
        log_warning("the certificate that %.*s[%.*s] showed counts as none: %s",
                    TEXT_ARG(session->client_name), TEXT_ARG(session->client_text), doubt);
}

/* --- a new connection --- */

static bool has_input(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

void connection_begin(struct server *server, struct port *port, int fd, const struct endpoint *peer)
{
    static const struct stream_events events = {
        .on_input = on_input, .on_secured = on_secured, .on_ended = on_ended, .on_half_closed = on_half_closed
    };
    struct session *session = session_new(server, port, peer);
    session->stream = stream_open(server->loop, fd, &events, session);
    stream_limit_output(session->stream, UNREAD_MOST);
    stream_serve_half_closed(session->stream);
    session->timer = timer_new(server->loop, on_time, session);
    eviction_watch(server);
    if (network_list_has(&port->listener.proxy, &peer->address)) {
        session->state = SESSION_PROXY;
        session_await(session);
        return;
    }
    greet(session, has_input(fd));
}
