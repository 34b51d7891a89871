/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One connection to clamd: several messages at once, replies in any order. A message in a memfd or a file
   goes to a unix socket as its descriptor, else as a stream. */
#include <stdlib.h>
#include <sys/socket.h>

#include "base/context.h"
#include "base/stream.h"
#include "consult/clamd_dialogue.h"
#include "consult/engine_client.h"

struct clamd_link {
    struct engine_link link; /* first: the client gets it back by this */
    struct stream *stream;
    struct clamd_dialogue dialogue;
    struct look *held;    /* until it is connected; NULL: none */
    struct look *sending; /* whose file the stream has not sent to its end yet; NULL: none */
    bool is_connected;
};

static struct clamd_link *clamd_of(struct engine_link *link)
{
    return (struct clamd_link *)CONTEXT(link, struct engine_link, LINK_MAGIC);
}

/* --- a message --- */

/* One byte with the descriptor, right behind what was written. False: it cannot be sent now. */
static bool descriptor_send(struct stream *stream, struct text command, int fd)
{
    char control[CMSG_SPACE(sizeof(int))] = { 0 };
    struct iovec part = { (void *)command.at, command.length };
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
    };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    return stream_pending(stream) == 0 &&
           sendmsg(stream_fd(stream), &message, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)command.length;
}

/* False: by a stream, then. */
static bool descriptor_ask(struct clamd_link *self, struct look *look)
{
    struct clamd_dialogue after = self->dialogue;
    struct buffer command = { 0 };
    bool is_local = engine_client_engine(look->client)->path.length > 0;
    if (!is_local || look->body.fd == 0 || engine_client_is_blind(look->client)) return false;
    bool is_sent = clamd_ask(&after, CLAMD_FILDES, look, &command);
    buffer_add_char(&command, '\0');
    is_sent = is_sent && descriptor_send(self->stream, buffer_text(&command), look->body.fd);
    buffer_free(&command);
    if (is_sent) self->dialogue = after;
    return is_sent;
}

static void stream_ask(struct clamd_link *self, struct look *look)
{
    struct buffer out = { 0 };
    clamd_ask(&self->dialogue, CLAMD_INSTREAM, look, &out);
    if (look->body.size > 0) clamd_chunk_put((uint32_t)look->body.size, &out);
    if (look->body.fd == 0) buffer_add_text(&out, body_text(&look->body));
    stream_write(self->stream, buffer_text(&out));
    if (look->body.fd > 0) self->sending = look;
    if (look->body.fd > 0) stream_send_file(self->stream, look->body.fd, 0, look->body.size);
    buffer_clear(&out);
    clamd_chunk_put(0, &out);
    stream_write(self->stream, buffer_text(&out));
    buffer_free(&out);
}

static void look_send(struct clamd_link *self, struct look *look)
{
    if (!descriptor_ask(self, look)) stream_ask(self, look);
}

/* --- replies --- */

static void reply_take(struct clamd_link *self, const struct clamd_reply *reply)
{
    struct look *look = reply->asker;
    if (reply->command == CLAMD_VERSION) {
        if (reply->state == SCAN_CLEAN) engine_client_version(self->link.client, reply->words);
    } else if (reply->command == CLAMD_FILDES && reply->state == SCAN_UNSCANNED) {
        engine_client_set_blind(self->link.client);
        stream_ask(self, look);
    } else {
        engine_client_answered(look, reply->state, reply->words);
    }
}

static size_t on_input(void *context, struct text bytes)
{
    struct clamd_link *self = clamd_of(context);
    struct clamd_reply reply;
    enum clamd_event event;
    size_t read = clamd_read(&self->dialogue, bytes, &event, &reply);
    if (event == CLAMD_NONSENSE)
        engine_client_link_lost(&self->link, TEXT("an answer that makes no sense"));
    else if (event == CLAMD_REPLY)
        reply_take(self, &reply);
    return read;
}

static void on_connected(void *context)
{
    struct clamd_link *self = clamd_of(context);
    struct buffer out = { 0 };
    self->is_connected = true;
    clamd_begin(&out);
    clamd_ask(&self->dialogue, CLAMD_VERSION, NULL, &out);
    stream_write(self->stream, buffer_text(&out));
    buffer_free(&out);
    struct look *held = self->held;
    self->held = NULL;
    if (held) look_send(self, held);
    engine_client_link_ready(&self->link);
}

static void on_drained(void *context)
{
    struct clamd_link *self = clamd_of(context);
    self->sending = NULL;
    engine_client_link_ready(&self->link);
}

static void on_ended(void *context, enum stream_end end, const char *reason)
{
    engine_client_link_lost(&clamd_of(context)->link, text_of(reason));
}

/* --- the table --- */

static struct engine_link *clamd_link_open(struct engine_client *client, struct loop *loop)
{
    static const struct stream_events events = {
        .on_input = on_input, .on_drained = on_drained, .on_connected = on_connected, .on_ended = on_ended
    };
    struct clamd_link *self = memory_alloc(sizeof *self);
    self->stream = engine_client_connect(client, loop, &events, self);
    return &self->link;
}

static bool clamd_link_has_room(const struct engine_link *link)
{
    const struct clamd_link *self = (const struct clamd_link *)link;
    return self->is_connected && self->dialogue.count < CLAMD_OPEN_MOST && stream_pending(self->stream) == 0;
}

static void clamd_link_take(struct engine_link *link, struct look *look)
{
    struct clamd_link *self = clamd_of(link);
    if (self->is_connected)
        look_send(self, look);
    else
        self->held = look;
}

static bool clamd_link_goes_on(const struct engine_link *link, const struct look *look)
{
    return ((const struct clamd_link *)link)->sending != look;
}

static void clamd_link_close(struct engine_link *link)
{
    struct clamd_link *self = clamd_of(link);
    stream_close(self->stream);
    free(self);
}

const struct engine_link_calls clamd_link_calls = { clamd_link_open, clamd_link_has_room, clamd_link_take,
                                                    clamd_link_goes_on, clamd_link_close };
