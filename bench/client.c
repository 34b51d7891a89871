/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The client's side of SMTP (RFC 5321, 2920, 3207), with the least work per message that is possible:
   a pipelined message costs two writes and two reads. */
#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/die.h"
#include "secure.h"
#include "tool.h"

#define RETRY_SECONDS 0.05

static const struct text ehlo = { "EHLO load.bench.example\r\n", 25 };

const char *client_state_name(enum client_state state)
{
    static const char *const names[] = { "closed", "connect",  "greeting", "ehlo",  "starttls", "handshake",
                                         "ready",  "envelope", "content",  "reset", "quit" };
    return names[state];
}

void client_init(struct client *client, const struct client_plan *plan, uint32_t index)
{
    *client = (struct client){ .plan = plan, .index = index, .fd = -1, .state = CLIENT_CLOSED };
}

static void watch(struct client *client, int operation, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.u32 = client->index };
    if (epoll_ctl(client->plan->epoll, operation, client->fd, &event) != 0) die_errno("epoll_ctl");
}

static void watch_write(struct client *client, bool wanted)
{
    if (client->wants_write == wanted) return;
    client->wants_write = wanted;
    watch(client, EPOLL_CTL_MOD, wanted ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void drop_connection(struct client *client)
{
    secure_free(client->secure);
    client->secure = NULL;
    if (client->fd >= 0) close(client->fd);
    client->fd = -1;
    client->state = CLIENT_CLOSED;
    client->in_start = client->in_end = 0;
    client->out[0] = client->out[1] = TEXT_NONE;
    client->wants_write = client->offers_pipelining = client->offers_tls = false;
    client->sent = 0;
    client->retry_at = 0;
}

static void finish(struct client *client, enum client_state state, int code, struct text why)
{
    client->has_message = false;
    client->deadline = 0;
    client->plan->on_finished(client->plan->context, client->index, state, code, why);
}

/* The message, if any, has failed without a reply; the connection is gone. */
static void fail(struct client *client, const char *why)
{
    enum client_state state = client->state;
    bool had_message = client->has_message, was_free = state == CLIENT_READY || state == CLIENT_CLOSED;
    drop_connection(client);
    client->deadline = client->retry_at = 0;
    if (had_message) finish(client, state, 0, text_of(why));
    if (!was_free || had_message) client->plan->on_free(client->plan->context, client->index);
}

/* No server was reached yet, so nothing of the message is out: it may wait and try again. */
static void connect_again(struct client *client)
{
    drop_connection(client);
    client->failed_connects++;
    client->retry_at = tool_now() + RETRY_SECONDS;
}

static void connection_lost(struct client *client)
{
    if (client->state < CLIENT_READY && client->state > CLIENT_CLOSED)
        connect_again(client);
    else
        fail(client, "connection lost");
}

/* The next of those that the plan wants: by the message, whose number is nobody else's. */
static struct address source(const struct client *client)
{
    uint32_t number = (uint32_t)(client->message.id % client->plan->addresses);
    uint8_t bytes[] = { 127, (uint8_t)(64 + (number >> 16)), (uint8_t)(number >> 8), (uint8_t)number };
    struct address from;
    address_from_bytes(bytes, sizeof bytes, &from);
    return from;
}

static void connect_now(struct client *client)
{
    client->retry_at = 0;
    struct address from = client->plan->addresses ? source(client) : (struct address){ 0 };
    client->fd = tool_connect(&client->plan->to, client->plan->addresses ? &from : NULL);
    if (client->fd < 0) {
        connect_again(client);
        return;
    }
    client->connections++;
    client->state = CLIENT_CONNECTING;
    client->wants_write = true;
    watch(client, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
}

static bool flush(struct client *client)
{
    struct iovec pieces[2];
    while (client->out[0].length + client->out[1].length > 0) {
        for (int i = 0; i < 2; i++)
            pieces[i] = (struct iovec){ (void *)client->out[i].at, client->out[i].length };
        int first = client->out[0].length ? 0 : 1, count = client->out[1].length ? 2 - first : 1;
        ssize_t sent = client->secure ? secure_write(client->secure, pieces + first, count)
                                      : writev(client->fd, pieces + first, count);
        if (sent < 0 && errno == EAGAIN) break;
        if (sent < 0) return false;
        for (int i = 0; i < 2; i++) {
            size_t part = (size_t)sent < client->out[i].length ? (size_t)sent : client->out[i].length;
            client->out[i] = text_slice(client->out[i], part, client->out[i].length);
            sent -= (ssize_t)part;
        }
    }
    watch_write(client, client->out[0].length + client->out[1].length > 0);
    return true;
}

static void send_texts(struct client *client, struct text first, struct text second)
{
    client->out[0] = first;
    client->out[1] = second;
    if (!flush(client)) connection_lost(client);
}

static void envelope_begin(struct client *client)
{
    const struct client_plan *plan = client->plan;
    client->state = CLIENT_ENVELOPE;
    client->step = 0;
    client->mail_taken = client->rcpt_taken = false;
    client->refused_code = 0;
    client->sent++;
    send_texts(client, client->offers_pipelining ? plan->envelope : plan->commands[0], TEXT_NONE);
}

static void become_ready(struct client *client)
{
    client->state = CLIENT_READY;
    if (client->has_message)
        envelope_begin(client);
    else
        client->plan->on_free(client->plan->context, client->index);
}

static void content_begin(struct client *client)
{
    struct text id_line = TEXT_NONE;
    client->state = CLIENT_CONTENT;
    if (client->plan->unique) {
        char *digit = client->id_line + CLIENT_ID_LINE_BYTES - 2;
        uint64_t id = client->message.id;
        memcpy(client->id_line, "X-Bench-Id: 0000000000\r\n", CLIENT_ID_LINE_BYTES);
        for (; id > 0; id /= 10) *--digit = (char)('0' + id % 10);
        id_line = text_from(client->id_line, CLIENT_ID_LINE_BYTES);
    }
    /* A bare dot when nobody wants the message: DATA was taken all the same. */
    send_texts(client, client->rcpt_taken ? id_line : TEXT_NONE,
               client->rcpt_taken ? client->message.body : TEXT(".\r\n"));
}

static void message_over(struct client *client, enum client_state state, int code, struct text why)
{
    finish(client, state, code, why);
    if (client->plan->reuse && client->sent >= client->plan->reuse) {
        client->state = CLIENT_QUIT;
        client->deadline = tool_now() + client->plan->timeout;
        send_texts(client, TEXT("QUIT\r\n"), TEXT_NONE);
    } else {
        become_ready(client);
    }
}

static void envelope_failed(struct client *client)
{
    struct text why = text_of(client->refused_why);
    if (client->mail_taken) {
        finish(client, CLIENT_ENVELOPE, client->refused_code, why);
        client->state = CLIENT_RESET;
        client->deadline = tool_now() + client->plan->timeout;
        send_texts(client, TEXT("RSET\r\n"), TEXT_NONE);
    } else {
        message_over(client, CLIENT_ENVELOPE, client->refused_code, why);
    }
}

static void refusal_note(struct client *client, int code, struct text why)
{
    if (client->refused_code) return;
    client->refused_code = code;
    snprintf(client->refused_why, sizeof client->refused_why, "%.*s", TEXT_ARG(why));
}

static void envelope_reply(struct client *client, int code, struct text why)
{
    size_t last = client->plan->command_count - 1, step = client->step++;
    bool taken = step == last ? code == 354 : code / 100 == 2;
    if (!taken) refusal_note(client, code, why);
    if (step == 0)
        client->mail_taken = taken;
    else if (step < last)
        client->rcpt_taken |= taken;
    if (step == last) {
        if (taken)
            content_begin(client);
        else
            envelope_failed(client);
    } else if (!client->offers_pipelining) {
        if (!client->mail_taken || (step + 1 == last && !client->rcpt_taken))
            envelope_failed(client);
        else
            send_texts(client, client->plan->commands[step + 1], TEXT_NONE);
    }
}

static void content_reply(struct client *client, int code, struct text why)
{
    if (client->out[1].length > 0) { /* refused before all was sent: the rest would be read as commands */
        finish(client, CLIENT_CONTENT, code, why);
        fail(client, "");
    } else if (!client->rcpt_taken) {
        message_over(client, CLIENT_ENVELOPE, client->refused_code, text_of(client->refused_why));
    } else {
        message_over(client, CLIENT_CONTENT, code, why);
    }
}

static void handshake_step(struct client *client)
{
    enum secure_step step = secure_handshake(client->secure);
    if (step == SECURE_FAILED) {
        fail(client, "TLS handshake failed");
    } else if (step == SECURE_DONE) {
        client->state = CLIENT_EHLO;
        client->offers_pipelining = false;
        send_texts(client, ehlo, TEXT_NONE);
    } else {
        watch_write(client, step == SECURE_WANTS_WRITE);
    }
}

static void ehlo_reply(struct client *client)
{
    if (!client->plan->tls || client->secure) {
        client->offers_pipelining &= client->plan->pipelining;
        become_ready(client);
    } else if (client->offers_tls) {
        client->state = CLIENT_STARTTLS;
        send_texts(client, TEXT("STARTTLS\r\n"), TEXT_NONE);
    } else {
        fail(client, "STARTTLS is not offered");
    }
}

/* Refused before any message was named: the message that waits ends with that reply. */
static void session_refused(struct client *client, int code, struct text why)
{
    enum client_state state = client->state;
    if (client->has_message) finish(client, state, code, why);
    fail(client, "");
}

static void reply(struct client *client, int code, struct text why)
{
    enum client_state state = client->state;
    if (code == 421 || (state < CLIENT_READY && code / 100 != 2)) {
        session_refused(client, code, why);
    } else if (state == CLIENT_GREETING) {
        client->state = CLIENT_EHLO;
        send_texts(client, ehlo, TEXT_NONE);
    } else if (state == CLIENT_EHLO) {
        ehlo_reply(client);
    } else if (state == CLIENT_STARTTLS) {
        client->secure = secure_new(client->plan->tls, client->fd);
        client->state = CLIENT_HANDSHAKE;
        handshake_step(client);
    } else if (state == CLIENT_ENVELOPE) {
        envelope_reply(client, code, why);
    } else if (state == CLIENT_CONTENT) {
        content_reply(client, code, why);
    } else if (state == CLIENT_RESET) {
        client->deadline = 0;
        become_ready(client);
    } else {
        fail(client, state == CLIENT_QUIT ? "" : "a reply nobody asked for");
    }
}

static void capability_note(struct client *client, struct text line)
{
    struct text word = text_slice(line, 4, line.length);
    if (text_equal_nocase(word, TEXT("PIPELINING"))) client->offers_pipelining = true;
    if (text_equal_nocase(word, TEXT("STARTTLS"))) client->offers_tls = true;
}

static void line_read(struct client *client, struct text line)
{
    int code = 0;
    for (size_t i = 0; i < 3 && i < line.length && char_is_digit(line.at[i]); i++)
        code = code * 10 + (line.at[i] - '0');
    if (line.length < 3 || code < 200 || code > 599) {
        fail(client, "not an SMTP reply");
        return;
    }
    if (client->state == CLIENT_EHLO) capability_note(client, line);
    if (line.length == 3 || line.at[3] != '-') reply(client, code, line);
}

/* The client may be closed, and even be connecting anew, when a line has been read. */
static void lines_read(struct client *client)
{
    while (client->in_start < client->in_end) {
        struct text rest = text_from(client->in + client->in_start, client->in_end - client->in_start);
        const char *end = memchr(rest.at, '\n', rest.length);
        if (!end) break;
        client->in_start += (size_t)(end - rest.at) + 1;
        line_read(client, text_trim(text_from(rest.at, (size_t)(end - rest.at))));
    }
    if (client->in_start > 0) {
        memmove(client->in, client->in + client->in_start, client->in_end - client->in_start);
        client->in_end -= client->in_start;
        client->in_start = 0;
    }
    if (client->in_end == sizeof client->in) fail(client, "a reply line without end");
}

static void input(struct client *client)
{
    do {
        size_t room = sizeof client->in - client->in_end;
        ssize_t got = client->secure ? secure_read(client->secure, client->in + client->in_end, room)
                                     : read(client->fd, client->in + client->in_end, room);
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) {
            connection_lost(client);
            return;
        }
        client->in_end += (size_t)got;
        lines_read(client);
    } while (client->secure && client->state != CLIENT_HANDSHAKE);
}

static void connected(struct client *client)
{
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error) {
        connect_again(client);
        return;
    }
    client->state = CLIENT_GREETING;
    watch_write(client, false);
}

void client_event(struct client *client, uint32_t events)
{
    if (client->fd < 0) return;
    if (client->state == CLIENT_CONNECTING) {
        connected(client);
    } else if (client->state == CLIENT_HANDSHAKE) {
        handshake_step(client);
    } else {
        if ((events & EPOLLOUT) && !flush(client)) {
            connection_lost(client);
            return;
        }
        if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) input(client);
    }
}

void client_start(struct client *client, const struct client_message *message)
{
    client->message = *message;
    client->has_message = true;
    client->deadline = tool_now() + client->plan->timeout;
    if (client->state == CLIENT_READY)
        envelope_begin(client);
    else
        connect_now(client);
}

void client_tick(struct client *client, double now)
{
    if (client->deadline > 0 && now > client->deadline)
        fail(client, client->retry_at > 0 ? "cannot connect" : "no reply in time");
    else if (client->retry_at > 0 && now >= client->retry_at)
        connect_now(client);
}

void client_close(struct client *client)
{
    if (client->fd >= 0 && client->state == CLIENT_READY) send_texts(client, TEXT("QUIT\r\n"), TEXT_NONE);
    drop_connection(client);
}
