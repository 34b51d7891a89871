/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A session's bytes: lines to verbs, content to the transaction; who may connect; time limits and the end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "receive/eviction.h"
#include "receive/keeping.h"
#include "receive/recipients.h"
#include "receive/relaying.h"
#include "receive/session.h"
#include "receive/transaction.h"
#include "receive/verbs.h"
#include "receive/xclient.h"
#include "smtp/proxy.h"

enum { REPLY_TEXT_MOST = 900, REPLY_LINE_MOST = 600 };
enum { NOTED_A_MINUTE = 1000 };   /* connections of one client, with lines of their own in the log */
enum { UNREAD_MOST = 64 * 1024 }; /* of replies that the client does not read */

static size_t on_input(void *context, struct text bytes);
static void on_secured(void *context);
static void on_half_closed(void *context);
static void on_ended(void *context, enum stream_end end, const char *reason);
static void on_time(void *context);
static void greet(struct session *session);
static void number_forget(struct session *session);

static const struct stream_events stream_events = {
    .on_input = on_input, .on_secured = on_secured, .on_ended = on_ended, .on_half_closed = on_half_closed
};

/* --- who may --- */

static bool list_has(const struct network_list *list, const struct address *address)
{
    for (size_t i = 0; i < list->count; i++)
        if (network_has(&list->items[i], address)) return true;
    return false;
}

void session_client_set(struct session *session, const struct address *client)
{
    char room[ADDRESS_TEXT_SIZE];
    arena_reset(session->who);
    session->client = *client;
    session->client_text = arena_text(session->who, text_of(address_print(client, room)));
    session->client_name = TEXT("unknown");
    question_set_begin(&session->questions, session->who, session->mail);
}

void session_name_ask(struct session *session)
{
    if (!session->server->config->dns.client_names) return;
    question_set_add(&session->questions, QUESTION_OF_SESSION, QUESTION_CLIENT_NAME, session->client_text);
    session_ask(session);
}

const struct question *session_name(const struct session *session)
{
    return question_set_find(&session->questions, QUESTION_CLIENT_NAME, session->client_text);
}

void session_ask(struct session *session)
{
    struct server *server = session->server;
    struct question_set *set = &session->questions;
    if (!server->lookup) question_set_close(set);
    while (question_set_has_unasked(set))
        question_set_ask(set, server->lookup, session_question_id(session), server->config->dns.timeout_ms);
}

void session_note(const struct session *session, const char *what, const char *more)
{
    if (session->is_quiet) return;
    log_info("%s from %.*s[%.*s]%s", what, TEXT_ARG(session->client_name), TEXT_ARG(session->client_text),
             more);
}

static void leave(struct session *session)
{
    if (session->has_entered) clients_leave(session->server->clients, session->entry);
    session->has_entered = false;
}

const char *session_refusal(struct session *session, uint16_t *out_code, const char **out_enhanced)
{
    const struct config *config = session->server->config;
    *out_code = 554;
    *out_enhanced = "5.7.1";
    leave(session);
    if (list_has(&session->port->listener.deny, &session->client)) return "access denied";
    struct client_numbers numbers;
    struct address client = clients_network(&session->client, config->limits.ipv6_prefix);
    session->entry =
        clients_enter(session->server->clients, &client, loop_now_ms(session->server->loop), &numbers);
    session->has_entered = true;
    *out_code = 421;
    *out_enhanced = "4.7.0";
    session->is_quiet = numbers.in_minute > NOTED_A_MINUTE;
    if (numbers.in_minute == NOTED_A_MINUTE + 1)
        log_info("%.*s has connected %d times in this minute: the lines of the next connections are left out",
                 TEXT_ARG(session->client_text), NOTED_A_MINUTE);
    if (config->limits.per_client && numbers.connections > config->limits.per_client)
        return "too many connections from your address";
    if (config->limits.rate_per_client && numbers.in_minute > config->limits.rate_per_client)
        return "you connect too often, try again later";
    if (config->limits.rate && numbers.all_in_minute > config->limits.rate)
        return "too busy, try again later";
    if (numbers.all_connections > config->limits.connections &&
        !eviction_makes_place(session->server, session))
        return "too many connections, try again later";
    return NULL;
}

/* Who may connect at all; whom a peer stands for is another matter. */
static const char *greeting_refusal(struct session *session, uint16_t *out_code, const char **out_enhanced)
{
    const struct network_list *from = &session->port->listener.from;
    *out_code = 554;
    *out_enhanced = "5.7.1";
    if (from->count > 0 && !list_has(from, &session->client))
        return "access denied: this port is for listed hosts";
    return session_refusal(session, out_code, out_enhanced);
}

static void turn_away(struct session *session, uint16_t code, const char *enhanced, const char *text)
{
    session_log_reject(session, STAGE_CONNECT, TEXT_NONE, code, enhanced, text);
    session_reply(session, code, enhanced, "%s", text);
    session->is_quiet = true; /* that line has said it all */
    session->state = SESSION_CLOSING;
    session_end(session);
}

