/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A connection's bytes: lines to verbs, content to the transaction; the greeting, time limits and the end. */
#include "receive/inbound.h"

#include <stdio.h>
#include <sys/socket.h>

#include "base/log.h"
#include "receive/account.h"
#include "receive/admission.h"
#include "receive/drop.h"
#include "receive/eviction.h"
#include "receive/recipients.h"
#include "receive/relay.h"
#include "receive/transaction.h"
#include "receive/verbs.h"
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

static void greet(struct session *session)
{
    struct reply refusal = admission_of_peer(session);
    if (refusal.code) {
        turn_away(session, &refusal);
        return;
    }
    session_note(session, "connect", "");
    if (session->is_early) {
        session_note(session, "early talker", ": it spoke before the greeting");
        session->errors += 2;
    }
    session_name_ask(session);
    session->state = SESSION_COMMAND;
    session_await(session);
    session_reply(session, 220, NULL, "%.*s ESMTP Sekimori", TEXT_ARG(session->server->config->hostname));
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

void inbound_queue_is_back(struct session *session)
{
    transaction_queue_is_back(session);
    if (session->queue == QUEUE_IS_AWAITED) queue_wait_end(session, QUEUE_IS_THERE);
}

static void wait_is_over(struct session *session)
{
    if (session->queue == QUEUE_IS_AWAITED)
        queue_wait_end(session, QUEUE_IS_MISSED);
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

static bool patience_is_over(struct session *session)
{
    const struct config *config = session->server->config;
    bool is_junk = config->limits.junk && session->junk > config->limits.junk;
    if (session->errors <= config->limits.errors && !is_junk) return false;
    const char *why = is_junk ? "too many commands without a message" : "too many errors";
    session_note(session, why, "");
    drop_goodbye(session, "4.7.0", why);
    return true;
}

/* What is there of a line that has not come whole. Returns what was consumed. */
static size_t take_part(struct session *session, struct text bytes)
{
    if (!session->skips_line && smtp_is_foreign_start(bytes)) {
        drop_out_of_step(session, &(struct reply){ 500, "5.5.1", "this is SMTP, and what you speak is not" });
        return bytes.length;
    }
    if (bytes.length <= COMMAND_LINE_MOST) return 0;
    session->skips_line = true; /* its rest is thrown away as it comes, and answered once */
    return bytes.length;
}

/* A command line's end is CRLF; a bare LF only where the port repairs it. Returns what was consumed. */
static size_t take_line(struct session *session, struct text bytes)
{
    size_t end = text_find_char(bytes, '\n');
    if (end == bytes.length) return take_part(session, bytes);
    struct text line = text_slice(bytes, 0, end);
    bool has_cr = end > 0 && line.at[end - 1] == '\r';
    if (has_cr) line.length--;
    bool is_too_long = session->skips_line || line.length > COMMAND_LINE_MOST;
    session->skips_line = false;
    session_await(session);
    if (session->transaction.step == STEP_NONE && session_left_ms(session) == 0)
        drop_goodbye(session, "4.3.2", "the session has lasted its time, connect again");
    else if (!has_cr && session->port->listener.repair == REPAIR_NONE)
        drop_out_of_step(session,
                         &(struct reply){ 500, "5.5.2", "lines end with CRLF; a bare LF was received" });
    else if (is_too_long)
        session_reply(session, 500, "5.5.2", "the line is too long");
    else if (!verb_do(session, line)) /* after QUIT the session is gone */
        return 0;
    return end + 1;
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
        log_warning("no PROXY header from %.*s, from which one is required", TEXT_ARG(session->client_text));
        drop_session(session);
        return 0;
    }
    if (outcome == PROXY_CLIENT) session_client_set(session, &client.address);
    greet(session);
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
        if (patience_is_over(session)) return bytes.length;
        return take_line(session, bytes);
    case SESSION_DATA:
        content_heard(session, bytes.length);
        return transaction_data(session, bytes);
    case SESSION_CHUNK:
        content_heard(session, bytes.length < session->chunk_left ? bytes.length : session->chunk_left);
        return transaction_chunk(session, bytes);
    default:
        return 0;
    }
}

/* RFC 3207 section 4.2: all knowledge from before is thrown away. */
static void on_secured(void *context)
{
    struct session *session = context;
    drop_message(session);
    session->helo = TEXT_NONE;
    session->is_esmtp = false;
    if (session->is_quiet) return;
    const char *node = stream_peer_name(session->stream), *doubt = stream_peer_doubt(session->stream);
    log_info("%s TLS connection established from %.*s[%.*s]: %s with cipher %s (%d bits)%s%s",
             *node ? "Trusted" : "Anonymous", TEXT_ARG(session->client_name), TEXT_ARG(session->client_text),
             stream_tls_version(session->stream), stream_tls_cipher(session->stream),
             stream_tls_bits(session->stream), *node ? " node=" : "", node);
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

void inbound_begin(struct server *server, struct port *port, int fd, const struct endpoint *peer)
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
    if (server_lists(&port->listener.proxy, &peer->address)) {
        session->state = SESSION_PROXY;
        session_await(session);
        return;
    }
    session->is_early = has_input(fd); /* its client speaks before it was greeted */
    greet(session);
}
