/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One message at a command: the process engine runs it, and all links share the channel to it. What engine
   had when it went is answered as failed; what comes while it is away waits for it. */
#include <stdlib.h>

#include "base/codec.h"
#include "base/context.h"
#include "consult/command_link.h"
#include "consult/engine_client.h"
#include "ipc/ask_consult.h"
#include "ipc/ask_engine.h"

struct command_link {
    struct engine_link link; /* first: the client gets it back by this */
    struct command_ways *ways;
    LIST_ENTRY(command_link) others;
    struct look *look; /* the one that it has; NULL: none */
    uint64_t id;       /* of the order; 0: it was not given yet */
};

struct command_ways {
    enum { WAYS_MAGIC = 0x46d2a83b } magic;
    struct loop *loop;
    struct channel *engine; /* NULL: it is being started */
    LIST_HEAD(command_list, command_link) links;
    uint64_t last_id;
};

static struct command_link *command_of(struct engine_link *link)
{
    return (struct command_link *)CONTEXT(link, struct engine_link, LINK_MAGIC);
}

/* --- a message --- */

static void order_send(struct command_link *self)
{
    struct command_ways *ways = self->ways;
    struct body *body = &self->look->body;
    int fds[FRAME_DESCRIPTORS], fd_count = 0;
    self->id = ++ways->last_id;
    struct buffer *out = channel_begin(ways->engine, ENGINE_RUN, self->id);
    consult_look_put(engine_client_engine(self->link.client)->name, body, out, fds, &fd_count);
    channel_end_fds(ways->engine, fds, fd_count);
}

/* --- answers --- */

static struct command_link *link_find(struct command_ways *ways, uint64_t id)
{
    struct command_link *self;
    LIST_FOREACH(self, &ways->links, others)
        if (self->look && self->id == id) return self;
    return NULL;
}

/* The link may be closed by it. */
static bool answer_take(struct command_link *self, struct text payload)
{
    struct engine_answer answer;
    if (!engine_answer_get(payload, &answer)) return false;
    if (!self) return true; /* it was stopped meanwhile */
    struct look *look = self->look;
    self->look = NULL;
    engine_client_answered(look, answer.state, answer.name);
    return true;
}

static bool death_take(struct command_link *self, struct text payload)
{
    struct reader reader = reader_of(payload);
    struct text why = get_text(&reader);
    if (!reader_done(&reader)) return false;
    if (!self) return true;
    self->look = NULL; /* there is nothing to be stopped */
    engine_client_link_lost(&self->link, why);
    return true;
}

static bool engine_frame(void *context, struct frame *frame)
{
    struct command_ways *ways = CONTEXT(context, struct command_ways, WAYS_MAGIC);
    struct command_link *self = link_find(ways, frame->id);
    if (frame->type == ENGINE_ANSWER) return answer_take(self, frame->payload);
    return frame->type == ENGINE_DIED && death_take(self, frame->payload);
}

/* --- the channel --- */

/* Each answer may close a link, whichever. */
static struct command_link *link_ordered(struct command_ways *ways)
{
    struct command_link *self;
    LIST_FOREACH(self, &ways->links, others)
        if (self->look && self->id > 0) return self;
    return NULL;
}

static void engine_gone(void *context)
{
    struct command_ways *ways = CONTEXT(context, struct command_ways, WAYS_MAGIC);
    channel_close(ways->engine);
    ways->engine = NULL;
    for (struct command_link *self; (self = link_ordered(ways));) {
        struct look *look = self->look;
        self->look = NULL;
        engine_client_refused(look, TEXT("the process engine has ended"));
    }
}

void command_link_ways_connect(struct command_ways *ways, int fd)
{
    static const struct channel_events events = { engine_frame, engine_gone };
    struct command_link *self;
    if (ways->engine) engine_gone(ways);
    ways->engine = channel_open(ways->loop, fd, &events, ways);
    LIST_FOREACH(self, &ways->links, others)
        if (self->look) order_send(self);
}

struct command_ways *command_link_ways_new(struct loop *loop)
{
    struct command_ways *ways = memory_alloc(sizeof *ways);
    *ways = (struct command_ways){ .magic = WAYS_MAGIC, .loop = loop };
    LIST_INIT(&ways->links);
    return ways;
}

/* --- the table --- */

static struct engine_link *command_link_open(struct engine_client *client, struct loop *loop)
{
    struct command_link *self = memory_alloc(sizeof *self);
    self->link.magic = LINK_MAGIC;
    self->ways = CONTEXT(engine_client_ways(client), struct command_ways, WAYS_MAGIC);
    LIST_INSERT_HEAD(&self->ways->links, self, others);
    return &self->link;
}

static bool command_link_has_room(const struct engine_link *link)
{
    return false;
}

static void command_link_take(struct engine_link *link, struct look *look)
{
    struct command_link *self = command_of(link);
    self->look = look;
    self->id = 0;
    if (self->ways->engine) order_send(self);
}

/* One that ended without an answer is stopped by the close. */
static bool command_link_goes_on(const struct engine_link *link, const struct look *look)
{
    return ((const struct command_link *)link)->look != look;
}

static void command_link_close(struct engine_link *link)
{
    struct command_link *self = command_of(link);
    if (self->look && self->id > 0 && self->ways->engine)
        channel_send(self->ways->engine, ENGINE_STOP, self->id, TEXT_NONE);
    LIST_REMOVE(self, others);
    free(self);
}

const struct engine_link_calls command_link_calls = { command_link_open,  command_link_has_room,
                                                      command_link_take,  command_link_goes_on,
                                                      command_link_close, .stops = true };