/* --- begin and end --- */

void session_begin(struct server *server, struct port *port, int fd, const struct endpoint *peer)
{
    static uint64_t numbers;
    struct session *session = memory_alloc(sizeof *session);
    session->server = server;
    session->port = port;
    port->users++;
    session->who = arena_new(512);
    session->mail = arena_new(1024);
    session->number = ++numbers;
    session->next_by_number = server->by_number[session->number % SERVER_BUCKETS];
    server->by_number[session->number % SERVER_BUCKETS] = session;
    session->started_ms = loop_now_ms(server->loop);
    session->peer = *peer;
    session->transaction.offered = -1;
    session->next = server->sessions;
    if (session->next) session->next->previous = session;
    server->sessions = session;
    server->session_count++;
    server->counters->connections++;
    session->stream = stream_open(server->loop, fd, &stream_events, session);
    stream_limit_output(session->stream, UNREAD_MOST);
    stream_serve_half_closed(session->stream);
    session->timer = timer_new(server->loop, on_time, session);
    session_client_set(session, &peer->address);
    session_pace_renew(session, PACE_GREETING);
    eviction_watch(server);
    if (list_has(&port->listener.proxy, &peer->address)) {
        session->state = SESSION_PROXY;
        session_await(session);
        return;
    }
    session->is_early = server_socket_has_input(fd);
    greet(session);
}

