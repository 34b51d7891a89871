/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One connection to spamd or rspamd: one message, and it is closed. */
#include <stdlib.h>

#include "base/context.h"
#include "base/stream.h"
#include "consult/engine_client.h"
#include "consult/opinion_dialogue.h"

struct opinion_link {
    struct engine_link link; /* first: the client gets it back by this */
    struct stream *stream;
    struct opinion_dialogue dialogue;
    struct look *look; /* NULL: none yet, or it is answered */
    bool is_connected;
};

static struct opinion_link *opinion_of(struct engine_link *link)
{
    return (struct opinion_link *)CONTEXT(link, struct engine_link, LINK_MAGIC);
}

/* --- sending --- */

static void message_send(struct opinion_link *self)
{
    struct body *body = &self->look->body;
    if (body->fd > 0)
        stream_send_file(self->stream, body->fd, 0, body->size);
    else
        stream_write(self->stream, body_text(body));
}

static void request_send(struct opinion_link *self)
{
    const struct outside_engine *opinion = engine_client_engine(self->link.client);
    struct consult_envelope envelope;
    struct arena *arena = arena_new(1024);
    struct buffer head = { 0 };
    if (!consult_envelope_get(arena, buffer_text(&self->look->envelope), &envelope))
        envelope = (struct consult_envelope){ 0 };
    const struct opinion_question question = { opinion->kind, opinion->user, opinion->settings, &envelope,
                                               self->look->body.size };
    opinion_ask(&question, &head);
    stream_write(self->stream, buffer_text(&head));
    buffer_free(&head);
    arena_free(arena);
    message_send(self);
}

/* --- replies --- */

/* Each but the first closes the link. */
static size_t on_input(void *context, struct text bytes)
{
    struct opinion_link *self = opinion_of(context);
    struct look *look = self->look;
    struct opinion opinion;
    enum opinion_event event;
    if (!look) {
        engine_client_link_lost(&self->link, TEXT("an answer before a question"));
        return bytes.length;
    }
    size_t read = opinion_read(&self->dialogue, bytes, &event, &opinion);
    if (event == OPINION_MORE) return read;
    if (event == OPINION_NONSENSE) {
        engine_client_link_lost(&self->link, text_of(opinion.names));
        return read;
    }
    self->look = NULL;
    if (event == OPINION_REFUSED)
        engine_client_refused(look, text_of(opinion.names));
    else
        engine_client_opined(look, opinion.is_spam, opinion.score, opinion.line, text_of(opinion.names));
    return read;
}

static void on_connected(void *context)
{
    struct opinion_link *self = opinion_of(context);
    self->is_connected = true;
    if (self->look) request_send(self);
}

static void on_ended(void *context, enum stream_end end, const char *reason)
{
    engine_client_link_lost(&opinion_of(context)->link, text_of(reason));
}

/* --- the table --- */

static struct engine_link *opinion_link_open(struct engine_client *client, struct loop *loop)
{
    static const struct stream_events events = { .on_input = on_input,
                                                 .on_connected = on_connected,
                                                 .on_ended = on_ended };
    struct opinion_link *self = memory_alloc(sizeof *self);
    self->dialogue.kind = engine_client_engine(client)->kind;
    self->stream = engine_client_connect(client, loop, &events, self);
    return &self->link;
}

static bool opinion_link_has_room(const struct engine_link *link)
{
    return false;
}

static void opinion_link_take(struct engine_link *link, struct look *look)
{
    struct opinion_link *self = opinion_of(link);
    self->look = look;
    if (self->is_connected) request_send(self);
}

static bool opinion_link_goes_on(const struct engine_link *link, const struct look *look)
{
    return false;
}

static void opinion_link_close(struct engine_link *link)
{
    struct opinion_link *self = opinion_of(link);
    stream_close(self->stream);
    free(self);
}

const struct engine_link_calls opinion_link_calls = { opinion_link_open,  opinion_link_has_room,
                                                      opinion_link_take,  opinion_link_goes_on,
                                                      opinion_link_close, .stops = true };
