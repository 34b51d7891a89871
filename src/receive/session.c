/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a session is, what it says and how long it waits. Knows nothing of what its messages go through. */
#include "receive/session.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

/* --- begin and end --- */

static void number_remember(struct session *session)
{
    static uint64_t numbers;
    session->number = ++numbers;
    struct session **bucket = &session->server->by_number[session->number % SERVER_BUCKETS];
    session->next_by_number = *bucket;
    *bucket = session;
}

static void number_forget(struct session *session)
{
    struct session **at = &session->server->by_number[session->number % SERVER_BUCKETS];
    while (*at != session) at = &(*at)->next_by_number;
    *at = session->next_by_number;
}

struct session *session_new(struct server *server, struct port *port, const struct endpoint *peer)
{
    struct session *session = memory_alloc(sizeof *session);
    session->server = server;
    session->port = port;
    port->users++;
    session->who = arena_new(512);
    session->mail = arena_new(1024);
    number_remember(session);
    session->started_ms = loop_now_ms(server->loop);
    session->peer = *peer;
    session->transaction.offered = -1;
    server_dialogue_start(&session->dialogue, &port->listener, port->tls != NULL,
                          network_list_has(&port->listener.xclient, &peer->address));
    session->next = server->sessions;
    if (session->next) session->next->previous = session;
    server->sessions = session;
    server->session_count++;
    server->counters->connections++;
    session_client_set(session, &peer->address);
    session_pace_renew(session, PACE_GREETING);
    return session;
}

void session_free(struct session *session)
{
    struct server *server = session->server;
    number_forget(session);
    session_leave(session);
    stream_close(session->stream);
    timer_free(session->timer);
    if (session->previous)
        session->previous->next = session->next;
    else
        server->sessions = session->next;
    if (session->next) session->next->previous = session->previous;
    server->session_count--;
    server_port_release(session->port);
    arena_free(session->mail);
    arena_free(session->who);
    arena_free(session->asked);
    spf_memory_free(&session->spf);
    free(session);
    server_session_ended(server);
}

void session_leave(struct session *session)
{
    if (session->has_entered) client_limits_leave(session->server->clients, session->entry);
    session->has_entered = false;
}

/* --- the client --- */

void session_client_set(struct session *session, const struct address *client)
{
    char room[ADDRESS_TEXT_SIZE];
    arena_reset(session->who);
    session->client = *client;
    session->client_text = arena_text(session->who, text_of(address_print(client, room)));
    session->client_name = TEXT("unknown");
    session->lists_missed = false;
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

bool session_is_judged(const struct session *session)
{
    const struct listener *listener = &session->port->listener;
    return listener->direction == DIRECTION_IN && listener->check && listener->relay != RELAY_THROUGH;
}

void session_ask(struct session *session)
{
    struct server *server = session->server;
    struct question_set *set = &session->questions;
    const struct question_ways ways = {
        .channels = { [ANSWERER_LOOKUP] = server->lookup, [ANSWERER_CONSULT] = server->consult },
        .body = session->transaction.step > STEP_READING ? &session->transaction.body : NULL,
        .envelope = session->transaction.opinion_envelope,
        .deadline_ms = server->config->dns.timeout_ms,
    };
    while (question_set_has_unasked(set)) question_set_ask(set, &ways, session_question_id(session));
}

void session_note(const struct session *session, const char *what, const char *more)
{
    if (session->is_quiet) return;
    log_info("%s from %.*s[%.*s]%s", what, TEXT_ARG(session->client_name), TEXT_ARG(session->client_text),
             more);
}

const char *session_protocol(const struct session *session)
{
    bool is_utf8 = session->transaction.envelope.smtputf8, is_secure = stream_is_secure(session->stream);
    if (!session->dialogue.is_esmtp) return "SMTP";
    if (is_utf8) return is_secure ? "UTF8SMTPS" : "UTF8SMTP";
    return is_secure ? "ESMTPS" : "ESMTP";
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

static struct session **id_bucket(struct server *server, uint64_t id)
{
    return &server->by_id[(id ^ id >> 22) % SERVER_BUCKETS];
}

struct session *session_by_message(struct server *server, uint64_t id)
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

/* --- replies --- */

void session_speak(struct session *session)
{
    struct buffer *replies = &session->server->replies;
    if (buffer_length(replies) == 0) return;
    stream_write(session->stream, buffer_text(replies));
    buffer_clear(replies);
}

void session_answer(struct session *session, const struct reply *reply)
{
    struct server *server = session->server;
    server_dialogue_reply(&session->dialogue, server->config, reply, &server->replies);
    session_speak(session);
}

void session_reply(struct session *session, uint16_t code, const char *enhanced, const char *format, ...)
{
    char text[SERVER_DIALOGUE_REPLY_MOST + 1];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    session_answer(session, &(struct reply){ code, enhanced, text });
}

/* --- time --- */

struct pace_limits session_pace_limits(const struct config *config)
{
    return (struct pace_limits){ config->limits.greeting_ms, config->limits.command_ms,
                                 config->limits.data_ms, config->limits.least_rate };
}

void session_pace_renew(struct session *session, enum pace_stage stage)
{
    pace_start(&session->pace, stage, loop_now_ms(session->server->loop));
}

void session_pace_reach(struct session *session, enum pace_stage stage)
{
    pace_reach(&session->pace, stage, loop_now_ms(session->server->loop));
}

void session_pace_count(struct session *session, uint64_t octets)
{
    const struct pace_limits limits = session_pace_limits(session->server->config);
    pace_count(&session->pace, &limits, loop_now_ms(session->server->loop), octets);
}

void session_pace_skip(struct session *session)
{
    pace_skip(&session->pace, loop_now_ms(session->server->loop));
}

uint64_t session_left_ms(const struct session *session)
{
    uint64_t age = loop_now_ms(session->server->loop) - session->started_ms;
    uint64_t most = session->server->config->limits.session_ms;
    return age < most ? most - age : 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Silence has its limit, a stage has one whatever is said in it, and the session one between two messages. */
static uint64_t limit_of(const struct session *session)
{
    const struct config *config = session->server->config;
    const struct pace_limits limits = session_pace_limits(config);
    bool is_content = session->state == SESSION_DATA || session->state == SESSION_CHUNK;
    uint64_t silence = is_content ? config->limits.data_ms : config->limits.command_ms;
    uint64_t limit =
        least(silence, pace_left_ms(&session->pace, &limits, loop_now_ms(session->server->loop)));
    return session->transaction.step == STEP_NONE ? least(limit, session_left_ms(session)) : limit;
}

void session_await(struct session *session)
{
    timer_set(session->timer, limit_of(session));
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