static void greet(struct session *session)
{
    uint16_t code;
    const char *enhanced, *no = greeting_refusal(session, &code, &enhanced);
    if (no) {
        turn_away(session, code, enhanced, no);
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

void session_end(struct session *session)
{
    struct server *server = session->server;
    if (!session->is_quiet || session->messages > 0)
        log_info("disconnect from %.*s[%.*s] messages=%u errors=%u", TEXT_ARG(session->client_name),
                 TEXT_ARG(session->client_text), session->messages, session->errors);
    keep_count_aborted(session);
    transaction_drop(session);
    number_forget(session);
    leave(session);
    stream_close(session->stream);
    timer_free(session->timer);
    if (session->previous)
        session->previous->next = session->next;
    else
        server->sessions = session->next;
    if (session->next) session->next->previous = session->previous;
    server->session_count--;
    port_release(session->port);
    arena_free(session->mail);
    arena_free(session->who);
    arena_free(session->asked);
    free(session);
    server_session_ended(server);
}

/* --- finding a session for an answer --- */

uint64_t session_question_id(struct session *session)
{
    return session->number << 16 | ++session->question_ids;
}

struct session *session_by_question(struct server *server, uint64_t id)
{
    uint64_t number = id >> 16;
    struct session *session = server->by_number[number % SERVER_BUCKETS];
    while (session && session->number != number) session = session->next_by_number;
    return session;
}

static void number_forget(struct session *session)
{
    struct session **at = &session->server->by_number[session->number % SERVER_BUCKETS];
    while (*at != session) at = &(*at)->next_by_number;
    *at = session->next_by_number;
}

static struct session **id_bucket(struct server *server, uint64_t id)
{
    return &server->by_id[(id ^ id >> 22) % SERVER_BUCKETS];
}

struct session *transaction_by_id(struct server *server, uint64_t id)
{
    struct session *session = *id_bucket(server, id);
    while (session && session->transaction.id != id) session = session->next_by_id;
    return session;
}

void session_remember_id(struct session *session)
{
    struct session **bucket = id_bucket(session->server, session->transaction.id);
    session->next_by_id = *bucket;
    *bucket = session;
    session->has_id = true;
}

void session_forget_id(struct session *session)
{
    if (!session->has_id) return;
    struct session **at = id_bucket(session->server, session->transaction.id);
    while (*at != session) at = &(*at)->next_by_id;
    *at = session->next_by_id;
    session->has_id = false;
}

void session_end_out_of_step(struct session *session, uint16_t code, const char *enhanced, const char *text)
{
    log_info("out of step with %.*s[%.*s]: %s", TEXT_ARG(session->client_name),
             TEXT_ARG(session->client_text), text);
    session_reply(session, code, enhanced, "%s", text);
    session_end(session);
}

void session_give_up(struct session *session, const char *text)
{
    session_reply(session, 421, "4.3.2", "%.*s %s", TEXT_ARG(session->server->config->hostname), text);
    session_end(session);
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
    session_end(session);
}

static void on_time(void *context)
{
    struct session *session = context;
    if (session->state == SESSION_WAITING) {
        transaction_timed_out(session);
        return;
    }
    if (session->state == SESSION_CLOSING) {
        session_end(session);
        return;
    }
    session_note(session, "timeout", "");
    session_reply(session, 421, "4.4.2", "%.*s timeout, closing",
                  TEXT_ARG(session->server->config->hostname));
    session_end(session);
}

/* --- replies and states --- */

/* Four of these a message: put together by hand, since printf would cost more than the rest. */
static void reply_write(struct session *session, uint16_t code, struct text enhanced, struct text text)
{
    char line[REPLY_TEXT_MOST + 32], *at = line;
    *at++ = (char)('0' + code / 100);
    *at++ = (char)('0' + code / 10 % 10);
    *at++ = (char)('0' + code % 10);
    *at++ = ' ';
    enhanced.length = enhanced.length < 16 ? enhanced.length : 16;
    memcpy(at, enhanced.at, enhanced.length);
    at += enhanced.length;
    if (enhanced.length) *at++ = ' ';
    memcpy(at, text.at, text.length);
    at += text.length;
    *at++ = '\r';
    *at++ = '\n';
    stream_write(session->stream, text_from(line, (size_t)(at - line)));
}

/* RFC 5321 section 4.5.3.1.10: a client minds 452 by coming again with the rest, and may have sent as many at
   once as it was to have sent at most. */
static void error_count(struct session *session, uint16_t code)
{
    if (code < 400) return;
    if (code != 452 || ++session->overshoots > session->server->config->limits.recipients) session->errors++;
}

void session_count_junk(struct session *session)
{
    if (session->speaks_for || !xclient_is_allowed(session)) session->junk++;
}

void session_junk_forget(struct session *session)
{
    session->junk = session->overshoots = 0;
}

void session_reply(struct session *session, uint16_t code, const char *enhanced, const char *format, ...)
{
    char text[REPLY_TEXT_MOST];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 127) *at = '?';
    error_count(session, code);
    reply_write(session, code, text_of(enhanced ? enhanced : ""), text_of(text));
}

void session_evict(struct session *session)
{
    log_info("no room: %.*s[%.*s] is the slowest and goes", TEXT_ARG(session->client_name),
             TEXT_ARG(session->client_text));
    keep_count_aborted(session);
    transaction_drop(session);
    leave(session);
    session->state = SESSION_CLOSING;
    session_reply(session, 421, "4.3.2", "%.*s has no room for clients as slow as you",
                  TEXT_ARG(session->server->config->hostname));
    timer_set(session->timer, 0);
}

void session_wait(struct session *session, uint64_t limit_ms)
{
    session_pace_count(session, 0);
    session->state = SESSION_WAITING;
    timer_set(session->timer, limit_ms);
    stream_pause(session->stream);
}

void session_go_on(struct session *session, enum session_state state)
{
    session->state = state;
    session_pace_skip(session);
    session_await(session);
    stream_resume(session->stream);
}

bool session_is_node(const struct session *session)
{
    return *stream_peer_name(session->stream) != '\0';
}

const char *session_protocol(const struct session *session)
{
    bool is_utf8 = session->transaction.envelope.smtputf8, is_secure = stream_is_secure(session->stream);
    if (!session->is_esmtp) return "SMTP";
    if (is_utf8) return is_secure ? "UTF8SMTPS" : "UTF8SMTP";
    return is_secure ? "ESMTPS" : "ESMTP";
}

/* The counters; the reply on one line. */
static struct text reject_note(struct session *session, uint16_t code, const char *enhanced, const char *text,
                               char room[REPLY_LINE_MOST])
{
    uint64_t *counter =
        code >= 500 ? &session->server->counters->refused_5xx : &session->server->counters->refused_4xx;
    (*counter)++;
    snprintf(room, REPLY_LINE_MOST, "%u %s %s", code, enhanced, text);
    return text_of(room);
}

void session_log_reject(struct session *session, enum event_stage stage, struct text recipient, uint16_t code,
                        const char *enhanced, const char *text)
{
    char room[REPLY_LINE_MOST];
    keep_tell_refused(session, stage, recipient, code, reject_note(session, code, enhanced, text, room));
}

void session_log_content_refused(struct session *session, uint16_t code, const char *enhanced,
                                 const char *text)
{
    char room[REPLY_LINE_MOST];
    for (uint32_t i = 0; i < session->transaction.envelope.recipient_count; i++)
        keep_tell_content_refused(session, i, code, reject_note(session, code, enhanced, text, room));
}

/* --- input --- */

static bool patience_is_over(struct session *session)
{
    const struct config *config = session->server->config;
    bool is_junk = config->limits.junk && session->junk > config->limits.junk;
    if (session->errors <= config->limits.errors && !is_junk) return false;
    const char *why = is_junk ? "too many commands without a message" : "too many errors";
    session_note(session, why, "");
    session_reply(session, 421, "4.7.0", "%.*s %s", TEXT_ARG(config->hostname), why);
    session_end(session);
    return true;
}

/* What is there of a line that has not come whole. Returns what was consumed. */
static size_t take_part(struct session *session, struct text bytes)
{
    if (!session->skips_line && smtp_is_foreign_start(bytes)) {
        session_end_out_of_step(session, 500, "5.5.1", "this is SMTP, and what you speak is not");
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
        session_give_up(session, "the session has lasted its time, connect again");
    else if (!has_cr && session->port->listener.repair == REPAIR_NONE)
        session_end_out_of_step(session, 500, "5.5.2", "lines end with CRLF; a bare LF was received");
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
        session_end(session);
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
    transaction_drop(session);
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
