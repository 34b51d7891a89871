/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One connection to an ICAP server: one message after another. What the service wants (OPTIONS) is asked at
   the beginning, and again when it is over or the ISTag is another one. */
#include <stdio.h>
#include <stdlib.h>

#include "base/context.h"
#include "base/stream.h"
#include "config/value.h"
#include "consult/engine_client.h"
#include "consult/icap_dialogue.h"

enum { OPTIONS_TTL_S = 3600 }; /* where the server says none */

/* What the service wants: shared by all connections to it. */
struct icap_memo {
    struct icap_options options;
    uint64_t until_ms; /* 0: not known, or over */
};

struct icap_link {
    struct engine_link link; /* first: the client gets it back by this */
    struct loop *loop;
    struct stream *stream;
    struct icap_dialogue dialogue;
    struct icap_memo *memo;
    struct look *look; /* the one that it has; NULL: none */
    char host[ADDRESS_TEXT_SIZE + 16];
    bool is_connected;
};

static struct icap_link *icap_of(struct engine_link *link)
{
    return (struct icap_link *)CONTEXT(link, struct engine_link, LINK_MAGIC);
}

/* --- sending --- */

static void output_send(struct icap_link *self, struct icap_output *output)
{
    size_t length = output->to - output->from;
    stream_write(self->stream, buffer_text(&output->head));
    if (length > 0 && self->look->body.fd > 0)
        stream_send_file(self->stream, self->look->body.fd, output->from, length);
    else if (length > 0)
        stream_write(self->stream, text_slice(body_text(&self->look->body), output->from, output->to));
    stream_write(self->stream, output->tail);
    buffer_free(&output->head);
}

/* The next request, when nothing is under way. */
static void go_on(struct icap_link *self)
{
    struct icap_output output;
    if (!self->is_connected || self->dialogue.state != ICAP_IDLE || !self->look) return;
    struct text message = body_text(&self->look->body);
    if (self->memo->until_ms <= loop_now_ms(self->loop)) {
        icap_options_ask(&self->dialogue, &output);
    } else if (message.length < self->look->body.size) {
        struct look *look = self->look;
        self->look = NULL;
        engine_client_refused(look, TEXT("the message could not be read"));
        return;
    } else {
        icap_look(&self->dialogue, &self->memo->options, message, &output);
    }
    output_send(self, &output);
}

/* --- replies --- */

static void options_take(struct icap_link *self, const struct icap_options *options)
{
    char version[sizeof options->service + sizeof options->tag + 1];
    uint32_t ttl_s = options->ttl_s ? options->ttl_s : OPTIONS_TTL_S;
    self->memo->options = *options;
    self->memo->until_ms = loop_now_ms(self->loop) + ttl_s * UINT64_C(1000);
    int length = snprintf(version, sizeof version, "%s%s%s", options->service,
                          options->service[0] && options->tag[0] ? " " : "", options->tag);
    engine_client_version(self->link.client, text_from(version, (size_t)length));
    engine_client_connections(self->link.client, options->connections);
    if (self->dialogue.state == ICAP_IDLE)
        go_on(self);
    else
        engine_client_link_done(&self->link);
}

/* The link may be closed by it. */
static void answer_take(struct icap_link *self, const struct icap_answer *answer)
{
    struct look *look = self->look;
    if (answer->tag[0] && strcmp(answer->tag, self->memo->options.tag) != 0) self->memo->until_ms = 0;
    self->look = NULL;
    if (look)
        engine_client_answered(look, answer->state, text_of(answer->name));
    else
        engine_client_link_done(&self->link);
}

static size_t on_input(void *context, struct text bytes)
{
    struct icap_link *self = icap_of(context);
    struct icap_output output;
    struct icap_options options;
    struct icap_answer answer;
    enum icap_event event;
    size_t read = icap_read(&self->dialogue, bytes, &event, &options, &answer);
    if (event == ICAP_NONSENSE) engine_client_link_lost(&self->link, text_of(answer.name));
    if (event == ICAP_OPTIONS) options_take(self, &options);
    if (event == ICAP_ANSWER) answer_take(self, &answer);
    if (event == ICAP_CONTINUE) {
        icap_rest(&self->dialogue, &output);
        output_send(self, &output);
    }
    return read;
}

static void on_connected(void *context)
{
    struct icap_link *self = icap_of(context);
    self->is_connected = true;
    go_on(self);
}

static void on_ended(void *context, enum stream_end end, const char *reason)
{
    engine_client_link_lost(&icap_of(context)->link, text_of(reason));
}

/* --- the table --- */

static struct engine_link *icap_link_open(struct engine_client *client, struct loop *loop)
{
    static const struct stream_events events = { .on_input = on_input,
                                                 .on_connected = on_connected,
                                                 .on_ended = on_ended };
    const struct outside_engine *engine = engine_client_engine(client);
    struct icap_link *self = memory_alloc(sizeof *self);
    struct buffer host = { 0 };
    value_endpoint_print(&engine->endpoint, 0, &host);
    memcpy(self->host, buffer_text(&host).at, buffer_length(&host));
    self->loop = loop;
    self->memo = engine_client_memo(client, sizeof *self->memo);
    self->dialogue.host = text_from(self->host, buffer_length(&host));
    self->dialogue.service = engine->service;
    self->stream = engine_client_connect(client, loop, &events, self);
    buffer_free(&host);
    return &self->link;
}

static bool icap_link_has_room(const struct engine_link *link)
{
    return false;
}

static void icap_link_take(struct engine_link *link, struct look *look)
{
    struct icap_link *self = icap_of(link);
    self->look = look;
    go_on(self);
}

/* An answer before the whole message was sent leaves the connection in the middle of it. */
static bool icap_link_goes_on(const struct engine_link *link, const struct look *look)
{
    const struct icap_link *self = (const struct icap_link *)link;
    return self->dialogue.state == ICAP_IDLE && stream_pending(self->stream) == 0;
}

static void icap_link_close(struct engine_link *link)
{
    struct icap_link *self = icap_of(link);
    stream_close(self->stream);
    free(self);
}

const struct engine_link_calls icap_link_calls = { icap_link_open, icap_link_has_room, icap_link_take,
                                                   icap_link_goes_on, icap_link_close };
